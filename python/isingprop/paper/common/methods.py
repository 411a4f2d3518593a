"""The ways of training that are compared, and the job that trains one network."""

from __future__ import annotations

from dataclasses import dataclass
from time import thread_time
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from isingprop.data.load import ImageSet, class_balanced
from isingprop.network.bipartite import BipartiteNetwork
from isingprop.paper.common.backpropagation import Activation, Perceptron
from isingprop.paper.common.jobs import Arrays
from isingprop.problem import IsingProblem
from isingprop.samplers import Annealing, Cyclic
from isingprop.states import States
from isingprop.training.evaluation import predict
from isingprop.training.learning_rule import LearningRates
from isingprop.training.trainer import Trainer
from isingprop.training.trainer_options import WRONG_CLASSES
from isingprop.util.checks import Spins

NUM_HIDDEN = 120
NUM_SWEEPS = 30
PAPER_TEST_IMAGES = 100
_ORDER = 1  # what a seed is used for, beside the initial parameters
# The same for every method; half decades from far too slow to too fast for each of them.
LEARNING_RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)


@dataclass(frozen=True)
class LowestOf:
    """Draws `tries` states for each read and keeps the lowest of them."""

    sampler: Annealing
    tries: int

    def sample(
        self,
        problem: IsingProblem,
        num_reads: int = 1,
        seed: int | None = None,
        initial: Spins | None = None,
    ) -> States:
        """As Annealing.sample; start states would be shared by all tries of a read."""
        states = self.sampler.sample(problem, num_reads * self.tries, seed, initial)
        energies = states.energies.reshape(len(problem), num_reads, self.tries)
        best = energies.argmin(axis=2) + self.tries * np.arange(num_reads)
        rows = np.arange(len(problem))[:, None]
        return States.trusted(states.spins[rows, best], states.energies[rows, best], states.info)


class Learner(Protocol):
    """A network in training."""

    def train_epoch(self) -> tuple[float, float]:
        """The errors of all states, and of the lowest one of each image."""
        ...

    def predict(self) -> NDArray[np.int64]:
        """The classes of the test images."""
        ...


class IsingLearner:
    """A Trainer and its images."""

    def __init__(self, trainer: Trainer, images: ImageSet) -> None:
        """Of a new network."""
        self._trainer, self._images = trainer, images

    def train_epoch(self) -> tuple[float, float]:
        """As Learner has it."""
        record = self._trainer.train_epoch(self._images.train_images, self._images.train_labels)
        return record.train_error_reads, record.train_error_lowest

    def predict(self) -> NDArray[np.int64]:
        """As Learner has it."""
        trainer = self._trainer
        return predict(
            trainer.network,
            trainer.test_sampler,
            self._images.test_images,
            num_reads=trainer.num_test_reads,
            seed=trainer.seed,
            active_layers=trainer.active_layers,
        )


class Method(Protocol):
    """A way of training: in fact a frozen dataclass, as what a job is made of."""

    @property
    def title(self) -> str:
        """Its name in tables and legends."""
        ...

    def start(self, images: ImageSet, learning_rate: float, seed: int) -> Learner:
        """Training of a new network."""
        ...


@dataclass(frozen=True)
class IsingMethod:
    """Training by the states of a sampler, Eqs. (5) to (7)."""

    title: str
    sampler: Annealing | Cyclic | LowestOf
    num_states: int
    references: str | None = None
    nudge: float | None = None
    skip_correct: bool = False
    input_gain: float = 1.0
    coupling_gain: float = 1.0
    bias_rate: float = 1.0  #: the learning rate of biases over that of weights and couplings
    num_test_reads: int = 10
    num_hidden: int = NUM_HIDDEN

    def trainer(self, images: ImageSet, learning_rate: float, seed: int) -> Trainer:
        """Of a new network."""
        bias_rate = self.bias_rate * learning_rate
        return Trainer(
            _network(
                images,
                self.num_hidden,
                seed,
                input_gain=self.input_gain,
                coupling_gain=self.coupling_gain,
            ),
            self.sampler,
            num_states=self.num_states,
            learning_rate=LearningRates(learning_rate, learning_rate, bias_rate, bias_rate),
            nudge=self.nudge,
            skip_correct=self.skip_correct,
            references=self.references,
            num_test_reads=self.num_test_reads,
            seed=seed,
        )

    def start(self, images: ImageSet, learning_rate: float, seed: int) -> Learner:
        """Training of a new network."""
        return IsingLearner(self.trainer(images, learning_rate, seed), images)


