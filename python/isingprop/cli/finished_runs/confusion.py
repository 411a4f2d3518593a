"""Confusion: which classes a network takes images of each class for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_LABEL = 16  # characters for the number and the name of a class
_MAX_COLUMNS = 20  # classes of a matrix that is printed whole
_MOST_CONFUSED = 10  # pairs of classes that are printed in place of a larger one


@dataclass(frozen=True)
class Confusion:
    """The test by class; its fields are keys of the command's JSON."""

    #: Images by label (rows) and predicted class (columns); the last column is of those without.
    confusion: list[list[int]]
    accuracy_per_class: list[float | None]  #: None where no image has the label

    @classmethod
    def of(
        cls, classes: NDArray[np.int64], labels: NDArray[np.int64], num_classes: int
    ) -> Confusion:
        """Counts pairs of labels and predicted classes, of which -1 is none."""
        counts = np.zeros((num_classes, num_classes + 1), np.int64)
        np.add.at(counts, (labels, classes), 1)  # column -1 is the last one
        totals = counts.sum(axis=1)

        right = [counts[k, k] / total if total else None for k, total in enumerate(totals.tolist())]
        return cls(counts.tolist(), [None if each is None else float(each) for each in right])

    def lines(self, class_names: Sequence[str]) -> Iterator[str]:
        """Returns what the command prints: the matrix, or the pairs that are confused most."""
        counts = np.array(self.confusion)
        if len(counts) > _MAX_COLUMNS:
            yield from self._pairs(counts)
            return

        # Most networks leave no image without a class.
        unclassified = [-1] if counts[:, -1].any() else []
        columns = [*range(len(counts)), *unclassified]
        width = 1 + max(len(str(counts.max())), len(str(len(counts) - 1)))
        names = [str(k) for k in range(len(counts))] + ["?"] * len(unclassified)
        yield "label           predicted" + (" (?: no class)" if unclassified else "")
        yield f"{'':{_LABEL}}" + "".join(f"{name:>{width}}" for name in names) + "  right"
        for label, row in enumerate(counts):
            cells = "".join(f"{row[k] or '.':>{width}}" for k in columns)
            name = class_names[label]
            named = f"{label}" if name == str(label) else f"{label} {name}"
            yield f"{named[: _LABEL - 1]:<{_LABEL}}{cells}  {self._percent(label)}"

    def _pairs(self, counts: NDArray[np.int64]) -> Iterator[str]:
        """Returns lines of the worst classes, and of the pairs with most errors."""
        known = [k for k, right in enumerate(self.accuracy_per_class) if right is not None]
        worst = sorted(known, key=lambda k: self.accuracy_per_class[k] or 0.0)[:_MOST_CONFUSED]
        yield "worst classes   " + ", ".join(f"{k}: {self._percent(k)}" for k in worst)

        wrong = counts.copy()
        np.fill_diagonal(wrong, 0)
        order = np.argsort(-wrong, axis=None, kind="stable")[:_MOST_CONFUSED]
        pairs = [divmod(int(place), wrong.shape[1]) for place in order if wrong.flat[place]]
        yield "most confused   " + ", ".join(
            f"{label} as {'none' if found == len(counts) else found}: {wrong[label, found]}"
            for label, found in pairs
        )

    def _percent(self, label: int) -> str:
        right = self.accuracy_per_class[label]
        return "-" if right is None else f"{right:.1%}"
