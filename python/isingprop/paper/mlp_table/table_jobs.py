"""The trials of the MLP paper's tables: their images, the job that trains once, and the search for a temperature."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np

from isingprop.data.load import Images, ImageSet, data_folder, load_data, load_test_images
from isingprop.energy_model.energy_trainer import EnergyTrainer, batches
from isingprop.energy_model.mlp import MLP, Bits
from isingprop.energy_model.model import GIBBS, EnergyModel
from isingprop.paper.common.image_pairs import Backpropagation, PairImages
from isingprop.paper.common.jobs import Arrays
from isingprop.paper.common.study_setup import Setup
from isingprop.paper.mlp_table.table_published import (
    ANNEALER,
    CLASSICAL_1,
    CLASSICAL_2,
    EXACT,
    Pair,
    pairs_of,
)
from isingprop.samplers import Annealing, Sampler
from isingprop.util.checks import seed_for

FASHION = "fashion-mnist"

# The paper's: training images, updates (its "steps"), images of an update, Adam's rate, samples of each image.
NUM_IMAGES = 20
UPDATES = 20
BATCH_SIZE = 5
LEARNING_RATE = 0.1
NUM_READS = 1000

# In place of the paper's chip: a schedule that ends cold, so that its effective temperature has to be found.
STAND_IN = Annealing(num_sweeps=20, beta_range=(0.1, 10.0), descend=False)
SAMPLERS: dict[str, Sampler | None] = {CLASSICAL_2: GIBBS, ANNEALER: STAND_IN, EXACT: None}
GRID = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
SEARCH_READS = 100

_TRIALS_PER_SEED = 4
_QUICK_PAIRS = 3
_TRIAL, _SEARCH = range(2)  # what a seed is used for: by which job, ...
_IMAGES, _WEIGHTS, _READS, _ORDER = range(4)  # ... and there

Model = TypeVar("Model")


@dataclass(frozen=True)
class Source:
    """A data set."""

    images: ImageSet
    halved: bool = False  #: no training files: one half of the test images is for training, the other for tests


def load_sources(setup: Setup) -> dict[str, Source]:
    """By name; the paper's Fashion-MNIST beside MNIST, where it is to be had.

    Raises:
        ValueError: where a class has too few images.
        OSError: where the images of `setup.data` are missing.
    """
    own = _fashion(setup.data_dir) if setup.data == FASHION else Source(setup.load_all())
    sources = {setup.data: own}
    if setup.is_papers:
        found = data_folder(setup.data_dir)
        # In a folder of its own: files that lie in the folder itself were read as MNIST.
        folder = None if found is None else found[1] / FASHION
        with suppress(OSError):
            sources[FASHION] = _fashion(folder)
    for pair in pairs_in(setup, sources):
        _check(sources[pair.data].images, pair)
    return sources


def pairs_in(setup: Setup, sources: Mapping[str, Source]) -> list[Pair]:
    """The paper's pairs; in a quick run a few of them."""
    pairs = [pair for name in sources for pair in pairs_of(name)]
    return pairs[:_QUICK_PAIRS] if setup.quick else pairs


def num_tested(source: Source, pair: Pair) -> int:
    """How many test images a pair has, the same number of each class."""
    return 2 * min(int((source.images.test_labels == label).sum()) for label in pair.classes)


def is_without_fashion(setup: Setup, sources: Mapping[str, Source]) -> bool:
    """Whether the paper's Fashion-MNIST is missing."""
    return setup.is_papers and FASHION not in sources


def trial_seeds(setup: Setup) -> range:
    """Several for each of the setup's seeds; those of other seeds are others."""
    each = 1 if setup.quick else _TRIALS_PER_SEED
    return range(each * setup.seed, each * (setup.seed + setup.num_seeds))


