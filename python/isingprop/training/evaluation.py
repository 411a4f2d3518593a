"""What is counted: errors over reads, the error of the lowest read, accuracy with its standard error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isingprop.network.base_network import Network
from isingprop.problem import stream_array
from isingprop.readout import UNCLASSIFIED
from isingprop.samplers import Sampler
from isingprop.states import States
from isingprop.training.layer_sweeps import sample_states
from isingprop.util.checks import Spins, image_array, seed_number, whole_number

# Predictions go in portions of this many images, which bounds the memory of a test on many.
_PREDICT_IMAGES = 1000
# States of this many images are kept before their errors are counted, which shares out the cost of NumPy calls.
_COUNT_IMAGES = 128
_COUNT_SPINS = 2**24


@dataclass(frozen=True)
class EpochRecord:
    """What one epoch did. Errors and accuracy are fractions; an unclassified state counts as wrong.

    Training errors are of the states that the epoch learned from, each sampled before its own update, and with a margin
    (Trainer) pushed away from the label; of an amplifying sampler they are of the state that it amplifies, which the
    effective beta is not.
    """

    epoch: int  #: 1 for the first
    train_error_reads: float  #: of all sampled states
    train_error_lowest: float  #: of the lowest read of each image
    test_accuracy: (
        float  #: of the lowest of several reads, after the epoch; NaN where there was no test
    )
    update_norm_input_weights: float  #: Euclidean norm of the epoch's change, as the next three
    update_norm_couplings: float
    update_norm_hidden_bias: float
    update_norm_output_bias: float
    seconds_sampling: float  #: inside the sampler, wall time as all of these
    seconds_updating: float  #: local fields, nudged states of Eq. (7), learning rule
    seconds_testing: float
    seconds: float  #: of the epoch without its test
    wrong_cycles: float | None = (
        None  #: of all cycles from references, those that ended in a wrong class (not in none)
    )
    beta_effective: float | None = (
        None  #: median over calls of the sampler for free states, where it was asked for
    )
    qpu_seconds: float | None = (
        None  #: of access to a D-Wave chip, for the states that the epoch learned from
    )
    clipped: int | None = (
        None  #: fields and couplings that were out of the chip's range, over all calls
    )
    chain_break_fraction: float | None = (
        None  #: of all chains of all reads of the chip, mean over updates
    )
    largest_problem: int | None = None  #: spins of the largest problem that a sampler was sent
    applications: int | None = (
        None  #: of U and U†, by a coherent sampler, for the states that were learned from
    )


@dataclass(frozen=True)
class Evaluation:
    """Accuracy on a set of images, by the lowest read of each."""

    accuracy: float
    standard_error: float  #: sqrt(p (1 - p) / n), binomial
    unclassified: (
        float  #: fraction of images without a single largest class score; counted as wrong
    )
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
    """The class of the lowest of num_reads states of H[x] for each image: (n,), -1 where it is unclassified.

    The arguments are those of `lowest_outputs`.
    """
    outputs = lowest_outputs(
        network,
        sampler,
        images,
        num_reads=num_reads,
        seed=seed,
        active_layers=active_layers,
        max_spins=max_spins,
    )
    return network.readout.predict(outputs)


def lowest_outputs(
    network: Network,
    sampler: Sampler,
    images: ArrayLike,
    *,
    num_reads: int = 10,
    seed: int | None = 0,
    streams: ArrayLike | None = None,
    active_layers: int | None = 2,
    max_spins: int | None = None,
) -> Spins:
    """The output spins of the lowest of num_reads states of H[x] for each image.

    Args:
        network: the trained network.
        sampler: draws the states.
        images: (n, I), floating point, in [0, 1].
        num_reads: at least 1.
        seed: None draws one.
        streams: (n,), default 0 ... n - 1: image k draws from stream (seed, streams[k]), however images are portioned.
        active_layers: of a network with more than one hidden layer, see `sample_states`.
        max_spins: refuse to send the sampler a larger problem.

    Returns:
        (n, O) int8.
    """
    num_reads = whole_number("num_reads", num_reads, least=1)
    images = image_array("images", images, num_inputs=network.num_inputs)
    seed = seed_number(seed)
    outputs = np.empty((len(images), network.num_output), dtype=np.int8)
    streams = stream_array(streams, len(images))
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
    return outputs


class ErrorCount:
    """Counts wrong states as they come, a portion of images at a time."""

    def __init__(self, network: Network, *, cycles: bool = False) -> None:
        """Starts at zero. With `cycles`, each read counts the states in which its cycles ended, too."""
        self._network = network
        self._cycles = cycles
        self._kept: list[tuple[States, NDArray[np.int64]]] = []
        self._num_kept = self._spins_kept = self.num_images = 0
        self._wrong_reads = self._wrong_lowest = self._wrong_cycles = 0.0

    def add(self, states: States, labels: NDArray[np.int64]) -> bool:
        """Takes the states of a minibatch; True where enough came together for the counts to have moved on."""
        states = states if states.unamplified is None else states.unamplified
        self._kept.append((states, labels))
        self._num_kept += len(labels)
        self._spins_kept += states.spins.size
        if self._num_kept < _COUNT_IMAGES and self._spins_kept < _COUNT_SPINS:
            return False
        self.count()
        return True

    def count(self) -> None:
        """Brings the counts up to date."""
        if not self._kept:
            return
        outputs = self._outputs([states.spins for states, _ in self._kept])
        lowest = np.concatenate([states.lowest_read() for states, _ in self._kept])
        labels = np.concatenate([labels for _, labels in self._kept])
        wrong = self._network.readout.predict(outputs) != labels[:, None]
        weights = [states.weights for states, _ in self._kept if states.weights is not None]
        if weights:
            self._wrong_reads += float((np.concatenate(weights) * wrong).sum())
        else:
            self._wrong_reads += float(wrong.mean(axis=1).sum())
        self._wrong_lowest += float(wrong[np.arange(len(labels)), lowest].sum())
        if self._cycles:  # a sampler that does not tell has one cycle in each read
            ends = self._outputs(
                [
                    states.spins[:, :, None] if states.cycle_spins is None else states.cycle_spins
                    for states, _ in self._kept
                ]
            )
            classes = self._network.readout.predict(ends)
            wrong_ends = (classes != labels[:, None, None]) & (classes != UNCLASSIFIED)
            self._wrong_cycles += float(wrong_ends.mean(axis=(1, 2)).sum())
        self.num_images += len(labels)
        self._kept, self._num_kept, self._spins_kept = [], 0, 0

    def _outputs(self, spins: list[Spins]) -> Spins:
        return np.concatenate([each[..., self._network.num_hidden :] for each in spins])

    @property
    def reads(self) -> float:
        """Fraction of all reads that are wrong, so far."""
        return self._wrong_reads / self.num_images

    @property
    def lowest(self) -> float:
        """Fraction of images whose lowest read is wrong, so far."""
        return self._wrong_lowest / self.num_images

    @property
    def cycles(self) -> float | None:
        """Fraction of cycles that ended in a wrong class, so far, where they are counted."""
        return self._wrong_cycles / self.num_images if self._cycles else None
