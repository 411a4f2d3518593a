"""One epoch of training: minibatch by minibatch, free phase, nudged phase, update; its test."""

from __future__ import annotations

import math
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from isingprop.network.base_network import Floats32, Network
from isingprop.network.bipartite import PARAMETERS
from isingprop.samplers.class_states import ClassStates
from isingprop.samplers.protocol import declared
from isingprop.training.error_count import ErrorCount
from isingprop.training.evaluation import EpochRecord, Evaluation, predict
from isingprop.training.minibatches import TEST, Minibatches, random_order
from isingprop.training.optimizer import Optimizer, rate_factor
from isingprop.training.phases import Plan, own_outputs_push, phases_of
from isingprop.training.sampling_log import SamplingLog
from isingprop.training.trainer_options import FREE, TrainerOptions
from isingprop.util.checks import Doubles, seed_for
from isingprop.util.progress import Progress

_PORTION_IMAGES = 1000  # between two moves of a progress bar


class Place(NamedTuple):
    """Where an epoch is in its run."""

    epoch: int  #: 1 for the first
    last: int

    def done(self, part: float) -> float:
        """Returns the part of the run that is done with a part of this epoch."""
        return (self.epoch - 1 + part) / self.last


def run_epoch(
    options: TrainerOptions,
    optimizer: Optimizer,
    place: Place,
    images: Floats32,
    labels: NDArray[np.int64],
    before: dict[str, Floats32],
    bar: Progress | None,
    weights: Doubles | None = None,
) -> EpochRecord:
    """Trains a network for one epoch.

    Args:
        options: the network, and how to train it.
        optimizer: moves the network.
        place: the number of the epoch.
        images: (n, I), checked.
        labels: (n,), checked.
        before: copies of the parameters at the start of the epoch.
        bar: over the images of all epochs, or None.
        weights: (n,), see `random_order`; None for equal ones.

    Returns:
        The record of the epoch, without a test.
    """
    learn = _class_epoch if is_class_epoch(options) else _sampled_epoch
    log = SamplingLog(max_spins=options.max_spins, beta_effective=options.beta_effective)
    start = perf_counter()
    errors = learn(options, optimizer, place, images, labels, bar, log, weights)

    seconds = perf_counter() - start
    return EpochRecord(
        epoch=place.epoch,
        train_error_reads=errors.reads,
        train_error_lowest=errors.lowest,
        test_accuracy=float("nan"),
        **_update_norms(options.network, before),
        seconds_updating=seconds - log.seconds,
        seconds_testing=0.0,
        seconds=seconds,
        wrong_cycles=errors.cycles,
        **log.numbers(),
    )


def test_model(
    options: TrainerOptions, model: Network, images: Floats32, labels: NDArray[np.int64]
) -> Evaluation:
    """Returns the accuracy of a model on checked images."""
    if isinstance(options.test_sampler, ClassStates):
        return Evaluation.of(model.shallow().predict(images), labels)

    classes = predict(
        model,
        options.test_sampler,
        images,
        num_reads=options.num_test_reads,
        seed=seed_for(options.seed, TEST, 0),
        active_layers=options.active_layers,
        max_spins=options.max_spins,
    )
    return Evaluation.of(classes, labels)


def _sampled_epoch(
    options: TrainerOptions,
    optimizer: Optimizer,
    place: Place,
    images: Floats32,
    labels: NDArray[np.int64],
    bar: Progress | None,
    log: SamplingLog,
    weights: Doubles | None,
) -> ErrorCount:
    """Trains an epoch, a minibatch at a time, and returns its errors."""
    network, num_images = options.network, len(images)
    errors = ErrorCount(network, cycles=options.references is not None)
    phases, averaged = phases_of(network, _plan_of(options)), _is_averaged(options, place)

    all_rates = _rates(options, place, num_images)
    minibatches = _minibatches(options, images, labels, place.epoch, weights)
    for rates, (pixels, batch) in zip(all_rates, minibatches, strict=True):
        free = phases.free(batch, log)
        for step in phases.steps(batch, free, log):
            optimizer.update(pixels, step, rates, averaged=averaged)
        optimizer.count_update(int(averaged))
        if errors.add(free, batch.labels) and bar is not None:
            _show(bar, place.epoch, errors, num_images)

    errors.count()
    if bar is not None:
        _show(bar, place.epoch, errors, num_images)
    return errors


