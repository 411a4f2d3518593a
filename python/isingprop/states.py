"""States: what a sampler returns and all that learning sees."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.checks import Spins, float_array, spin_array


@dataclass(frozen=True, eq=False)
class States:
    """R final states ("reads") for each of B sets of fields, with their energies.

    Args:
        spins: (B, R, N), -1 or +1, hidden spins first, then output spins.
        energies: (B, R), in the units of the couplings.
        info: what the sampler has to tell, for instance its seed and its range of inverse temperatures.

    Raises:
        ValueError: for another shape, a spin that is not -1 or +1, or an energy that is not finite.

    Example:
        >>> states = States(spins=[[[1, -1], [1, 1]]], energies=[[0.5, -2.0]])
        >>> states.lowest().spins
        array([[[1, 1]]], dtype=int8)
        >>> states.mean_spins()
        array([[1., 0.]])
    """

    spins: Spins
    energies: NDArray[np.float64]
    info: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Checks and converts both arrays."""
        spins = spin_array("spins", self.spins, shape=(None, None, None))
        energies = float_array("energies", self.energies, shape=spins.shape[:2]).astype(np.float64, copy=False)
        object.__setattr__(self, "spins", spins)
        object.__setattr__(self, "energies", energies)

    @classmethod
    def trusted(cls, spins: Spins, energies: NDArray[np.float64], info: dict[str, Any]) -> States:
        """States straight from our own kernels, which cannot return anything else."""
        states = object.__new__(cls)
        states.__dict__.update(spins=spins, energies=energies, info=info)
        return states

    @property
    def num_reads(self) -> int:
        """R, the number of reads for each set of fields."""
        return int(self.spins.shape[1])

    def lowest(self) -> States:
        """The read of lowest energy for each set of fields (the first of equals), as states with one read."""
        rows = np.arange(len(self.energies))[:, None]
        best = self.energies.argmin(axis=1)[:, None]
        return States.trusted(self.spins[rows, best], self.energies[rows, best], self.info)

    def mean_spins(self) -> NDArray[np.float64]:
        """The mean of each spin over the reads, Eq. (6): (B, N), in [-1, 1]."""
        return np.asarray(self.spins.mean(axis=1, dtype=np.float64))
