"""The study of coherent training and amplitude amplification (`reproduce coherent`)."""
