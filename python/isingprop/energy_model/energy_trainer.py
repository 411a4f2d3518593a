"""Training of energy-based models by exact gradients or sampled ones, with Adam."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isingprop.energy_model.mlp import input_array
from isingprop.energy_model.model import EnergyModel
from isingprop.samplers.protocol import Sampler, check_sampler
from isingprop.training.sampling_log import SamplingLog
from isingprop.util.checks import (
    Doubles,
    bit_array,
    real_number,
    seed_for,
    seed_number,
    whole_number,
)

_ORDER, _READS = range(2)  # what a seed is used for


class Adam:
    """Steps of about the size of the learning rate.

        m <- 0.9 m + 0.1 g,   v <- 0.999 v + 0.001 g^2,
        step = rate * m' / (sqrt(v') + 1e-8),   m' = m / (1 - 0.9^t), v' = v / (1 - 0.999^t) at step t

    Args:
        learning_rate: > 0.

    References:
        Kingma & Ba 2015, arXiv:1412.6980.
    """

    _FIRST, _SECOND, _SMALL = 0.9, 0.999, 1e-8

    def __init__(self, learning_rate: float) -> None:
        """See the class."""
        self._rate = real_number("learning_rate", learning_rate, above=0.0)
        self._means: dict[str, Doubles] = {}
        self._squares: dict[str, Doubles] = {}
        self._first_left = self._second_left = 1.0  # 0.9^t and 0.999^t

    def steps(self, gradient: dict[str, Doubles]) -> dict[str, Doubles]:
        """What to add to each parameter to go up its gradient."""
        self._first_left *= self._FIRST
        self._second_left *= self._SECOND
        return {name: self._step(name, g) for name, g in gradient.items()}

    def _step(self, name: str, g: Doubles) -> Doubles:
        if name not in self._means:
            self._means[name], self._squares[name] = np.zeros_like(g), np.zeros_like(g)
        m, v = self._means[name], self._squares[name]
        m += (1 - self._FIRST) * (g - m)
        v += (1 - self._SECOND) * (g * g - v)
        root = np.sqrt(v / (1 - self._second_left)) + self._SMALL
        return (self._rate / (1 - self._first_left)) * m / root


class EnergyTrainer:
    """Trains an energy-based model toward the largest log P(y | x), Eqs. (14) to (19), with Adam.

    Args:
        model: where to begin; it is not changed.
        sampler: draws outputs from P(y | x), see EnergyModel.sample; None sums over all of them, exactly.
        num_reads: samples of each input for an update; the paper has 1,000.
        learning_rate: of Adam, > 0; the paper has 0.1 with batches of 5, and 0.001 with batches of 1,000.
        batch_size: inputs for an update.
        beta_effective: inverse temperature of the sampler, see EnergyModel.problem.
        seed: 0 ... 2^64 - 1; None draws one. All random numbers follow from it.

    Example:
        >>> x, y = [[0.0, 1.0], [1.0, 0.0]], [[0], [1]]
        >>> trainer = EnergyTrainer(EnergyModel.random(num_inputs=2, num_hidden=8), batch_size=2)
        >>> model = trainer.fit(x, y, count=40)
        >>> model.predict(x).ravel(), model.to_mlp().predict(x).ravel()
        (array([0, 1], dtype=int8), array([0, 1], dtype=int8))

    References:
        Training multilayer perceptrons by sampling with quantum annealers, arXiv:2303.12352, Section 4.3.
    """

    model: EnergyModel  #: as trained so far

    def __init__(
        self,
        model: EnergyModel,
        sampler: Sampler | None = None,
        *,
        num_reads: int = 1000,
        learning_rate: float = 0.1,
        batch_size: int = 5,
        beta_effective: float = 1.0,
        seed: int | None = 0,
    ) -> None:
        """See the class."""
        if not isinstance(model, EnergyModel):
            raise TypeError(f"model must be an EnergyModel, got {type(model).__name__}")
        if sampler is not None:
            check_sampler(sampler)
        self.model = model
        self._sampler = sampler
        self._num_reads = whole_number("num_reads", num_reads, least=1)
        self._adam = Adam(learning_rate)
        self._batch_size = whole_number("batch_size", batch_size, least=1)
        self._beta = real_number("beta_effective", beta_effective, above=0.0)
        self._seed = seed_number(seed)
        self._count = 0
        self._log = SamplingLog()

    @property
    def sampling(self) -> dict[str, Any]:
        """What all updates so far have taken of the sampler: seconds_sampling, and largest_problem in spins.

        Of a QPU also qpu_seconds, chain_break_fraction, and clipped: fields and couplings that were out of its range.
        """
        return {name: number for name, number in self._log.numbers().items() if number is not None}

    def fit(self, x: ArrayLike, y: ArrayLike, count: int) -> EnergyModel:
        """Makes so many updates, as `steps` does; returns the model after the last."""
        for _ in self.steps(x, y, count):
            pass
        return self.model

    def step(self, x: ArrayLike, y: ArrayLike) -> EnergyModel:
        """One update from (B, N) inputs and their (B, M) outputs in {0, 1}; returns the new model."""
        outputs, inputs = None, input_array(x, self.model.num_inputs)
        targets = bit_array(
            "y", y, (len(inputs), self.model.num_outputs)
        )  # before samples are paid for
        if self._sampler is not None:
            seed = seed_for(self._seed, _READS, self._count)
            outputs = self.model.sample_logged(
                self._log, inputs, self._sampler, self._num_reads, seed, self._beta
            )
        moves = self._adam.steps(self.model.gradient(inputs, targets, outputs).parameters())
        self.model = EnergyModel(
            **{name: array + moves[name] for name, array in self.model.parameters().items()}
        )
        self._count += 1
        return self.model

    def steps(self, x: ArrayLike, y: ArrayLike, count: int) -> Iterator[EnergyModel]:
        """Makes so many updates, and gives the model after each.

        Inputs come in an order that is drawn anew each time round; what is left in the end, fewer than a batch, is left
        out.

        Args:
            x: (n, N) training inputs.
            y: (n, M), in {0, 1}.
            count: of updates, at least 1.
        """
        inputs = input_array(x, self.model.num_inputs)
        targets = bit_array("y", y, (len(inputs), self.model.num_outputs))
        count = whole_number("count", count, least=1)
        batches_of = batches(
            len(inputs), self._batch_size, seed_for(self._seed, _ORDER, self._count)
        )
        return (self.step(inputs[rows], targets[rows]) for rows in islice(batches_of, count))


def batches(num_inputs: int, batch_size: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Rows of inputs without end, each time round in another order; what is left of a round is left out."""
    random = np.random.Generator(np.random.PCG64(seed))
    size = min(batch_size, num_inputs)
    while True:
        order = random.random(num_inputs).argsort(kind="stable")
        for first in range(0, num_inputs - size + 1, size):
            yield order[first : first + size]
