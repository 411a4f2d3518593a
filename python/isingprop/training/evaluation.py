"""Tests of a network: the classes of the lowest reads, accuracy, and the record of an epoch."""

from __future__ import annotations

from dataclasses import dataclass, fields
from types import NoneType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isingprop.network.base_network import Network
from isingprop.readout import UNCLASSIFIED
from isingprop.samplers.protocol import Sampler
from isingprop.training.layer_sweeps import sample_states
from isingprop.util.checks import image_array, seed_number, whole_number

# Predictions go in portions of this many images, which bounds the memory of a test on many.
_PREDICT_IMAGES = 1000
# What the values of a record may be, by the types of its fields; JSON may have 0 for 0.0.
_TYPES = {
    "int": (int,),
    "float": (float, int),
    "int | None": (int, NoneType),
    "float | None": (float, int, NoneType),
    "bool | None": (bool, NoneType),
}
_MAX_COUNT = 2**53  # floats count so far


@dataclass(frozen=True)
class EpochRecord:
    """What happened in one epoch. Errors and accuracy are fractions; unclassified states are wrong.

    Training errors are those of the states that the epoch learned from, each sampled before its own
    update. With a margin (Trainer) these states are pushed away from the label. With an amplifying
    sampler the errors are those of the states before they were amplified; the effective beta is
    that of the amplified ones.
    """

    epoch: int  #: 1 for the first
    train_error_reads: float  #: of all sampled states
    train_error_lowest: float  #: of the lowest read of each image
    #: Of the lowest of several reads, after the epoch; NaN where there was no test.
    test_accuracy: float
    update_norm_input_weights: float  #: Euclidean norm of the epoch's change
    update_norm_couplings: float  #: like the one above, as are the next two
    update_norm_hidden_bias: float
    update_norm_output_bias: float
    seconds_sampling: float  #: inside the sampler; all seconds are wall time
    seconds_updating: float  #: local fields, nudged states of Eq. (7), learning rule
    seconds_testing: float
    seconds: float  #: of the epoch without its test
    #: Fraction of all annealing cycles from references that ended in a wrong class; an
    #: unclassified end does not count.
    wrong_cycles: float | None = None
    #: Median over calls of the sampler for free states, where it was asked for.
    beta_effective: float | None = None
    #: Access time of a D-Wave chip, for the states that the epoch learned from; that of an emulated
    #: chip is estimated, and nothing is billed.
    qpu_seconds: float | None = None
    #: Fields and couplings that were out of the chip's range, over all calls.
    clipped: int | None = None
    #: Of all chains of all reads of the chip, mean over updates.
    chain_break_fraction: float | None = None
    largest_problem: int | None = None  #: spins of the largest problem that a sampler was sent
    #: Applications of U and its inverse by a coherent sampler, for the states learned from.
    applications: int | None = None
    #: Calls of the chip whose access time is an estimate, since their answers do not say it.
    calls_estimated: int | None = None
    #: Whether steps were too large to learn from: the network grew tenfold in the epoch, or no
    #: class was told from another for three epochs of large updates, or of none.
    unstable: bool | None = None
    #: Reads of the chip whose energy in its answer is not that of their own states; these energies
    #: are not used.
    energies_wrong: int | None = None

    @classmethod
    def checked(cls, **values: Any) -> EpochRecord:
        """Returns the record of values that were read from a file.

        Raises:
            TypeError: for a field that is missing, unknown, or of another type.
            ValueError: for a negative count, or one that no run reaches.
        """
        record = cls(**values)
        for field in fields(cls):
            value = getattr(record, field.name)
            if type(value) not in _TYPES[str(field.type)]:
                raise TypeError(f"{field.name} must be {field.type}, got {value!r:.80}")
            if type(value) is int:
                whole_number(field.name, value, least=0, most=_MAX_COUNT)
        return record


@dataclass(frozen=True)
class Evaluation:
    """The accuracy on a set of images, by the lowest read of each."""

    accuracy: float
    standard_error: float  #: sqrt(p (1 - p) / n), binomial
    unclassified: float  #: fraction of images without a single largest class score; these are wrong
    num_images: int

    @classmethod
    def of(cls, classes: NDArray[np.int64], labels: NDArray[np.int64]) -> Evaluation:
        """Compares predicted classes with labels."""
        accuracy = float((classes == labels).mean())
        error = float(np.sqrt(accuracy * (1 - accuracy) / len(labels)))
        return cls(accuracy, error, float((classes == UNCLASSIFIED).mean()), len(labels))


def predict(
    network: Network,
    sampler: Sampler,
    images: ArrayLike,
    *,
    num_reads: int = 10,
    seed: int | None = 0,
    active_layers: int | None = 2,
    max_spins: int | None = None,
) -> NDArray[np.int64]:
    """Returns the class of the lowest of several sampled states of H[x] for each image.

    `BipartiteNetwork.predict` needs no sampler: it takes the lowest state of each class.

    Args:
        network: trained, a `BipartiteNetwork` or a `LayeredNetwork`.
        sampler: samples the states.
        images: (n, I), floating point, in [0, 1].
        num_reads: states per image, at least 1.
        seed: image k uses the random stream (seed, k), however images are portioned; None draws
            one.
        active_layers: of a network with more than one hidden layer, see `sample_states`.
        max_spins: refuse to send the sampler a larger problem.

    Returns:
        (n,), -1 where an image is unclassified.
    """
    num_reads = whole_number("num_reads", num_reads, least=1)
    images = image_array("images", images, num_inputs=network.num_inputs)
    seed = seed_number(seed)
    streams = np.arange(len(images), dtype=np.uint64)
    outputs = np.empty((len(images), network.num_output), dtype=np.int8)

    for first in range(0, len(images), _PREDICT_IMAGES):
        part = slice(first, first + _PREDICT_IMAGES)
        states = sample_states(
            network,
            sampler,
            images[part],
            num_reads,
            seed,
            streams=streams[part],
            active_layers=active_layers,
            max_spins=max_spins,
        )
        outputs[part] = states.lowest().spins[:, 0, network.num_hidden :]

    return network.readout.predict(outputs)
