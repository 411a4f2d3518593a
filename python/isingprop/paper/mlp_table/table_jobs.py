"""The jobs for the MLP paper's tables: trials, and the search for the annealer's temperature."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import numpy as np

from isingprop.data.load import Images, ImageSet
from isingprop.energy_model.energy_trainer import EnergyTrainer, batches
from isingprop.energy_model.mlp import MLP, Bits
from isingprop.energy_model.model import GIBBS, EnergyModel
from isingprop.paper.common.image_pairs import Backpropagation, PairImages
from isingprop.paper.common.jobs import Arrays
from isingprop.paper.common.study_setup import Setup
from isingprop.paper.mlp_table.table_published import ANNEALER, CLASSICAL_1, CLASSICAL_2, EXACT
from isingprop.samplers.annealing import Annealing
from isingprop.samplers.protocol import Sampler
from isingprop.util.checks import seed_for

# The paper's sizes of a trial.
NUM_IMAGES = 20  # training images
UPDATES = 20  # the paper's "steps"
BATCH_SIZE = 5  # images of an update
LEARNING_RATE = 0.1  # of Adam
NUM_READS = 1000  # samples of each image and update

# The annealer in place of the paper's chip: its schedule ends cold, so that its effective
# temperature has to be found.
STAND_IN = Annealing(num_sweeps=20, beta_range=(0.1, 10.0), descend=False)
SAMPLERS: dict[str, Sampler | None] = {CLASSICAL_2: GIBBS, ANNEALER: STAND_IN, EXACT: None}
GRID = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)  # values of beta_effective that are compared
SEARCH_READS = 100  # samples of each image and update in the search

_TRIALS_PER_SEED = 4
# Random streams are keyed by the kind of job, then by what they decide in it.
_TRIAL, _SEARCH = range(2)
_IMAGES, _WEIGHTS, _READS, _ORDER = range(4)

Model = TypeVar("Model")


def trial_seeds(setup: Setup) -> range:
    """Returns the seeds of all trials: several for each of the setup's seeds, no two alike."""
    each = 1 if setup.quick else _TRIALS_PER_SEED
    return range(each * setup.seed, each * (setup.seed + setup.num_seeds))


@dataclass(frozen=True)
class Trial:
    """Job that trains a perceptron once and tests it after every update.

    The training images are chosen anew for each seed, and are the same for every column.

    The result holds test_accuracy, (updates,), on all test images of the pair; and first_logit, a
    scalar, the median of |logit| over the training images after the first update.

    Args:
        column: the method of training, one of `COLUMNS`.
        classes: the two classes to tell apart.
        num_hidden: K, the number of hidden units.
        seed: decides images, weights, batches and samples.
        beta_effective: the inverse temperature that the annealer's samples are taken to have.
    """

    column: str
    classes: tuple[int, int]
    num_hidden: int
    seed: int
    beta_effective: float = 1.0

    def run(self, images: ImageSet) -> Arrays:
        """Trains a new network and tests it after every update."""
        pair = PairImages.of(images, self.classes)
        x, y = _training_images(pair, self._seed(_IMAGES))
        test_x = pair.test_x.astype(np.float64)

        accuracy: list[float] = []
        first_logit = math.nan
        for mlp in _course(self._step(x.shape[1]), x, y, self._seed(_ORDER)):
            if not accuracy:
                first_logit = float(np.median(np.abs(mlp.logits(x))))
            accuracy.append(float((mlp.predict(test_x) == pair.test_y).mean()))
        return {"test_accuracy": np.array(accuracy), "first_logit": np.array(first_logit)}

    def _step(self, num_inputs: int) -> Callable[[Images, Bits], MLP]:
        """Returns a function that does one update of a new network and returns its perceptron."""
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
    """Job that samples the models of an exact training with the annealer at each value of GRID.

    The result holds, over the training images after each update:

    - divergence, (updates, grid): of the annealer's samples from P(y | x);
    - estimate, (updates, grid): the estimate of States.beta_effective;
    - gibbs, (updates,): the divergence of Gibbs sampling.

    Args:
        classes: the two classes to tell apart.
        num_hidden: K, the number of hidden units.
        seed: decides images, weights, batches and samples.
    """

    classes: tuple[int, int]
    num_hidden: int
    seed: int

    def run(self, images: ImageSet) -> Arrays:
        """Trains from scratch, and samples after each update."""
        x, y = _training_images(PairImages.of(images, self.classes), self._seed(_IMAGES))
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
        columns = (np.array(values) for values in zip(*rows, strict=True))
        return dict(zip(names, columns, strict=True))

    def _seed(self, purpose: int) -> int:
        return seed_for(_SEARCH, purpose, *self.classes, self.seed)


def _training_images(pair: PairImages, seed: int) -> tuple[Images, Bits]:
    """Chooses the training images of a trial at random, half of them of each class."""
    random = np.random.Generator(np.random.PCG64(seed))
    outputs = pair.train_y[:, 0]
    rows = [
        random.choice(np.flatnonzero(outputs == bit), NUM_IMAGES // 2, replace=False)
        for bit in (0, 1)
    ]

    chosen = np.concatenate(rows)
    return pair.train_x[chosen], pair.train_y[chosen]


def _course(
    step: Callable[[Images, Bits], Model], x: Images, y: Bits, seed: int
) -> Iterator[Model]:
    """Trains by `step` on batches in random order, and yields the model after each update."""
    for rows in islice(batches(len(x), BATCH_SIZE, seed), UPDATES):
        yield step(x[rows], y[rows])
