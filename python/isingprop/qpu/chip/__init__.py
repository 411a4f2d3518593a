"""What a D-Wave chip is and accepts: working graph, qubit lines, limits and schedules."""
