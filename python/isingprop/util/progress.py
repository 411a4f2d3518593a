"""Progress of a long task: a bar on a terminal or in a notebook, a few lines elsewhere."""

from __future__ import annotations

import sys
import warnings
from time import perf_counter
from typing import Any, Self

from isingprop.util.messages import say

_MOST_LINES = 10
# The bar takes what the numbers leave of a line: they fit 80 columns.
_BAR, _TIME = "{desc} {percentage:3.0f}%|{bar}| ", "{remaining} left{postfix}"


class Progress:
    """Shows on stderr how far a task is.

    A terminal gets a bar, and so does a notebook that has ipywidgets. Where no bar can be drawn, as
    in a log file, there are lines instead: one for each step, or for each tenth of the work if
    there are more than ten steps.

    Args:
        total: the work, in any unit; 0 where it is not known.
        done: what was done before.
        unit: the name of the unit, to show how many are done beside the bar.
        shown: False shows nothing at all.
    """

    def __init__(self, total: int, *, done: int = 0, unit: str = "", shown: bool = True) -> None:
        """Draws the bar, if there is one."""
        make_bar = _bar_class() if shown else None
        self._has_lines = shown and make_bar is None and total > done
        self._total, self._first, self._done = total, done, done
        self._num_lines, self._start = 0, perf_counter()

        self._bar: Any = None
        if make_bar is not None:
            count = f"{{n_fmt}}/{{total_fmt}} {unit}, " if unit else ""
            layout = {"bar_format": _BAR + count + _TIME} if total else {"unit": f" {unit}"}
            self._bar = make_bar(total=total or None, initial=done, dynamic_ncols=True, **layout)

    def __enter__(self) -> Self:
        """Returns itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leaves the bar as it is, on a line of its own."""
        self.close()

    def close(self) -> None:
        """Leaves the bar as it is, on a line of its own."""
        if self._bar is not None:
            self._bar.close()

    def clear(self) -> None:
        """Makes room for a line of somebody else."""
        if self._bar is not None:
            self._bar.clear()

    def describe(self, text: str) -> None:
        """Writes a text before the bar."""
        if self._bar is not None:
            self._bar.set_description_str(text, refresh=False)

    def note(self, text: str) -> None:
        """Writes a text after the bar."""
        if self._bar is not None:
            self._bar.set_postfix_str(text, refresh=False)

    def advance(self, number: int) -> None:
        """Adds to what is done."""
        self.move_to(self._done + number)

    def move_to(self, done: int) -> None:
        """Sets what is done, before this task included."""
        if self._bar is not None:
            self._bar.update(done - self._done)
        self._done = done

    def line(self, text: str) -> None:
        """Ends a step: prints a line where there is no bar, if another tenth is done."""
        own, whole = self._done - self._first, self._total - self._first
        if not self._has_lines or _MOST_LINES * own // whole <= self._num_lines:
            return
        self._num_lines = _MOST_LINES * own // whole

        seconds = perf_counter() - self._start
        left = max(whole - own, 0) / own * seconds
        say(f"{text}, {_interval(seconds)}, {_interval(left)} left")


def _interval(seconds: float) -> str:
    """Returns a time as minutes and seconds, and hours if there are any."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def _bar_class() -> type[Any] | None:
    """Returns tqdm's class for this terminal or notebook, or None where no bar can be drawn."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a notebook without ipywidgets has lines
        from tqdm.auto import tqdm

    in_notebook = any(each.__module__ == "tqdm.notebook" for each in tqdm.__mro__)
    return tqdm if in_notebook or sys.stderr.isatty() else None
