"""ErrorCount: the training errors of an epoch, counted while it runs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isingprop.network.base_network import Network
from isingprop.readout import UNCLASSIFIED
from isingprop.states import States
from isingprop.util.checks import Spins

# States of this many images are kept before their errors are counted, which shares out the cost of
# NumPy calls; but no more than this many spins, which take a byte each.
_COUNT_IMAGES = 128
_COUNT_SPINS = 2**24


class ErrorCount:
    """Counts wrong states as they come, a portion of images at a time.

    Args:
        network: reads classes from outputs.
        cycles: count the states in which the annealing cycles of each read ended, too.
    """

    def __init__(self, network: Network, *, cycles: bool = False) -> None:
        """Starts with nothing counted."""
        self._readout, self._num_hidden = network.readout, network.num_hidden
        self._cycles = cycles
        self._kept: list[tuple[States, NDArray[np.int64]]] = []
        self._num_kept = self._spins_kept = self.num_images = 0
        self._wrong_reads = self._wrong_lowest = self._wrong_cycles = 0.0

    def add(self, states: States, labels: NDArray[np.int64]) -> bool:
        """Takes the states of a minibatch, and returns whether the counts have changed."""
        states = states if states.unamplified is None else states.unamplified
        self._kept.append((states, labels))
        self._num_kept += len(labels)
        self._spins_kept += states.spins.size

        if self._num_kept < _COUNT_IMAGES and self._spins_kept < _COUNT_SPINS:
            return False
        self.count()
        return True

    def add_counts(self, num_wrong: int, num_images: int) -> None:
        """Counts images with one state each, of which num_wrong are wrong."""
        self._wrong_reads += num_wrong
        self._wrong_lowest += num_wrong
        self.num_images += num_images

    def count(self) -> None:
        """Counts the states that are kept."""
        if not self._kept:
            return
        outputs = self._outputs([states.spins for states, _ in self._kept])
        lowest = np.concatenate([states.lowest_read() for states, _ in self._kept])
        labels = np.concatenate([labels for _, labels in self._kept])

        wrong = self._readout.predict(outputs) != labels[:, None]
        weights = [states.weights for states, _ in self._kept if states.weights is not None]
        if weights:
            self._wrong_reads += float((np.concatenate(weights) * wrong).sum())
        else:
            self._wrong_reads += float(wrong.mean(axis=1).sum())
        self._wrong_lowest += float(wrong[np.arange(len(labels)), lowest].sum())
        if self._cycles:
            self._count_cycles(labels)

        self.num_images += len(labels)
        self._kept, self._num_kept, self._spins_kept = [], 0, 0

    def _count_cycles(self, labels: NDArray[np.int64]) -> None:
        """Counts the cycles that ended in a wrong class; ends without a class do not count."""
        cycle_spins = [
            # A sampler that says nothing of cycles has one in each read.
            states.spins[:, :, None] if states.cycle_spins is None else states.cycle_spins
            for states, _ in self._kept
        ]
        classes = self._readout.predict(self._outputs(cycle_spins))

        wrong = (classes != labels[:, None, None]) & (classes != UNCLASSIFIED)
        self._wrong_cycles += float(wrong.mean(axis=(1, 2)).sum())

    def _outputs(self, spins: list[Spins]) -> Spins:
        """Returns the output spins of several arrays of states, one after the other."""
        num_hidden = self._num_hidden
        return np.concatenate([each[..., num_hidden:] for each in spins])

    @property
    def reads(self) -> float:
        """The fraction of all reads that are wrong, so far."""
        return self._wrong_reads / self.num_images

    @property
    def lowest(self) -> float:
        """The fraction of images whose lowest read is wrong, so far."""
        return self._wrong_lowest / self.num_images

    @property
    def cycles(self) -> float | None:
        """The fraction of cycles that ended in a wrong class; None where none are counted."""
        return self._wrong_cycles / self.num_images if self._cycles else None