def is_class_epoch(options: TrainerOptions) -> bool:
    """Returns whether an epoch compares lowest class states, which one call of a kernel does."""
    return (
        type(options.sampler) is ClassStates
        and options.num_states == 1
        and options.nudge is None
        and not options.beta_effective
    )


def _class_epoch(
    options: TrainerOptions,
    optimizer: Optimizer,
    place: Place,
    images: Floats32,
    labels: NDArray[np.int64],
    bar: Progress | None,
    log: SamplingLog,
    weights: Doubles | None,
) -> ErrorCount:
    """Does what _sampled_epoch does, to the same bits, in calls of one kernel.

    With a progress bar it is several calls, so that the bar can move.
    """
    network, num_images = options.network, len(images)
    size = min(options.batch_size, num_images)
    errors = ErrorCount(network)
    log.largest = sum(network.sizes)
    averaged, push = _is_averaged(options, place), own_outputs_push(options.margin, network)
    rates = _rates(options, place, num_images)
    order = random_order(options.seed, place.epoch, num_images, weights)
    portion = num_images if bar is None else size * max(1, _PORTION_IMAGES // size)

    for first in range(0, num_images, portion):
        part, minibatch = order[first : first + portion], first // size
        count = -(-len(part) // size)
        wrong = optimizer.learn_classes(
            images,
            labels,
            part,
            size,
            push,
            rates[minibatch : minibatch + count],
            averaged=averaged,
            num_threads=declared(options.sampler).num_threads,
        )
        errors.add_counts(wrong, len(part))
        if bar is not None:
            _show(bar, place.epoch, errors, num_images)
    return errors


def _is_averaged(options: TrainerOptions, place: Place) -> bool:
    return options.average_from is not None and place.epoch >= options.average_from


def _rates(options: TrainerOptions, place: Place, num_images: int) -> Floats32:
    """Returns the rates of all minibatches, (minibatches, 4)."""
    count = -(-num_images // options.batch_size)
    factors = [rate_factor(options.schedule, place.done(k / count)) for k in range(count)]
    return options.learning_rates.array() * np.array(factors, dtype=np.float32)[:, None]


def _plan_of(options: TrainerOptions) -> Plan:
    """Returns how to sample both phases."""
    return Plan(
        sampler=options.sampler,
        warm_sampler=options.warm_sampler,
        num_states=options.num_states,
        nudge=options.nudge,
        skip_correct=options.skip_correct,
        margin=options.margin,
        nudged_from_free=options.nudged_start == FREE,
        active_layers=options.active_layers,
    )


def _minibatches(
    options: TrainerOptions,
    images: Floats32,
    labels: NDArray[np.int64],
    epoch: int,
    weights: Doubles | None,
) -> Minibatches:
    """Returns the minibatches of an epoch, in its random order."""
    num_references = None if options.references is None else options.num_states
    return Minibatches(
        options.network,
        images,
        labels,
        options.batch_size,
        num_references,
        options.seed,
        epoch,
        weights,
    )


def _update_norms(network: Network, before: dict[str, Floats32]) -> dict[str, Any]:
    """Returns the norm of the epoch's change for each kind of parameter, over all layers."""
    kinds, squares = network.kinds(), dict.fromkeys(PARAMETERS, 0.0)
    with np.errstate(over="ignore", invalid="ignore"):  # the trainer refuses what overflows
        for name, array in network.parameters().items():
            squares[kinds[name]] += float(np.square(array - before[name], dtype=np.float64).sum())

    return {f"update_norm_{kind}": math.sqrt(square) for kind, square in squares.items()}


def _show(bar: Progress, epoch: int, errors: ErrorCount, num_images: int) -> None:
    """Moves the progress bar to where the counts are."""
    bar.note(f"error {errors.lowest:.2%}, reads {errors.reads:.2%}")
    bar.move_to((epoch - 1) * num_images + errors.num_images)
