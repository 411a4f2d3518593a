"""Checks of arguments and atomic files; this package knows nothing of Ising problems."""
