"""How problems become calls of a chip, and how answers are kept on disk and become states."""
