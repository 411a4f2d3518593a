"""dimod samplers that run on the kernels of isingprop.

They take every binary quadratic model whose graph is two-colourable.
"""

from isingprop.samplers.as_dimod.dimod_samplers import AnnealingSampler, TemperingSampler

__all__ = ["AnnealingSampler", "TemperingSampler"]
