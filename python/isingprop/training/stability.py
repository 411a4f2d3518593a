"""Stability of a training: whether its steps are so large that it learns nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from isingprop.training.evaluation import EpochRecord
from isingprop.training.trainer_options import TrainerOptions

# What is far beyond all trainings that were seen to learn, and far below all those that were not.
_EPOCHS = 3
_GROWTH = 10.0  # of the norm of all parameters in one epoch
_CHANGE = 0.25  # of all parameters in one epoch, over their norm
_LUCK = 3.0  # standard errors of a guess
_MAX_LUCK = 0.1  # of what a guess gets wrong; three standard errors of 20 images are too much


class Chance(NamedTuple):
    """The guess of the most frequent class for each of some images."""

    share: float  #: of the images that are of this class
    deviation: float  #: of the share, standard error

    @classmethod
    def of(cls, labels: NDArray[np.int64]) -> Chance:
        """Returns the guess for images with these labels."""
        share = float(np.bincount(labels).max()) / len(labels)
        return cls(share, math.sqrt(share * (1 - share) / len(labels)))

    @property
    def accuracy(self) -> float:
        """What such a guess reaches with some luck."""
        luck = min(_LUCK * self.deviation, _MAX_LUCK * (1 - self.share))
        return self.share + luck


def instability(
    options: TrainerOptions,
    records: Sequence[EpochRecord],
    before: Mapping[str, NDArray[Any]],
    train: Chance,
    test: Chance | None,
) -> str | None:
    """Returns what is wrong with a training after an epoch and what to do, or None.

    Steps that are larger than the network wipe out its random start, after which its hidden spins
    are all alike. There are three signs of it:

    - the norm of all parameters has grown tenfold in the epoch, and half of what chance gets wrong
      is wrong;
    - for three epochs no class was told from another, in training nor in the test, and one of the
      epochs so far has changed the parameters by a quarter of their norm;
    - for three epochs no update has changed a weight although states were wrong: steps are lost
      to rounding.

    All of it follows from the records and the parameters, so that a resumed run finds the same.

    Args:
        options: those of the trainer, whose network is as the epoch has left it.
        records: those of all epochs so far, with this one.
        before: the parameters at the start of this epoch.
        train: the guess for the training images.
        test: the guess for the test images; None without a test.
    """
    last, latest = records[-1], records[-_EPOCHS:]
    size, size_before = _norm(options.network.parameters()), _norm(before)
    error = f"with a training error of {last.train_error_lowest:.0%}"
    other = f"take another learning_rate than {options.learning_rates}"
    smaller = other.replace("another", "a smaller")

    if size > _GROWTH * size_before and last.train_error_lowest >= (1 - train.share) / 2:
        growth = size / size_before if size_before > 0 else math.inf
        return f"the parameters became {growth:.3g} times as large, {error}; {smaller}"
    if len(latest) < _EPOCHS:
        return None

    if all(_at_chance(each, options, train, test) for each in latest):
        moved = max(map(_update_norm, records))
        if moved > _CHANGE * size:
            return (
                f"no class was told from another for {_EPOCHS} epochs, {error}, and one epoch has "
                f"changed the parameters by {moved / size:.2g} of their size; {smaller}"
            )
    if _has_rates(options) and all(map(_is_stuck, latest)):
        return f"no update has changed a weight for {_EPOCHS} epochs, {error}; {other}"
    return None


def judged(
    options: TrainerOptions,
    history: Sequence[EpochRecord],
    record: EpochRecord,
    before: Mapping[str, NDArray[Any]],
    train: Chance,
    test: Chance | None = None,
) -> tuple[EpochRecord, str | None]:
    """Returns the record of an epoch with its column "unstable", and what `instability` found."""
    reason = instability(options, [*history, record], before, train, test)
    return replace(record, unstable=reason is not None), reason


def first_unstable(history: Sequence[EpochRecord]) -> int | None:
    """Returns the first epoch that was unstable, or None."""
    return next((record.epoch for record in history if record.unstable), None)


def _at_chance(
    record: EpochRecord, options: TrainerOptions, train: Chance, test: Chance | None
) -> bool:
    """Returns whether the errors of an epoch are no better than those of a guess."""
    if math.isnan(record.test_accuracy) or test is None:
        # A margin alone makes states wrong.
        return options.margin == 0 and 1 - record.train_error_lowest <= train.accuracy
    return record.test_accuracy <= test.accuracy and 1 - record.train_error_lowest <= train.accuracy


def _has_rates(options: TrainerOptions) -> bool:
    """Returns whether updates are to change all weights, as far as that is known."""
    rates = options.learning_rates
    return isinstance(options.schedule, str) and min(rates.input_weights, rates.couplings) > 0


def _is_stuck(record: EpochRecord) -> bool:
    """Returns whether no weight has changed in an epoch although there was an error."""
    changed = record.update_norm_input_weights > 0 or record.update_norm_couplings > 0
    return record.train_error_lowest > 0 and not changed


def _update_norm(record: EpochRecord) -> float:
    """Returns the norm of an epoch's change of all parameters."""
    return math.hypot(
        record.update_norm_input_weights,
        record.update_norm_couplings,
        record.update_norm_hidden_bias,
        record.update_norm_output_bias,
    )


def _norm(parameters: Mapping[str, NDArray[Any]]) -> float:
    """Returns the norm of all parameters."""
    square = 0.0
    for array in parameters.values():
        flat = array.ravel(order="K")
        with np.errstate(over="ignore"):  # squares beyond 1e38 are not float32
            part = float(np.vdot(flat, flat))
        square += part if math.isfinite(part) else float(np.square(flat, dtype=np.float64).sum())
    return math.sqrt(square)
