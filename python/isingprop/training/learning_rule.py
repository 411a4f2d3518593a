"""The learning rule: states in, gradient or new parameters out. Pure functions, but for the one that says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isingprop import kernels
from isingprop.network.bipartite import PARAMETERS, BipartiteNetwork
from isingprop.network.layered import LayeredNetwork
from isingprop.states import States
from isingprop.util.checks import (
    Spins,
    check_pixels,
    check_shape,
    image_array,
    real_number,
    whole_number,
)

# The mean of |x|^2 over MNIST's training images.
_MNIST_SQUARE = 88.0
# What a rate of a deep network is multiplied by: its input weights are large, its couplings small. With one rate for
# all the test error after 25 epochs is 4 points larger.
_DEEP_INPUT_WEIGHTS, _DEEP_COUPLINGS = 4.0, 0.5


@dataclass(frozen=True)
class LearningRates:
    """The rates of Eq. (5), one for each kind of parameter, finite and >= 0."""

    input_weights: float
    couplings: float
    hidden_bias: float
    output_bias: float

    def __post_init__(self) -> None:
        """Checks all four."""
        for name, value in asdict(self).items():
            object.__setattr__(
                self, name, real_number(f"learning_rate[{name!r}]", value, least=0.0)
            )

    @classmethod
    def of(
        cls, value: float | Mapping[str, float] | LearningRates, *, deep: bool = False
    ) -> LearningRates:
        """One rate for all parameters, or a mapping with a rate for each of the four names.

        With more than one hidden layer (`deep`) input weights learn at 4 times the one rate, couplings at half of it.
        """
        if isinstance(value, LearningRates):
            return value
        if isinstance(value, Mapping):
            if set(value) != set(PARAMETERS):
                raise ValueError(
                    f"learning_rate must have the keys {', '.join(PARAMETERS)}, got {list(value)}"
                )
            return cls(**value)
        rate = real_number("learning_rate", value, least=0.0)
        return (
            cls(_DEEP_INPUT_WEIGHTS * rate, _DEEP_COUPLINGS * rate, rate, rate)
            if deep
            else cls(*4 * [rate])
        )

    @classmethod
    def for_images(
        cls, rate: float, images: NDArray[np.float32], *, deep: bool = False
    ) -> LearningRates:
        """As `of(rate)`, but for input weights, whose rate is that times 88 / (mean |x|^2).

        One update moves the field of its own image by the rate times |x|^2, so this keeps pace with the couplings
        however many pixels there are and however bright. MNIST's mean |x|^2 is 88: there it is `of(rate)`.
        """
        rates = cls.of(real_number("learning_rate", rate, above=0.0), deep=deep)
        square = float(np.einsum("ba,ba->", images, images, dtype=np.float64)) / len(images)
        input_rate = (
            rates.input_weights * _MNIST_SQUARE / square if square > 0 else rates.input_weights
        )
        return replace(rates, input_weights=float(np.float32(input_rate)))

    def array(self) -> NDArray[np.float32]:
        """The four as float32, in the order of network.PARAMETERS."""
        return np.array([getattr(self, name) for name in PARAMETERS], dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Gradient:
    """The change of each parameter per unit of learning rate, in the shapes of the network's own arrays."""

    input_weights: NDArray[np.float32]
    couplings: NDArray[np.float32]
    hidden_bias: NDArray[np.float32]
    output_bias: NDArray[np.float32]


def gradient(images: ArrayLike, free: States, nudged: States, *, num_hidden: int) -> Gradient:
    """The direction of Eqs. (5) and (6): the mean over images of d(E[free] - E[nudged]) / d(parameter).

        dW_ia = (<s_i> - <s_i>^N) x_a      dJ_ia = <s_i t_a> - <s_i t_a>^N
        db_i  =  <s_i> - <s_i>^N           db_a  = <t_a> - <t_a>^N

    with <.> the mean over the reads of one image, or their weighted sum (States.weights; <.>^N is then the mean times
    the sum of the weights). Going along it raises the energy of the free states and lowers that of the nudged ones. One
    free read is equilibrium propagation, m of them are dragon training.

    Args:
        images: (B, I), floating point, in [0, 1].
        free: states of H[x], (B, m, N).
        nudged: states of H_N[x, y], (B, any, N), without weights.
        num_hidden: H, how many of the N spins are hidden.

    Raises:
        ValueError: for shapes that do not fit.

    References:
        arXiv:2506.05244, Eqs. (5) and (6); Scellier & Bengio 2017, doi:10.3389/fncom.2017.00024.
    """
    pixels = image_array("images", images, num_inputs=None)
    check_pixels("images", pixels)
    num_hidden = whole_number("num_hidden", num_hidden, least=1, most=free.spins.shape[2] - 1)
    _check_unweighted("nudged", nudged)
    num_output = free.spins.shape[2] - num_hidden
    transposed_weights = np.zeros((pixels.shape[1], num_hidden), np.float32)
    couplings = np.zeros((num_hidden, num_output), np.float32)
    biases = np.zeros(num_hidden, np.float32), np.zeros(num_output, np.float32)
    rates = np.ones(len(PARAMETERS), np.float32)
    kernels.update(
        transposed_weights,
        couplings,
        *biases,
        rates,
        pixels,
        free.spins,
        nudged.spins,
        free.weights,
    )
    return Gradient(transposed_weights.T, couplings, *biases)


