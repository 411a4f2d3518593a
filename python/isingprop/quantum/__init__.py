"""A simulated quantum annealer for at most 26 spins, with amplitude amplification."""
