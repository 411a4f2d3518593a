"""How much of a planned run is rehearsed: images, epochs and states, from a time budget."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from isingprop.cli.run_samplers import DWAVE_MODES
from isingprop.cli.run_settings import RunSettings
from isingprop.samplers.dry_run import DryRun, FirstRequest
from isingprop.samplers.dwave import DWave

if TYPE_CHECKING:
    from isingprop.data.load import ImageSet
    from isingprop.qpu.calls.call_data import PreparedCall
    from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU
    from isingprop.qpu.estimate import Estimate
    from isingprop.training.trainer import Trainer

_SECONDS = 20.0  # for all emulated calls; the rest of a minute is for all else
# Seconds of a call beside its anneal: for the client, the server and the files of the record.
_OVERHEAD = 0.2
# Fewer calls would leave too few for a stop, faults and a kill; more would show nothing else.
_MIN_CALLS, _MAX_CALLS = 12, 24
_MIN_EPOCHS = 2  # so that a run is resumed from a checkpoint
_MAX_IMAGES = 1000
_MAX_TEST_IMAGES_ON_CHIP, _MAX_TEST_IMAGES = 2, 100
_CALLS_OF_BUDGET = 2.5  # what the budget allows that stops the run


@dataclass(frozen=True)
class RehearsalPlan:
    """A small run with the settings of a planned one."""

    planned: RunSettings
    settings: RunSettings  #: of the small run
    calls: int  #: expected calls of the small run
    small_budget: float  #: seconds of QPU access time that stop the run after its first calls
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
        planned: settings of the planned run, whose sampler is a D-Wave chip.
        images: images of the planned run.
        trainer: trainer of the planned run, which is used up.
        chip: chip of the rehearsal.
        folder: a folder for the files of a sampler.

    Raises:
        ValueError: for settings that the chip does not take.
    """
    mode = DWAVE_MODES[planned.sampler]
    sampler = DWave(mode, scale=planned.qpu_scale, solver=chip, record=folder)
    first = _first_request(trainer, images, sampler)
    seconds = _OVERHEAD + _seconds_of(first, chip)

    share = min(1.0, _SECONDS / (_MIN_CALLS * seconds))
    most_on_chip = _MAX_TEST_IMAGES_ON_CHIP if _tests_on_chip(planned) else _MAX_TEST_IMAGES
    num_states = max(1, int(share * planned.num_states))
    num_test = min(most_on_chip, len(images.test_images))
    settings = replace(planned, num_states=num_states, num_test=num_test)
    shapes = trainer.problem_shapes

    def calls_of(num_images: int) -> int:
        plan = replace(settings, num_train=num_images, epochs=1)
        return sum(_price(plan, sampler, shape).calls for shape in shapes)

    max_calls = min(max(int(_SECONDS / seconds), _MIN_CALLS), _MAX_CALLS)
    most = min(len(images.train_images), _MAX_IMAGES)
    fitting = bisect_right(range(1, most + 1), max_calls // _MIN_EPOCHS, key=calls_of)
    num_train = max(fitting, 1)
    epochs = max(_MIN_EPOCHS, math.ceil(_MIN_CALLS / calls_of(num_train)))

    num_images = len(images.train_images), len(images.test_images)
    whole = replace(planned, num_train=num_images[0], num_test=num_images[1])
    average_from = settings.average_from and min(settings.average_from, epochs)
    return RehearsalPlan(
        planned=planned,
        settings=replace(settings, num_train=num_train, epochs=epochs, average_from=average_from),
        calls=epochs * calls_of(num_train),
        small_budget=_CALLS_OF_BUDGET * first.call.notes["estimated_seconds"],
        times_training=planned.epochs * num_images[0] / (epochs * num_train),
        times_testing=planned.epochs * num_images[1] / (epochs * num_test),
        price=_price(whole, sampler, shapes[0]) if len(shapes) == 1 else None,
    )


def _first_request(trainer: Trainer, images: ImageSet, sampler: DWave) -> PreparedCall:
    """Returns the first call of a run; nothing is sent."""
    trainer.sampler = DryRun(sampler)
    try:
        trainer.train_epoch(images.train_images, images.train_labels, 1)
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
