"""The planner: prices, tries and ranks training runs on a chip."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count, islice, takewhile

import numpy as np

from isingprop.cli.qpu_commands.plan.chip_quality import Quality, measured_quality
from isingprop.cli.qpu_commands.plan.learning_curves import (
    CHECK_SEEDS,
    PAPER_RATE,
    REFERENCE_STATES,
    CurveMaker,
    Curves,
    reference_of,
)
from isingprop.cli.qpu_commands.plan.plan_search import (
    Choice,
    Expected,
    Levels,
    Plan,
    affordable,
    ranked,
)
from isingprop.cli.qpu_commands.plan.trials import Run, Trials
from isingprop.cli.run_settings import RunSettings
from isingprop.data.load import ImageSet
from isingprop.problem import IsingProblem
from isingprop.qpu.chip.limits import Limits
from isingprop.qpu.chip.working_graph import WorkingGraph
from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU
from isingprop.qpu.estimate import estimate
from isingprop.util.progress import Progress

# Numbers of epochs, states and copies that plans choose from.
_EPOCHS = (1, 2, 3, 4, 6, 8, 12, 16, 24)
_STATES = (1, 3, REFERENCE_STATES, 30)
_IMAGES_PER_COPY = (1, 2, 4)
_ANNEALING_TIMES = (5.0, 20.0, 100.0)  # us; DWave's own default is in the middle
_USUAL_TIME = 20.0
_FEWEST_IMAGES_PER_CLASS = 10
_SECONDS_PER_MINUTE = 60
_TEN_THOUSAND = 10_000
# Images of which states are compared with those of the chip: enough for two calls.
_MOST_COMPARED = 20
_FIRST_SWEEPS = 2  # of the training of the network that is compared


@dataclass(frozen=True)
class Report:
    """What the planner found."""

    plans: list[Plan]  #: the best first
    curves: Curves
    checked: Expected  #: the error of the best plan in trials with other seeds
    qualities: list[Quality]
    num_trials: int  #: training runs, also those of the check
    num_made: int  #: those that were not in the cache folder
    settings: RunSettings  #: of the best plan

    @property
    def seconds_left(self) -> float:
        """The QPU access time that the best plan leaves, in seconds."""
        assert self.settings.qpu_budget is not None
        return self.settings.qpu_budget - self.plans[0].seconds


class Planner:
    """Finds the best split of QPU access time for a network and images.

    Args:
        device: an emulation of the chip, for prices and the quality of reads.
        qubits_per_copy: qubits of each copy of the network that the chip holds, in their order.
        settings: settings of the run; what plans choose is replaced.
        images: all images that a run may use.
    """

    def __init__(
        self,
        device: EmulatedQPU,
        qubits_per_copy: Sequence[int],
        settings: RunSettings,
        images: ImageSet,
    ) -> None:
        """Makes the levels that plans choose from."""
        low, high = device.properties["annealing_time_range"]
        times = [time for time in _ANNEALING_TIMES if low <= time <= high]

        self._device = device
        self._qubits_per_copy = qubits_per_copy
        self._settings = settings
        self._images = images
        least = _FEWEST_IMAGES_PER_CLASS * images.num_classes
        self.levels = Levels(
            _fewer_and_fewer(len(images.train_images), least),
            _EPOCHS,
            tuple(len(qubits_per_copy) * each for each in _IMAGES_PER_COPY),
            _STATES,
            tuple(times) or (float(device.properties["default_annealing_time"]),),
        )
        self._trials = Trials(settings, images)
        self._reference = reference_of(self.levels, _USUAL_TIME)
        # Prices need no sums of couplings.
        self._limits = Limits.of(device.properties, WorkingGraph.of(device), np.empty(0, np.int64))

    def price(
        self, num_images: int, batch_size: int, num_states: int, annealing_time: float
    ) -> tuple[int, float]:
        """Returns the calls and the seconds of an epoch, as `DWave` would make them."""
        found = estimate(
            self._device.properties,
            self._qubits_per_copy,
            num_images=num_images,
            epochs=1,
            num_states=num_states,
            batch_size=batch_size,
            limits=self._limits,
            annealing_time=annealing_time,
        )
        return found.calls_per_epoch, found.seconds_per_epoch

    def plan(self, minutes: float, target: float | None = None) -> Report:
        """Returns the best plans within a budget, after trials that are kept.

        Args:
            minutes: QPU access time that a run may cost.
            target: None for the lowest expected error; an error for the cheapest plans that are
                expected to reach it.

        Raises:
            ValueError: for a budget below the cheapest plan, or a target below all that is
                expected.
        """
        budget = _SECONDS_PER_MINUTE * minutes
        priced = affordable(self.levels, self.price, budget)
        if not priced:
            raise ValueError(
                f"--minutes must be at least {self._least():g}, the price of one epoch of "
                f"{min(self.levels.num_images)} images, got {minutes:g}"
            )

        qubits = self._qubits_per_copy
        qualities = [
            measured_quality(self._device, qubits, self._problems, time)
            for time in self.levels.annealing_times
        ]
        sweeps = {each.annealing_time: each.num_sweeps for each in qualities}
        maker = CurveMaker(self._trials, self._reference, sweeps)
        lengths = {(each.choice.num_images, each.choice.epochs) for each in priced}
        with self._progress(maker.work(self.levels, lengths)):
            curves = maker.curves(self.levels, lengths, len(self._images.test_images))

        plans = ranked(priced, curves.expected, target)
        if not plans:
            best = ranked(priced, curves.expected)[0].expected
            raise ValueError(
                f"--target-error must be at least {_rounded_up(best.error):g} (standard "
                f"error {best.standard_error:.4f}), the lowest that is expected for "
                f"{minutes:g} min, got {target}"
            )

        choice = plans[0].choice
        rate = curves.rates[choice.batch_size]
        with self._progress(len(CHECK_SEEDS) * choice.num_images * choice.epochs):
            checked = maker.check(choice, rate, curves.num_test)
        return Report(
            plans,
            curves,
            checked,
            qualities,
            num_trials=self._trials.num_used,
            num_made=self._trials.num_made,
            settings=_settings_of(self._settings, choice, rate, budget),
        )

    def _least(self) -> float:
        """Returns the minutes that the cheapest plan costs."""
        every = affordable(replace(self.levels, epochs=(1,)), self.price, math.inf)
        seconds = min(each.seconds for each in every)
        return _rounded_up(seconds / _SECONDS_PER_MINUTE)

    @cached_property
    def _problems(self) -> list[IsingProblem]:
        """Problems of some images, for a network that is untrained, and after an epoch."""
        copies = self.levels.batch_sizes[0]
        compared = self._images.train_images[: min(2 * copies, _MOST_COMPARED)]
        run = Run(
            self._reference.num_images,
            1,
            copies,
            REFERENCE_STATES,
            PAPER_RATE * copies,
            _FIRST_SWEEPS,
        )

        untrained = self._trials.trainer(run, seed=0).network
        trained = self._trials.trained(run, seed=0).network
        return [network.shallow().problem(compared) for network in (untrained, trained)]

    @contextmanager
    def _progress(self, work: int) -> Iterator[None]:
        """Shows progress over `work` images times epochs."""
        with Progress(work) as progress:

            def done(number: int) -> None:
                progress.advance(number)
                progress.line("training on the CPU")

            self._trials.done = done
            yield


def _fewer_and_fewer(most: int, least: int) -> tuple[int, ...]:
    """Returns most, most / sqrt(2), most / 2, ... rounded, down to `least`; at least `most`."""
    numbers = (round(most * 2 ** (-k / 2)) for k in count())
    return most, *takewhile(lambda number: number >= least, islice(numbers, 1, None))


def _rounded_up(number: float) -> float:
    """Returns the next number with four decimals, so that what a message demands is enough."""
    return math.ceil(number * _TEN_THOUSAND) / _TEN_THOUSAND


def _settings_of(settings: RunSettings, choice: Choice, rate: float, budget: float) -> RunSettings:
    """Returns the settings of a run on the chip."""
    return replace(
        settings,
        num_train=choice.num_images,
        epochs=choice.epochs,
        batch_size=choice.batch_size,
        num_states=choice.num_states,
        qpu_annealing_time=choice.annealing_time,
        learning_rate=rate,
        qpu_budget=budget,
    )
