"""One epoch of training: minibatch by minibatch, free phase, nudged phase and update."""

from __future__ import annotations

import math
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.network.base_network import Floats32, Network
from isingprop.network.bipartite import PARAMETERS
from isingprop.training.error_count import ErrorCount
from isingprop.training.evaluation import EpochRecord
from isingprop.training.learning_rule import update_in_place
from isingprop.training.minibatches import Minibatches
from isingprop.training.phases import Plan, phases_of
from isingprop.training.sampling_log import SamplingLog
from isingprop.training.trainer_options import FREE, TrainerOptions


def run_epoch(
    options: TrainerOptions,
    epoch: int,
    images: Floats32,
    labels: NDArray[np.int64],
    before: dict[str, Floats32],
    bar: Any | None,
) -> EpochRecord:
    """Trains a network for one epoch.

    Args:
        options: the network, and how to train it.
        epoch: its number, 1 for the first.
        images: (n, I), checked.
        labels: (n,), checked.
        before: copies of the parameters at the start of the epoch.
        bar: a tqdm progress bar over the images of all epochs, or None.

    Returns:
        The record of the epoch, without a test.
    """
    network, num_images = options.network, len(images)
    errors = ErrorCount(network, cycles=options.references is not None)
    log = SamplingLog(max_spins=options.max_spins, beta_effective=options.beta_effective)
    phases, rates = phases_of(network, _plan_of(options)), options.learning_rates.array()
    start = perf_counter()

    for pixels, batch in _minibatches(options, images, labels, epoch):
        free = phases.free(batch, log)
        for step in phases.steps(batch, free, log):
            update_in_place(
                network, pixels, step.free, step.nudged, rates, step.weights, step.layer
            )
        if errors.add(free, batch.labels) and bar is not None:
            _show(bar, epoch, errors, num_images)

    errors.count()
    if bar is not None:
        _show(bar, epoch, errors, num_images)

    seconds = perf_counter() - start
    return EpochRecord(
        epoch=epoch,
        train_error_reads=errors.reads,
        train_error_lowest=errors.lowest,
        test_accuracy=float("nan"),
        **_update_norms(network, before),
        seconds_updating=seconds - log.seconds,
        seconds_testing=0.0,
        seconds=seconds,
        wrong_cycles=errors.cycles,
        **log.numbers(),
    )


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
    options: TrainerOptions, images: Floats32, labels: NDArray[np.int64], epoch: int
) -> Minibatches:
    """Returns the minibatches of an epoch, in its random order."""
    num_references = None if options.references is None else options.num_states
    return Minibatches(
        options.network, images, labels, options.batch_size, num_references, options.seed, epoch
    )


def _update_norms(network: Network, before: dict[str, Floats32]) -> dict[str, Any]:
    """Returns the norm of the epoch's change for each kind of parameter, over all layers."""
    kinds, squares = network.kinds(), dict.fromkeys(PARAMETERS, 0.0)
    with np.errstate(over="ignore", invalid="ignore"):  # the trainer refuses what overflows
        for name, array in network.parameters().items():
            squares[kinds[name]] += float(np.square(array - before[name], dtype=np.float64).sum())

    return {f"update_norm_{kind}": math.sqrt(square) for kind, square in squares.items()}


def _show(bar: Any, epoch: int, errors: ErrorCount, num_images: int) -> None:
    """Moves the progress bar to where the counts are."""
    bar.set_postfix(error=f"{errors.lowest:.4f}", reads=f"{errors.reads:.4f}", refresh=False)
    bar.update((epoch - 1) * num_images + errors.num_images - bar.n)
