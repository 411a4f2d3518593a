"""dimod samplers on this package's kernels, for every binary quadratic model.

`dimod_samplers` has the samplers, and `sampler_call` runs one call of them. `spin_model` has the
arrays of a model, `two_colouring` tells which are dense networks, `model_kernels` calls kernels,
`beta_schedules` reads the arguments on temperatures, and `binary_minima` ends a descent of a model
of 0 and 1.
"""
