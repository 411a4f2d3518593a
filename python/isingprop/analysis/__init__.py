"""Analysis of states (landscapes, overlaps) and of learning curves (scaling exponents)."""
