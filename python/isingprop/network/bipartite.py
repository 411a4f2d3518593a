"""BipartiteNetwork: the paper's network, with one hidden layer."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isingprop import kernels
from isingprop.network.base_network import (
    Floats32,
    Network,
    readout_of,
    saved_num_classes,
)
from isingprop.network.calibration import beta_number, class_probabilities, likeliest_beta
from isingprop.network.onnx_export import write_onnx
from isingprop.network.weights import input_weight_array, random_weights
from isingprop.problem import IsingProblem
from isingprop.readout import Readout
from isingprop.util.checked_files import load_tensors, naming, save_tensors
from isingprop.util.checks import (
    Spins,
    float_array,
    image_array,
    label_array,
    real_number,
    seed_number,
    whole_number,
)
from isingprop.util.input_format import InputFormat

PARAMETERS = ("input_weights", "couplings", "hidden_bias", "output_bias")
_PORTION_IMAGES = 8192  # whose fields are held at a time


class BipartiteNetwork(Network):
    """A network of pixels, one hidden layer and an output layer of spins.

        E(s, t | x) = sum_i (b_i + sum_a W_ia x_a) s_i + sum_a b_a t_a + sum_ia J_ia s_i t_a

    Only neighbouring layers are coupled.

    Args:
        input_weights: W, (H, I).
        couplings: J, (H, O).
        hidden_bias: b^h, (H,).
        output_bias: b^o, (O,).
        num_classes: O must be num_classes times the redundancy.

    The four arrays are kept as float32 copies; training changes them in place.

    Raises:
        ValueError: for shapes that do not fit, NaN or infinity.

    References:
        arXiv:2506.05244, Eqs. (1) to (4), Fig. 1.
    """

    couplings: Floats32
    hidden_bias: Floats32
    output_bias: Floats32
    beta: float | None = None  #: of `predict_proba`, from `fit_beta`; saved with the network

    _kind = "network"

    def __init__(
        self,
        input_weights: ArrayLike,
        couplings: ArrayLike,
        hidden_bias: ArrayLike,
        output_bias: ArrayLike,
        *,
        num_classes: int,
    ) -> None:
        """Checks the arguments and keeps copies of them."""
        self.input_weights = input_weight_array(input_weights)
        num_hidden = len(self.input_weights)

        shape = (num_hidden, None)
        self.couplings = np.array(float_array("couplings", couplings, shape=shape, single=True))
        num_output = self.couplings.shape[1]

        given = float_array("hidden_bias", hidden_bias, shape=(num_hidden,), single=True)
        self.hidden_bias = np.array(given)
        given = float_array("output_bias", output_bias, shape=(num_output,), single=True)
        self.output_bias = np.array(given)

        self.readout = readout_of(num_classes, num_output, "couplings")

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
        """Returns a network with random W and J and without biases.

            W_ia ~ input_gain U(-1/sqrt(I), 1/sqrt(I)),
            J_ia ~ coupling_gain U(-1/sqrt(H), 1/sqrt(H))

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
            arXiv:2506.05244, note [56]; Laydevant, Marković & Grollier 2024,
            doi:10.1038/s41467-024-46879-4.
        """
        num_inputs = whole_number("num_inputs", num_inputs, least=1)
        num_hidden = whole_number("num_hidden", num_hidden, least=1)
        readout = Readout(num_classes, redundancy)
        input_gain = real_number("input_gain", input_gain, above=0.0)
        coupling_gain = real_number("coupling_gain", coupling_gain, above=0.0)

        random = np.random.Generator(np.random.PCG64(seed_number(seed)))
        weights = random_weights(random, input_gain, (num_hidden, num_inputs), num_inputs)
        shape = (num_hidden, readout.num_output)
        couplings = random_weights(random, coupling_gain, shape, num_hidden)

        zeros = np.zeros(num_hidden), np.zeros(readout.num_output)
        return cls(weights, couplings, *zeros, num_classes=readout.num_classes)

    @classmethod
    def of_arrays(
        cls,
        input_weights: Floats32,
        couplings: Floats32,
        hidden_bias: Floats32,
        output_bias: Floats32,
        readout: Readout,
    ) -> BipartiteNetwork:
        """Returns a network of arrays that fit, which it shares: no copies, no checks."""
        network = object.__new__(cls)
        network.input_weights, network.couplings = input_weights, couplings
        network.hidden_bias, network.output_bias = hidden_bias, output_bias
        network.readout = readout
        return network

    def with_arrays(self, arrays: dict[str, Floats32]) -> BipartiteNetwork:
        """Returns a network of arrays that fit, by name, which it shares."""
        network = type(self).of_arrays(**arrays, readout=self.readout)
        network.input_format = self.input_format
        return network

    def shallow(self) -> BipartiteNetwork:
        """Returns the network."""
        return self

    @property
    def layer_couplings(self) -> tuple[Floats32]:
        """Returns (J,), the network's own array."""
        return (self.couplings,)

    @property
    def layer_biases(self) -> tuple[Floats32, Floats32]:
        """Returns (b^h, b^o), the network's own arrays."""
        return self.hidden_bias, self.output_bias

    def parameters(self) -> dict[str, Floats32]:
        """Returns the four arrays by name: the network's own, not copies."""
        return {name: getattr(self, name) for name in PARAMETERS}

    def kinds(self) -> dict[str, str]:
        """Returns for each parameter name its kind, which is the name itself."""
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
        """Returns the Ising problems H[x] of images, or the nudged ones of images and labels.

            H_N[x, y] = H[x] - nudge * sum_a n_a[y] t_a

        Args:
            images: (B, I), floating point, in [0, 1].
            labels: (B,) classes; given together with nudge or not at all.
            nudge: strength of the pull toward the label, >= 0; the paper has 1.
            streams: see IsingProblem.
            marked: see IsingProblem; readout.wrong_outputs(labels) marks the wrong classes.

        Returns:
            The problem, with fields h = b^h + W x and g = b^o - nudge * n[y]. It shares the
            network's couplings, so it is good until the network is trained further.

        Raises:
            ValueError: for a wrong shape, a pixel outside [0, 1], an unknown label, or one of
                labels and nudge alone.
        """
        return self.posed_problem(images, labels, nudge, streams, marked)

    def reference_states(self, hidden_fields: Floats32, classes: ArrayLike) -> Spins:
        """Returns the lowest states with the outputs of given classes, Eq. (7).

            t_a = n_a[y],   s_i = -sign(sum_a J_ia n_a[y] + h_i)      (+1 where the sum is 0)

        They are the nudged states of a strong nudge.

        Args:
            hidden_fields: h, (B, H) float32, as in problem(images).hidden_fields.
            classes: (B, K) classes y.

        Returns:
            (B, K, N) int8, hidden spins first.
        """
        return self.states_with_outputs(hidden_fields, self.readout.targets(classes))

    def class_energies(self, images: ArrayLike) -> NDArray[np.float64]:
        """Returns the lowest energy of H[x] with the outputs of each class, without a sampler.

            E_k = sum_a b_a n_a[k] - sum_i |b_i + sum_a W_ia x_a + sum_a J_ia n_a[k]|

        With the outputs fixed, hidden spins are independent of each other. The states themselves
        are those of `reference_states`.

        Args:
            images: (B, I), floating point, in [0, 1].

        Returns:
            (B, K) in the unit of the couplings. Fields are float32, sums over hidden spins float64.
        """
        pixels = image_array("images", images, num_inputs=self.num_inputs)
        self.check_finite()
        energies = np.empty((len(pixels), self.num_classes))
        for first in range(0, len(pixels), _PORTION_IMAGES):
            part = slice(first, first + _PORTION_IMAGES)
            fields = self.hidden_fields(pixels[part])
            energies[part] = kernels.class_energies(
                self.couplings, fields, self.output_bias[None, :], self.num_classes
            )
        return energies

    def predict(self, images: ArrayLike) -> NDArray[np.int64]:
        """Returns the class of the lowest energy of each image, (B,); the lowest of equal ones.

        `isingprop.predict` takes the class of the lowest sampled state instead.
        """
        return np.asarray(self.class_energies(images).argmin(axis=1))

    def predict_proba(self, images: ArrayLike, beta: float | None = None) -> NDArray[np.float64]:
        """Returns P_k = exp(-beta E_k) / sum_l exp(-beta E_l) of the classes, (B, K).

        Args:
            images: (B, I), floating point, in [0, 1].
            beta: inverse temperature > 0, in 1 / (unit of the couplings); by default that of
                `fit_beta`.

        Raises:
            ValueError: without a beta.
        """
        pixels = image_array("images", images, num_inputs=self.num_inputs)
        beta = self.beta if beta is None else beta
        if beta is None:
            raise ValueError("beta must be a number, or fitted before with fit_beta(), got None")
        beta = beta_number("beta", beta)
        return class_probabilities(self.class_energies(pixels), beta)

    def fit_beta(self, images: ArrayLike, labels: ArrayLike) -> float:
        """Finds the beta of `predict_proba` that makes labels likeliest, keeps and returns it.

        Images that the network was trained on make it too sure of itself: take others. Where each
        label has the lowest energy there is no such beta, and a large one is taken. Training does
        not change beta: fit it afterwards.

        Args:
            images: (B, I), floating point, in [0, 1].
            labels: (B,) classes.

        Raises:
            ValueError: where the labels are no likelier than chance at any beta.
        """
        pixels = image_array("images", images, num_inputs=self.num_inputs)
        checked = label_array("labels", labels, count=len(pixels), num_classes=self.num_classes)
        self.beta = likeliest_beta(self.class_energies(pixels), checked)
        return self.beta

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a safetensors file, whole or not at all."""
        self.check_finite()
        metadata = self._metadata()
        if self.beta is not None:
            metadata["beta"] = repr(beta_number("beta", self.beta))
        save_tensors(path, self._kind, dict(self.parameters()), metadata)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> BipartiteNetwork:
        """Reads a network that `save` has written.

        Raises:
            FileNotFoundError: where there is no file.
            ValueError: for a file of another kind or version.
        """
        tensors, metadata = load_tensors(path, cls._kind, PARAMETERS)
        with naming(path):
            num_classes = saved_num_classes(path, metadata)
            network = cls(*(tensors[name] for name in PARAMETERS), num_classes=num_classes)
        network.beta = _saved_beta(path, metadata)
        network.input_format = InputFormat.read(path, metadata, network.num_inputs, num_classes)
        return network

    def to_onnx(self, path: str | os.PathLike[str]) -> None:
        """Writes `class_energies` as an ONNX model, whole or not at all.

        Its input is `images`, (B, I) float32 in [0, 1], for any B; pixels are not checked. Its
        outputs are `energies`, (B, K) float32, `classes`, (B,) int64, as from `predict`, and
        `probabilities`, (B, K) float32, as from `predict_proba`. Without a beta from `fit_beta`
        there are no probabilities.

        Sums are float32, with errors of some 2e-7 of the energy: classes whose energies are as
        close may change places. While it runs, the model holds two arrays of B x K x H floats.

        Raises:
            ImportError: without onnx, which `pip install "isingprop[onnx]"` brings.
        """
        write_onnx(path, self)


def _saved_beta(path: str | os.PathLike[str], metadata: dict[str, str]) -> float | None:
    """Returns the beta that the file of a network holds; older files have none."""
    if "beta" not in metadata:
        return None
    text = metadata["beta"]
    try:
        return beta_number("beta", float(text))
    except (TypeError, ValueError):
        raise ValueError(f"beta in {path} must be a finite number above 0, got {text!r}") from None
