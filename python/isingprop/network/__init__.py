"""Networks: their parameters, the Ising problems that images pose, and reference states."""
