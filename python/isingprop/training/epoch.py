"""One epoch of training: minibatch by minibatch, free phase, nudged phase and update."""

from __future__ import annotations

import math
from time import perf_counter
from typing import TYPE_CHECKING, Any

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
from isingprop.training.trainer_options import FREE

if TYPE_CHECKING:
    from isingprop.training.trainer import Trainer


def run_epoch(
    trainer: Trainer,
    images: Floats32,
    labels: NDArray[np.int64],
    before: dict[str, Floats32],
    bar: Any | None,
) -> EpochRecord:
    """Trains the network of a trainer for one epoch.

    Args:
        trainer: has the network, the arguments, and the history that tells the epoch's number.
        images: (n, I), checked.
        labels: (n,), checked.
        before: copies of the parameters at the start of the epoch.
        bar: a tqdm progress bar over the images of all epochs, or None.

    Returns:
        The record of the epoch, without a test.
    """
    network, epoch, num_images = trainer.network, len(trainer.history) + 1, len(images)
    errors = ErrorCount(network, cycles=trainer.references is not None)
    log = SamplingLog(max_spins=trainer.max_spins, beta_effective=trainer.beta_effective)
    phases, rates = phases_of(network, _plan_of(trainer)), trainer.learning_rates.array()
    start = perf_counter()

    for pixels, batch in _minibatches(trainer, images, labels, epoch):
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


def _plan_of(trainer: Trainer) -> Plan:
    """Returns how to sample both phases."""
    return Plan(
        sampler=trainer.sampler,
        warm_sampler=trainer.warm_sampler,
        num_states=trainer.num_states,
        nudge=trainer.nudge,
        skip_correct=trainer.skip_correct,
        margin=trainer.margin,
        nudged_from_free=trainer.nudged_start == FREE,
        active_layers=trainer.active_layers,
    )


def _minibatches(
    trainer: Trainer, images: Floats32, labels: NDArray[np.int64], epoch: int
) -> Minibatches:
    """Returns the minibatches of an epoch, in its random order."""
    num_references = None if trainer.references is None else trainer.num_states
    return Minibatches(
        trainer.network, images, labels, trainer.batch_size, num_references, trainer.seed, epoch
    )


def _update_norms(network: Network, before: dict[str, Floats32]) -> dict[str, Any]:
    """Returns the norm of the epoch's change for each kind of parameter, over all layers."""
    kinds, squares = network.kinds(), dict.fromkeys(PARAMETERS, 0.0)
    for name, array in network.parameters().items():
        squares[kinds[name]] += float(np.square(array - before[name], dtype=np.float64).sum())

    return {f"update_norm_{kind}": math.sqrt(square) for kind, square in squares.items()}


def _show(bar: Any, epoch: int, errors: ErrorCount, num_images: int) -> None:
    """Moves the progress bar to where the counts are."""
    bar.set_postfix(error=f"{errors.lowest:.4f}", reads=f"{errors.reads:.4f}", refresh=False)
    bar.update((epoch - 1) * num_images + errors.num_images - bar.n)
