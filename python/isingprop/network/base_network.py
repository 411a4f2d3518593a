"""Network: what all networks have in common, from their parameters to the problems they pose."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isingprop import kernels
from isingprop.network.layer_order import (
    bipartite,
    fields_of_spins,
    from_sides,
    parts,
    slices,
    to_sides,
)
from isingprop.problem import IsingProblem, marked_array, stream_array
from isingprop.readout import Readout
from isingprop.util.checked_files import save_tensors
from isingprop.util.checks import (
    Spins,
    check_finite,
    image_array,
    label_array,
    real_number,
    whole_number,
)
from isingprop.util.input_format import InputFormat

Floats32 = NDArray[np.float32]

# Chain r of an image uses stream number (the image's) + r 2^32, which is its own for fewer than
# 2^32 images and chains.
_CHAIN_STRIDE = np.uint64(2**32)


class Network(ABC):
    """An input layer of pixels and L layers of spins, the last one the output.

        E(s | x) = sum_ia W_ia x_a s^1_i + sum_l sum_i b^l_i s^l_i
                   + sum_l sum_ij J^l_ij s^l_i s^(l+1)_j

    Only neighbouring layers are coupled. A state of the network has the spins of layer 1 first and
    those of layer L last. A `BipartiteNetwork` has L = 2, one hidden layer; a `LayeredNetwork` has
    any number of them. Layers are counted from 1; their arrays are in `layer_couplings` and
    `layer_biases`.
    """

    input_weights: Floats32
    readout: Readout
    #: What is known of the images; training on an ImageSet sets it, and it is saved.
    input_format: InputFormat = InputFormat()

    _kind: ClassVar[str]  #: of files, which tells them from those of other networks

    @property
    @abstractmethod
    def layer_couplings(self) -> tuple[Floats32, ...]:
        """J^1 ... J^(L-1), (n_l, n_(l+1)) each: the network's own arrays."""

    @property
    @abstractmethod
    def layer_biases(self) -> tuple[Floats32, ...]:
        """b^1 ... b^L, (n_l,) each: the network's own arrays."""

    @abstractmethod
    def parameters(self) -> dict[str, Floats32]:
        """Returns all parameters by name: the network's own arrays, not copies."""

    @abstractmethod
    def kinds(self) -> dict[str, str]:
        """Returns input_weights, couplings, hidden_bias or output_bias for each parameter name."""

    @abstractmethod
    def shallow(self) -> Any:
        """Returns a network with one hidden layer as a BipartiteNetwork that shares its arrays."""

    @abstractmethod
    def with_arrays(self, arrays: dict[str, Floats32]) -> Self:
        """Returns a network of arrays that fit, by the names of `parameters`, which it shares."""

    def __repr__(self) -> str:
        """Returns the class and the sizes."""
        hidden = " + ".join(str(size) for size in self.sizes[:-1])
        sizes = f"{self.num_inputs} inputs, {hidden} hidden, {self.num_output} output spins"
        return f"{type(self).__name__}({sizes}, {self.num_classes} classes)"

    @property
    def sizes(self) -> tuple[int, ...]:
        """n_1 ... n_L, the number of spins of each layer, the output layer last."""
        return tuple(len(bias) for bias in self.layer_biases)

    @property
    def num_inputs(self) -> int:
        """I, the number of pixels."""
        return int(self.input_weights.shape[1])

    @property
    def num_hidden_layers(self) -> int:
        """L - 1, the number of hidden layers."""
        return len(self.layer_couplings)

    @property
    def num_hidden(self) -> int:
        """The number of hidden spins of all hidden layers."""
        return sum(self.sizes[:-1])

    @property
    def num_output(self) -> int:
        """n_L, the number of output spins."""
        return len(self.layer_biases[-1])

    @property
    def num_classes(self) -> int:
        """The number of classes."""
        return self.readout.num_classes

    def check_finite(self) -> None:
        """Refuses parameters that have become NaN or infinite, if only under dark pixels."""
        for name, array in self.parameters().items():
            check_finite(name, array)

    @property
    def class_names(self) -> tuple[str, ...]:
        """A name for each class, which is its number where it has no other."""
        return self.input_format.names(self.num_classes)

    def hidden_fields(self, images: ArrayLike) -> Floats32:
        """Returns b^1 + W x, (B, n_1), for (B, I) images."""
        pixels = image_array("images", images, num_inputs=self.num_inputs)
        return kernels.local_fields(pixels, self.input_weights.T, self.layer_biases[0])

    def split(self, spins: ArrayLike) -> list[Spins]:
        """Returns the layers of whole states (..., N): views (..., n_l), layer 1 first."""
        return parts(spins, self.sizes)

    def active(self, layer: int) -> slice:
        """Returns where the spins of layers `layer` and `layer + 1` are in a state."""
        k = whole_number("layer", layer, least=1, most=self.num_hidden_layers) - 1
        where = slices(self.sizes)
        return slice(where[k].start, where[k + 1].stop)

    def energies(self, images: ArrayLike, spins: ArrayLike) -> NDArray[np.float64]:
        """Returns E of whole states (B, R, N) under (B, I) images, summed in float64: (B, R)."""
        return self.posed_problem(images).energies(self.to_problem(spins))

    def posed_problem(
        self,
        images: ArrayLike,
        labels: ArrayLike | None = None,
        nudge: float | None = None,
        streams: ArrayLike | None = None,
        marked: ArrayLike | None = None,
    ) -> IsingProblem:
        """Checks the arguments of `problem` of either kind of network, and poses it."""
        pixels = image_array("images", images, num_inputs=self.num_inputs)
        self.check_finite()
        fields = self.hidden_fields(pixels)
        output_fields = self._nudged_fields(labels, nudge, count=len(pixels))

        numbers = stream_array(streams, len(pixels))
        marks = marked_array(marked, len(pixels), self.num_output)
        return self.problem_of(fields, output_fields, numbers, marks)

    def problem_of(
        self,
        fields: Floats32,
        output_fields: Floats32,
        streams: NDArray[np.uint64],
        marked: NDArray[np.bool_] | None = None,
    ) -> IsingProblem:
        """Poses the problem of all layers at once for arguments that fit.

        Args:
            fields: (B, n_1), what acts on layer 1, from `hidden_fields`.
            output_fields: (B or 1, n_L), what acts on layer L.
            streams: (B,), see IsingProblem.
            marked: see IsingProblem; with one hidden layer only.

        Returns:
            The problem. With one hidden layer it shares the network's couplings, so it is good
            until the network is trained further; with more it has copies.
        """
        couplings = self.layer_couplings
        if len(couplings) == 1:
            return IsingProblem.trusted(couplings[0], fields, output_fields, streams, marked)

        inner = [bias[None, :] for bias in self.layer_biases[1:-1]]
        return bipartite(couplings, [fields, *inner, output_fields], streams)

    def hidden_problem(
        self, fields: Floats32, outputs: Spins, streams: NDArray[np.uint64]
    ) -> IsingProblem:
        """Poses the problem of the hidden layers for given outputs.

        There must be at least two hidden layers.

        Args:
            fields: (B, n_1), from `hidden_fields`.
            outputs: (B, n_L), the frozen output spins.
            streams: (B,), see IsingProblem.

        Returns:
            The problem. Its states are in the order of `to_problem` for a network without layer L.
        """
        couplings, biases = self.layer_couplings, self.layer_biases
        above = fields_of_spins(outputs, np.ascontiguousarray(couplings[-1].T), biases[-2])
        inner = [bias[None, :] for bias in biases[1:-2]]
        return bipartite(couplings[:-1], [fields, *inner, above], streams)

    def layer_problem(
        self, layer: int, fields: Floats32, spins: Spins, streams: NDArray[np.uint64]
    ) -> IsingProblem:
        """Poses the problem of layers l and l + 1 with all others frozen.

            h_i = b^l_i + sum_k s^(l-1)_k J^(l-1)_ki,   g_j = b^(l+1)_j + sum_k J^(l+1)_jk s^(l+2)_k

        Its couplings are J^l. Its energy is that of the whole network up to a constant of each
        chain. The images take the place of a layer 0, and no layer follows the output.

        Args:
            layer: l, 1 ... L - 1.
            fields: (B, n_1), from `hidden_fields`.
            spins: (B, R, N), the states at which the other layers are frozen; the spins of layers l
                and l + 1 do not matter.
            streams: (B,), the random streams of the images.

        Returns:
            B * R problems, each with the frozen neighbours of one chain, to be sampled with one
            read; chain 0 of an image has the image's stream, the others have their own. With L = 2
            nothing is frozen and there are B problems. Spins of layer l come first, as in a state
            at `active(layer)`. The problem shares the network's couplings, so it is good until the
            network is trained further. The bits do not depend on how images and chains are batched.

        References:
            arXiv:2506.05244, Section VI: the active-layer sweep.
        """
        couplings, biases, k = self.layer_couplings, self.layer_biases, layer - 1
        output_fields = biases[k + 1][None, :]
        if len(couplings) == 1:
            return IsingProblem.trusted(couplings[0], fields, output_fields, streams)

        num_chains, num_spins = spins.shape[1:]
        frozen = parts(spins.reshape(-1, num_spins), self.sizes)
        if k == 0:
            fields = np.repeat(fields, num_chains, axis=0)
        else:
            fields = fields_of_spins(frozen[k - 1], couplings[k - 1], biases[k])
        if k + 1 < len(couplings):
            above = np.ascontiguousarray(couplings[k + 1].T)
            output_fields = fields_of_spins(frozen[k + 2], above, biases[k + 1])

        chains = streams[:, None] + _CHAIN_STRIDE * np.arange(num_chains, dtype=np.uint64)
        return IsingProblem.trusted(couplings[k], fields, output_fields, chains.ravel())

    def states_with_outputs(self, fields: Floats32, outputs: Spins) -> Spins:
        """Returns the lowest states of the last two layers for given output spins, Eq. (7).

        Args:
            fields: (B, n_(L-1)), all that acts on the last hidden layer except the output spins.
            outputs: (B, K, n_L).

        Returns:
            (B, K, n_(L-1) + n_L); a hidden spin without a local field is +1.
        """
        return kernels.reference_states(self.layer_couplings[-1], fields, outputs)

    def with_outputs(self, fields: Floats32, spins: Spins, outputs: Spins) -> Spins:
        """Returns the last two layers of whole states with other outputs, the layers below frozen.

        Args:
            fields: (B, n_1), from `hidden_fields`.
            spins: (B, R, N), states of a network with at least two hidden layers.
            outputs: (B, 1, n_L), one for all states of an image.

        Returns:
            (B, R, n_(L-1) + n_L), as `states_with_outputs`.
        """
        num_images, num_reads = spins.shape[:2]
        streams = np.zeros(num_images, dtype=np.uint64)  # of no consequence: nothing is sampled
        top = self.layer_problem(self.num_hidden_layers, fields, spins, streams)

        own_fields = top.hidden_fields.astype(np.float32, copy=False)
        states = self.states_with_outputs(own_fields, np.repeat(outputs, num_reads, axis=0))
        return states.reshape(num_images, num_reads, -1)

    def to_problem(self, spins: ArrayLike) -> Spins:
        """Returns states (..., N) in the problem's order: layers 1, 3, 5 ..., then 2, 4, 6 ..."""
        return to_sides(spins, self.sizes)

    def from_problem(self, spins: ArrayLike) -> Spins:
        """Returns states (..., N) of the problem in the network's order, layer 1 first."""
        return from_sides(spins, self.sizes)

    def _nudged_fields(
        self, labels: ArrayLike | None, nudge: float | None, *, count: int
    ) -> Floats32:
        """Returns b^L - nudge * n[y] for `count` labels, (count, n_L), or b^L, (1, n_L)."""
        if (labels is None) != (nudge is None):
            raise ValueError(f"labels and nudge must be given together, got nudge = {nudge}")
        bias = self.layer_biases[-1][None, :]
        if labels is None:
            return bias

        checked = label_array("labels", labels, count=count, num_classes=self.num_classes)
        strength = np.float32(real_number("nudge", nudge, least=0.0))
        fields: Floats32 = bias - strength * self.readout.targets(checked).astype(np.float32)
        return fields

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a safetensors file, whole or not at all."""
        self.check_finite()
        save_tensors(path, self._kind, dict(self.parameters()), self._metadata())

    def _metadata(self) -> dict[str, str]:
        known = self.input_format.metadata(self.num_inputs, self.num_classes)
        return {"num_classes": str(self.num_classes), **known}

    @abstractmethod
    def to_onnx(self, path: str | os.PathLike[str]) -> None:
        """Writes the class energies of a network with one hidden layer as an ONNX model."""


def readout_of(num_classes: int, num_output: int, name: str) -> Readout:
    """Returns the readout of `num_output` output spins, the columns of the couplings `name`."""
    whole_number("num_classes", num_classes, least=2)
    if num_output % num_classes:
        raise ValueError(
            f"{name} must have a multiple of num_classes = {num_classes} columns, got {num_output}"
        )
    return Readout(num_classes, num_output // num_classes)


def saved_num_classes(path: str | os.PathLike[str], metadata: dict[str, str]) -> int:
    """Returns the number of classes that the file of a network holds."""
    num_classes = metadata.get("num_classes", "")
    if not num_classes.isdecimal():
        raise ValueError(f"{path} must say its num_classes, got {num_classes!r:.80}")
    return int(num_classes)
