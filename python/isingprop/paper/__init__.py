"""The published figures and tables, one file each: it computes, saves the numbers, draws, and writes a report."""
