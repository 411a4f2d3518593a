"""The training methods that the studies compare, and the job that trains one network.

A method is a frozen dataclass that starts a `Learner`; `Training` is the job that runs it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import thread_time
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from isingprop.data.load import ImageSet
from isingprop.data.subsets import class_balanced
from isingprop.network.bipartite import BipartiteNetwork
from isingprop.paper.common.backpropagation import Activation, Perceptron
from isingprop.paper.common.jobs import Arrays
from isingprop.paper.common.lowest_of import LowestOf
from isingprop.readout import Readout
from isingprop.samplers.annealing import Annealing
from isingprop.samplers.class_states import ClassStates
from isingprop.samplers.cyclic import Cyclic
from isingprop.training.evaluation import predict
from isingprop.training.learning_rule import LearningRates
from isingprop.training.optimizer import ADAM, SGD
from isingprop.training.trainer import Trainer
from isingprop.training.trainer_options import WRONG_CLASSES

NUM_HIDDEN = 120
NUM_SWEEPS = 30
PAPER_TEST_IMAGES = 100
_ORDER = 1  # key of the random stream for the order of images, apart from the initial parameters
# Every method tries this grid: steps of half a decade, from far too slow to too fast for each.
LEARNING_RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)


class Learner(Protocol):
    """A network that is being trained, together with its images."""

    def train_epoch(self, num_epochs: int) -> tuple[float, float]:
        """Trains for one of num_epochs epochs; returns the errors of all and of the lowest reads.

        Schedules of the learning rate depend on num_epochs, which is the same in every call.
        """
        ...

    def predict(self) -> NDArray[np.int64]:
        """Returns the predicted classes of the test images."""
        ...


class IsingLearner:
    """A Learner that trains with an `isingprop.Trainer`."""

    def __init__(self, trainer: Trainer, images: ImageSet) -> None:
        """Takes a trainer of a new network, and the images to train and test on."""
        self.trainer, self._images = trainer, images

    def train_epoch(self, num_epochs: int) -> tuple[float, float]:
        """Trains for one of num_epochs epochs; returns the errors of all and of lowest reads."""
        train = self._images.train_images, self._images.train_labels
        record = self.trainer.train_epoch(*train, num_epochs)
        return record.train_error_reads, record.train_error_lowest

    def predict(self) -> NDArray[np.int64]:
        """Returns the predicted classes of the test images, found as the trainer tests."""
        trainer, model = self.trainer, self.trainer.model
        if isinstance(trainer.test_sampler, ClassStates) and isinstance(model, BipartiteNetwork):
            return model.predict(self._images.test_images)
        return predict(
            model,
            trainer.test_sampler,
            self._images.test_images,
            num_reads=trainer.num_test_reads,
            seed=trainer.seed,
            active_layers=trainer.active_layers,
        )


class Method(Protocol):
    """A training method.

    Implementations are frozen dataclasses of plain fields, because a method is a field of a job.
    """

    @property
    def title(self) -> str:
        """Returns the name of the method in tables and legends."""
        ...

    def start(self, images: ImageSet, learning_rate: float, seed: int) -> Learner:
        """Creates a network from the seed and returns its Learner."""
        ...


@dataclass(frozen=True)
class IsingMethod:
    """Training by the states of a sampler, Eqs. (5) to (7) of arXiv:2506.05244."""

    title: str
    sampler: Annealing | Cyclic | LowestOf | ClassStates
    num_states: int
    references: str | None = None
    nudge: float | None = None
    skip_correct: bool = False
    input_gain: float = 1.0
    coupling_gain: float = 1.0
    bias_rate: float = 1.0  #: learning rate of biases, as a multiple of that of the weights
    num_test_reads: int = 10
    num_hidden: int = NUM_HIDDEN
    batch_size: int = 1
    margin: float = 0.0
    optimizer: str = SGD
    schedule: str = "constant"
    average_from: int | None = None

    def trainer(self, images: ImageSet, learning_rate: float, seed: int) -> Trainer:
        """Creates a network from the seed and returns its Trainer."""
        network = _network(
            images,
            self.num_hidden,
            seed,
            input_gain=self.input_gain,
            coupling_gain=self.coupling_gain,
        )
        bias_rate = self.bias_rate * learning_rate

        return Trainer(
            network,
            self.sampler,
            num_states=self.num_states,
            learning_rate=LearningRates(learning_rate, learning_rate, bias_rate, bias_rate),
            nudge=self.nudge,
            skip_correct=self.skip_correct,
            references=self.references,
            num_test_reads=self.num_test_reads,
            batch_size=self.batch_size,
            margin=self.margin,
            optimizer=self.optimizer,
            schedule=self.schedule,
            average_from=self.average_from,
            seed=seed,
        )

    def start(self, images: ImageSet, learning_rate: float, seed: int) -> Learner:
        """Creates a network from the seed and returns its Learner."""
        return IsingLearner(self.trainer(images, learning_rate, seed), images)


@dataclass(frozen=True)
class BackpropMethod:
    """Training by the gradient of the squared error, from the parameters of an IsingMethod."""

    title: str
    activation: Activation
    num_hidden: int = NUM_HIDDEN

    def start(self, images: ImageSet, learning_rate: float, seed: int) -> Learner:
        """Creates a network from the seed and returns its Learner."""
        network = Perceptron(_network(images, self.num_hidden, seed), self.activation)
        return BackpropLearner(network, images, learning_rate, seed)


DRAGON = IsingMethod("dragon, m = 20", Annealing(NUM_SWEEPS), 20)
CYCLIC = IsingMethod("cyclic, m = 9", Cyclic(NUM_SWEEPS), 9, references=WRONG_CLASSES)
EQUILIBRIUM = IsingMethod("equilibrium, m = 1", Annealing(NUM_SWEEPS), 1)
CLASS_STATES = IsingMethod("class states, m = 1", ClassStates(Readout(10)), 1)
BACKPROP_RELU = BackpropMethod("backpropagation, ReLU", "relu")
BACKPROP_SIGMOID = BackpropMethod("backpropagation, sigmoid", "sigmoid")
BACKPROP_WIDE = BackpropMethod("backpropagation, ReLU, 1,200 hidden", "relu", 10 * NUM_HIDDEN)

# Training by class states as it does best. On MNIST's training images that are not among the first
# 1,000, which it trained on, the margin gains 2.7 points of accuracy and small couplings gain 0.3.
SMALL_COUPLINGS, MARGIN, BATCH_SIZE = 0.3, 5.0, 10
CLOSED_FORM = replace(
    CLASS_STATES,
    title="class states, margin, Adam",
    coupling_gain=SMALL_COUPLINGS,
    margin=MARGIN,
    batch_size=BATCH_SIZE,
    optimizer=ADAM,
    schedule="linear",
)

# Laydevant, Marković & Grollier 2024, doi:10.1038/s41467-024-46879-4. Sizes, gains, nudge and reads
# are those of their published code. So are the learning rates, which the code divides by the nudge:
# 0.01 / 5 for weights and couplings, 0.001 / 5 for biases.
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
    """A job that trains one network.

    Its result has one value for each epoch of

    - error_reads: the fraction of reads of all images that are misclassified, each sampled before
      its image's own update;
    - error_lowest: the same fraction, but only of the lowest read of each image;
    - seconds: the time of one core.

    After the last epoch the result also has

    - test_accuracy: the accuracy on all test images, by the lowest of 10 reads of each;
    - test_accuracy_100: the accuracy on the papers' 100 test images.

    Backpropagation has one answer per image in place of reads, so its two errors are equal.
    """

    method: Method
    learning_rate: float
    epochs: int
    seed: int

    def run(self, images: ImageSet) -> Arrays:
        """Creates a network, trains it and tests it."""
        learner = self.method.start(images, self.learning_rate, self.seed)
        errors, times = [], [thread_time()]
        for _ in range(self.epochs):
            errors.append(learner.train_epoch(self.epochs))
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
    """Creates the network that every method of a seed starts from."""
    return BipartiteNetwork.random(
        num_inputs=images.train_images.shape[1],
        num_hidden=num_hidden,
        num_classes=images.num_classes,
        input_gain=input_gain,
        coupling_gain=coupling_gain,
        seed=seed,
    )


class BackpropLearner:
    """A Learner that trains a Perceptron by backpropagation."""

    def __init__(
        self, network: Perceptron, images: ImageSet, learning_rate: float, seed: int
    ) -> None:
        """Takes a new network, the images to train and test on, and a constant rate."""
        self.network, self._images, self._rate = network, images, learning_rate
        self._random = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, _ORDER])))

    def train_epoch(self, num_epochs: int) -> tuple[float, float]:
        """Trains for an epoch; returns the error before each update, twice."""
        order = self._random.permutation(len(self._images.train_labels))
        error = self.network.train_epoch(
            self._images.train_images, self._images.train_labels, order, self._rate
        )
        return error, error

    def predict(self) -> NDArray[np.int64]:
        """Returns the predicted classes of the test images."""
        return self.network.predict(self._images.test_images)
