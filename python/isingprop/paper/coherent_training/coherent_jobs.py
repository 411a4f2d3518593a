"""The methods of coherent training that are compared, and the job that trains one network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from isingprop.data.load import ImageSet
from isingprop.network.bipartite import BipartiteNetwork
from isingprop.paper.common.jobs import Arrays
from isingprop.paper.common.methods import IsingLearner, Learner
from isingprop.paper.common.study_setup import Setup, select_images
from isingprop.problem import IsingProblem
from isingprop.samplers.amplified import Amplified
from isingprop.samplers.coherent_annealing import Coherent
from isingprop.training.learning_rule import LearningRates
from isingprop.training.trainer import Trainer

NUM_CLASSES = 3
REDUNDANCY = 2
NETWORK_RATE = 0.01  # learning rate of the networks of parts (a) and (c)
_DATA_CLASSES = 10  # of MNIST and of digits
_MAX_TEST_IMAGES = 500


@dataclass(frozen=True)
class Sizes:
    """All sizes, times and rates of the study; the defaults are those of the full study."""

    num_hidden: int = 6
    per_class: int = 20  #: training images of each class
    total_time: float = 100.0  #: of the anneals of parts (a) and (b)
    epochs: int = 50
    trial_epochs: int = 25  #: of the trainings that the learning rate is chosen by
    rates: tuple[float, ...] = (0.002, 0.005, 0.01, 0.02, 0.05)
    search_epochs: tuple[int, ...] = (0, 1, 2, 3, 5, 8, 12, 20, 25)
    search_times: tuple[float, ...] = (100.0, 300.0)  #: the longer time leaves smaller |A|
    num_instances: int = 24
    repetitions: int = 1000
    time_epochs: tuple[int, ...] = (0, 3, 25)
    #: The annealing times of part (c), `total_time` among them.
    times: tuple[float, ...] = (5.0, 10.0, 20.0, 40.0, 80.0, 100.0, 160.0, 320.0)

    @property
    def num_spins(self) -> int:
        """The number of spins of a network, hidden and output together."""
        return self.num_hidden + NUM_CLASSES * REDUNDANCY


_QUICK = Sizes(
    num_hidden=4,
    per_class=10,
    total_time=30.0,
    epochs=6,
    trial_epochs=6,
    rates=(0.01, 0.03),
    search_epochs=(0, 2, 6),
    search_times=(30.0, 60.0),
    num_instances=12,
    repetitions=200,
    time_epochs=(0, 6),
    times=(5.0, 15.0, 30.0, 60.0),
)


def sizes_of(setup: Setup) -> Sizes:
    """Returns the sizes of the full study, or of the quick one."""
    return _QUICK if setup.quick else Sizes()


def few_classes(setup: Setup) -> ImageSet:
    """Loads the first training images, and at most 500 test images, of the first three classes."""
    images = setup.load_data(_DATA_CLASSES * sizes_of(setup).per_class)
    train = images.train_labels < NUM_CLASSES
    test = np.flatnonzero(images.test_labels < NUM_CLASSES)[:_MAX_TEST_IMAGES]
    return replace(select_images(images, train, test), num_classes=NUM_CLASSES)


@dataclass(frozen=True)
class CoherentMethod:
    """Dragon training on the states of a coherent anneal, all of them or the wrong ones, amplified.

    Args:
        title: of the method in tables and pictures.
        sampler: `Coherent` for plain training, `Amplified` for amplified training.
        num_states: m, the number of measured states for each image and update; None learns from
            exact expectation values.
        num_hidden: number of hidden spins.
    """

    title: str
    sampler: Coherent
    num_states: int | None
    num_hidden: int

    def trainer(self, images: ImageSet, learning_rate: float, seed: int) -> Trainer:
        """Makes the trainer of a new network."""
        network = BipartiteNetwork.random(
            num_inputs=images.train_images.shape[1],
            num_hidden=self.num_hidden,
            num_classes=images.num_classes,
            redundancy=REDUNDANCY,
            seed=seed,
        )

        return Trainer(
            network,
            self.sampler,
            num_states=self.num_states,
            learning_rate=LearningRates.of(learning_rate),
            seed=seed,
        )

    def start(self, images: ImageSet, learning_rate: float, seed: int) -> Learner:
        """Makes the learner of a new network, as the search for a learning rate expects it."""
        return IsingLearner(self.trainer(images, learning_rate, seed), images)


def methods_of(sizes: Sizes) -> dict[str, CoherentMethod]:
    """Returns all methods by name: three plain ones, then five amplified ones."""
    plain = Coherent(sizes.total_time)
    even, scaled = (Amplified(sizes.total_time, exponent=exponent) for exponent in (0.0, 1.0))
    kinds: dict[str, tuple[str, Coherent, int | None]] = {
        "plain-exact": ("plain, exact", plain, None),
        "plain-20": ("plain, m = 20", plain, 20),
        "plain-1": ("plain, m = 1", plain, 1),
        "amplified-exact": ("amplified, exact", even, None),
        "amplified-exact-scaled": ("amplified, exact, rate ∝ A", scaled, None),
        "amplified-20": ("amplified, m = 20", even, 20),
        "amplified-20-scaled": ("amplified, m = 20, rate ∝ A", scaled, 20),
        "amplified-3-scaled": ("amplified, m = 3, rate ∝ A", scaled, 3),
    }

    return {name: CoherentMethod(*kind, sizes.num_hidden) for name, kind in kinds.items()}


# Each amplified method and the plain one that it is compared with: the paper hopes for twice the
# exponent.
PAIRS = {
    "amplified-exact": "plain-exact",
    "amplified-exact-scaled": "plain-exact",
    "amplified-20": "plain-20",
    "amplified-20-scaled": "plain-20",
    "amplified-3-scaled": "plain-1",
}


def marked_problem(network: BipartiteNetwork, images: ImageSet) -> IsingProblem:
    """Returns the problem H[x] of all training images, with the outputs of wrong classes marked."""
    return network.problem(
        images.train_images, marked=network.readout.wrong_outputs(images.train_labels)
    )


def wrong_probability(problem: IsingProblem, sampler: Coherent) -> NDArray[np.float64]:
    """Returns |A|^2, the exact probability of a wrong state, for each image, (B,)."""
    states = sampler.sample(problem, num_reads=1, seed=0)
    probability: NDArray[np.float64] = states.info["marked_probability"]
    return probability


def networks(
    images: ImageSet, sizes: Sizes, epochs: tuple[int, ...], seed: int
) -> Iterator[tuple[int, BipartiteNetwork]]:
    """Trains one network by the plain, exact method and yields it after each of these epochs.

    Epoch 0 is before the first. Each time it is the network itself, not a copy, so it changes when
    the iteration goes on.
    """
    trainer = methods_of(sizes)["plain-exact"].trainer(images, NETWORK_RATE, seed)
    assert isinstance(trainer.network, BipartiteNetwork)
    for epoch in range(max(epochs) + 1):
        if epoch:
            trainer.train_epoch(images.train_images, images.train_labels)
        if epoch in epochs:
            yield epoch, trainer.network


@dataclass(frozen=True)
class CoherentTraining:
    """Job that trains one network.

    The result holds an array with one number for each epoch in each of:

    - error: the mean |A|^2 of all training images after the epoch;
    - error_reads: the error of the states of the plain anneal, each image before its own update;
    - applications: the applications of U and U† in the epoch, 0 if expectation values are exact;

    and test_accuracy, a scalar, after the last epoch.
    """

    method: CoherentMethod
    learning_rate: float
    epochs: int
    seed: int

    def run(self, images: ImageSet) -> Arrays:
        """Trains a new network and measures its error after every epoch."""
        trainer = self.method.trainer(images, self.learning_rate, self.seed)
        assert isinstance(trainer.network, BipartiteNetwork)

        plain, rows = Coherent(self.method.sampler.total_time), []
        for _ in range(self.epochs):
            record = trainer.train_epoch(images.train_images, images.train_labels)
            error = float(wrong_probability(marked_problem(trainer.network, images), plain).mean())
            rows.append((error, record.train_error_reads, record.applications or 0))

        accuracy = trainer.evaluate(images.test_images, images.test_labels).accuracy
        arrays = dict(zip(("error", "error_reads", "applications"), np.array(rows).T, strict=True))
        return arrays | {"test_accuracy": np.array(accuracy)}
