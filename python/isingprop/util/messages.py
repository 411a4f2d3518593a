"""Messages for the user, on stderr, so that they never mix with results on stdout."""

import contextlib
import os
import sys


def say(text: str) -> None:
    """Prints a line on stderr, if that is still there: a closed terminal ends no work."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def drop_unsaid() -> None:
    """Drops what could not be written to stderr, which would change the exit code of Python."""
    try:
        if sys.stderr is not None:  # it is where the command was started without one
            sys.stderr.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
