"""Learning curves: test errors of trials, and what is expected of a choice from them.

Not every choice is tried. One reference run is varied in one thing at a time:

    error(choice) = error(images, epochs) * r(batch) * r(reads) * r(time),
    r(x) = error of the reference run with x in place of its own / error of the reference run

error(images, epochs) is measured for each pair that the budget pays for, and never interpolated.
That the three ratios hold for runs of other lengths, too, and may be multiplied, is an assumption;
the trial of the plan itself, with other seeds, shows where it fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isingprop.cli.qpu_commands.plan.plan_search import Choice, Expected, Levels
from isingprop.cli.qpu_commands.plan.trials import Run, Trials
from isingprop.util.checks import Doubles

SEEDS = (0, 1, 2, 3)  #: of the trials from which a plan is chosen
CHECK_SEEDS = (4, 5, 6, 7)  #: of the trials of the chosen plan
REFERENCE_EPOCHS = 3
REFERENCE_STATES = 10
_REFERENCE_IMAGES = 1000  # at most
PAPER_RATE = 0.001  #: for one image per update
# Learning rates that are tried, over PAPER_RATE * (images per update).
_RATE_FACTORS = (0.25, 0.5, 1.0, 2.0)


@dataclass(frozen=True)
class Curves:
    """Test errors of trials, (S,) over the same seeds each."""

    reference: Choice
    num_test: int  #: number of test images
    rates: Mapping[int, float]  #: best learning rate by batch size
    lengths: Mapping[tuple[int, int], Doubles]  #: by images and epochs
    batch_sizes: Mapping[int, Doubles]  #: of the reference run, each at its best learning rate
    num_states: Mapping[int, Doubles]  #: of the reference run
    annealing_times: Mapping[float, Doubles]  #: of the reference run, by time in us

    def expected(self, choice: Choice) -> Expected:
        """Returns the expected error of a choice, whose values were all tried."""
        base = self.lengths[choice.num_images, choice.epochs]
        error, relative_variance = float(base.mean()), 0.0
        for name in ("batch_sizes", "num_states", "annealing_times"):
            errors, index = getattr(self, name), _CHOICE_OF[name]
            ratio, variance = self._ratio(errors[choice[index]], errors[self.reference[index]])
            error *= ratio
            relative_variance += variance

        error = min(error, 1.0)
        variance = _variance(base) + relative_variance * error**2
        return Expected(error, float(np.sqrt(variance + error * (1 - error) / self.num_test)))

    def _ratio(self, errors: Doubles, reference: Doubles) -> tuple[float, float]:
        """Returns mean(errors) / mean(reference) and its relative variance, from paired seeds."""
        half_an_image = 0.5 / (self.num_test * len(errors))  # no error is known to be 0
        mean, other = errors.mean() + half_an_image, reference.mean() + half_an_image
        return float(mean / other), _variance(errors / mean - reference / other)


_CHOICE_OF = {
    "batch_sizes": Choice._fields.index("batch_size"),
    "num_states": Choice._fields.index("num_states"),
    "annealing_times": Choice._fields.index("annealing_time"),
}


def reference_of(levels: Levels, usual_time: float) -> Choice:
    """Returns the run that is varied: the same one for every budget.

    Args:
        levels: the values that a plan may choose from.
        usual_time: time of a read in us; the nearest of the levels is taken.
    """
    few_enough = [each for each in levels.num_images if each <= _REFERENCE_IMAGES]
    return Choice(
        max(few_enough, default=min(levels.num_images)),
        REFERENCE_EPOCHS,
        levels.batch_sizes[0],
        REFERENCE_STATES,
        min(levels.annealing_times, key=lambda time: abs(np.log(time / usual_time))),
    )


class CurveMaker:
    """Makes the trials that learning curves are made of.

    Args:
        trials: the training runs.
        reference: the run that is varied.
        sweeps: by annealing time in us, the sweeps on the CPU that stand in for it.
    """

    def __init__(self, trials: Trials, reference: Choice, sweeps: Mapping[float, int]) -> None:
        """Takes the arguments; nothing is trained."""
        self._trials = trials
        self._reference = reference
        self._sweeps = sweeps

    def work(self, levels: Levels, lengths: Iterable[tuple[int, int]]) -> int:
        """Returns the images times epochs of all trials of `curves`."""
        reference = self._reference.num_images * self._reference.epochs
        variations = len(levels.batch_sizes) * len(_RATE_FACTORS)
        variations += len(levels.num_states) + len(levels.annealing_times)
        total = variations * reference + sum(images * epochs for images, epochs in lengths)
        return len(SEEDS) * total

    def curves(self, levels: Levels, lengths: Iterable[tuple[int, int]], num_test: int) -> Curves:
        """Tries the reference run, its variations, and runs of other lengths.

        Args:
            levels: the values that a plan may choose from.
            lengths: the pairs of images and epochs that a plan may choose from.
            num_test: number of test images.
        """
        reference, rates, batch_sizes = self._reference, {}, {}
        for batch_size in levels.batch_sizes:
            choice = reference._replace(batch_size=batch_size)
            tried = {
                rate: self.errors(choice, rate)
                for rate in (PAPER_RATE * batch_size * factor for factor in _RATE_FACTORS)
            }
            rates[batch_size] = min(tried, key=lambda rate: float(tried[rate].mean()))
            batch_sizes[batch_size] = tried[rates[batch_size]]

        rate = rates[reference.batch_size]
        return Curves(
            reference,
            num_test,
            rates,
            batch_sizes=batch_sizes,
            num_states={
                number: self.errors(reference._replace(num_states=number), rate)
                for number in levels.num_states
            },
            annealing_times={
                time: self.errors(reference._replace(annealing_time=time), rate)
                for time in levels.annealing_times
            },
            lengths={
                (images, epochs): self.errors(
                    reference._replace(num_images=images, epochs=epochs), rate
                )
                for images, epochs in sorted(lengths)
            },
        )

    def check(self, choice: Choice, rate: float, num_test: int) -> Expected:
        """Returns the error of a choice itself, from trials with other seeds."""
        errors = self.errors(choice, rate, CHECK_SEEDS)
        error = float(errors.mean())
        return Expected(error, float(np.sqrt(_variance(errors) + error * (1 - error) / num_test)))

    def run(self, choice: Choice, rate: float) -> Run:
        """Returns the trial of a choice."""
        return Run(
            choice.num_images,
            choice.epochs,
            choice.batch_size,
            choice.num_states,
            rate,
            self._sweeps[choice.annealing_time],
        )

    def errors(
        self, choice: Choice, rate: float, seeds: tuple[int, ...] = SEEDS
    ) -> NDArray[np.float64]:
        """Returns the test errors of a choice, one for each seed."""
        run = self.run(choice, rate)
        return np.array([self._trials.error(run, seed) for seed in seeds])


def _variance(values: Doubles) -> float:
    """Returns the variance of the mean of some values."""
    return float(values.var(ddof=1) / len(values))
