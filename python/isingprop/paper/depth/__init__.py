"""The study of networks with one to three hidden layers."""
