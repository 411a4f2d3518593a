"""How much of a planned run is rehearsed: images, epochs and states, from a time budget."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, cast

from isingprop.cli.run_settings import RunSettings
from isingprop.samplers.dry_run import DryRun, FirstRequest
from isingprop.samplers.dwave import DWave

if TYPE_CHECKING:
    from isingprop.data.load import ImageSet
    from isingprop.qpu.calls.call_data import PreparedCall
    from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU
    from isingprop.qpu.estimate import Estimate
    from isingprop.training.trainer import Trainer

_SECONDS = 15.0  # for all emulated calls; the rest of a minute is for all else
# Seconds of a call beside its anneal: for the client, the server and the files of the record.
_OVERHEAD = 0.2
# Fewer calls would leave too few for a stop, faults and a kill; more would show nothing else.
_MIN_CALLS, _MAX_CALLS = 12, 24
_MIN_EPOCHS = 2  # so that a run is resumed from a checkpoint
_MAX_IMAGES = 1000
_MAX_TEST_IMAGES = {True: 2, False: 100}  # whether they are sampled on the chip
_CALLS_OF_BUDGET = 2.5  # what the budget allows that stops the run


@dataclass(frozen=True)
class RehearsalPlan:
    """A small run with the settings of a planned one."""

    planned: RunSettings
    settings: RunSettings  #: of the small run
    calls: int  #: expected calls of the small run
    small_budget: float  #: seconds of QPU access time that stop the small run after its first calls
    #: Training images of the planned run, in all its epochs, over those of the small one; and the
    #: same of test images.
    times_training: float
    times_testing: float
    price: Estimate | None  #: of the planned run; None for more than one hidden layer


def make_plan(
    planned: RunSettings, images: ImageSet, trainer: Trainer, chip: EmulatedQPU, folder: Path
) -> RehearsalPlan:
    """Plans a run of as many images as a time budget allows.

    Args:
        planned: settings of the planned run, whose sampler is DWave.
        images: images of the planned run.
        trainer: trainer of the planned run, which is not to be used any more.
        chip: chip of the rehearsal.
        folder: an empty folder.

    Raises:
        ValueError: for settings that the chip does not take.
    """
    on_chip = {"solver": chip, "budget": None, "record": folder}
    sampler = DWave(**{**cast(DWave, trainer.sampler).get_params(), **on_chip})
    first = _first_request(trainer, images, planned.epochs, sampler)
    seconds = _OVERHEAD + _seconds_of(first, chip)

    # Reads are left out where even the min number of calls would take too long.
    share = min(1.0, _SECONDS / (_MIN_CALLS * seconds))
    num_states = max(1, int(share * planned.num_states))
    num_train, num_test = len(images.train_images), len(images.test_images)
    small_test = min(_MAX_TEST_IMAGES[_tests_on_chip(planned)], num_test)
    epoch = replace(planned, num_states=num_states, num_test=small_test, epochs=1)

    def price_of(num_images: int) -> list[Estimate]:
        settings = replace(epoch, num_train=num_images)
        return [_price(settings, sampler, shape) for shape in trainer.problem_shapes]

    def calls_of(num_images: int) -> int:
        return sum(price.calls for price in price_of(num_images))

    max_calls = min(max(int(_SECONDS / seconds), _MIN_CALLS), _MAX_CALLS)
    numbers = range(1, min(num_train, _MAX_IMAGES) + 1)
    small_train = max(bisect_right(numbers, max_calls // _MIN_EPOCHS, key=calls_of), 1)
    calls = calls_of(small_train)
    epochs = max(_MIN_EPOCHS, math.ceil(_MIN_CALLS / calls))

    cost = sum(price.seconds for price in price_of(small_train))
    average_from = planned.average_from and min(planned.average_from, epochs)
    whole = replace(planned, num_train=num_train, num_test=num_test)
    shallow = len(trainer.problem_shapes) == 1
    return RehearsalPlan(
        planned=planned,
        settings=replace(epoch, num_train=small_train, epochs=epochs, average_from=average_from),
        calls=epochs * calls,
        small_budget=_CALLS_OF_BUDGET * cost / calls,
        times_training=planned.epochs * num_train / (epochs * small_train),
        times_testing=planned.epochs * num_test / (epochs * small_test),
        price=_price(whole, sampler, trainer.problem_shapes[0]) if shallow else None,
    )


def _first_request(trainer: Trainer, images: ImageSet, epochs: int, sampler: DWave) -> PreparedCall:
    """Returns the first call of a run; nothing is sent."""
    trainer.replace_samplers(sampler=DryRun(sampler))
    try:
        trainer.train_epoch(images.train_images, images.train_labels, epochs)
    except FirstRequest as first:
        return first.programmed
    raise RuntimeError("a run on a chip must make a request, got none")


def _seconds_of(prepared: PreparedCall, chip: EmulatedQPU) -> float:
    """Returns the seconds in which a chip anneals a call, after its first call."""
    parameters = prepared.call.solver_parameters()
    chip.sample_ising(prepared.h, prepared.j, **{**parameters, "num_reads": 1})

    start = perf_counter()
    chip.sample_ising(prepared.h, prepared.j, **parameters)
    return perf_counter() - start


def _tests_on_chip(settings: RunSettings) -> bool:
    return settings.test_sampler in (None, settings.sampler)


def _price(settings: RunSettings, sampler: DWave, shape: tuple[int, int]) -> Estimate:
    """Returns the price of a run with so many images, as `isingprop qpu estimate` has it."""
    num_hidden, num_output = shape
    return sampler.estimate(
        num_images=settings.num_train or 1,
        epochs=settings.epochs,
        num_states=settings.num_states,
        batch_size=settings.batch_size,
        num_test=(settings.num_test or 0) if _tests_on_chip(settings) else 0,
        num_hidden=num_hidden,
        num_output=num_output,
    )
