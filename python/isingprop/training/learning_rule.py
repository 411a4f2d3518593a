"""The learning rule: states in, a gradient or updated parameters out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isingprop import kernels
from isingprop.network.base_network import Floats32, Network
from isingprop.network.bipartite import PARAMETERS, BipartiteNetwork
from isingprop.network.layered import LayeredNetwork
from isingprop.readout import Readout
from isingprop.states import States
from isingprop.util.checks import (
    Spins,
    check_pixels,
    check_shape,
    image_array,
    real_number,
    whole_number,
)
from isingprop.util.short_repr import short_repr

# The mean of |x|^2 over MNIST's training images.
_MNIST_SQUARE = 88.0
# Digits of 8 x 8 pixels (sum 20) gain nothing from larger steps. Of 32 x 32 x 3 pixels (sum 940)
# 20 to 60 % are right with the rate of MNIST, and 98 % with this max.
_MOST_ADAM_SUM = 110.0
# The rate of a deep network is multiplied by these: its input weights are large, its couplings
# small. With one rate for all the test error after 25 epochs is 4 points larger.
_DEEP_INPUT_WEIGHTS, _DEEP_COUPLINGS = 4.0, 0.5


@dataclass(frozen=True)
class LearningRates:
    """The rates of Eq. (5), one for each kind of parameter, finite and >= 0."""

    input_weights: float
    couplings: float
    hidden_bias: float
    output_bias: float

    def __post_init__(self) -> None:
        """Checks all four rates."""
        for name, value in asdict(self).items():
            object.__setattr__(
                self, name, real_number(f"learning_rate[{name!r}]", value, least=0.0)
            )

    @classmethod
    def of(
        cls, value: float | Mapping[str, float] | LearningRates, *, deep: bool = False
    ) -> LearningRates:
        """Returns the rates that an argument stands for.

        Args:
            value: one rate for all parameters, or a mapping with a rate for each of the four names.
            deep: whether there is more than one hidden layer: input weights then learn at 4 times
                the one rate, couplings at half of it.
        """
        if isinstance(value, LearningRates):
            return value
        if isinstance(value, Mapping):
            if set(value) != set(PARAMETERS):
                wanted = f"the keys {', '.join(PARAMETERS)}"
                raise ValueError(f"learning_rate must have {wanted}, got {list(value)}")
            return cls(**value)

        rate = real_number("learning_rate", value, least=0.0)
        if deep:
            return cls(_DEEP_INPUT_WEIGHTS * rate, _DEEP_COUPLINGS * rate, rate, rate)
        return cls(rate, rate, rate, rate)

    @classmethod
    def for_images(cls, rate: float, images: ArrayLike, *, deep: bool = False) -> LearningRates:
        """Returns `of(rate)`, but with the rate of input weights times 88 / (mean |x|^2).

        One update moves the field of its own image by the rate times |x|^2, so this keeps pace with
        the couplings however many pixels there are and however bright. MNIST's mean |x|^2 is 88:
        there it is `of(rate)`.

        Raises:
            ValueError: for a rate that is negative or not finite, or images that are no rows of
                pixels.
            TypeError: for pixels that are not floating-point numbers.
        """
        rates = cls.of(real_number("learning_rate", rate, least=0.0), deep=deep)
        pixels = image_array("images", images, num_inputs=None)
        square = float(np.einsum("ba,ba->", pixels, pixels, dtype=np.float64)) / len(pixels)
        input_rate = rates.input_weights
        if square > 0:
            input_rate = input_rate * _MNIST_SQUARE / square

        with np.errstate(over="ignore"):  # an infinite rate is refused
            return replace(rates, input_weights=float(np.float32(input_rate)))

    @classmethod
    def for_adam(cls, rate: float, images: ArrayLike, *, deep: bool = False) -> LearningRates:
        """Returns `of(rate)`, but with smaller steps of input weights for large or bright images.

        A step of Adam has the size of the rate and moves the field of its own image by up to the
        rate times sum_k x_k. Where the mean of that sum is beyond 110 the rate of input weights is
        times 110 / mean. MNIST's mean is 102: there it is `of(rate)`.

        Raises:
            ValueError, TypeError: like `for_images`.
        """
        rates = cls.of(real_number("learning_rate", rate, least=0.0), deep=deep)
        pixels = image_array("images", images, num_inputs=None)
        mean = float(pixels.sum(dtype=np.float64)) / len(pixels)
        if mean <= _MOST_ADAM_SUM:
            return rates
        return replace(rates, input_weights=rates.input_weights * _MOST_ADAM_SUM / mean)

    def __str__(self) -> str:
        """Returns the rates by name, or one number where all are equal."""
        named = {name: f"{rate:g}" for name, rate in asdict(self).items()}
        if len(set(named.values())) == 1:
            return named["couplings"]
        return f"({', '.join(f'{name} {rate}' for name, rate in named.items())})"

    def array(self) -> Floats32:
        """Returns the four as float32, in the order of network.PARAMETERS."""
        return np.array([getattr(self, name) for name in PARAMETERS], dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Gradient:
    """The change of each parameter per unit of learning rate, in the shapes of the parameters."""

    input_weights: Floats32
    couplings: Floats32
    hidden_bias: Floats32
    output_bias: Floats32

    __repr__ = short_repr


def gradient(images: ArrayLike, free: States, nudged: States, *, num_hidden: int) -> Gradient:
    """Returns the direction of Eqs. (5) and (6) for a network with one hidden layer.

    It is the mean over images of d(E[free] - E[nudged]) / d(parameter):

        dW_ik = (<s_i> - <s_i>^N) x_k      dJ_ia = <s_i t_a> - <s_i t_a>^N
        db_i  =  <s_i> - <s_i>^N           db_a  = <t_a> - <t_a>^N

    where <.> is the mean over the reads of one image, or their weighted sum (States.weights; <.>^N
    is then the mean times the sum of the weights). Going along it raises the energy of the free
    states and lowers that of the nudged ones. One free read is equilibrium propagation, m of them
    are dragon training.

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
    ascent = BipartiteNetwork.of_arrays(
        np.zeros((num_hidden, pixels.shape[1]), np.float32, order="F"),
        np.zeros((num_hidden, num_output), np.float32),
        np.zeros(num_hidden, np.float32),
        np.zeros(num_output, np.float32),
        Readout(2, 1),  # of no consequence: no outputs are read
    )
    rates = np.ones(len(PARAMETERS), np.float32)
    update_in_place(ascent, pixels, free.spins, nudged.spins, rates, free.weights)
    return Gradient(**ascent.parameters())


