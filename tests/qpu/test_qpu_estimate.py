"""Tests of prices: the access time of a call, and of a run call by call."""

import numpy as np
import pytest
from dwave.cloud.solver import StructuredSolver
from dwave.cloud.testing.mocks import qpu_pegasus_solver_data, qpu_problem_timing_data

from isingprop.qpu import estimate as estimates
from isingprop.qpu.calls.call_parts import split
from isingprop.qpu.chip.reverse_schedules import reverse_schedule
from isingprop.qpu.estimate import access_time, estimate
from isingprop.training import evaluation as metrics

TIMING = qpu_problem_timing_data()

CHIP = {
    "chip_id": "chip",
    "problem_timing_data": TIMING,
    "annealing_time_range": [0.5, 2000.0],
    "max_anneal_schedule_points": 12,
}

# Another answer for each question: reverse annealing costs more, and readout is linear in the
# number of qubits.
OTHER = {
    "chip_id": "other",
    "problem_timing_data": {
        **TIMING,
        "readout_time_model": "pwl_linear",
        "readout_time_model_parameters": [0.0, 10000.0, 0.0, 10000.0],
        "typical_programming_time": 5000.0,
        "default_programming_thermalization": 1000.0,
        "qpu_delay_time_per_sample": 10.0,
        "reverse_annealing_with_reinit_prog_time_delta": 300.0,
        "reverse_annealing_with_reinit_delay_time_delta": 7.0,
    },
}


@pytest.mark.parametrize(
    ("reads", "reverse", "milliseconds"),
    [
        (1, False, 15.3),
        (20, False, 20.4),
        (100, False, 41.7),
        (1, True, 15.6),
        (9, True, 19.9),
        (20, True, 25.9),
    ],
)
def test_the_access_time_of_906_qubits_on_advantage(reads, reverse, milliseconds):
    time = 300.0 if reverse else None
    assert (
        round(1000 * access_time(CHIP, 906, reads, annealing_time=time, reverse=reverse), 1)
        == milliseconds
    )


def test_the_access_time_is_what_a_real_solver_says():
    data = qpu_pegasus_solver_data(2, problem_timing_data=TIMING)
    solver = StructuredSolver(client=None, data=data)
    schedule = reverse_schedule(100.0, 0.45, CHIP)
    for qubits, reads in ((1, 1), (906, 20), (5600, 1000)):
        theirs = solver.estimate_qpu_access_time(qubits, reads, annealing_time=50.0)
        assert access_time(solver.properties, qubits, reads, annealing_time=50.0) == theirs / 1e6
        theirs = solver.estimate_qpu_access_time(
            qubits, reads, anneal_schedule=schedule, initial_state=[1], reinitialize_state=True
        )
        assert (
            access_time(solver.properties, qubits, reads, anneal_schedule=schedule) == theirs / 1e6
        )


def test_the_access_time_counts_what_it_should():
    """Programming 6,000 us; per read: anneal, one us for each qubit, 10 us of delay."""
    assert access_time(OTHER, 50, 3) == pytest.approx((6000 + 3 * (20 + 50 + 10)) / 1e6)
    assert access_time(OTHER, 50, 3, annealing_time=40) == pytest.approx(
        (6000 + 3 * (40 + 50 + 10)) / 1e6
    )
    pause = [[0, 0], [5, 0.5], [35, 0.5], [40, 1]]
    assert access_time(OTHER, 50, 3, anneal_schedule=pause) == pytest.approx(
        (6000 + 3 * (40 + 50 + 10)) / 1e6
    )
    reverse = (6300 + 3 * (40 + 50 + 17)) / 1e6
    assert access_time(OTHER, 50, 3, annealing_time=40, reverse=True) == pytest.approx(reverse)
    assert access_time(
        OTHER, 50, 3, anneal_schedule=reverse_schedule(40, 0.5, CHIP)
    ) == pytest.approx(reverse)


