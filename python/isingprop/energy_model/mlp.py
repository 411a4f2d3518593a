"""The weights of one hidden layer, and the multilayer perceptron that has them."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isingprop import kernels
from isingprop.util.checks import Doubles, Floats, bit_array, float_array, whole_number

PARAMETERS = ("input_weights", "output_weights", "hidden_bias", "output_bias")
MAX_OUTPUTS = 16  # the energy-based twin sums over all 2^M outputs

Bits = NDArray[np.int8]

_MAX_SIZE = 1e100  # products of such numbers do not overflow


class Weights:
    """The weights and biases of one hidden layer between N inputs and M outputs.

    Both twins, `MLP` and `EnergyModel`, derive from it, and a gradient has this form. The four
    arrays are kept as read-only float64 copies.

    Args:
        input_weights: W1, (K, N).
        output_weights: W2, (M, K), M <= 16.
        hidden_bias: b, (K,); None for zeros.
        output_bias: c, (M,); None for zeros.

    Raises:
        ValueError: for shapes that do not fit, NaN or infinity.
        TypeError: for arrays that do not hold real numbers.
    """

    input_weights: Doubles
    output_weights: Doubles
    hidden_bias: Doubles
    output_bias: Doubles

    def __init__(
        self,
        input_weights: ArrayLike,
        output_weights: ArrayLike,
        hidden_bias: ArrayLike | None = None,
        output_bias: ArrayLike | None = None,
    ) -> None:
        """Checks that the arrays fit together and copies them."""
        # In column order the weights of one input are neighbours, so an input of 0 can be skipped.
        self.input_weights = _kept("input_weights", input_weights, (None, None), order="F")
        self.output_weights = _kept("output_weights", output_weights, (None, self.num_hidden))
        whole_number("num_outputs", self.num_outputs, least=1, most=MAX_OUTPUTS)

        hidden_bias = np.zeros(self.num_hidden) if hidden_bias is None else hidden_bias
        output_bias = np.zeros(self.num_outputs) if output_bias is None else output_bias
        self.hidden_bias = _kept("hidden_bias", hidden_bias, (self.num_hidden,))
        self.output_bias = _kept("output_bias", output_bias, (self.num_outputs,))

    def __repr__(self) -> str:
        """Returns the class name with the sizes of the three layers."""
        sizes = f"{self.num_inputs} inputs, {self.num_hidden} hidden, {self.num_outputs} outputs"
        return f"{type(self).__name__}({sizes})"

    @property
    def num_inputs(self) -> int:
        """The number of inputs, N."""
        return int(self.input_weights.shape[1])

    @property
    def num_hidden(self) -> int:
        """The number of hidden units, K."""
        return int(self.input_weights.shape[0])

    @property
    def num_outputs(self) -> int:
        """The number of outputs, M."""
        return int(self.output_weights.shape[0])

    def parameters(self) -> dict[str, Doubles]:
        """Returns the four arrays by name."""
        return {name: getattr(self, name) for name in PARAMETERS}

    def hidden_fields(self, x: ArrayLike) -> Doubles:
        """Returns W1 x + b, summed in the order of the inputs: (B, N) in, (B, K) out."""
        return self.fields_of(input_array(x, self.num_inputs))

    def fields_of(self, inputs: Doubles) -> Doubles:
        """Works like `hidden_fields`, but takes inputs that `input_array` has already checked."""
        return kernels.weighted_sums(inputs, self.input_weights.T, self.hidden_bias)


class MLP(Weights):
    """A perceptron with sigmoid units, Eq. (28):

        z = sigma(W2 sigma(W1 x + b) + c),   sigma(u) = 1 / (1 + exp(-u))

    Args:
        input_weights: W1, (K, N).
        output_weights: W2, (M, K), M <= 16.
        hidden_bias: b, (K,); None for zeros.
        output_bias: c, (M,); None for zeros.

    Example:
        >>> MLP([[1.0, -1.0]], [[2.0]]).predict_proba([[0.5, 0.5]]).round(3)
        array([[0.731]])

    References:
        Training multilayer perceptrons by sampling with quantum annealers, arXiv:2303.12352,
        Section 3.4.
    """

    def logits(self, x: ArrayLike) -> Doubles:
        """Returns W2 sigma(W1 x + b) + c: (B, N) in, (B, M) out."""
        hidden = kernels.sigmoid(self.hidden_fields(x))
        return kernels.weighted_sums(
            hidden, np.ascontiguousarray(self.output_weights.T), self.output_bias
        )

    def predict_proba(self, x: ArrayLike) -> Doubles:
        """Returns z, the probability that each output is 1: (B, N) in, (B, M) out."""
        return kernels.sigmoid(self.logits(x))

    def predict(self, x: ArrayLike) -> Bits:
        """Returns the more probable value of each output: (B, N) in, (B, M) out."""
        return (self.logits(x) > 0).astype(np.int8)

    def loss(self, x: ArrayLike, y: ArrayLike) -> float:
        """Returns the cross-entropy, Eq. (29), summed over outputs and averaged over inputs.

            -y log z - (1 - y) log(1 - z)

        Args:
            x: (B, N).
            y: (B, M), in {0, 1}.
        """
        logits = self.logits(x)
        targets = bit_array("y", y, (len(logits), self.num_outputs))
        return float(kernels.softplus(np.where(targets == 1, -logits, logits)).sum(axis=1).mean())


def input_array(x: ArrayLike, num_inputs: int) -> Doubles:
    """Returns `x`, numbers or booleans, as (B, N) float64."""
    array = np.asarray(x)
    if array.dtype == np.bool_:
        array = array.astype(np.int8)
    return _bounded("x", array, (None, num_inputs)).astype(np.float64, copy=False)


def _kept(
    name: str, value: ArrayLike, shape: tuple[int | None, ...], order: Literal["C", "F"] = "C"
) -> Doubles:
    """Returns a read-only float64 copy of an array, checked."""
    array = np.array(_bounded(name, value, shape), dtype=np.float64, order=order)
    array.flags.writeable = False
    return array


def _bounded(name: str, value: ArrayLike, shape: tuple[int | None, ...]) -> Floats:
    """Returns `value` as an array of this shape, whose numbers are at most 1e100 in size."""
    array = float_array(name, value, shape=shape)
    if (largest := float(np.abs(array).max())) > _MAX_SIZE:
        raise ValueError(f"{name} must be within {_MAX_SIZE:g} of 0, got {largest:g}")
    return array
