"""Shared parts of the studies: jobs and workers, training methods, learning rates, reports."""
