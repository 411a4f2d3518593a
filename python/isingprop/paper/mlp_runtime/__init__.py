"""The study of sampling time against the size of the model (`reproduce mlp-runtime`)."""
