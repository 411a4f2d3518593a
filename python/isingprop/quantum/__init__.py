"""A simulated quantum annealer: state vectors of at most 26 spins, and amplitude amplification."""
