"""The energy-based twin of a multilayer perceptron, which shares its weights and is sampled.

    P(k, y | x) = exp(k·(W1 x + b) + y·(W2 k + c)) / Z(x),   k in {0, 1}^K, y in {0, 1}^M

The sign is that of the paper's conditional expectations, E[k | x, y] = sigma(W1 x + b + W2^T y);
its Eqs. (1) and (2) have the other sign.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from isingprop.energy_model.likelihood import Likelihood, column_sums
from isingprop.energy_model.mlp import MAX_OUTPUTS, MLP, PARAMETERS, Bits, input_array
from isingprop.problem import IsingProblem
from isingprop.samplers.annealing import Annealing
from isingprop.samplers.protocol import Sampler, check_has_temperature, sample_from
from isingprop.states import States
from isingprop.training.sampling_log import SamplingLog
from isingprop.util.checked_files import load_tensors, naming, save_tensors
from isingprop.util.checks import (
    Doubles,
    check_shape,
    float_array,
    real_number,
    seed_number,
    whole_number,
)

# Sampling at beta = 1. A unit with a field near 0 flips at nearly every sweep (see the acceptance
# rule in cpp/kernels), and after 20 sweeps its probability is within 0.0025 of the right one.
GIBBS = Annealing(num_sweeps=20, beta_range=(1.0, 1.0))

_KIND = "energy-model"
_MAX_BYTES = 2**28  # max size of the states of one call, of which only the outputs are kept


class EnergyModel(Likelihood):
    """The energy-based twin of a perceptron, whose hidden and output units are random bits.

        P(k, y | x) = exp(k·(W1 x + b) + y·(W2 k + c)) / Z(x)

    Hidden units do not couple to each other, so they can be summed over in closed form:

        P(y | x) ∝ exp(c·y) prod_j (1 + exp(a_j + (W2^T y)_j)),   a = W1 x + b.

    For small weights the gradient of its log-likelihood equals that of the perceptron's
    cross-entropy, Eqs. (27) and (30), so either can be trained and its weights given to the other.
    The exact probabilities are methods of the base class `Likelihood`.

    Args:
        input_weights: W1, (K, N).
        output_weights: W2, (M, K), M <= 16.
        hidden_bias: b, (K,); None for zeros.
        output_bias: c, (M,); None for zeros.

    Example:
        >>> model = EnergyModel(input_weights=[[1.0, -1.0]], output_weights=[[2.0]])
        >>> np.exp(model.log_prob([[1.0, 0.0]])).round(3)  # 1 + e and 1 + e^3, over their sum
        array([[0.15, 0.85]])
        >>> round(float(model.sample([[1.0, 0.0]], num_reads=1000, seed=0).mean()), 2)
        0.84

    References:
        Training multilayer perceptrons by sampling with quantum annealers, arXiv:2303.12352,
        Eqs. (1) to (19).
    """

    @classmethod
    def random(
        cls,
        *,
        num_inputs: int,
        num_hidden: int,
        num_outputs: int = 1,
        scale: float = 0.01,
        seed: int | None = 0,
    ) -> Self:
        """Returns a model with W1 and W2 sampled from scale N(0, 1), and biases of 0.

        Args:
            num_inputs: N.
            num_hidden: K.
            num_outputs: M, 1 to 16.
            scale: > 0; the paper has 0.01.
            seed: 0 ... 2^64 - 1; None takes a random one.
        """
        num_inputs = whole_number("num_inputs", num_inputs, least=1)
        num_hidden = whole_number("num_hidden", num_hidden, least=1)
        num_outputs = whole_number("num_outputs", num_outputs, least=1, most=MAX_OUTPUTS)
        scale = real_number("scale", scale, above=0.0)

        random = np.random.Generator(np.random.PCG64(seed_number(seed)))
        shapes = (num_hidden, num_inputs), (num_outputs, num_hidden)
        return cls(*(scale * random.standard_normal(shape) for shape in shapes))

    def to_mlp(self) -> MLP:
        """Returns the perceptron with these weights."""
        return MLP(**self.parameters())

    @classmethod
    def from_mlp(cls, mlp: MLP) -> Self:
        """Returns the energy-based twin of a perceptron."""
        if not isinstance(mlp, MLP):
            raise TypeError(f"mlp must be an MLP, got {type(mlp).__name__}")
        return cls(**mlp.parameters())

    def problem(
        self, x: ArrayLike, *, beta_effective: float = 1.0, streams: ArrayLike | None = None
    ) -> IsingProblem:
        """Returns P(k, y | x) as B Ising problems of K + M spins, Eqs. (32) to (37).

            E = -(k·(W1 x + b) + y·(W2 k + c)) / beta_effective + constant,
            k = (1 + s) / 2,   y = (1 + t) / 2

        P(k, y | x) is the Boltzmann distribution of E at inverse temperature beta_effective, with

            J = -W2^T / 4 beta_effective,   h = -(W1 x + b) / 2 beta_effective + sum_m J_km,

        and g like h, with c and a sum over hidden units. The QUBO of problem b, upper triangular,
        is problem.to_bqm(b).change_vartype("BINARY").

        Args:
            x: (B, N).
            beta_effective: > 0, the inverse temperature at which the sampler samples, in
                1 / (unit of J): 1 for Gibbs sampling at beta = 1; the paper has 16 for its quantum
                annealer.
            streams: see `IsingProblem`.
        """
        fields = self.hidden_fields(x)
        beta = real_number("beta_effective", beta_effective, above=0.0)

        couplings = -self.output_weights.T / (4 * beta)
        hidden = fields / (-2 * beta) + column_sums(couplings.T)
        output = self.output_bias / (-2 * beta) + column_sums(couplings)
        return IsingProblem(couplings, hidden, output[None], streams=streams)

    def sample(
        self,
        x: ArrayLike,
        sampler: Sampler = GIBBS,
        num_reads: int = 1000,
        seed: int | None = None,
        *,
        beta_effective: float = 1.0,
    ) -> Bits:
        """Samples outputs from P(y | x) for all inputs.

        The sampler is called as rarely as 256 MB of states for each call allow.

        Args:
            x: (B, N).
            sampler: a sampler at a temperature: Annealing(beta_range=(1, 1)), which stands for
                Gibbs sampling and is the default with 20 sweeps; the slower
                Tempering(beta_range=(0.1, 1), target_beta=1); FromDimod; DWave(descend=False).
                Lowest states are not such samples, and a sampler that ends in a descent is refused.
                Where energy barriers between outputs are high, as after long training or with a
                large W2, the default keeps the frequencies of its random start: `divergence` shows
                this, and tempering helps.
            num_reads: the number R >= 1 of samples for each input; the paper has 1,000.
            seed: 0 ... 2^64 - 1; None takes a random one.
            beta_effective: see `problem`.

        Returns:
            (B, R, M), in {0, 1}.
        """
        inputs = input_array(x, self.num_inputs)
        check_has_temperature(sampler)
        num_reads, seed = whole_number("num_reads", num_reads, least=1), seed_number(seed)

        return self.sample_logged(SamplingLog(), inputs, sampler, num_reads, seed, beta_effective)

    def sample_logged(
        self,
        log: SamplingLog,
        x: ArrayLike,
        sampler: Sampler,
        num_reads: int,
        seed: int,
        beta_effective: float,
    ) -> Bits:
        """Works like `sample`, but takes checked arguments and records times and costs in a log."""
        problem = self.problem(x, beta_effective=beta_effective)

        rows = max(1, _MAX_BYTES // (num_reads * problem.num_spins))
        parts = (problem[k : k + rows] for k in range(0, len(problem), rows))
        return np.concatenate(
            [self.outputs(log.sample(sampler, part, num_reads, seed)) for part in parts]
        )

    def outputs(self, states: States) -> Bits:
        """Returns the outputs in states of `problem`: spins (B, R, K + M) in, bits (B, R, M) out.

        Raises:
            ValueError: for spins of another shape, or states with weights, which are not samples.
        """
        if states.weights is not None:
            raise ValueError("states must be samples, got states with weights")

        check_shape("spins", states.spins, (None, None, self.num_hidden + self.num_outputs))
        outputs: Bits = (states.spins[:, :, self.num_hidden :] > 0).astype(np.int8)
        return outputs

    def estimate_beta_effective(
        self,
        x: ArrayLike,
        sampler: Sampler,
        num_reads: int = 1000,
        seed: int | None = None,
        *,
        guess: float = 1.0,
    ) -> float:
        """Estimates the inverse temperature of a sampler, see `States.beta_effective`.

        Args:
            x: (B, N).
            sampler: a sampler with a fixed temperature. That of Annealing without a beta_range
                depends on the problem, so it does not fit.
            num_reads: the number R >= 1 of samples for each input.
            seed: 0 ... 2^64 - 1; None takes a random one.
            guess: the beta_effective of the problems that are sampled. Where the estimate is far
                from the guess, a second estimate with the first one as the guess is better.
        """
        inputs = input_array(x, self.num_inputs)
        check_has_temperature(sampler)
        num_reads, seed = whole_number("num_reads", num_reads, least=1), seed_number(seed)

        problem = self.problem(inputs, beta_effective=real_number("guess", guess, above=0.0))
        return sample_from(sampler, problem, num_reads, seed).beta_effective(problem)

    def search_beta_effective(
        self,
        x: ArrayLike,
        sampler: Sampler,
        grid: Sequence[float],
        num_reads: int = 1000,
        seed: int | None = None,
    ) -> Doubles:
        """Returns the divergence of samples from P(y | x) at each beta_effective of a grid.

        The best value has the lowest divergence. An untrained model cannot decide, since its
        outputs are 0 and 1 with equal probability at any temperature.

        Args:
            x: (B, N).
            sampler: see `sample`.
            grid: (n,), values of beta_effective, each > 0.
            num_reads: the number R >= 1 of samples for each input and value.
            seed: 0 ... 2^64 - 1, the same for all values; None takes a random one.

        Returns:
            (n,), in nats.
        """
        inputs = input_array(x, self.num_inputs)
        check_has_temperature(sampler)
        given = float_array("grid", np.asarray(grid), shape=(None,))
        values = [real_number(f"grid[{k}]", beta, above=0.0) for k, beta in enumerate(given)]
        num_reads, seed = whole_number("num_reads", num_reads, least=1), seed_number(seed)

        sampled = (
            self.sample(inputs, sampler, num_reads, seed, beta_effective=beta) for beta in values
        )
        return np.array([self.divergence(inputs, outputs) for outputs in sampled])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a safetensors file, completely or not at all."""
        save_tensors(path, _KIND, dict(self.parameters()), {})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Reads a model that `save` wrote.

        Raises:
            FileNotFoundError: where there is no file.
            ValueError: for a file of another kind or version.
        """
        tensors, _ = load_tensors(path, _KIND, PARAMETERS)
        with naming(path):
            return cls(**{name: tensors[name] for name in PARAMETERS})
