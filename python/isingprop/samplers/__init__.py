"""Samplers: what turns an IsingProblem into States."""

from isingprop.samplers.annealing import Annealing
from isingprop.samplers.protocol import Sampler

__all__ = ["Annealing", "Sampler"]
