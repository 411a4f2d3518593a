"""BipartiteNetwork: the parameters, the problem that an image poses, and the reference states of Eq. (7)."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isingprop import kernels
from isingprop.problem import IsingProblem, marked_array, stream_array
from isingprop.readout import Readout
from isingprop.util.checks import (
    Spins,
    float_array,
    image_array,
    label_array,
    real_number,
    seed_number,
    whole_number,
)
from isingprop.util.files import load_tensors, save_tensors

PARAMETERS = ("input_weights", "couplings", "hidden_bias", "output_bias")


class BipartiteNetwork:
    """An input layer of pixels, a hidden and an output layer of spins, with couplings between neighbours only.

    E(s, t | x) = sum_i (b_i + sum_a W_ia x_a) s_i + sum_a b_a t_a + sum_ia J_ia s_i t_a

    Args:
        input_weights: W, (H, I).
        couplings: J, (H, O).
        hidden_bias: b^h, (H,).
        output_bias: b^o, (O,).
        num_classes: O must be num_classes times the redundancy.

    The four are kept as float32 copies; training changes them in place.

    Raises:
        ValueError: for shapes that do not fit, NaN or infinity.

    References:
        arXiv:2506.05244, Eqs. (1) to (4), Fig. 1.
    """

    input_weights: NDArray[np.float32]
    couplings: NDArray[np.float32]
    hidden_bias: NDArray[np.float32]
    output_bias: NDArray[np.float32]
    readout: Readout

    def __init__(
        self,
        input_weights: ArrayLike,
        couplings: ArrayLike,
        hidden_bias: ArrayLike,
        output_bias: ArrayLike,
        *,
        num_classes: int,
    ) -> None:
        """See the class."""
        weights = float_array("input_weights", input_weights, shape=(None, None), single=True)
        num_hidden = len(weights)
        # Column order, so that the weights of one pixel are neighbours: dark pixels are then skipped whole.
        self.input_weights = np.array(weights, dtype=np.float32, order="F")
        self.couplings = np.array(
            float_array("couplings", couplings, shape=(num_hidden, None), single=True)
        )
        num_output = self.couplings.shape[1]
        self.hidden_bias = np.array(
            float_array("hidden_bias", hidden_bias, shape=(num_hidden,), single=True)
        )
        self.output_bias = np.array(
            float_array("output_bias", output_bias, shape=(num_output,), single=True)
        )
        whole_number("num_classes", num_classes, least=2)
        if num_output % num_classes:
            raise ValueError(
                f"couplings must have a multiple of num_classes = {num_classes} columns, got {num_output}"
            )
        self.readout = Readout(num_classes, num_output // num_classes)

    @classmethod
    def random(
        cls,
        *,
        num_inputs: int,
        num_hidden: int,
        num_classes: int,
        redundancy: int = 4,
        input_gain: float = 1.0,
        coupling_gain: float = 1.0,
        seed: int | None = 0,
    ) -> BipartiteNetwork:
        """Draws W from input_gain U(-1/sqrt(I), 1/sqrt(I)), J from coupling_gain U(-1/sqrt(H), 1/sqrt(H)); no biases.

        Args:
            num_inputs: I, pixels of an image.
            num_hidden: H, hidden spins.
            num_classes: at least 2.
            redundancy: output spins per class.
            input_gain: > 0; the paper has 1, Laydevant et al. 0.5.
            coupling_gain: > 0; the paper has 1, Laydevant et al. 0.25.
            seed: 0 ... 2^64 - 1; None draws one.

        Example:
            >>> BipartiteNetwork.random(num_inputs=784, num_hidden=120, num_classes=10)
            BipartiteNetwork(784 inputs, 120 hidden, 40 output spins, 10 classes)

        References:
            arXiv:2506.05244, note [56]; Laydevant, Marković & Grollier 2024, doi:10.1038/s41467-024-46879-4.
        """
        num_inputs = whole_number("num_inputs", num_inputs, least=1)
        num_hidden = whole_number("num_hidden", num_hidden, least=1)
        readout = Readout(num_classes, redundancy)
        input_gain = real_number("input_gain", input_gain, above=0.0)
        coupling_gain = real_number("coupling_gain", coupling_gain, above=0.0)
        random = np.random.Generator(np.random.PCG64(seed_number(seed)))
        weights = input_gain * (
            (2 * random.random((num_hidden, num_inputs)) - 1) / np.sqrt(num_inputs)
        )
        couplings = coupling_gain * (
            (2 * random.random((num_hidden, readout.num_output)) - 1) / np.sqrt(num_hidden)
        )
        zeros = np.zeros(num_hidden), np.zeros(readout.num_output)
        return cls(weights, couplings, *zeros, num_classes=readout.num_classes)

    def __repr__(self) -> str:
        """The sizes."""
        sizes = (
            f"{self.num_inputs} inputs, {self.num_hidden} hidden, {self.num_output} output spins"
        )
        return f"BipartiteNetwork({sizes}, {self.num_classes} classes)"

    @property
    def num_inputs(self) -> int:
        """I, the number of pixels."""
        return int(self.input_weights.shape[1])

    @property
    def num_hidden(self) -> int:
        """H, the number of hidden spins."""
        return int(self.couplings.shape[0])

    @property
    def num_output(self) -> int:
        """O, the number of output spins."""
        return int(self.couplings.shape[1])

    @property
    def sizes(self) -> tuple[int, int]:
        """(H, O), as of a LayeredNetwork."""
        return self.num_hidden, self.num_output

    @property
    def num_classes(self) -> int:
        """The number of classes."""
        return self.readout.num_classes

    def parameters(self) -> dict[str, NDArray[np.float32]]:
        """The four arrays by name: the network's own, not copies."""
        return {name: getattr(self, name) for name in PARAMETERS}

    def kinds(self) -> dict[str, str]:
        """What each parameter is, as of a LayeredNetwork: each is what its name says."""
        return {name: name for name in PARAMETERS}

    def problem(
        self,
        images: ArrayLike,
        labels: ArrayLike | None = None,
        nudge: float | None = None,
        *,
        streams: ArrayLike | None = None,
        marked: ArrayLike | None = None,
    ) -> IsingProblem:
        """The Ising problems H[x] that images pose, or the nudged ones H_N[x, y] = H[x] - nudge * sum_a n_a[y] t_a.

        Args:
            images: (B, I), floating point, in [0, 1].
            labels: (B,) classes; given together with nudge or not at all.
            nudge: strength of the pull toward the label, >= 0; the paper has 1.
            streams: see IsingProblem.
            marked: see IsingProblem; readout.wrong_outputs(labels) marks the wrong classes.

        Returns:
            The problem, with fields h = b^h + W x and g = b^o - nudge * n[y]. It shares the network's couplings, so it
            is good until the network is trained further.

        Raises:
            ValueError: for a wrong shape, a pixel outside [0, 1], an unknown label, or one of labels and nudge alone.
        """
        pixels = image_array("images", images, num_inputs=self.num_inputs)
        fields = self.hidden_fields(pixels)
        output_fields = nudged_fields(
            self.readout, self.output_bias, labels, nudge, count=len(pixels)
        )
        numbers, marks = (
            stream_array(streams, len(pixels)),
            marked_array(marked, len(pixels), self.num_output),
        )
        return IsingProblem.trusted(self.couplings, fields, output_fields, numbers, marks)

    def hidden_fields(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """b^h + W x: (B, I) float32 images in, (B, H) out."""
        return kernels.local_fields(images, self.input_weights.T, self.hidden_bias)

    def reference_states(self, hidden_fields: NDArray[np.float32], classes: ArrayLike) -> Spins:
        """The lowest states with given outputs, Eq. (7), which are the nudged states of a strong nudge.

            t_a = n_a[y],   s_i = -sign(sum_a J_ia n_a[y] + h_i)      (+1 where the sum is 0)

        Args:
            hidden_fields: h, (B, H) float32, as in problem(images).hidden_fields.
            classes: (B, K) classes y.

        Returns:
            (B, K, N) int8, hidden spins first.
        """
        return self.states_with_outputs(hidden_fields, self.readout.targets(classes))

    def states_with_outputs(self, hidden_fields: NDArray[np.float32], outputs: Spins) -> Spins:
        """The same for output spins that are already at hand: (B, H) fields and (B, K, O) int8 in, (B, K, N) out."""
        return kernels.reference_states(self.couplings, hidden_fields, outputs)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a safetensors file, whole or not at all."""
        save_tensors(
            path, "network", dict(self.parameters()), {"num_classes": str(self.num_classes)}
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> BipartiteNetwork:
        """Reads what `save` wrote.

        Raises:
            FileNotFoundError: where there is no file.
            ValueError: for a file of another kind or version.
        """
        tensors, metadata = load_tensors(path, "network", PARAMETERS)
        return cls(
            *(tensors[name] for name in PARAMETERS), num_classes=saved_num_classes(path, metadata)
        )


def nudged_fields(
    readout: Readout,
    bias: NDArray[np.float32],
    labels: ArrayLike | None,
    nudge: float | None,
    *,
    count: int,
) -> NDArray[np.float32]:
    """b^o - nudge * n[y] for `count` labels, (count, O); without labels b^o, (1, O)."""
    if (labels is None) != (nudge is None):
        raise ValueError(f"labels and nudge must be given together, got nudge = {nudge}")
    if labels is None:
        return bias[None, :]
    checked = label_array("labels", labels, count=count, num_classes=readout.num_classes)
    strength = np.float32(real_number("nudge", nudge, least=0.0))
    fields: NDArray[np.float32] = bias[None, :] - strength * readout.targets(checked).astype(
        np.float32
    )
    return fields


def saved_num_classes(path: str | os.PathLike[str], metadata: dict[str, str]) -> int:
    """What the file of a network says."""
    num_classes = metadata.get("num_classes", "")
    if not num_classes.isdecimal():
        raise ValueError(f"{path} must say its num_classes, got {num_classes!r}")
    return int(num_classes)
