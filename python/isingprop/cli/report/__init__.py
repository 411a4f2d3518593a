"""The report of a run, one HTML file, and the models of single epochs that it reads."""