def _fashion(data_dir: str | Path | None) -> Source:
    try:
        return Source(load_data(FASHION, data_dir=data_dir))
    except FileNotFoundError as error:
        try:
            images, labels = load_test_images(FASHION, data_dir=data_dir)
        except FileNotFoundError:
            raise error from None
    first = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        first[own[: len(own) // 2]] = True
    halves = images[first], labels[first], images[~first], labels[~first]
    return Source(ImageSet(FASHION, *halves, num_classes=int(labels.max()) + 1), halved=True)


def _check(images: ImageSet, pair: Pair) -> None:
    for part, labels, least in (
        ("train", images.train_labels, NUM_IMAGES // 2),
        ("test", images.test_labels, 1),
    ):
        for label in pair.classes:
            if (count := int((labels == label).sum())) < least:
                raise ValueError(
                    f"{part}_labels must have class {label} at least {least} times, got {count}"
                )


@dataclass(frozen=True)
class Trial:
    """Trains once with images of its own, and tests after every update.

    Its result has test_accuracy (updates,) of the perceptron, of all test images, and first_logit, the median of
    |logit| over the training images after the first update.
    """

    column: str
    classes: tuple[int, int]
    num_hidden: int
    seed: int
    beta_effective: float = 1.0

    def run(self, images: ImageSet) -> Arrays:
        """Trains from scratch."""
        pair = PairImages.of(images, self.classes)
        x, y = _draw(pair, self._seed(_IMAGES))
        test_x = pair.test_x.astype(np.float64)
        accuracy: list[float] = []
        first_logit = math.nan
        for mlp in _course(self._step(x.shape[1]), x, y, self._seed(_ORDER)):
            if not accuracy:
                first_logit = float(np.median(np.abs(mlp.logits(x))))
            accuracy.append(float((mlp.predict(test_x) == pair.test_y).mean()))
        return {"test_accuracy": np.array(accuracy), "first_logit": np.array(first_logit)}

    def _step(self, num_inputs: int) -> Callable[[Images, Bits], MLP]:
        seed = self._seed(_WEIGHTS)
        if self.column == CLASSICAL_1:
            return Backpropagation(self.num_hidden, LEARNING_RATE, BATCH_SIZE, seed).step
        trainer = EnergyTrainer(
            EnergyModel.random(num_inputs=num_inputs, num_hidden=self.num_hidden, seed=seed),
            SAMPLERS[self.column],
            num_reads=NUM_READS,
            learning_rate=LEARNING_RATE,
            beta_effective=self.beta_effective,
            seed=self._seed(_READS),
        )
        return lambda x, y: trainer.step(x, y).to_mlp()

    def _seed(self, purpose: int) -> int:
        return seed_for(_TRIAL, purpose, *self.classes, self.seed)


@dataclass(frozen=True)
class Search:
    """Samples the models of an exact training, after each update, with the stand-in at every value of the grid.

    Its result has divergence and estimate (updates, grid): from P(y | x), and what States.beta_effective says; and
    gibbs (updates,), the divergence of Gibbs sampling. All over the training images.
    """

    classes: tuple[int, int]
    num_hidden: int
    seed: int

    def run(self, images: ImageSet) -> Arrays:
        """Trains from scratch."""
        x, y = _draw(PairImages.of(images, self.classes), self._seed(_IMAGES))
        model = EnergyModel.random(
            num_inputs=x.shape[1], num_hidden=self.num_hidden, seed=self._seed(_WEIGHTS)
        )
        step = EnergyTrainer(model, learning_rate=LEARNING_RATE).step
        seed, rows = self._seed(_READS), []
        for trained in _course(step, x, y, self._seed(_ORDER)):
            divergence = trained.search_beta_effective(x, STAND_IN, GRID, SEARCH_READS, seed)
            estimate = [
                trained.estimate_beta_effective(x, STAND_IN, SEARCH_READS // 10, seed, guess=beta)
                for beta in GRID
            ]
            gibbs = trained.divergence(x, trained.sample(x, GIBBS, SEARCH_READS, seed))
            rows.append((divergence, estimate, gibbs))
        names = ("divergence", "estimate", "gibbs")
        return {
            name: np.array(values)
            for name, values in zip(names, zip(*rows, strict=True), strict=True)
        }

    def _seed(self, purpose: int) -> int:
        return seed_for(_SEARCH, purpose, *self.classes, self.seed)


def _draw(pair: PairImages, seed: int) -> tuple[Images, Bits]:
    """Training images, half of them of each class."""
    random = np.random.Generator(np.random.PCG64(seed))
    outputs = pair.train_y[:, 0]
    rows = [
        random.choice(np.flatnonzero(outputs == bit), NUM_IMAGES // 2, replace=False)
        for bit in (0, 1)
    ]
    some = np.concatenate(rows)
    return pair.train_x[some], pair.train_y[some]


def _course(
    step: Callable[[Images, Bits], Model], x: Images, y: Bits, seed: int
) -> Iterator[Model]:
    """The model after each update."""
    for rows in islice(batches(len(x), BATCH_SIZE, seed), UPDATES):
        yield step(x[rows], y[rows])
