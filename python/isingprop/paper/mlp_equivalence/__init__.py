"""The study of a perceptron and its energy-based twin (`reproduce mlp-equivalence`)."""
