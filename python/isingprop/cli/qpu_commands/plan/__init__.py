"""What a budget of QPU time buys: rehearsals on the CPU, and the search for the best plan."""
