"""Signals that end the command as Ctrl-C does: SIGINT itself, SIGTERM and SIGHUP."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from types import FrameType
from typing import Any

from isingprop.cli.console import INTERRUPTED

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SIGNALLED = 128  # a shell's code for the end by signal number n is 128 + n
# A closed terminal, a batch system or an impatient user sends several signals. Further ones in this
# time would only disturb the end that the first one has begun.
_SECONDS_TO_END = 2.0


class StopSignals:
    """The signals raise KeyboardInterrupt in the main thread while the context lasts.

    A signal that is ignored, as SIGHUP is under nohup, or that has a handler of somebody else,
    keeps what it has.
    """

    def __init__(self) -> None:
        """Changes nothing yet."""
        self._first: int | None = None
        self._last_time = 0.0
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopSignals:
        """Sets the handlers."""
        for number in STOP_SIGNALS:
            handler = signal.getsignal(number)
            if handler in (signal.SIG_DFL, signal.default_int_handler):
                self._before[number] = handler
                signal.signal(number, self._stop)
        return self

    def __exit__(self, *_: object) -> None:
        """Puts the handlers back, or lets a further signal end a stopped process at once."""
        for number, handler in self._before.items():
            signal.signal(number, handler if self._first is None else signal.SIG_DFL)

    def exit_code(self, code: int) -> int:
        """Returns the exit code of the command, which says by which signal it was interrupted."""
        if code != INTERRUPTED or self._first is None:
            return code
        return _SIGNALLED + self._first

    def _stop(self, number: int, _: FrameType | None) -> None:
        now = monotonic()
        if self._first is not None and now - self._last_time < _SECONDS_TO_END:
            return
        self._first, self._last_time = self._first or number, now
        raise KeyboardInterrupt


@contextmanager
def stops_later() -> Iterator[None]:
    """Lets signals that come in the context take effect after it."""
    came: list[int] = []
    before = {each: signal.signal(each, lambda n, _: came.append(n)) for each in STOP_SIGNALS}

    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for each in came:
            signal.raise_signal(each)