@pytest.mark.parametrize(
    "timing",
    [
        None,
        {},
        {"version": "1.0.0"},
        {**TIMING, "version": "2.0.0"},
        {**TIMING, "readout_time_model": "cubic"},
    ],
)
def test_a_chip_without_timing_data_that_can_be_read_is_named(timing):
    with pytest.raises(
        ValueError, match=r"^solver chip must have timing data that dwave-cloud-client knows: ."
    ) as caught:
        access_time({"chip_id": "chip", "problem_timing_data": timing}, 906, 20)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_qubits": 0}, r"num_qubits must be at least 1, got 0"),
        ({"num_reads": 0}, r"num_reads must be at least 1, got 0"),
        ({"annealing_time": 0.0}, r"annealing_time must be finite and above 0, got 0\.0"),
        (
            {"annealing_time": 20.0, "anneal_schedule": [[0, 0], [20, 1]]},
            r"annealing_time must be None where there is an anneal_schedule, got 20",
        ),
        (
            {"reverse": True},
            r"annealing_time must be a number for reverse annealing without anneal_schedule, got "
            r"None",
        ),
    ],
)
def test_a_call_of_wrong_numbers_has_no_price(arguments, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        access_time(**{"properties": CHIP, "num_qubits": 906, "num_reads": 20, **arguments})


def by_hand(images, portion, tasks, reads, qubits, seconds):
    """(calls, seconds) of all images, a portion after the other."""
    calls, total = 0, 0.0
    for first in range(0, images, portion):
        size = min(portion, images - first)
        for part in split(size * tasks, reads, len(qubits)):
            calls += 1
            total += seconds(sum(qubits[: len(part.slots)]), part.reads)
    return calls, total


@pytest.mark.parametrize("seed", range(40))
def test_the_price_of_a_run_is_that_of_all_its_calls(seed):
    random = np.random.default_rng(seed)
    qubits = random.integers(100, 1000, size=random.integers(1, 8)).tolist()
    images, tests, batch = (
        int(random.integers(low, high)) for low, high in ((1, 200), (0, 2500), (1, 60))
    )
    states, test_reads, epochs, least_reads = (
        int(random.integers(1, high)) for high in (25, 12, 20, 15)
    )
    references = int(random.integers(2) * random.integers(1, 30))
    schedule = reverse_schedule(100.0, 0.4, CHIP) if random.integers(2) else None
    price = estimate(
        OTHER,
        qubits,
        num_images=images,
        epochs=epochs,
        num_states=states,
        batch_size=batch,
        num_test=tests,
        num_test_reads=test_reads,
        references=references,
        least_reads=least_reads,
        annealing_time=60.0,
        anneal_schedule=schedule,
    )

    def forward(qubits, reads):
        return access_time(OTHER, qubits, reads, annealing_time=60.0)

    def training(qubits, reads):
        if schedule is not None:
            return access_time(OTHER, qubits, reads, anneal_schedule=schedule)
        return access_time(OTHER, qubits, reads, annealing_time=60.0, reverse=references > 0)

    each, more = divmod(
        states, references or 1
    )  # references that come up once more than the others
    kinds = [(more, each + 1), (min(references or 1, states) - more if each else 0, each)]
    if (
        max(each, 1) < least_reads and each + 1 <= least_reads
    ):  # all read as often as the chip must: one kind
        kinds = [(sum(number for number, _ in kinds), least_reads)]

    def of_training(qubits):
        parts = [
            by_hand(images, batch, n, max(r, least_reads), qubits, training) for n, r in kinds if n
        ]
        return tuple(map(sum, zip(*parts, strict=True)))

    all_copies, one_copy = of_training(qubits), of_training(qubits[:1])
    test = by_hand(tests, 1000, 1, max(test_reads, least_reads), qubits, forward)
    assert (price.num_qubits, price.copies) == (sum(qubits), len(qubits))
    assert (price.calls_per_epoch, price.calls_per_epoch_one_copy) == (all_copies[0], one_copy[0])
    assert (price.test_calls_per_epoch, price.calls) == (
        test[0],
        epochs * (all_copies[0] + test[0]),
    )
    assert price.seconds_per_epoch == pytest.approx(all_copies[1], rel=1e-9)
    assert price.seconds_per_epoch_one_copy == pytest.approx(one_copy[1], rel=1e-9)
    assert price.test_seconds_per_epoch == pytest.approx(test[1], rel=1e-9)
    assert price.seconds == pytest.approx(epochs * (all_copies[1] + test[1]), rel=1e-9)


def test_nine_references_on_three_copies_are_three_calls_an_image():
    """The figures of one image: nine calls of one read, or three with three problems each."""
    price = estimate(
        CHIP, [906] * 3, num_images=1000, epochs=1, num_states=9, references=9, annealing_time=300.0
    )
    assert (price.calls_per_epoch, price.calls_per_epoch_one_copy) == (3000, 9000)
    assert round(price.seconds_per_epoch_one_copy) == round(9000 * 0.015615)
    assert price.seconds_per_epoch < 0.34 * price.seconds_per_epoch_one_copy


def test_test_images_go_through_in_the_portions_of_predict():
    assert metrics._PREDICT_IMAGES == estimates._TEST_PORTION


@pytest.mark.parametrize(
    "name",
    [
        "qubits_per_copy",
        "num_images",
        "epochs",
        "num_states",
        "batch_size",
        "num_test",
        "num_test_reads",
        "least_reads",
    ],
)
def test_a_run_of_wrong_numbers_has_no_price(name):
    good = {
        "properties": CHIP,
        "qubits_per_copy": [906],
        "num_images": 10,
        "epochs": 1,
        "num_states": 1,
    }
    least = 0 if name == "num_test" else 1
    wrong = [least - 1] if name == "qubits_per_copy" else least - 1
    with pytest.raises(ValueError, match=f"^{name} must be at least {least}, got {least - 1}$"):
        estimate(**{**good, name: wrong})


def test_no_copies_have_no_price():
    with pytest.raises(ValueError, match=r"^qubits_per_copy must not be empty, got no copy$"):
        estimate(CHIP, [], num_images=10, epochs=1, num_states=1)
