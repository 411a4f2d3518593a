"""Messages for the user, on stderr, so that they never mix with results on stdout."""

import sys


def say(text: str) -> None:
    """Prints a line on stderr."""
    print(text, file=sys.stderr, flush=True)
