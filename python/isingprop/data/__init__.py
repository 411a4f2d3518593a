"""Labelled images: the embedded digits, MNIST and Fashion-MNIST."""
