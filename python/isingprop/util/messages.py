"""Messages for the user, on stderr, so that they never mix with results on stdout.

What a library says of a lost network is shortened to one line for them.
"""

import contextlib
import os
import sys
from collections.abc import Iterator


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


def chain_of(error: BaseException) -> Iterator[BaseException]:
    """Yields an error, that which it comes from, and so on."""
    inner: BaseException | None = error
    while inner is not None:
        yield inner
        inner = inner.__cause__ or inner.__context__


def reason_of(error: BaseException) -> str:
    """Returns why an error came up, in one line: what the operating system said, if it did.

    Libraries for HTTP wrap "Connection refused" in several errors, each with the text of all within
    it, and hide "Name or service not known" behind a timeout.
    """
    reason = str(error)
    for inner in chain_of(error):
        if isinstance(inner, OSError) and inner.strerror:
            reason = inner.strerror
        elif isinstance(inner, TimeoutError):
            reason = str(inner)

    return " ".join(reason.split()) or type(error).__name__
