"""Readers of the user's own images: arrays, tables, IDX files, pictures, OpenML."""
