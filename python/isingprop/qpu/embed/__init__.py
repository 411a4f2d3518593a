"""Embeddings of complete bipartite networks: rectangles of crossing lines, stars, and a cache."""
