"""The command `isingprop`, as `python -m isingprop` starts it."""

from isingprop.cli import main

if __name__ == "__main__":
    main()
