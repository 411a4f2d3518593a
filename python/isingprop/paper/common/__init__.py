"""What several studies share: jobs and their workers, methods of training, learning rates, reports."""
