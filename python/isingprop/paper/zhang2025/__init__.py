"""Studies that reproduce the figures and the table of Zhang & Kamenev 2025, arXiv:2506.05244."""
