"""isingprop's annealers as dimod samplers, for any binary quadratic model whose graph is two-colourable."""

from isingprop.samplers.as_dimod import AnnealingSampler, TemperingSampler

__all__ = ["AnnealingSampler", "TemperingSampler"]
