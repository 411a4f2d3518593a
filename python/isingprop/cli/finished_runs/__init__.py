"""Commands that read finished runs: their list, and how they differ."""
