"""A multilayer perceptron and its energy-based twin, with exact probabilities and a trainer."""
