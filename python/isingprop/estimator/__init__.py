"""Settings that were tuned, and the estimator for scikit-learn that has them."""
