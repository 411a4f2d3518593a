"""Readout: the class code, which maps a class to output spins and output spins to a class."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isingprop.states import basis
from isingprop.util.checks import Spins, label_array, spin_array, whole_number

UNCLASSIFIED = -1
_MAX_TABLED_OUTPUTS = 20  # output spins; a table of 2^20 marks takes 1 MB for each class


@dataclass(frozen=True)
class Readout:
    """A class code: class y is +1 on its own `redundancy` output spins and -1 on all others.

        n_a[y] = +1 for redundancy * y <= a < redundancy * (y + 1), else -1   (a counted from 0)

    Args:
        num_classes: at least 2.
        redundancy: output spins per class, at least 1; the paper has 4.

    Example:
        >>> readout = Readout(num_classes=2, redundancy=2)
        >>> readout.targets([0, 1])
        array([[ 1,  1, -1, -1],
               [-1, -1,  1,  1]], dtype=int8)
        >>> readout.predict([[1, -1, -1, -1], [1, -1, -1, 1]])
        array([ 0, -1])

    References:
        arXiv:2506.05244, Eq. (4) and Section II.
    """

    num_classes: int
    redundancy: int = 4

    def __post_init__(self) -> None:
        """Checks the number of classes and the redundancy."""
        object.__setattr__(
            self, "num_classes", whole_number("num_classes", self.num_classes, least=2)
        )
        object.__setattr__(self, "redundancy", whole_number("redundancy", self.redundancy, least=1))

    @property
    def num_output(self) -> int:
        """The number of output spins, O."""
        return self.num_classes * self.redundancy

    def targets(self, labels: ArrayLike) -> Spins:
        """Returns the code n[y] of each label: labels (...) in, spins (..., O) int8 out."""
        array = np.asarray(labels)
        flat = label_array("labels", array.ravel(), count=array.size, num_classes=self.num_classes)
        return self._table()[flat].reshape(*array.shape, self.num_output)

    def wrong_classes(
        self, labels: NDArray[np.int64], count: int, first: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Returns `count` wrong classes for each label, cyclically from number `first` on.

            (y + 1 + (first + k) mod (num_classes - 1)) mod num_classes,   k = 0 ... count - 1

        Args:
            labels: (B,), the true classes y.
            count: the number of wrong classes for each label; they repeat beyond num_classes - 1.
            first: (B,), where to begin among the wrong classes of each label.

        Returns:
            (B, count) classes.
        """
        offsets = (first[:, None] + np.arange(count)) % (self.num_classes - 1)
        return (labels[:, None] + 1 + offsets) % self.num_classes

    def wrong_outputs(self, labels: ArrayLike) -> NDArray[np.bool_]:
        """Returns which of the 2^O outputs are not predicted as the label.

        Bit a of the index is 1 where output spin a is +1. An unclassified output is wrong.

        Args:
            labels: (B,), integers in 0 ... num_classes - 1.

        Returns:
            (B, 2^O) bool.

        Raises:
            ValueError: for more than 20 output spins.
        """
        whole_number("num_classes * redundancy", self.num_output, least=1, most=_MAX_TABLED_OUTPUTS)
        flat = label_array(
            "labels", labels, count=len(np.atleast_1d(labels)), num_classes=self.num_classes
        )
        return _wrong_outputs(self)[flat]

    def scores(self, outputs: ArrayLike) -> NDArray[np.int64]:
        """Returns the sum of each class's output spins: (..., O) in, (..., num_classes) out."""
        return self._scores(outputs).astype(np.int64)

    def predict(self, outputs: ArrayLike) -> NDArray[np.int64]:
        """Returns the class with the largest score: (..., O) in, (...) out.

        Where several classes share the largest score, the state is unclassified: -1.
        """
        scores = self._scores(outputs)
        # The largest score is unique where its first and its last place are the same.
        first = scores.argmax(axis=-1)
        last = self.num_classes - 1 - scores[..., ::-1].argmax(axis=-1)
        return np.where(first == last, first, UNCLASSIFIED)

    def _scores(self, outputs: ArrayLike) -> NDArray[np.signedinteger[Any]]:
        """Returns the scores in the narrowest integers that hold -redundancy ... +redundancy.

        Whole columns are added, which is faster than sums over the short groups.
        """
        array = np.asarray(outputs)
        checked = spin_array("outputs", array, shape=(*array.shape[:-1], self.num_output))

        spins = checked.astype(np.min_scalar_type(-self.redundancy - 1), copy=False)
        scores = spins[..., :: self.redundancy].copy()
        for k in range(1, self.redundancy):
            scores += spins[..., k :: self.redundancy]
        return scores

    def _table(self) -> Spins:
        """Returns the codes of all classes, (num_classes, O)."""
        own = np.repeat(np.eye(self.num_classes, dtype=np.int8), self.redundancy, axis=1)
        return (2 * own - 1).astype(np.int8)


@lru_cache(maxsize=8)
def _wrong_outputs(readout: Readout) -> NDArray[np.bool_]:
    """Returns which outputs are wrong for each class, (num_classes, 2^O)."""
    classes = readout.predict(basis(readout.num_output))
    table: NDArray[np.bool_] = classes != np.arange(readout.num_classes)[:, None]
    return table
