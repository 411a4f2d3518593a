"""Labelled images: digits (embedded in scikit-learn), MNIST and Fashion-MNIST."""
