"""What a budget of QPU time buys: trials on the CPU, and the search for the best plan."""
