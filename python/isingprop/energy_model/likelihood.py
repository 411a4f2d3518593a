"""Exact probabilities of an energy-based model's outputs, its log-likelihood and the gradient.

    P(k, y | x) = exp(k·(W1 x + b) + y·(W2 k + c)) / Z(x),   k in {0, 1}^K, y in {0, 1}^M

Hidden units k do not couple to each other, so they are summed over in closed form, and all 2^M
outputs are listed. The number of an output has bit m set where unit m is 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isingprop import kernels
from isingprop.energy_model.mlp import Bits, Weights, input_array
from isingprop.states import basis
from isingprop.util.checks import Doubles, bit_array


class Likelihood(Weights):
    """The likelihood P(y | x) of weights between inputs x and outputs y, exactly.

        P(y | x) ∝ exp(c·y) prod_j (1 + exp(a_j + (W2^T y)_j)),   a = W1 x + b

    `EnergyModel` derives from it and adds sampling. The arguments are those of `Weights`.
    """

    def log_prob(self, x: ArrayLike) -> Doubles:
        """Returns log P(y | x) of all outputs: (B, N) in, (B, 2**M) out.

        Bit m of the index is unit m.
        """
        return self._distribution(self.hidden_fields(x))[0]

    def predict(self, x: ArrayLike) -> Bits:
        """Returns the most probable outputs, the first of equal ones: (B, N) in, (B, M) out."""
        most_probable = self.log_prob(x).argmax(axis=1)
        predicted: Bits = self._patterns()[most_probable].astype(np.int8)
        return predicted

    def log_likelihood(self, x: ArrayLike, y: ArrayLike) -> float:
        """Returns the mean of log P(y | x) over inputs, Eq. (7).

        Args:
            x: (B, N).
            y: (B, M), in {0, 1}.
        """
        log_prob = self.log_prob(x)
        numbers = self._numbers("y", y, len(log_prob))
        return float(np.take_along_axis(log_prob, numbers[:, None], axis=1).mean())

    def gradient(self, x: ArrayLike, y: ArrayLike, outputs: ArrayLike | None = None) -> Weights:
        """Returns the derivative of the log-likelihood in each parameter, Eqs. (14) to (19).

            dW1 = <[h(y) - <h(y')>] x^T>,   dW2 = <y h(y)^T - <y' h(y')^T>>,
            h(y) = sigma(W1 x + b + W2^T y)

        db and dc lack x^T and h^T. The outer mean is over inputs, the inner one over y' from
        P(y' | x), or over samples of it.

        Args:
            x: (B, N).
            y: (B, M), in {0, 1}.
            outputs: (B, R, M), in {0, 1}, samples of P(y | x) from `sample`; None: exact.
        """
        inputs = input_array(x, self.num_inputs)
        targets = bit_array("y", y, (len(inputs), self.num_outputs))
        fields = self.fields_of(inputs)

        # Each output enters with minus its probability, and the target with 1 more.
        if outputs is None:
            weights = -self._distribution(fields)[1]
        else:
            weights = -self._frequencies(outputs, len(inputs))
        weights[np.arange(len(inputs)), self._numbers("y", targets, len(inputs))] += 1

        hidden, output = kernels.hidden_means(fields, self.output_weights, weights)
        means = kernels.weighted_sums(weights, self._patterns(), np.zeros(self.num_outputs))
        inner = kernels.weighted_sums(
            np.ascontiguousarray(inputs.T), hidden, np.zeros(self.num_hidden)
        )

        totals = inner.T, output, column_sums(hidden), column_sums(means)
        return Weights(*(total / len(inputs) for total in totals))

    def frequencies(self, outputs: ArrayLike) -> Doubles:
        """Returns how often each output was sampled, as a share.

        Args:
            outputs: (B, R, M), in {0, 1}.

        Returns:
            (B, 2**M), which sum to 1 for each input.
        """
        return self._frequencies(outputs, None)

    def divergence(self, x: ArrayLike, outputs: ArrayLike) -> float:
        """Returns how far samples are from P(y | x), as the mean over inputs.

        The measure is the Jensen-Shannon divergence in nats, 0 to log 2.

        Args:
            x: (B, N).
            outputs: (B, R, M), in {0, 1}, samples from `sample`.
        """
        # scipy's jensenshannon would take the root of numbers that rounding makes negative.
        from scipy.special import rel_entr

        exact = self._distribution(self.hidden_fields(x))[1]
        sampled = self._frequencies(outputs, len(exact))
        middle = (sampled + exact) / 2
        return float((rel_entr(sampled, middle) + rel_entr(exact, middle)).sum(axis=1).mean() / 2)

    def _frequencies(self, outputs: ArrayLike, num_inputs: int | None) -> Doubles:
        """Returns `frequencies` of samples for num_inputs inputs; None is any number."""
        numbers = self._numbers("outputs", outputs, num_inputs, None)
        counts = [np.bincount(row, minlength=2**self.num_outputs) for row in numbers]
        frequencies: Doubles = np.stack(counts) / numbers.shape[1]
        return frequencies

    def _patterns(self) -> Doubles:
        """Returns all outputs in the order of their numbers, (2**M, M)."""
        patterns: Doubles = (basis(self.num_outputs) + 1.0) / 2
        return patterns

    def _distribution(self, hidden_fields: Doubles) -> tuple[Doubles, Doubles]:
        """Returns log P(y | x) and P(y | x) of all outputs, (B, 2**M) each."""
        return kernels.output_distribution(hidden_fields, self.output_weights, self.output_bias)

    def _numbers(self, name: str, outputs: ArrayLike, *lengths: int | None) -> NDArray[np.int64]:
        """Returns the numbers (...) of outputs (..., M) in {0, 1}."""
        bits = bit_array(name, outputs, (*lengths, self.num_outputs)).astype(np.int64)
        numbers: NDArray[np.int64] = bits @ (1 << np.arange(self.num_outputs))
        return numbers


def column_sums(rows: Doubles) -> Doubles:
    """Returns the sum of each column, added in the order of the rows: (n, m) in, (m,) out.

    The order of NumPy's sums depends on the processor, and with it the last bits.
    """
    ones, zeros = np.ones((1, len(rows))), np.zeros(rows.shape[1])
    return kernels.weighted_sums(ones, np.ascontiguousarray(rows), zeros).reshape(-1)
