"""A multilayer perceptron and its energy-based twin, which shares its weights and is trained by sampling.

    P(k, y | x) = exp(k·(W1 x + b) + y·(W2 k + c)) / Z(x),   k in {0, 1}^K, y in {0, 1}^M

The sign is that of the paper's conditional expectations, E[k | x, y] = sigma(W1 x + b + W2^T y); its Eqs. (1) and (2)
have the other one. Bit m of an output's number is unit m.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isingprop import kernels
from isingprop.energy_model.mlp import MLP, MOST_OUTPUTS, PARAMETERS, Bits, Weights, input_array
from isingprop.problem import IsingProblem
from isingprop.samplers.annealing import Annealing
from isingprop.samplers.protocol import Sampler, check_sampler, sample_from
from isingprop.states import States, basis
from isingprop.training.sampling_log import SamplingLog
from isingprop.util.checks import (
    Doubles,
    bit_array,
    check_shape,
    float_array,
    real_number,
    seed_number,
    whole_number,
)
from isingprop.util.files import load_tensors, save_tensors

# Sampling at beta = 1. A unit on which hardly anything acts flips nearly always (cpp/kernels/rule.h), and has forgotten
# its random start after these sweeps to within 0.0025 of its probability.
GIBBS = Annealing(num_sweeps=20, beta_range=(1.0, 1.0), descend=False)

_KIND = "energy-model"
_MOST_BYTES = 2**28  # of states, of which only the outputs are kept


class EnergyModel(Weights):
    """The energy-based twin of a perceptron: hidden and output units are random bits, given the inputs.

        P(k, y | x) = exp(k·(W1 x + b) + y·(W2 k + c)) / Z(x)

    Hidden units do not couple to each other, so they can be summed over:

        P(y | x) ∝ exp(c·y) prod_j (1 + exp(a_j + (W2^T y)_j)),   a = W1 x + b.

    Where weights are small, the gradient of its log-likelihood is that of the perceptron's cross-entropy, Eqs. (27) and
    (30): either can be trained and its weights given to the other.

    Args:
        input_weights: W1, (K, N).
        output_weights: W2, (M, K), M <= 16.
        hidden_bias: b, (K,); None for zeros.
        output_bias: c, (M,); None for zeros.

    Example:
        >>> model = EnergyModel(input_weights=[[1.0, -1.0]], output_weights=[[2.0]])
        >>> np.exp(model.log_prob([[1.0, 0.0]])).round(3)  # (1 + e) and (1 + e^3), made to sum to 1
        array([[0.15, 0.85]])
        >>> round(float(model.sample([[1.0, 0.0]], num_reads=1000, seed=0).mean()), 2)
        0.84

    References:
        Training multilayer perceptrons by sampling with quantum annealers, arXiv:2303.12352, Eqs. (1) to (19).
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
        """Draws W1 and W2 from scale N(0, 1); no biases.

        Args:
            num_inputs: N.
            num_hidden: K.
            num_outputs: M, 1 to 16.
            scale: > 0; the paper has 0.01.
            seed: 0 ... 2^64 - 1; None draws one.
        """
        num_inputs = whole_number("num_inputs", num_inputs, least=1)
        num_hidden = whole_number("num_hidden", num_hidden, least=1)
        num_outputs = whole_number("num_outputs", num_outputs, least=1, most=MOST_OUTPUTS)
        scale = real_number("scale", scale, above=0.0)
        random = np.random.Generator(np.random.PCG64(seed_number(seed)))
        shapes = (num_hidden, num_inputs), (num_outputs, num_hidden)
        return cls(*(scale * random.standard_normal(shape) for shape in shapes))

    def to_mlp(self) -> MLP:
        """The perceptron with these weights."""
        return MLP(**self.parameters())

    @classmethod
    def from_mlp(cls, mlp: MLP) -> Self:
        """The twin of a perceptron."""
        if not isinstance(mlp, MLP):
            raise TypeError(f"mlp must be an MLP, got {type(mlp).__name__}")
        return cls(**mlp.parameters())

    def log_prob(self, x: ArrayLike) -> Doubles:
        """log P(y | x) of all outputs: (B, N) in, (B, 2**M) out; bit m of the index is unit m."""
        return self._distribution(self.hidden_fields(x))[0]

    def predict(self, x: ArrayLike) -> Bits:
        """The likeliest outputs (the first of equals): (B, N) in, (B, M) out."""
        likeliest: Bits = self._patterns()[self.log_prob(x).argmax(axis=1)].astype(np.int8)
        return likeliest

    def log_likelihood(self, x: ArrayLike, y: ArrayLike) -> float:
        """The mean of log P(y | x) over (B, N) inputs and their (B, M) outputs in {0, 1}, Eq. (7)."""
        log_prob = self.log_prob(x)
        return float(
            np.take_along_axis(
                log_prob, self._numbers("y", y, len(log_prob))[:, None], axis=1
            ).mean()
        )

    def gradient(self, x: ArrayLike, y: ArrayLike, outputs: ArrayLike | None = None) -> Weights:
        """The slope of the log-likelihood in each parameter, Eqs. (14) to (19).

            dW1 = <[h(y) - <h(y')>] x^T>,   dW2 = <y h(y)^T - <y' h(y')^T>>,   h(y) = sigma(W1 x + b + W2^T y),

        db and dc without x^T and h^T. The inner mean is over y' from P(y' | x), or over samples of it.

        Args:
            x: (B, N).
            y: (B, M), in {0, 1}.
            outputs: (B, R, M), in {0, 1}, samples of P(y | x) as `sample` draws them; None: exact.
        """
        inputs = input_array(x, self.num_inputs)
        targets = bit_array("y", y, (len(inputs), self.num_outputs))
        fields = self.fields_of(inputs)
        weights = (
            -self._distribution(fields)[1]
            if outputs is None
            else -self._frequencies(outputs, len(inputs))
        )
        weights[np.arange(len(inputs)), self._numbers("y", targets, len(inputs))] += 1
        hidden, output = kernels.hidden_means(fields, self.output_weights, weights)
        means = kernels.weighted_sums(weights, self._patterns(), np.zeros(self.num_outputs))
        inner = kernels.weighted_sums(
            np.ascontiguousarray(inputs.T), hidden, np.zeros(self.num_hidden)
        )
        totals = inner.T, output, _column_sums(hidden), _column_sums(means)
        return Weights(*(total / len(inputs) for total in totals))

    def problem(
        self, x: ArrayLike, *, beta_effective: float = 1.0, streams: ArrayLike | None = None
    ) -> IsingProblem:
        """P(k, y | x) as Ising problems of K + M spins, Eqs. (32) to (37).

            E = -(k·(W1 x + b) + y·(W2 k + c)) / beta_effective + constant,   k = (1 + s) / 2, y = (1 + t) / 2,

        so it is Boltzmann's distribution of E at inverse temperature beta_effective:

            J = -W2^T / 4 beta_effective,   h = -(W1 x + b) / 2 beta_effective + sum_m J_km,   g alike with c.

        Args:
            x: (B, N).
            beta_effective: > 0, the inverse temperature at which the sampler samples, in 1 / (unit of J): 1 for Gibbs
                sampling at beta = 1; the paper has 16 for its quantum annealer.
            streams: see IsingProblem.

        The QUBO of one of them, upper triangular, is problem.to_bqm(k).change_vartype("BINARY").
        """
        fields = self.hidden_fields(x)
        beta = real_number("beta_effective", beta_effective, above=0.0)
        couplings = -self.output_weights.T / (4 * beta)
        hidden = fields / (-2 * beta) + _column_sums(couplings.T)
        output = self.output_bias / (-2 * beta) + _column_sums(couplings)
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
        """Outputs drawn from P(y | x) of all inputs, in as few calls of the sampler as 256 MB of states allow.

        Args:
            x: (B, N).
            sampler: one that samples at a temperature: Annealing(beta_range=(1, 1), descend=False), the default, which
                takes the place of Gibbs sampling; Tempering(beta_range=(0.1, 1), target_beta=1), slower; FromDimod;
                DWave(descend=False). Lowest states are not such samples. Where outputs are far apart, as after long
                training or with all W2 large, the default's still have the shares of its random start: `divergence`
                tells, and tempering helps.
            num_reads: R >= 1 of each input; the paper has 1,000.
            seed: 0 ... 2^64 - 1; None draws one.
            beta_effective: see `problem`.

        Returns:
            (B, R, M), in {0, 1}.
        """
        inputs = input_array(x, self.num_inputs)
        check_sampler(sampler)
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
        """The same, through a log that keeps account of it."""
        problem = self.problem(x, beta_effective=beta_effective)
        rows = max(1, _MOST_BYTES // (num_reads * problem.num_spins))
        parts = (problem[k : k + rows] for k in range(0, len(problem), rows))
        return np.concatenate(
            [self.outputs(log.sample(sampler, part, num_reads, seed)) for part in parts]
        )

    def outputs(self, states: States) -> Bits:
        """What states of `problem` say of the outputs: spins (B, R, K + M) in; (B, R, M), in {0, 1}, out.

        Raises:
            ValueError: for spins of another shape, or states with weights, which are no samples.
        """
        if states.weights is not None:
            raise ValueError("states must be samples, got states with weights")
        check_shape("spins", states.spins, (None, None, self.num_hidden + self.num_outputs))
        outputs: Bits = (states.spins[:, :, self.num_hidden :] > 0).astype(np.int8)
        return outputs

    def frequencies(self, outputs: ArrayLike) -> Doubles:
        """How often each output was drawn: (B, R, M), in {0, 1}, in; (B, 2**M) out."""
        return self._frequencies(outputs, None)

    def _frequencies(self, outputs: ArrayLike, num_inputs: int | None) -> Doubles:
        numbers = self._numbers("outputs", outputs, num_inputs, None)
        counts = [np.bincount(row, minlength=2**self.num_outputs) for row in numbers]
        frequencies: Doubles = np.stack(counts) / numbers.shape[1]
        return frequencies

    def divergence(self, x: ArrayLike, outputs: ArrayLike) -> float:
        """How far samples are from P(y | x): the Jensen-Shannon divergence in nats, 0 to log 2, mean over inputs.

        Args:
            x: (B, N).
            outputs: (B, R, M), in {0, 1}, as `sample` draws them.
        """
        from scipy.special import (
            rel_entr,  # scipy's jensenshannon takes the root of what rounding makes negative
        )

        exact = self._distribution(self.hidden_fields(x))[1]
        drawn = self._frequencies(outputs, len(exact))
        middle = (drawn + exact) / 2
        return float((rel_entr(drawn, middle) + rel_entr(exact, middle)).sum(axis=1).mean() / 2)

    def estimate_beta_effective(
        self,
        x: ArrayLike,
        sampler: Sampler,
        num_reads: int = 1000,
        seed: int | None = None,
        *,
        guess: float = 1.0,
    ) -> float:
        """The inverse temperature of a sampler, from the states it draws: see States.beta_effective.

        Args:
            x: (B, N).
            sampler: whose temperature does not follow the problem, as that of Annealing without a beta_range does.
            num_reads: R >= 1 of each input.
            seed: 0 ... 2^64 - 1; None draws one.
            guess: the beta_effective of the problems that are drawn from. Where the estimate is far from it, another
                one from there is better.
        """
        inputs = input_array(x, self.num_inputs)
        check_sampler(sampler)
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
        """The divergence of samples from P(y | x) at each beta_effective of a grid; the best has the least.

        An untrained model cannot tell: its outputs are as likely 0 as 1 at any temperature.

        Args:
            x: (B, N).
            sampler: as in `sample`.
            grid: values of beta_effective, each > 0.
            num_reads: R >= 1 of each input and value.
            seed: 0 ... 2^64 - 1, for all values; None draws one.

        Returns:
            As many divergences as there are values.
        """
        inputs = input_array(x, self.num_inputs)
        check_sampler(sampler)
        given = float_array("grid", np.asarray(grid), shape=(None,))
        values = [real_number(f"grid[{k}]", beta, above=0.0) for k, beta in enumerate(given)]
        num_reads, seed = whole_number("num_reads", num_reads, least=1), seed_number(seed)
        drawn = (
            self.sample(inputs, sampler, num_reads, seed, beta_effective=beta) for beta in values
        )
        return np.array([self.divergence(inputs, outputs) for outputs in drawn])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a safetensors file, whole or not at all."""
        save_tensors(path, _KIND, dict(self.parameters()), {})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Reads what `save` wrote.

        Raises:
            FileNotFoundError: where there is no file.
            ValueError: for a file of another kind or version.
        """
        tensors, _ = load_tensors(path, _KIND, PARAMETERS)
        return cls(**{name: tensors[name] for name in PARAMETERS})

    def _patterns(self) -> Doubles:
        """All outputs, (2**M, M)."""
        patterns: Doubles = (basis(self.num_outputs) + 1.0) / 2
        return patterns

    def _distribution(self, hidden_fields: Doubles) -> tuple[Doubles, Doubles]:
        """log P(y | x) and P(y | x), (B, 2**M) each."""
        return kernels.output_distribution(hidden_fields, self.output_weights, self.output_bias)

    def _numbers(self, name: str, outputs: ArrayLike, *lengths: int | None) -> NDArray[np.int64]:
        """The numbers of outputs, (..., M) in {0, 1}."""
        places = 1 << np.arange(self.num_outputs)
        numbers: NDArray[np.int64] = (
            bit_array(name, outputs, (*lengths, self.num_outputs)).astype(np.int64) @ places
        )
        return numbers


def _column_sums(rows: Doubles) -> Doubles:
    """In the order of the rows, (n, m) in and (m,) out; how NumPy sums depends on the processor."""
    ones, zeros = np.ones((1, len(rows))), np.zeros(rows.shape[1])
    return kernels.weighted_sums(ones, np.ascontiguousarray(rows), zeros).reshape(-1)
