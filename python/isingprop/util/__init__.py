"""Checks of arguments, atomic files and messages; nothing here depends on Ising problems."""
