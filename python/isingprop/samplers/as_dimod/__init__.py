"""dimod samplers on this package's kernels, for models whose graph is two-colourable.

`dimod_samplers` has the samplers, `bipartite_call` runs one call of them, `beta_schedules` reads
their schedule arguments, and `two_colouring` divides a model into two layers.
"""
