"""dimod samplers that run on the kernels of isingprop.

They take every binary quadratic model.
"""

from isingprop.samplers.as_dimod.dimod_samplers import AnnealingSampler, TemperingSampler

__all__ = ["AnnealingSampler", "TemperingSampler"]
