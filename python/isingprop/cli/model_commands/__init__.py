"""Commands that use the model of a finished run."""
