"""Trainer of energy-based models, by exact or sampled gradients, with Adam."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isingprop.energy_model.mlp import input_array
from isingprop.energy_model.model import EnergyModel
from isingprop.samplers.protocol import Sampler, check_has_temperature
from isingprop.training.divergence import check_converging
from isingprop.training.sampling_log import SamplingLog
from isingprop.util.checks import (
    Doubles,
    bit_array,
    real_number,
    seed_for,
    seed_number,
    whole_number,
)
from isingprop.util.kept_arguments import KeptArguments

_ORDER, _READS = range(2)  # the purposes of a seed: order of the inputs, seed of the sampler


class Adam:
    """The optimiser Adam, whose steps are about as large as the learning rate.

        m <- 0.9 m + 0.1 g,   v <- 0.999 v + 0.001 g^2,
        step = rate * m' / (sqrt(v') + 1e-8),
        m' = m / (1 - 0.9^t),   v' = v / (1 - 0.999^t)   at step t

    Args:
        learning_rate: > 0.

    References:
        Kingma & Ba 2015, arXiv:1412.6980.
    """

    _FIRST, _SECOND, _SMALL = 0.9, 0.999, 1e-8

    def __init__(self, learning_rate: float) -> None:
        """Checks the learning rate and starts at step t = 0."""
        self.rate = real_number("learning_rate", learning_rate, above=0.0)
        self._means: dict[str, Doubles] = {}
        self._squares: dict[str, Doubles] = {}
        self._first_decay = self._second_decay = 1.0  # 0.9^t and 0.999^t

    def steps(self, gradient: dict[str, Doubles]) -> dict[str, Doubles]:
        """Returns the step of each parameter that climbs its gradient, by name."""
        self._first_decay *= self._FIRST
        self._second_decay *= self._SECOND
        return {name: self._step(name, g) for name, g in gradient.items()}

    def _step(self, name: str, g: Doubles) -> Doubles:
        """Updates the means of one parameter's gradient and returns its step."""
        if name not in self._means:
            self._means[name], self._squares[name] = np.zeros_like(g), np.zeros_like(g)
        m, v = self._means[name], self._squares[name]
        m += (1 - self._FIRST) * (g - m)
        v += (1 - self._SECOND) * (g * g - v)
        root = np.sqrt(v / (1 - self._second_decay)) + self._SMALL
        return (self.rate / (1 - self._first_decay)) * m / root


class EnergyTrainer(KeptArguments):
    """Trains an energy-based model to maximise log P(y | x), Eqs. (14) to (19), with Adam.

    Args:
        model: the start; it is not changed.
        sampler: samples outputs from P(y | x), see `EnergyModel.sample`; None sums over all of them
            exactly.
        num_reads: samples of each input for an update; the paper has 1,000.
        learning_rate: learning rate of Adam, > 0; the paper has 0.1 with batches of 5, and 0.001
            with batches of 1,000.
        batch_size: number of inputs for an update.
        beta_effective: inverse temperature of the sampler, see `EnergyModel.problem`.
        seed: 0 ... 2^64 - 1, which decides all random numbers; None takes a random one.

    Example:
        >>> x, y = [[0.0, 1.0], [1.0, 0.0]], [[0], [1]]
        >>> trainer = EnergyTrainer(EnergyModel.random(num_inputs=2, num_hidden=8), batch_size=2)
        >>> model = trainer.fit(x, y, count=40)
        >>> model.predict(x).ravel(), model.to_mlp().predict(x).ravel()
        (array([0, 1], dtype=int8), array([0, 1], dtype=int8))

    References:
        Training multilayer perceptrons by sampling with quantum annealers, arXiv:2303.12352,
        Section 4.3.
    """

    model: EnergyModel  #: the model after all updates so far

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
        """Checks all arguments, in order."""
        if not isinstance(model, EnergyModel):
            raise TypeError(f"model must be an EnergyModel, got {type(model).__name__}")
        if sampler is not None:
            check_has_temperature(sampler)

        self.model = model
        self._sampler = sampler
        self._num_reads = whole_number("num_reads", num_reads, least=1)
        self._adam = Adam(learning_rate)
        self._batch_size = whole_number("batch_size", batch_size, least=1)
        self._beta = real_number("beta_effective", beta_effective, above=0.0)
        self._seed = seed_number(seed)

        self._count = 0  # updates so far
        self._log = SamplingLog()

    def __repr__(self) -> str:
        """Returns the model and the number of updates so far."""
        return f"EnergyTrainer({self.model}, {self._count} updates so far)"

    @property
    def sampling(self) -> dict[str, Any]:
        """What sampling has cost in all updates so far.

        The keys are seconds_sampling and largest_problem, in spins. A QPU adds qpu_seconds,
        chain_break_fraction and clipped, the number of fields and couplings that were out of its
        range.
        """
        return {name: number for name, number in self._log.numbers().items() if number is not None}

    def fit(self, x: ArrayLike, y: ArrayLike, count: int) -> EnergyModel:
        """Makes `count` updates, see `steps`, and returns the model after the last."""
        for _ in self.steps(x, y, count):
            pass
        return self.model

    def step(self, x: ArrayLike, y: ArrayLike) -> EnergyModel:
        """Makes one update from a batch and returns the new model.

        Args:
            x: (B, N) inputs.
            y: (B, M) outputs, in {0, 1}.

        Raises:
            ValueError: for wrong shapes or values, and where training diverges, with the learning
                rate; the model is then as the update before left it.
        """
        # Both are checked before any sampling, which may cost QPU time.
        inputs = input_array(x, self.model.num_inputs)
        targets = bit_array("y", y, (len(inputs), self.model.num_outputs))

        outputs = None
        if self._sampler is not None:
            seed = seed_for(self._seed, _READS, self._count)
            outputs = self.model.sample_logged(
                self._log, inputs, self._sampler, self._num_reads, seed, self._beta
            )

        moves = self._adam.steps(self.model.gradient(inputs, targets, outputs).parameters())
        parameters = {name: a + moves[name] for name, a in self.model.parameters().items()}
        check_converging(parameters, f"update {self._count + 1}", f"{self._adam.rate:g}")
        self.model = EnergyModel(**parameters)
        self._count += 1
        return self.model

    def steps(self, x: ArrayLike, y: ArrayLike, count: int) -> Iterator[EnergyModel]:
        """Makes `count` updates and yields the model after each.

        Each pass over the inputs is in a new random order. The last inputs of a pass that do not
        fill a batch are left out.

        Args:
            x: (n, N) training inputs.
            y: (n, M) training outputs, in {0, 1}.
            count: the number of updates, at least 1.
        """
        inputs = input_array(x, self.model.num_inputs)
        targets = bit_array("y", y, (len(inputs), self.model.num_outputs))
        count = whole_number("count", count, least=1)

        seed = seed_for(self._seed, _ORDER, self._count)
        minibatches = islice(batches(len(inputs), self._batch_size, seed), count)
        return (self.step(inputs[rows], targets[rows]) for rows in minibatches)


def batches(num_inputs: int, batch_size: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Yields the rows of minibatches without end.

    Each pass over the inputs is in a new random order, and leaves out the rows that do not fill a
    minibatch. A batch_size above num_inputs counts as num_inputs.
    """
    random = np.random.Generator(np.random.PCG64(seed))
    size = min(batch_size, num_inputs)
    while True:
        order = random.random(num_inputs).argsort(kind="stable")
        for first in range(0, num_inputs - size + 1, size):
            yield order[first : first + size]
