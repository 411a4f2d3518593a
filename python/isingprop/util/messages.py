"""Lines for the person at the terminal, which never mix with a command's results on stdout."""

import sys


def say(text: str) -> None:
    """Prints a line on stderr."""
    print(text, file=sys.stderr, flush=True)