@dataclass(frozen=True)
class BackpropMethod:
    """Training by the gradient of the squared error; it begins with the same parameters as an IsingMethod."""

    title: str
    activation: Activation
    num_hidden: int = NUM_HIDDEN

    def start(self, images: ImageSet, learning_rate: float, seed: int) -> Learner:
        """Training of a new network."""
        network = Perceptron(_network(images, self.num_hidden, seed), self.activation)
        return _BackpropLearner(network, images, learning_rate, seed)


DRAGON = IsingMethod("dragon, m = 20", Annealing(NUM_SWEEPS), 20)
CYCLIC = IsingMethod("cyclic, m = 9", Cyclic(NUM_SWEEPS), 9, references=WRONG_CLASSES)
EQUILIBRIUM = IsingMethod("equilibrium, m = 1", Annealing(NUM_SWEEPS), 1)
BACKPROP_RELU = BackpropMethod("backpropagation, ReLU", "relu")
BACKPROP_SIGMOID = BackpropMethod("backpropagation, sigmoid", "sigmoid")
BACKPROP_WIDE = BackpropMethod("backpropagation, ReLU, 1,200 hidden", "relu", 10 * NUM_HIDDEN)

# Laydevant, Marković & Grollier 2024, doi:10.1038/s41467-024-46879-4: sizes, gains, nudge, reads and rates (0.01, of
# biases 0.001, over the nudge) of their published code.
LAYDEVANT2024 = IsingMethod(
    "Laydevant et al. 2024",
    LowestOf(Annealing(100), 10),
    1,
    nudge=5.0,
    skip_correct=True,
    input_gain=0.5,
    coupling_gain=0.25,
    bias_rate=0.1,
    num_test_reads=1,
)
LAYDEVANT2024_RATE = 0.002


@dataclass(frozen=True)
class Training:
    """Trains one network.

    Its result has, for each epoch, error_reads (of all states of all images, each sampled before its image's own
    update), error_lowest (of the lowest state of each image) and seconds (of one core). After the last epoch there is
    test_accuracy (of the lowest of 10 states of each test image), and test_accuracy_100, that of the papers' 100 test
    images. Backpropagation has one "state" per image, and so one error.
    """

    method: Method
    learning_rate: float
    epochs: int
    seed: int

    def run(self, images: ImageSet) -> Arrays:
        """Trains from scratch."""
        learner = self.method.start(images, self.learning_rate, self.seed)
        errors, times = [], [thread_time()]
        for _ in range(self.epochs):
            errors.append(learner.train_epoch())
            times.append(thread_time())
        error_reads, error_lowest = np.array(errors).T
        right = learner.predict() == images.test_labels
        few = class_balanced(
            images.test_labels, min(PAPER_TEST_IMAGES, len(right)), images.num_classes
        )
        return {
            "error_reads": error_reads,
            "error_lowest": error_lowest,
            "seconds": np.diff(times),
            "test_accuracy": np.array(right.mean()),
            "test_accuracy_100": np.array(right[few].mean()),
        }


def _network(
    images: ImageSet,
    num_hidden: int,
    seed: int,
    *,
    input_gain: float = 1.0,
    coupling_gain: float = 1.0,
) -> BipartiteNetwork:
    return BipartiteNetwork.random(
        num_inputs=images.train_images.shape[1],
        num_hidden=num_hidden,
        num_classes=images.num_classes,
        input_gain=input_gain,
        coupling_gain=coupling_gain,
        seed=seed,
    )


class _BackpropLearner:
    def __init__(
        self, network: Perceptron, images: ImageSet, learning_rate: float, seed: int
    ) -> None:
        self._network, self._images, self._rate = network, images, learning_rate
        self._random = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, _ORDER])))

    def train_epoch(self) -> tuple[float, float]:
        order = self._random.permutation(len(self._images.train_labels))
        error = self._network.train_epoch(
            self._images.train_images, self._images.train_labels, order, self._rate
        )
        return error, error

    def predict(self) -> NDArray[np.int64]:
        return self._network.predict(self._images.test_images)
