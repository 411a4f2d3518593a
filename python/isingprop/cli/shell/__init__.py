"""How the command looks in a shell: its help, and names of options in its messages."""
