"""What is particular to D-Wave's chips: their graphs, embeddings, limits and schedules. Imported when it is needed."""
