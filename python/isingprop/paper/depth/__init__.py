"""A study that compares networks with one, two and three hidden layers."""
