"""isingprop: train neural networks with the low-energy states of an Ising machine.

    images ──network.problem()──▶ IsingProblem ──sampler.sample()──▶ States ──learning──▶ Gradient ──▶ network

Energy is E(s, t) = sum_i h_i s_i + sum_a g_a t_a + sum_ia J_ia s_i t_a, everywhere, and it is minimised.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from isingprop import coherent
from isingprop.data.load import ImageSet, class_balanced, load_data
from isingprop.energy_model.energy_trainer import EnergyTrainer
from isingprop.energy_model.mlp import MLP
from isingprop.energy_model.model import EnergyModel
from isingprop.network.bipartite import BipartiteNetwork
from isingprop.network.layered import LayeredNetwork
from isingprop.problem import IsingProblem
from isingprop.qpu.calls.connection import QPUBudgetError
from isingprop.readout import Readout
from isingprop.samplers import (
    Amplified,
    Annealing,
    BaseSampler,
    Coherent,
    Cyclic,
    DWave,
    FromDimod,
    Replay,
    Sampler,
    Tempering,
)
from isingprop.states import States
from isingprop.training.evaluation import EpochRecord, Evaluation, predict
from isingprop.training.layer_sweeps import sample_states
from isingprop.training.learning_rule import Gradient, LearningRates, gradient, layered_gradient
from isingprop.training.trainer import Trainer

if TYPE_CHECKING:
    from isingprop import dimod as dimod  # not in __all__: * leaves the user's own dimod alone
    from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU
    from isingprop.training.classifier import IsingClassifier

__version__ = version("isingprop")

__all__ = [
    "MLP",
    "Amplified",
    "Annealing",
    "BaseSampler",
    "BipartiteNetwork",
    "Coherent",
    "Cyclic",
    "DWave",
    "EmulatedQPU",
    "EnergyModel",
    "EnergyTrainer",
    "EpochRecord",
    "Evaluation",
    "FromDimod",
    "Gradient",
    "ImageSet",
    "IsingClassifier",
    "IsingProblem",
    "LayeredNetwork",
    "LearningRates",
    "QPUBudgetError",
    "Readout",
    "Replay",
    "Sampler",
    "States",
    "Tempering",
    "Trainer",
    "class_balanced",
    "coherent",
    "gradient",
    "layered_gradient",
    "load_data",
    "predict",
    "sample_states",
]


def __getattr__(name: str) -> Any:
    """Imports what takes a second to import when it is asked for: it derives from scikit-learn's or Ocean's classes."""
    if name == "dimod":
        return import_module("isingprop.dimod")
    if name == "IsingClassifier":
        from isingprop.training.classifier import IsingClassifier

        return IsingClassifier
    if name == "EmulatedQPU":
        from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU

        return EmulatedQPU
    raise AttributeError(f"module 'isingprop' has no attribute {name!r}")
