"""isingprop: train neural networks with the low-energy states of an Ising machine.

    images  ──network.problem()──▶  IsingProblem  ──sampler.sample()──▶  States
    States  ──learning rule──▶  Gradient  ──▶  network

All modules use one energy, which samplers minimise:

    E(s, t) = sum_i h_i s_i + sum_a g_a t_a + sum_ia J_ia s_i t_a.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from isingprop.data.load import ImageSet, load_data
from isingprop.data.new_images import load_images
from isingprop.data.subsets import class_balanced
from isingprop.network.base_network import Network
from isingprop.network.bipartite import BipartiteNetwork
from isingprop.network.layered import LayeredNetwork
from isingprop.problem import IsingProblem
from isingprop.readout import Readout
from isingprop.samplers.annealing import Annealing
from isingprop.samplers.protocol import BaseSampler, Sampler
from isingprop.states import States
from isingprop.training.evaluation import EpochRecord, Evaluation, predict
from isingprop.training.layer_sweeps import sample_states
from isingprop.training.learning_rule import Gradient, LearningRates, gradient, layered_gradient
from isingprop.training.trainer import Trainer

if TYPE_CHECKING:
    from isingprop import coherent
    from isingprop import dimod as dimod  # not in __all__: `import *` must not hide the real dimod
    from isingprop.energy_model.energy_trainer import EnergyTrainer
    from isingprop.energy_model.mlp import MLP
    from isingprop.energy_model.model import EnergyModel
    from isingprop.estimator.classifier import IsingClassifier
    from isingprop.qpu.calls.connection import QPUBudgetError
    from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU
    from isingprop.samplers.amplified import Amplified
    from isingprop.samplers.class_states import ClassStates
    from isingprop.samplers.coherent_annealing import Coherent
    from isingprop.samplers.cyclic import Cyclic
    from isingprop.samplers.dwave import DWave
    from isingprop.samplers.from_dimod import FromDimod
    from isingprop.samplers.replay import Replay
    from isingprop.samplers.tempering import Tempering

__version__ = version("isingprop")

__all__ = [
    "MLP",
    "Amplified",
    "Annealing",
    "BaseSampler",
    "BipartiteNetwork",
    "ClassStates",
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
    "Network",
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
    "load_images",
    "predict",
    "sample_states",
]


# What a training on the CPU does not need is imported at its first use, so that `import isingprop`
# stays fast; some of it takes a second, since it derives from classes of scikit-learn, dimod or
# dwave-system. These names are in these modules, other names of __all__ in `samplers`.
_MODULES = {
    "MLP": "energy_model.mlp",
    "EmulatedQPU": "qpu.emulator.emulated_qpu",
    "EnergyModel": "energy_model.model",
    "EnergyTrainer": "energy_model.energy_trainer",
    "IsingClassifier": "estimator.classifier",
    "QPUBudgetError": "qpu.calls.connection",
}


def __getattr__(name: str) -> Any:
    """Imports what is not imported yet, and keeps it."""
    if name in ("coherent", "dimod"):
        return import_module(f"isingprop.{name}")
    if name not in __all__:
        raise AttributeError(f"module 'isingprop' has no attribute {name!r}")

    value = getattr(import_module(f"isingprop.{_MODULES.get(name, 'samplers')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Returns the public names, imported or not."""
    return sorted({*globals(), *__all__, "dimod"})
