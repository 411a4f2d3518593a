"""The pairs of classes of the MLP paper, and its published figures for them.

Source: Training multilayer perceptrons by sampling with quantum annealers, arXiv:2303.12352,
Tables 1, 2 and 3.
"""

from __future__ import annotations

from typing import NamedTuple

from isingprop.paper.common.image_pairs import pair_name

# Methods of training, one for each column of the tables: backpropagation, Gibbs sampling, an
# annealer (in the paper Quantum-1), and exact gradients, which the paper does not have.
CLASSICAL_1, CLASSICAL_2, ANNEALER, EXACT = COLUMNS = (
    "classical-1",
    "classical-2",
    "annealer",
    "exact",
)

DIGIT_PAIRS = (
    (2, 3),
    (3, 9),
    (5, 7),
    (4, 8),
    (5, 6),
    (5, 9),
    (0, 6),
    (6, 8),
    (0, 1),
    (1, 3),
    (8, 9),
)
FASHION_PAIRS = ((2, 3), (3, 9), (5, 7), (5, 6), (4, 8))


class Published(NamedTuple):
    """The paper's figures for one pair and one method of training."""

    accuracy: float  #: Table 1, the mean of at least 3 successful trials
    steps: int | None  #: Table 2, updates to an accuracy of 70 %; None for "> 20"
    success: float  #: Table 3, the fraction of successful trials, of 3 to 16


# Each row holds the accuracies, the steps, and the rates of success in per cent; each of them for
# Classical-1, Classical-2 and Quantum-1.
_Row = tuple[
    tuple[float, float, float], tuple[int | None, int | None, int | None], tuple[int, int, int]
]
_TABLES: dict[tuple[str, tuple[int, int]], _Row] = {
    ("mnist", (2, 3)): ((0.8277, 0.7742, 0.8586), (8, 12, 7), (50, 40, 28)),
    ("mnist", (3, 9)): ((0.9024, 0.8619, 0.9050), (7, 13, 5), (80, 60, 50)),
    ("mnist", (5, 7)): ((0.8921, 0.8911, 0.8447), (12, 18, 10), (75, 75, 40)),
    ("mnist", (4, 8)): ((0.7536, 0.7720, 0.8247), (7, 9, 9), (100, 50, 50)),
    ("mnist", (5, 6)): ((0.7656, 0.7660, 0.7752), (15, 9, 9), (50, 100, 75)),
    ("mnist", (5, 9)): ((0.7628, 0.6937, 0.6740), (11, None, None), (60, 75, 50)),
    ("mnist", (0, 6)): ((0.8572, 0.8594, 0.8436), (12, 9, 5), (60, 100, 100)),
    ("mnist", (6, 8)): ((0.9237, 0.9254, 0.9346), (4, 5, 5), (100, 100, 75)),
    ("mnist", (0, 1)): ((0.9965, 0.9936, 0.9986), (8, 4, 4), (100, 100, 100)),
    ("mnist", (1, 3)): ((0.9652, 0.9288, 0.9288), (7, 10, 6), (100, 75, 100)),
    ("mnist", (8, 9)): ((0.7376, 0.6622, 0.7202), (12, 14, 8), (44, 40, 30)),
    ("fashion-mnist", (2, 3)): ((0.9136, 0.8909, 0.9116), (6, 14, 5), (20, 20, 29)),
    ("fashion-mnist", (3, 9)): ((0.9917, 0.9937, 0.9970), (4, 4, 6), (67, 50, 63)),
    ("fashion-mnist", (5, 7)): ((0.7047, 0.7142, 0.7046), (11, 10, 7), (33, 75, 50)),
    ("fashion-mnist", (5, 6)): ((0.9750, 0.9635, 0.9346), (7, 6, 5), (50, 63, 50)),
    ("fashion-mnist", (4, 8)): ((0.9158, 0.8000, 0.8997), (8, 15, 6), (60, 21, 38)),
}


class Pair(NamedTuple):
    """Two classes of a data set; the output of a network is 1 for the second of them."""

    data: str
    classes: tuple[int, int]

    @property
    def title(self) -> str:
        """The paper's name of the pair, such as 0-1 or Pullover-Dress."""
        return pair_name(self.data, self.classes)


def pairs_of(data: str) -> list[Pair]:
    """Returns the paper's pairs of a data set, in the order of its tables."""
    pairs = FASHION_PAIRS if data == "fashion-mnist" else DIGIT_PAIRS
    return [Pair(data, classes) for classes in pairs]


def published(pair: Pair) -> dict[str, Published]:
    """Returns the paper's figures for a pair by column, those of Quantum-1 for the annealer.

    It is empty if the paper does not have the pair.
    """
    if (pair.data, pair.classes) not in _TABLES:
        return {}
    rows = zip(*_TABLES[pair.data, pair.classes], strict=True)
    columns = (CLASSICAL_1, CLASSICAL_2, ANNEALER)
    return {
        column: Published(accuracy, steps, success / 100)
        for column, (accuracy, steps, success) in zip(columns, rows, strict=True)
    }