def layered_gradient(
    network: LayeredNetwork, images: ArrayLike, free: States, nudged: States
) -> dict[str, NDArray[np.float32]]:
    """The same direction for a network of any depth, by the names and in the shapes of its parameters.

        dW_ia = (<s^1_i> - <s^1_i>^N) x_a,   dJ^l_ij = <s^l_i s^(l+1)_j> - <s^l_i s^(l+1)_j>^N,   db^l_i = <s^l_i> - ...

    Args:
        network: gives the shapes.
        images: (B, I), floating point, in [0, 1].
        free: whole states of H[x], (B, m, N), as of `sample_states`, without weights, as the next.
        nudged: states of H_N[x, y], (B, any, N).

    Raises:
        ValueError: for shapes that do not fit.

    References:
        arXiv:2506.05244, Eqs. (5) and (6), and (14), in which each bias counts once.
    """
    pixels = image_array("images", images, num_inputs=network.num_inputs)
    check_pixels("images", pixels)
    for name, states in (("free", free), ("nudged", nudged)):
        check_shape(f"{name}.spins", states.spins, (len(pixels), None, sum(network.sizes)))
        _check_unweighted(name, states)
    arrays = [
        [np.zeros_like(array) for array in group] for group in (network.couplings, network.biases)
    ]
    still = LayeredNetwork(
        np.zeros_like(network.input_weights), *arrays, num_classes=network.num_classes
    )
    rates = np.ones(len(PARAMETERS), np.float32)
    update_layers_in_place(still, None, pixels, free.spins, nudged.spins, rates)
    return still.parameters()


def _check_unweighted(name: str, states: States) -> None:
    if states.weights is not None:
        raise ValueError(
            f"{name}.weights must be None, got {len(states.weights)} x {states.num_reads} weights"
        )


def apply(network: BipartiteNetwork, step: Gradient, rates: LearningRates) -> BipartiteNetwork:
    """A new network whose parameters have gone along the gradient, each at its own rate."""
    moved = {
        name: array + np.float32(getattr(rates, name)) * getattr(step, name)
        for name, array in network.parameters().items()
    }
    return BipartiteNetwork(**moved, num_classes=network.num_classes)


def update_in_place(
    network: BipartiteNetwork,
    images: NDArray[np.float32],
    free_spins: Spins,
    nudged_spins: Spins,
    rates: NDArray[np.float32],
    free_weights: NDArray[np.float64] | None = None,
) -> None:
    """Changes the network itself along the same gradient, without the arrays in between: what the trainer calls."""
    kernels.update(
        network.input_weights.T,
        network.couplings,
        network.hidden_bias,
        network.output_bias,
        rates,
        images,
        free_spins,
        nudged_spins,
        free_weights,
    )


def update_layers_in_place(
    network: LayeredNetwork,
    layer: int | None,
    images: NDArray[np.float32],
    free_spins: Spins,
    nudged_spins: Spins,
    rates: NDArray[np.float32],
) -> None:
    """The same for a deep network: along the gradient of the parameters of two layers, or of all.

    Args:
        network: changed.
        layer: the lower of two layers, of which the spins are; its input weights are changed, too, where it is layer 1.
            None: the spins are whole states.
        images: (B, I).
        free_spins: (B, m, .).
        nudged_spins: (B, any, .).
        rates: as of LearningRates.array; all couplings have one rate, and all biases but the outputs' have.
    """
    top = len(network.couplings)
    for lower in range(1, top + 1) if layer is None else (layer,):
        hidden_bias, output_bias = network.biases[lower - 1 : lower + 1]
        input_rate, coupling_rate, hidden_rate, output_rate = rates
        own = np.array(
            [input_rate, coupling_rate, hidden_rate, output_rate if lower == top else hidden_rate]
        )
        free, nudged = free_spins, nudged_spins
        if layer is None:
            free, nudged = (
                np.ascontiguousarray(each[..., network.active(lower)]) for each in (free, nudged)
            )
            own[3] *= lower == top  # each bias once: others are the first of the next two
        weights, pixels = network.input_weights.T, images
        if lower > 1:  # a dark pixel: it changes nothing
            weights, pixels = (
                np.zeros((1, len(hidden_bias)), np.float32),
                np.zeros((len(images), 1), np.float32),
            )
        kernels.update(
            weights,
            network.couplings[lower - 1],
            hidden_bias,
            output_bias,
            own,
            pixels,
            free,
            nudged,
        )