def layered_gradient(
    network: LayeredNetwork, images: ArrayLike, free: States, nudged: States
) -> dict[str, Floats32]:
    """Returns the direction of `gradient` for a network of any depth, by the names of its
    parameters.

        dW_ik = (<s^1_i> - <s^1_i>^N) x_k
        dJ^l_ij = <s^l_i s^(l+1)_j> - <s^l_i s^(l+1)_j>^N
        db^l_i = <s^l_i> - <s^l_i>^N

    Args:
        network: gives the shapes.
        images: (B, I), floating point, in [0, 1].
        free: whole states of H[x], (B, m, N), as from `sample_states`, without weights.
        nudged: states of H_N[x, y], (B, any, N), without weights.

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

    couplings = [np.zeros_like(array) for array in network.couplings]
    biases = [np.zeros_like(array) for array in network.biases]
    weights = np.zeros_like(network.input_weights)
    ascent = LayeredNetwork(weights, couplings, biases, num_classes=network.num_classes)
    update_in_place(ascent, pixels, free.spins, nudged.spins, np.ones(len(PARAMETERS), np.float32))
    return ascent.parameters()


def _check_unweighted(name: str, states: States) -> None:
    """Refuses states with weights."""
    if states.weights is not None:
        found = f"{len(states.weights)} x {states.num_reads} weights"
        raise ValueError(f"{name}.weights must be None, got {found}")


def update_in_place(
    network: Network,
    images: Floats32,
    free_spins: Spins,
    nudged_spins: Spins,
    rates: Floats32,
    free_weights: NDArray[np.float64] | None = None,
    layer: int | None = None,
) -> None:
    """Changes a network along the gradient of all its parameters, or of those of two layers.

    Args:
        network: changed.
        images: (B, I).
        free_spins: (B, m, N), whole states, or (B, m, n_l + n_(l+1)) with `layer`.
        nudged_spins: (B, any, ...), in the same order.
        rates: (4,), from LearningRates.array; all couplings have one rate, and so have the biases
            of all hidden layers.
        free_weights: (B, m), with one hidden layer only; None for 1 / m each.
        layer: l, the lower of the two layers whose spins are given; its input weights are changed,
            too, where it is layer 1. None: the spins are whole states.
    """
    couplings, biases = network.layer_couplings, network.layer_biases
    top = len(couplings)
    weights, pixels = network.input_weights.T, images

    for lower in range(1, top + 1) if layer is None else (layer,):
        free, nudged, own_rates = free_spins, nudged_spins, rates
        if layer is None and top > 1:
            where = network.active(lower)
            free = np.ascontiguousarray(free_spins[..., where])
            nudged = np.ascontiguousarray(nudged_spins[..., where])
        if lower < top:
            own_rates = rates[[0, 1, 2, 2]]  # the upper of the two layers is hidden, too
            if (
                layer is None
            ):  # the next pair of layers updates this bias, as that of its lower layer
                own_rates[3] = 0
        if lower > 1:  # no pixels act on this layer: one pixel of value 0 stands in for them
            weights = np.zeros((1, len(biases[lower - 1])), np.float32)
            pixels = np.zeros((len(images), 1), np.float32)

        kernels.update(
            weights,
            couplings[lower - 1],
            biases[lower - 1],
            biases[lower],
            own_rates,
            pixels,
            free,
            nudged,
            free_weights,
        )
