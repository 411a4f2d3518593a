"""LayeredNetwork: any number of hidden layers, all at once or two of them at a time as an Ising problem."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isingprop import kernels
from isingprop.network.bipartite import BipartiteNetwork, nudged_fields, saved_num_classes
from isingprop.network.layer_order import (
    bipartite,
    fields_of_spins,
    from_sides,
    parts,
    slices,
    to_sides,
)
from isingprop.problem import IsingProblem, stream_array
from isingprop.readout import Readout
from isingprop.util.checks import (
    Spins,
    check_shape,
    float_array,
    image_array,
    real_number,
    seed_number,
    spin_array,
    whole_number,
)
from isingprop.util.files import load_tensors, save_tensors

# In units of the paper's scale, at which two hidden layers are a glass that ignores the image and do not train.
DEEP_INPUT_GAIN = 6.0
# Each layer's couplings over those of the layer below: three hidden layers do not train where all are drawn alike.
COUPLING_GAIN_RATIO = 0.5

_KIND = "layered-network"
# Chain r of an image draws from stream number (the image's) + r 2^32: its own for fewer than 2^32 images and chains.
_CHAIN_STRIDE = np.uint64(2**32)

_Item = TypeVar("_Item")


class LayeredNetwork:
    """An input layer of pixels and L layers of spins, the last one the output, with couplings between neighbours only.

    E(s | x) = sum_ia W_ia x_a s^1_i + sum_l sum_i b^l_i s^l_i + sum_l sum_ij J^l_ij s^l_i s^(l+1)_j

    A state of the network has the spins of layer 1 first and those of layer L last.

    Args:
        input_weights: W, (n_1, I).
        couplings: J^1 ... J^(L-1), (n_l, n_(l+1)) each; `couplings[0]` is J^1.
        biases: b^1 ... b^L, (n_l,) each.
        num_classes: n_L must be num_classes times the redundancy.

    All are kept as float32 copies; training changes them in place.

    Raises:
        ValueError: for shapes that do not fit, NaN or infinity.

    References:
        arXiv:2506.05244, Section VI. Its Eq. (14) has the biases inside the double sum; each counts once.
    """

    input_weights: NDArray[np.float32]
    couplings: tuple[NDArray[np.float32], ...]
    biases: tuple[NDArray[np.float32], ...]
    readout: Readout

    def __init__(
        self,
        input_weights: ArrayLike,
        couplings: Sequence[ArrayLike],
        biases: Sequence[ArrayLike],
        *,
        num_classes: int,
    ) -> None:
        """See the class."""
        weights = float_array("input_weights", input_weights, shape=(None, None), single=True)
        # Column order, so that the weights of one pixel are neighbours, as in BipartiteNetwork.
        self.input_weights = np.array(weights, dtype=np.float32, order="F")
        self.couplings = _coupling_arrays(couplings, num_rows=len(weights))
        self.biases = _bias_arrays(
            biases, [len(weights), *(array.shape[1] for array in self.couplings)]
        )
        whole_number("num_classes", num_classes, least=2)
        if self.num_output % num_classes:
            name, wanted = (
                f"couplings[{len(self.couplings) - 1}]",
                f"a multiple of num_classes = {num_classes} columns",
            )
            raise ValueError(f"{name} must have {wanted}, got {self.num_output}")
        self.readout = Readout(num_classes, self.num_output // num_classes)

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
        """Draws W from input_gain U(±1/sqrt(I)), then J^l from coupling_gain[l] U(±1/sqrt(n_l)); no biases.

        Args:
            num_inputs: I, pixels of an image.
            hidden: n_1 ... n_(L-1), spins of each hidden layer.
            num_classes: at least 2.
            redundancy: output spins per class.
            input_gain: > 0; None is 1 with one hidden layer, as in the paper, and 6 with more.
            coupling_gain: > 0, one for all couplings or one for each; None is 1, 1/2, 1/4 ...: the paper's 1 with one
                hidden layer, and half as much from layer to layer with more.
            seed: 0 ... 2^64 - 1; None draws one. One hidden layer has the bits of BipartiteNetwork.random.

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
        weights = input_gain * (
            (2 * random.random((sizes[0], num_inputs)) - 1) / np.sqrt(num_inputs)
        )
        couplings = [
            gain * ((2 * random.random((m, n)) - 1) / np.sqrt(m))
            for gain, (m, n) in zip(gains, pairwise(sizes), strict=True)
        ]
        return cls(
            weights, couplings, [np.zeros(n) for n in sizes], num_classes=readout.num_classes
        )

    def __repr__(self) -> str:
        """The sizes."""
        hidden = " + ".join(str(size) for size in self.sizes[:-1])
        sizes = f"{self.num_inputs} inputs, {hidden} hidden, {self.num_output} output spins"
        return f"LayeredNetwork({sizes}, {self.num_classes} classes)"

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """n_1 ... n_L, the spins of each layer, the output layer last."""
        return tuple(len(bias) for bias in self.biases)

    @property
    def num_inputs(self) -> int:
        """I, the number of pixels."""
        return int(self.input_weights.shape[1])

    @property
    def num_hidden(self) -> int:
        """The number of hidden spins, of all layers."""
        return sum(self.sizes[:-1])

    @property
    def num_output(self) -> int:
        """n_L, the number of output spins."""
        return len(self.biases[-1])

    @property
    def num_classes(self) -> int:
        """The number of classes."""
        return self.readout.num_classes

    def parameters(self) -> dict[str, NDArray[np.float32]]:
        """input_weights, couplings_1 ... couplings_(L-1), bias_1 ... bias_L: the network's own arrays, not copies."""
        couplings = {
            f"couplings_{layer}": array for layer, array in enumerate(self.couplings, start=1)
        }
        biases = {f"bias_{layer}": array for layer, array in enumerate(self.biases, start=1)}
        return {"input_weights": self.input_weights, **couplings, **biases}

    def kinds(self) -> dict[str, str]:
        """What each parameter is: input_weights, couplings, hidden_bias or output_bias."""
        couplings = {f"couplings_{layer}": "couplings" for layer in range(1, len(self.biases))}
        biases = {f"bias_{layer}": "hidden_bias" for layer in range(1, len(self.biases))}
        return {
            "input_weights": "input_weights",
            **couplings,
            **biases,
            f"bias_{len(self.biases)}": "output_bias",
        }

    def hidden_fields(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """b^1 + W x: (B, I) float32 images in, (B, n_1) out."""
        return kernels.local_fields(images, self.input_weights.T, self.biases[0])

    def split(self, spins: ArrayLike) -> list[Spins]:
        """The layers of whole states (..., N): views (..., n_l), layer 1 first."""
        return parts(spins, self.sizes)

    def active(self, layer: int) -> slice:
        """Where the spins of `stage(layer, ...)`, layers `layer` and `layer + 1`, are in a state."""
        k = whole_number("layer", layer, least=1, most=len(self.couplings)) - 1
        where = slices(self.sizes)
        return slice(where[k].start, where[k + 1].stop)

    def energies(self, images: ArrayLike, spins: ArrayLike) -> NDArray[np.float64]:
        """E of whole states (B, R, N) under (B, I) images, summed in double precision: (B, R)."""
        return self.problem(images).energies(self.to_problem(spins))

    def problem(
        self,
        images: ArrayLike,
        labels: ArrayLike | None = None,
        nudge: float | None = None,
        *,
        streams: ArrayLike | None = None,
    ) -> IsingProblem:
        """All layers at once: H[x], or the nudged H_N[x, y] = H[x] - nudge * sum_a n_a[y] s^L_a.

        A layer couples to its neighbours only, so the problem is bipartite: layers 1, 3, 5 ... are its hidden spins and
        layers 2, 4, 6 ... its output spins. `to_problem` and `from_problem` carry states to its order and back.

        Args:
            images: (B, I), floating point, in [0, 1].
            labels: (B,) classes; given together with nudge or not at all.
            nudge: strength of the pull toward the label, >= 0; the paper has 1.
            streams: see IsingProblem.

        Returns:
            The problem, with copies of the couplings and biases as they are now.

        Raises:
            ValueError: for a wrong shape, a pixel outside [0, 1], an unknown label, or one of labels and nudge alone.

        Example:
            >>> network = LayeredNetwork.random(num_inputs=4, hidden=(3, 2), num_classes=2, redundancy=1)
            >>> network.problem(np.zeros((5, 4)))
            IsingProblem(5 x 5 hidden + 2 output spins)
        """
        pixels = image_array("images", images, num_inputs=self.num_inputs)
        output_fields = nudged_fields(
            self.readout, self.biases[-1], labels, nudge, count=len(pixels)
        )
        return self.problem_of(
            self.hidden_fields(pixels), output_fields, stream_array(streams, len(pixels))
        )

    def problem_of(
        self,
        fields: NDArray[np.float32],
        output_fields: NDArray[np.float32],
        streams: NDArray[np.uint64],
    ) -> IsingProblem:
        """The same for fields that are at hand: of layer 1 as `hidden_fields` has them, of layer L (B or 1, n_L)."""
        inner = [bias[None, :] for bias in self.biases[1:-1]]
        return bipartite(self.couplings, [fields, *inner, output_fields], streams)

    def hidden_problem(
        self, fields: NDArray[np.float32], outputs: Spins, streams: NDArray[np.uint64]
    ) -> IsingProblem:
        """Layers 1 ... L - 1 >= 2 at once, with the outputs frozen: (B, n_1) fields and (B, n_L) spins in.

        Its states are in the order of `to_problem` for a network without the last layer.
        """
        above = fields_of_spins(
            outputs, np.ascontiguousarray(self.couplings[-1].T), self.biases[-2]
        )
        inner = [bias[None, :] for bias in self.biases[1:-2]]
        return bipartite(self.couplings[:-1], [fields, *inner, above], streams)

    def to_problem(self, spins: ArrayLike) -> Spins:
        """States (..., N) in the order of `problem`: layers 1, 3, 5 ..., then 2, 4, 6 ..."""
        return to_sides(spins, self.sizes)

    def from_problem(self, spins: ArrayLike) -> Spins:
        """States (..., N) of `problem` in the network's order, layer 1 first."""
        return from_sides(spins, self.sizes)

    def stage(
        self, layer: int, fields: ArrayLike, spins: ArrayLike, streams: ArrayLike
    ) -> IsingProblem:
        """Layers l and l + 1 with all others frozen: E of the whole network but for a constant of each chain.

            h_i = b^l_i + sum_k s^(l-1)_k J^(l-1)_ki,   g_j = b^(l+1)_j + sum_k J^(l+1)_jk s^(l+2)_k,   couplings J^l

        where the images take the place of a layer 0, and no layer follows the output.

        Args:
            layer: l, 1 ... L - 1.
            fields: (B, n_1) float32, as of `hidden_fields`.
            spins: (B, R, N), the states at which the other layers are frozen; those of l and l + 1 do not matter.
            streams: (B,) random streams of the images, as of IsingProblem.

        Returns:
            B * R problems, each with the frozen neighbours of one chain, to be sampled with one read; chain 0 of an
            image has the image's stream, the others have their own. With L = 2 nothing is frozen: B problems. Spins of
            layer l come first, as in a state at `active(layer)`. It shares the network's couplings, so it is good until
            the network is trained further. The same bits however images and chains are batched.

        Raises:
            ValueError: for a layer that is not there, wrong shapes, or a spin that is not -1 or +1.

        Example:
            >>> network = LayeredNetwork.random(num_inputs=4, hidden=(3, 2), num_classes=2, redundancy=1)
            >>> fields = network.hidden_fields(np.zeros((5, 4), np.float32))
            >>> network.stage(2, fields, np.ones((5, 6, 7)), range(5))
            IsingProblem(30 x 2 hidden + 2 output spins)

        References:
            arXiv:2506.05244, Section VI: the active-layer sweep.
        """
        k = whole_number("layer", layer, least=1, most=len(self.couplings)) - 1
        given = float_array("fields", fields, shape=(None, self.sizes[0]), single=True)
        checked = spin_array("spins", spins, shape=(len(given), None, sum(self.sizes)))
        return self.stage_of(
            k + 1, np.asarray(given, dtype=np.float32), checked, stream_array(streams, len(given))
        )

    def stage_of(
        self,
        layer: int,
        hidden_fields: NDArray[np.float32],
        spins: Spins,
        streams: NDArray[np.uint64],
    ) -> IsingProblem:
        """The same for arguments that fit."""
        k = layer - 1
        output_fields = self.biases[k + 1][None, :]
        if len(self.couplings) == 1:
            return IsingProblem.trusted(self.couplings[0], hidden_fields, output_fields, streams)
        num_chains, num_spins = spins.shape[1:]
        frozen = parts(spins.reshape(-1, num_spins), self.sizes)
        if k == 0:
            hidden_fields = np.repeat(hidden_fields, num_chains, axis=0)
        else:
            hidden_fields = fields_of_spins(frozen[k - 1], self.couplings[k - 1], self.biases[k])
        if k + 1 < len(self.couplings):
            above = np.ascontiguousarray(self.couplings[k + 1].T)
            output_fields = fields_of_spins(frozen[k + 2], above, self.biases[k + 1])
        chains = streams[:, None] + _CHAIN_STRIDE * np.arange(num_chains, dtype=np.uint64)
        return IsingProblem.trusted(self.couplings[k], hidden_fields, output_fields, chains.ravel())

    def with_outputs(self, fields: NDArray[np.float32], spins: Spins, outputs: Spins) -> Spins:
        """The last two layers of states (B, R, N) with other outputs: Eq. (7), the layers below being frozen.

        Args:
            fields: (B, n_1), as of `hidden_fields`.
            spins: (B, R, N).
            outputs: (B, 1, n_L), one for all states of an image.

        Returns:
            (B, R, n_(L-1) + n_L): outputs as given, layer L - 1 along its local field (+1 where that is 0).
        """
        num_images, num_reads = spins.shape[:2]
        top = self.stage_of(
            len(self.couplings), fields, spins, np.zeros(num_images, dtype=np.uint64)
        )
        repeated = np.repeat(outputs, num_reads, axis=0)
        states = kernels.reference_states(
            self.couplings[-1], top.hidden_fields.astype(np.float32, copy=False), repeated
        )
        return states.reshape(num_images, num_reads, -1)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a safetensors file, whole or not at all."""
        save_tensors(path, _KIND, dict(self.parameters()), {"num_classes": str(self.num_classes)})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> LayeredNetwork:
        """Reads what `save` wrote.

        Raises:
            FileNotFoundError: where there is no file.
            ValueError: for a file of another kind or version, or without one of the layers.
        """
        tensors, metadata = load_tensors(path, _KIND, ())
        num_classes = saved_num_classes(path, metadata)
        num_layers = len(tensors) // 2  # W, L - 1 couplings and L biases are 2 L arrays
        couplings = [f"couplings_{layer}" for layer in range(1, num_layers)]
        biases = [f"bias_{layer}" for layer in range(1, num_layers + 1)]
        names = ["input_weights", *couplings, *biases]
        if set(names) != set(tensors):
            raise ValueError(
                f"{path} must hold {', '.join(names)}, got {', '.join(sorted(tensors))}"
            )
        arrays = [[tensors[name] for name in group] for group in (couplings, biases)]
        return cls(tensors["input_weights"], *arrays, num_classes=num_classes)

    def shallow(self) -> BipartiteNetwork:
        """The same network with one hidden layer as a BipartiteNetwork: they share their arrays.

        Raises:
            ValueError: for more than one hidden layer.
        """
        if len(self.couplings) > 1:
            raise ValueError(
                f"hidden must name one layer for a BipartiteNetwork, got {len(self.couplings)}"
            )
        network = object.__new__(BipartiteNetwork)
        network.input_weights, network.couplings = self.input_weights, self.couplings[0]
        network.hidden_bias, network.output_bias = self.biases
        network.readout = self.readout
        return network


Network = BipartiteNetwork | LayeredNetwork


def _coupling_gains(value: float | Sequence[float] | None, count: int) -> list[float]:
    """One for each of `count` couplings."""
    if value is None:
        return [COUPLING_GAIN_RATIO**k for k in range(count)]
    if isinstance(value, str) or np.ndim(value) == 0:
        return count * [real_number("coupling_gain", value, above=0.0)]
    gains = [
        real_number(f"coupling_gain[{k}]", gain, above=0.0)
        for k, gain in enumerate(np.asarray(value).tolist())
    ]
    if len(gains) != count:
        raise ValueError(
            f"coupling_gain must be one number or one for each of {count} couplings, got {len(gains)}"
        )
    return gains


def _listed(name: str, value: Iterable[_Item], of: str) -> list[_Item]:
    try:
        return list(value)
    except TypeError:
        raise TypeError(f"{name} must be a sequence of {of}, got {value!r}") from None


def _coupling_arrays(
    couplings: Iterable[ArrayLike], *, num_rows: int
) -> tuple[NDArray[np.float32], ...]:
    """Each with as many rows as the one before has columns, the first with num_rows."""
    arrays: list[NDArray[np.float32]] = []
    for k, given in enumerate(_listed("couplings", couplings, "arrays")):
        array = float_array(f"couplings[{k}]", given, shape=(None, None), single=True)
        check_shape(f"couplings[{k}]", array, (num_rows, array.shape[1]))
        arrays.append(np.array(array, dtype=np.float32))
        num_rows = array.shape[1]
    if not arrays:
        raise ValueError("couplings must hold at least one array, got none")
    return tuple(arrays)


def _bias_arrays(
    biases: Iterable[ArrayLike], sizes: Sequence[int]
) -> tuple[NDArray[np.float32], ...]:
    """One for each layer."""
    given = _listed("biases", biases, "arrays")
    if len(given) != len(sizes):
        raise ValueError(
            f"biases must hold an array for each of {len(sizes)} layers, got {len(given)}"
        )
    checked = [
        float_array(f"biases[{k}]", bias, shape=(size,), single=True)
        for k, (bias, size) in enumerate(zip(given, sizes, strict=True))
    ]
    return tuple(np.array(bias, dtype=np.float32) for bias in checked)
