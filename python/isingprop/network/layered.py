"""LayeredNetwork: a network with any number of hidden layers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from isingprop.network.base_network import (
    Floats32,
    Network,
    readout_of,
    saved_num_classes,
)
from isingprop.network.bipartite import BipartiteNetwork
from isingprop.network.weights import input_weight_array, random_weights
from isingprop.problem import IsingProblem
from isingprop.readout import Readout
from isingprop.util.checked_files import load_tensors, naming
from isingprop.util.checks import check_shape, float_array, real_number, seed_number, whole_number
from isingprop.util.input_format import InputFormat

# In units of the paper's scale, at which two hidden layers are a glass that ignores the image and
# do not train.
DEEP_INPUT_GAIN = 6.0
# The couplings of each layer over those of the layer below: three hidden layers do not train where
# all couplings have the same scale.
COUPLING_GAIN_RATIO = 0.5

_Item = TypeVar("_Item")


class LayeredNetwork(Network):
    """A network of pixels and L layers of spins, the last one the output.

        E(s | x) = sum_ia W_ia x_a s^1_i + sum_l sum_i b^l_i s^l_i
                   + sum_l sum_ij J^l_ij s^l_i s^(l+1)_j

    Only neighbouring layers are coupled. A state of the network has the spins of layer 1 first and
    those of layer L last.

    Args:
        input_weights: W, (n_1, I).
        couplings: J^1 ... J^(L-1), (n_l, n_(l+1)) each; `couplings[0]` is J^1.
        biases: b^1 ... b^L, (n_l,) each.
        num_classes: n_L must be num_classes times the redundancy.

    All arrays are kept as float32 copies; training changes them in place.

    Raises:
        ValueError: for shapes that do not fit, NaN or infinity.

    References:
        arXiv:2506.05244, Section VI. Its Eq. (14) has the biases inside the double sum; each bias
        counts once.
    """

    couplings: tuple[Floats32, ...]
    biases: tuple[Floats32, ...]

    _kind = "layered-network"

    def __init__(
        self,
        input_weights: ArrayLike,
        couplings: Sequence[ArrayLike],
        biases: Sequence[ArrayLike],
        *,
        num_classes: int,
    ) -> None:
        """Checks the arguments and keeps copies of them."""
        self.input_weights = input_weight_array(input_weights)
        num_rows = len(self.input_weights)

        self.couplings = _coupling_arrays(couplings, num_rows=num_rows)
        sizes = [num_rows, *(array.shape[1] for array in self.couplings)]
        self.biases = _bias_arrays(biases, sizes)

        self.readout = readout_of(num_classes, sizes[-1], f"couplings[{len(self.couplings) - 1}]")

    @classmethod
    def random(
        cls,
        *,
        num_inputs: int,
        hidden: Sequence[int] = (120, 120),
        num_classes: int = 10,
        redundancy: int = 4,
        input_gain: float | None = None,
        coupling_gain: float | Sequence[float] | None = None,
        seed: int | None = 0,
    ) -> LayeredNetwork:
        """Returns a network with random W and J^l and without biases.

            W_ia ~ input_gain U(-1/sqrt(I), 1/sqrt(I)),
            J^l_ij ~ coupling_gain[l] U(-1/sqrt(n_l), 1/sqrt(n_l))

        Args:
            num_inputs: I, pixels of an image.
            hidden: n_1 ... n_(L-1), spins of each hidden layer.
            num_classes: at least 2.
            redundancy: output spins per class.
            input_gain: > 0; None is 1 with one hidden layer, as in the paper, and 6 with more.
            coupling_gain: > 0, one for all couplings or one for each; None is 1, 1/2, 1/4 ...: the
                paper's 1 with one hidden layer, and half as much from layer to layer with more.
            seed: 0 ... 2^64 - 1; None draws one. With one hidden layer the network has the bits of
                BipartiteNetwork.random.

        Raises:
            ValueError: for a layer without spins, or no hidden layer.
            TypeError: for numbers that are not whole.

        Example:
            >>> LayeredNetwork.random(num_inputs=784, hidden=(120, 120))
            LayeredNetwork(784 inputs, 120 + 120 hidden, 40 output spins, 10 classes)
        """
        num_inputs = whole_number("num_inputs", num_inputs, least=1)
        listed = enumerate(_listed("hidden", hidden, "integers"))
        widths = [whole_number(f"hidden[{k}]", width, least=1) for k, width in listed]
        if not widths:
            raise ValueError("hidden must name at least one layer, got none")
        readout = Readout(num_classes, redundancy)
        if input_gain is None:
            input_gain = DEEP_INPUT_GAIN if len(widths) > 1 else 1.0
        input_gain = real_number("input_gain", input_gain, above=0.0)
        gains = _coupling_gains(coupling_gain, len(widths))

        random = np.random.Generator(np.random.PCG64(seed_number(seed)))
        sizes = [*widths, readout.num_output]
        weights = random_weights(random, input_gain, (sizes[0], num_inputs), num_inputs)
        couplings = [
            random_weights(random, gain, shape, shape[0])
            for gain, shape in zip(gains, pairwise(sizes), strict=True)
        ]

        biases = [np.zeros(size) for size in sizes]
        return cls(weights, couplings, biases, num_classes=readout.num_classes)

    def with_arrays(self, arrays: dict[str, Floats32]) -> LayeredNetwork:
        """Returns a network of arrays that fit, by name, which it shares."""
        network = object.__new__(type(self))
        network.input_weights, network.readout = arrays["input_weights"], self.readout
        network.input_format = self.input_format
        layers = range(1, len(self.biases) + 1)
        network.couplings = tuple(arrays[f"couplings_{layer}"] for layer in layers[:-1])
        network.biases = tuple(arrays[f"bias_{layer}"] for layer in layers)
        return network

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """n_1 ... n_L, the number of spins of each layer; sweeps look it up all the time."""
        return tuple(len(bias) for bias in self.biases)

    @property
    def layer_couplings(self) -> tuple[Floats32, ...]:
        """Returns J^1 ... J^(L-1), which are `couplings`."""
        return self.couplings

    @property
    def layer_biases(self) -> tuple[Floats32, ...]:
        """Returns b^1 ... b^L, which are `biases`."""
        return self.biases

    def parameters(self) -> dict[str, Floats32]:
        """Returns all parameters by name: the network's own arrays, not copies.

        The names are input_weights, couplings_1 ... couplings_(L-1) and bias_1 ... bias_L.
        """
        couplings = {f"couplings_{layer}": each for layer, each in enumerate(self.couplings, 1)}
        biases = {f"bias_{layer}": each for layer, each in enumerate(self.biases, 1)}
        return {"input_weights": self.input_weights, **couplings, **biases}

    def kinds(self) -> dict[str, str]:
        """Returns input_weights, couplings, hidden_bias or output_bias for each parameter name."""
        num_layers = len(self.biases)
        couplings = {f"couplings_{layer}": "couplings" for layer in range(1, num_layers)}
        biases = {f"bias_{layer}": "hidden_bias" for layer in range(1, num_layers)}

        hidden = {"input_weights": "input_weights", **couplings, **biases}
        return {**hidden, f"bias_{num_layers}": "output_bias"}

    def problem(
        self,
        images: ArrayLike,
        labels: ArrayLike | None = None,
        nudge: float | None = None,
        *,
        streams: ArrayLike | None = None,
    ) -> IsingProblem:
        """Returns the Ising problems H[x] of all layers at once, or the nudged ones.

            H_N[x, y] = H[x] - nudge * sum_a n_a[y] s^L_a

        A layer couples to its neighbours only, so the problem is bipartite: layers 1, 3, 5 ... are
        its hidden spins and layers 2, 4, 6 ... its output spins. `to_problem` and `from_problem`
        carry states to its order and back.

        Args:
            images: (B, I), floating point, in [0, 1].
            labels: (B,) classes; given together with nudge or not at all.
            nudge: strength of the pull toward the label, >= 0; the paper has 1.
            streams: see IsingProblem.

        Returns:
            The problem, with copies of the couplings and biases as they are now. With one hidden
            layer it shares the network's couplings instead, like that of a BipartiteNetwork.

        Raises:
            ValueError: for a wrong shape, a pixel outside [0, 1], an unknown label, or one of
                labels and nudge alone.

        Example:
            >>> network = LayeredNetwork.random(
            ...     num_inputs=4, hidden=(3, 2), num_classes=2, redundancy=1
            ... )
            >>> network.problem(np.zeros((5, 4)))
            IsingProblem(5 x 5 hidden + 2 output spins)
        """
        return self.posed_problem(images, labels, nudge, streams)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> LayeredNetwork:
        """Reads a network that `save` has written.

        Raises:
            FileNotFoundError: where there is no file.
            ValueError: for a file of another kind or version, or without one of the layers.
        """
        tensors, metadata = load_tensors(path, cls._kind, ())
        num_layers = len(tensors) // 2  # W, L - 1 couplings and L biases are 2 L arrays
        couplings = [f"couplings_{layer}" for layer in range(1, num_layers)]
        biases = [f"bias_{layer}" for layer in range(1, num_layers + 1)]
        names = ["input_weights", *couplings, *biases]
        if set(names) != set(tensors):
            wanted, found = ", ".join(names), ", ".join(sorted(tensors))
            raise ValueError(f"{path} must hold {wanted}, got {found}")

        arrays = [[tensors[name] for name in group] for group in (couplings, biases)]
        with naming(path):
            num_classes = saved_num_classes(path, metadata)
            network = cls(tensors["input_weights"], *arrays, num_classes=num_classes)
        network.input_format = InputFormat.read(path, metadata, network.num_inputs, num_classes)
        return network

    def shallow(self) -> BipartiteNetwork:
        """Returns a network with one hidden layer as a BipartiteNetwork that shares its arrays.

        Raises:
            ValueError: for more than one hidden layer.
        """
        if len(self.couplings) > 1:
            raise ValueError(
                f"hidden must name one layer for a BipartiteNetwork, got {len(self.couplings)}"
            )
        hidden_bias, output_bias = self.biases
        network = BipartiteNetwork.of_arrays(
            self.input_weights, self.couplings[0], hidden_bias, output_bias, self.readout
        )
        network.input_format = self.input_format
        return network

    def to_onnx(self, path: str | os.PathLike[str]) -> None:
        """Writes the ONNX model of `BipartiteNetwork.to_onnx`; with one hidden layer only.

        Raises:
            ValueError: for more than one hidden layer.
            ImportError: without onnx.
        """
        if len(self.couplings) > 1:
            raise ValueError(
                "network must have one hidden layer, since the class energies of deep networks "
                f"have no closed form, got {len(self.couplings)}"
            )
        self.shallow().to_onnx(path)


def _coupling_gains(value: float | Sequence[float] | None, count: int) -> list[float]:
    """Returns one gain for each of `count` couplings."""
    if value is None:
        return [COUPLING_GAIN_RATIO**k for k in range(count)]
    if isinstance(value, str) or np.ndim(value) == 0:
        return count * [real_number("coupling_gain", value, above=0.0)]

    listed = enumerate(np.asarray(value).tolist())
    gains = [real_number(f"coupling_gain[{k}]", gain, above=0.0) for k, gain in listed]
    if len(gains) != count:
        wanted = f"one number or one for each of {count} couplings"
        raise ValueError(f"coupling_gain must be {wanted}, got {len(gains)}")
    return gains


def _listed(name: str, value: Iterable[_Item], of: str) -> list[_Item]:
    """Returns the items of an argument that must be a sequence."""
    try:
        return list(value)
    except TypeError:
        raise TypeError(f"{name} must be a sequence of {of}, got {value!r}") from None


def _coupling_arrays(couplings: Iterable[ArrayLike], *, num_rows: int) -> tuple[Floats32, ...]:
    """Returns checked copies, each with as many rows as the one before has columns."""
    arrays: list[Floats32] = []
    for k, given in enumerate(_listed("couplings", couplings, "arrays")):
        array = float_array(f"couplings[{k}]", given, shape=(None, None), single=True)
        check_shape(f"couplings[{k}]", array, (num_rows, array.shape[1]))
        arrays.append(np.array(array, dtype=np.float32))
        num_rows = array.shape[1]

    if not arrays:
        raise ValueError("couplings must hold at least one array, got none")
    return tuple(arrays)


def _bias_arrays(biases: Iterable[ArrayLike], sizes: Sequence[int]) -> tuple[Floats32, ...]:
    """Returns checked copies, one for each layer."""
    given = _listed("biases", biases, "arrays")
    if len(given) != len(sizes):
        wanted = f"an array for each of {len(sizes)} layers"
        raise ValueError(f"biases must hold {wanted}, got {len(given)}")

    checked = [
        float_array(f"biases[{k}]", bias, shape=(size,), single=True)
        for k, (bias, size) in enumerate(zip(given, sizes, strict=True))
    ]
    return tuple(np.array(bias, dtype=np.float32) for bias in checked)
