"""The figures and the table of Zhang & Kamenev 2025."""
