"""Training: phases, the learning rule, evaluation, checkpoints and the trainer itself."""
