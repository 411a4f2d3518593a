"""Analysis of states and of learning curves: landscapes and scaling exponents."""
