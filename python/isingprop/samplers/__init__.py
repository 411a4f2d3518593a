"""Samplers: what turns an IsingProblem into States."""

from isingprop.samplers.annealing import Annealing
from isingprop.samplers.coherent_annealing import Amplified, Coherent
from isingprop.samplers.cyclic import Cyclic
from isingprop.samplers.dwave import DWave
from isingprop.samplers.from_dimod import FromDimod
from isingprop.samplers.protocol import BaseSampler, Sampler
from isingprop.samplers.replay import Replay
from isingprop.samplers.tempering import Tempering

__all__ = [
    "Amplified",
    "Annealing",
    "BaseSampler",
    "Coherent",
    "Cyclic",
    "DWave",
    "FromDimod",
    "Replay",
    "Sampler",
    "Tempering",
]
