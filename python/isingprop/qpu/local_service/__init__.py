"""A local server that speaks D-Wave's Solver API for emulated chips, with faults on request."""
