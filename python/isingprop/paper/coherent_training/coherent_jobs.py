"""The ways of coherent training that are compared, and the job that trains one network."""

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
from isingprop.samplers import Amplified, Coherent
from isingprop.training.trainer import Trainer

NUM_CLASSES = 3
REDUNDANCY = 2
NETWORK_RATE = 0.01  # of the networks of parts (a) and (c)
_DATA_CLASSES = 10
_MOST_TESTED = 500


@dataclass(frozen=True)
class Sizes:
    """How large everything is."""

    num_hidden: int = 6
    per_class: int = 20  #: training images
    total_time: float = 100.0
    epochs: int = 50
    trial_epochs: int = 25
    rates: tuple[float, ...] = (0.002, 0.005, 0.01, 0.02, 0.05)
    search_epochs: tuple[int, ...] = (0, 1, 2, 3, 5, 8, 12, 20, 25)
    search_times: tuple[float, ...] = (100.0, 300.0)  #: a longer one leaves smaller |A|
    num_instances: int = 24
    repetitions: int = 1000
    time_epochs: tuple[int, ...] = (0, 3, 25)
    times: tuple[float, ...] = (
        5.0,
        10.0,
        20.0,
        40.0,
        80.0,
        100.0,
        160.0,
        320.0,
    )  #: the networks' own among them

    @property
    def num_spins(self) -> int:
        """Of a network."""
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
    """Those of the full study, or of a quick one."""
    return _QUICK if setup.quick else Sizes()


def few_classes(setup: Setup) -> ImageSet:
    """The first training images of each of the first classes, and no more than 500 test images of these."""
    images = setup.load_data(_DATA_CLASSES * sizes_of(setup).per_class)
    train = images.train_labels < NUM_CLASSES
    test = np.flatnonzero(images.test_labels < NUM_CLASSES)[:_MOST_TESTED]
    return replace(select_images(images, train, test), num_classes=NUM_CLASSES)


@dataclass(frozen=True)
class CoherentMethod:
    """Dragon training by the states of a coherent anneal, or by its wrong ones, amplified."""

    title: str
    sampler: Coherent
    num_states: int | None
    num_hidden: int

    @property
    def is_amplified(self) -> bool:
        """Whether it learns from wrong states alone."""
        return isinstance(self.sampler, Amplified)

    def trainer(self, images: ImageSet, learning_rate: float, seed: int) -> Trainer:
        """Of a new network."""
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
            learning_rate=learning_rate,
            seed=seed,
        )

    def start(self, images: ImageSet, learning_rate: float, seed: int) -> Learner:
        """Training of a new network."""
        return IsingLearner(self.trainer(images, learning_rate, seed), images)


def methods_of(sizes: Sizes) -> dict[str, CoherentMethod]:
    """What is compared."""
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


# What is held against what: the paper's hope is that the exponent of the first is twice as large.
PAIRS = {
    "amplified-exact": "plain-exact",
    "amplified-exact-scaled": "plain-exact",
    "amplified-20": "plain-20",
    "amplified-20-scaled": "plain-20",
    "amplified-3-scaled": "plain-1",
}


def marked_problem(network: BipartiteNetwork, images: ImageSet) -> IsingProblem:
    """H[x] of the training images, wrong classes marked."""
    return network.problem(
        images.train_images, marked=network.readout.wrong_outputs(images.train_labels)
    )


def wrong_probability(problem: IsingProblem, sampler: Coherent) -> NDArray[np.float64]:
    """|A|^2 of each of the problems."""
    found: NDArray[np.float64] = sampler.sample(problem, num_reads=1, seed=0).info[
        "marked_probability"
    ]
    return found


def networks(
    images: ImageSet, sizes: Sizes, epochs: tuple[int, ...], seed: int
) -> Iterator[tuple[int, BipartiteNetwork]]:
    """A network in plain, exact training, after each of these epochs; 0 is before the first."""
    trainer = methods_of(sizes)["plain-exact"].trainer(images, NETWORK_RATE, seed)
    assert isinstance(trainer.network, BipartiteNetwork)
    for epoch in range(max(epochs) + 1):
        if epoch:
            trainer.train_epoch(images.train_images, images.train_labels)
        if epoch in epochs:
            yield epoch, trainer.network


@dataclass(frozen=True)
class CoherentTraining:
    """Trains one network.

    Its result has, for each epoch, error (the mean |A|^2 of all training images after it), error_reads (of the states
    of the plain anneal, each before its image's own update) and applications (of U and U†, 0 where expectation values
    are exact); and test_accuracy after the last one.
    """

    method: CoherentMethod
    learning_rate: float
    epochs: int
    seed: int

    def run(self, images: ImageSet) -> Arrays:
        """Trains from scratch."""
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
