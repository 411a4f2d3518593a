"""The cost of a planned run on a chip: number of calls, and seconds of access to the chip."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from isingprop.qpu.calls.call_parts import split
from isingprop.qpu.chip.limits import Limits
from isingprop.qpu.chip.schedules import MICROSECONDS_PER_SECOND, Schedule, solver_name
from isingprop.util.checks import real_number, whole_number

# Test images that are sampled together; must equal the portion in which evaluation samples them.
_TEST_PORTION = 1000


@dataclass(frozen=True)
class Estimate:
    """Calls and QPU access time, in seconds, of a planned run.

    An epoch is its training; each epoch is followed by a test. D-Wave charges for the access time.
    """

    num_qubits: int  #: qubits of a call that uses all copies
    copies: int  #: copies of the network on the chip
    calls_per_epoch: int
    seconds_per_epoch: float
    calls_per_epoch_one_copy: int  #: calls if the chip held the network once
    seconds_per_epoch_one_copy: float
    test_calls_per_epoch: int
    test_seconds_per_epoch: float
    calls: int  #: calls of the run, training and tests
    seconds: float  #: seconds of the run, training and tests


def access_time(
    properties: Mapping[str, Any],
    num_qubits: int,
    num_reads: int,
    *,
    annealing_time: float | None = None,
    anneal_schedule: Schedule | None = None,
    reverse: bool = False,
    reinitialize_state: bool = True,
) -> float:
    """Returns the QPU access time of one call, in seconds.

    D-Wave's own formula is applied to the chip's own timing data.

    Args:
        properties: solver properties of the chip.
        num_qubits: number of qubits that are read out.
        num_reads: at least 1.
        annealing_time: us; None takes the chip's default where there is no schedule either.
        anneal_schedule: a schedule in place of annealing_time.
        reverse: whether reads start from a given state, which is true of every schedule that starts
            at s = 1.
        reinitialize_state: whether each of these reads does, which is what a chip does if it is not
            told otherwise; D-Wave's library takes False.

    Raises:
        ValueError: for a chip without timing data, or with data unknown to D-Wave's library.

    Example:
        >>> from dwave.cloud.testing.mocks import qpu_problem_timing_data
        >>> advantage = {"problem_timing_data": qpu_problem_timing_data()}
        >>> round(1000 * access_time(advantage, num_qubits=906, num_reads=20), 1)
        20.4
    """
    num_qubits = whole_number("num_qubits", num_qubits, least=1)
    num_reads = whole_number("num_reads", num_reads, least=1)
    if annealing_time is not None:
        annealing_time = real_number("annealing_time", annealing_time, above=0.0)
        if anneal_schedule is not None:
            raise ValueError(
                "annealing_time must be None where there is an anneal_schedule, "
                f"got {annealing_time:g}"
            )
        if reverse:  # the library recognises it by the first point of a schedule
            anneal_schedule = [[0.0, 1.0], [annealing_time, 1.0]]
            annealing_time = None
    elif reverse and anneal_schedule is None:
        raise ValueError(
            "annealing_time must be a number for reverse annealing without anneal_schedule, "
            "got None"
        )

    from dwave.cloud.solver import StructuredSolver

    try:
        microseconds = StructuredSolver.estimate_qpu_access_time(
            SimpleNamespace(properties=properties),
            num_qubits,
            num_reads,
            annealing_time=annealing_time,
            anneal_schedule=anneal_schedule,
            initial_state=[True],  # the library only checks that there is one
            reinitialize_state=reinitialize_state,
        )
    except (KeyError, ValueError) as error:
        name, what = solver_name(properties), error.args[0]
        raise ValueError(
            f"solver {name} must have timing data that dwave-cloud-client knows: {what}"
        ) from None
    return float(microseconds) / MICROSECONDS_PER_SECOND


def estimate(
    properties: Mapping[str, Any],
    qubits_per_copy: Sequence[int],
    *,
    num_images: int,
    epochs: int,
    num_states: int,
    batch_size: int = 1,
    num_test: int = 0,
    num_test_reads: int = 10,
    references: int = 0,
    least_reads: int = 1,
    limits: Limits | None = None,
    annealing_time: float | None = None,
    anneal_schedule: Schedule | None = None,
    reinitialize_state: bool = True,
    num_reversals: int = 1,
) -> Estimate:
    """Returns the cost of training on a chip that holds some copies of the network.

    Args:
        properties: solver properties of the chip.
        qubits_per_copy: number of qubits of each copy, in the order in which copies are used.
        num_images: number of training images.
        epochs: number of passes over them.
        num_states: m, reads of each image.
        batch_size: images per update.
        num_test: images of the test after each epoch.
        num_test_reads: reads of each test image, all annealed forward.
        references: number of different start states of an image's reads, each of which is a task of
            its own; 0: reads have no start states.
        least_reads: min number of reads that the chip makes of each task.
        limits: limits of the chip, by which reads are split over calls; None: there are none.
        annealing_time: us, of forward anneals, and of all anneals without anneal_schedule; None
            takes the chip's default.
        anneal_schedule: schedule of the training.
        reinitialize_state: whether each read from a start state starts from it.
        num_reversals: number of calls over which the reads of each task are shared out at least.

    Raises:
        ValueError: for a number that is too small, no copies, or a chip without timing data.

    Example:
        >>> from dwave.cloud.testing.mocks import qpu_problem_timing_data
        >>> advantage = {"problem_timing_data": qpu_problem_timing_data()}
        >>> price = estimate(advantage, [906, 906], num_images=1000, epochs=5, num_states=20)
        >>> price.calls, round(price.seconds), round(5 * price.seconds_per_epoch_one_copy)
        (5000, 89, 102)
    """
    if not qubits_per_copy:
        raise ValueError("qubits_per_copy must not be empty, got no copy")
    qubits = [whole_number("qubits_per_copy", number, least=1) for number in qubits_per_copy]
    num_images = whole_number("num_images", num_images, least=1)
    epochs = whole_number("epochs", epochs, least=1)
    num_states = whole_number("num_states", num_states, least=1)
    batch_size = whole_number("batch_size", batch_size, least=1)
    num_test = whole_number("num_test", num_test, least=0)
    num_test_reads = whole_number("num_test_reads", num_test_reads, least=1)
    references = whole_number("references", references, least=0)
    least_reads = whole_number("least_reads", least_reads, least=1)

    # Reads of each task of an image: its reads in turn belong to the references.
    reads = np.bincount(np.arange(num_states) % max(references, 1))
    training = _Plan(num_images, batch_size, Counter(np.maximum(reads, least_reads).tolist()))
    test = _Plan(num_test, _TEST_PORTION, Counter([max(num_test_reads, least_reads)]))

    forward = partial(access_time, properties, annealing_time=annealing_time)
    training_time = forward
    if anneal_schedule is not None:
        training_time = partial(access_time, properties, anneal_schedule=anneal_schedule)
    elif references:
        training_time = partial(forward, reverse=True)
    training_time = partial(training_time, reinitialize_state=reinitialize_state)

    calls, seconds = _cost(training, qubits, training_time, limits, num_reversals)
    calls_one, seconds_one = _cost(training, qubits[:1], training_time, limits, num_reversals)
    test_calls, test_seconds = _cost(test, qubits, forward, limits, num_reversals)
    return Estimate(
        num_qubits=sum(qubits),
        copies=len(qubits),
        calls_per_epoch=calls,
        seconds_per_epoch=seconds,
        calls_per_epoch_one_copy=calls_one,
        seconds_per_epoch_one_copy=seconds_one,
        test_calls_per_epoch=test_calls,
        test_seconds_per_epoch=test_seconds,
        calls=epochs * (calls + test_calls),
        seconds=epochs * (seconds + test_seconds),
    )


class _Plan(NamedTuple):
    """One pass over images, whose tasks with equally many reads share calls within a portion."""

    num_images: int
    portion: int  #: images that are sampled together
    tasks: Counter[int]  #: number of tasks of each image, by their number of reads


def _cost(
    plan: _Plan,
    qubits: Sequence[int],
    seconds: Callable[[int, int], float],
    limits: Limits | None,
    num_reversals: int,
) -> tuple[int, float]:
    """Returns the number of calls of a pass and their seconds, from those of (qubits, reads)."""
    times = [partial(seconds, sum(qubits[:used])) for used in range(len(qubits) + 1)]
    bounds = None if limits is None else lambda used: limits.reads_range(times[used])

    calls: Counter[tuple[int, int]] = Counter()  # by (copies in use, reads)
    whole, rest = divmod(plan.num_images, plan.portion)
    for size, repeats in ((plan.portion, whole), (rest, 1)):
        if size and repeats:
            for reads, number in plan.tasks.items():
                share = -(-reads // num_reversals)
                for part in split(size * number, reads, len(qubits), bounds, share):
                    calls[len(part.slots), part.reads] += repeats

    return calls.total(), sum(
        repeats * times[used](reads) for (used, reads), repeats in calls.items()
    )
