"""The D-Wave sampler on emulated chips: which requests are paid for, and how problems share
calls.
"""

import itertools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import isingprop as ip
from helpers import tolerances
from helpers.dwave.dwave_cases import (
    COLD,
    CountedQPU,
    H,
    O,
    calls_of,
    contents,
    starts_for,
    with_arrays,
)
from helpers.dwave.ocean import keeping_sampler
from helpers.dwave.rehearsal import small_network, two_classes
from isingprop.qpu.calls.tasks import tasks_of
from isingprop.qpu.settings import FROM_STARTS, MODES

# What is paid for


@pytest.mark.parametrize("mode", MODES)
def test_the_same_request_is_paid_for_once(make, problem, mode):
    qpu = make(mode)
    starts = None if mode not in FROM_STARTS else starts_for(problem, 3)
    first = qpu.sample(problem, num_reads=3, seed=1, initial=starts)
    paid, before = calls_of(qpu), contents(qpu.record)
    again = qpu.sample(problem, num_reads=3, seed=1, initial=starts)
    qpu.close()
    other = make(mode)  # as in a process of its own
    anew = other.sample(problem, num_reads=3, seed=1, initial=starts)
    assert calls_of(qpu) == paid > 0
    assert calls_of(other) == 0
    assert contents(qpu.record) == before
    assert tolerances.same_bits(first.spins, again.spins, anew.spins)
    assert tolerances.same_bits(first.energies, again.energies, anew.energies)
    assert first.info == again.info == anew.info
    assert other.qpu_seconds == pytest.approx(first.info["qpu_seconds"])


CHANGES = {
    "seed": lambda problem, asked: (problem, asked | {"seed": 2}),
    "reads": lambda problem, asked: (problem, asked | {"num_reads": 4}),
    "stream": lambda problem, asked: (with_arrays(problem, streams=problem.streams + 1), asked),
    "hidden field": lambda problem, asked: (
        with_arrays(problem, hidden_fields=problem.hidden_fields * 1.001),
        asked,
    ),
    "output field": lambda problem, asked: (
        with_arrays(problem, output_fields=problem.output_fields * 1.001),
        asked,
    ),
    "coupling": lambda problem, asked: (
        with_arrays(problem, couplings=problem.couplings * 1.001),
        asked,
    ),
    "start state": lambda problem, asked: (problem, asked | {"initial": -asked["initial"]}),
    "no start state": lambda problem, asked: (problem, asked | {"initial": None}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_another_request_is_a_new_call(make, problem, change):
    qpu, asked = make("reverse"), {"num_reads": 3, "seed": 1, "initial": starts_for(problem[:1])}
    qpu.sample(problem[:1], **asked)
    assert calls_of(qpu) == 1
    changed, asked = CHANGES[change](problem[:1], asked)
    qpu.sample(changed, **asked)
    assert calls_of(qpu) == 2


def test_without_a_seed_each_request_is_new(make, problem):
    qpu = make()
    seeds = {qpu.sample(problem[:1]).info["seed"] for _ in range(3)}
    assert (calls_of(qpu), len(seeds)) == (3, 3)


OTHER_SETTINGS = {
    "mode": "cyclic",
    "num_reads": 10,
    "annealing_time": 30.0,
    "chain_strength": 1.0,
    "scale": 1.0,
    "s_target": 0.5,
    "bias": 0.5,
    "spin_reversal": True,
    "descend": False,
}


@pytest.mark.parametrize("name", OTHER_SETTINGS)
def test_settings_are_part_of_a_requests_name_and_of_a_folders(make, problem, name):
    plain, other = make("reverse"), make(**{"mode": "reverse", name: OTHER_SETTINGS[name]})
    assert set(OTHER_SETTINGS) | {"name", "device"} == set(plain.settings())
    assert plain.settings() != other.settings()
    names = [
        tasks_of(problem[:1], 3, 1, None, each.settings())[0].request for each in (plain, other)
    ]
    assert names[0] != names[1]
    plain.sample(problem[:1], seed=1)
    with pytest.raises(ValueError, match="must hold answers of"):
        other.sample(problem[:1], seed=1)
    assert calls_of(other) == 0


def test_copies_and_budget_are_not(make, problem):
    plain = make()
    states = plain.sample(problem, num_reads=3, seed=1)
    plain.close()
    for other in (make(num_copies=1), make(budget=0.0)):
        assert other.settings() == plain.settings()
        assert tolerances.same_bits(other.sample(problem, num_reads=3, seed=1).spins, states.spins)
        assert calls_of(other) == 0
        other.close()


def test_answers_of_a_stand_in_are_never_taken_for_those_of_another_device(make, problem):
    """A script is rehearsed first, and then spends, with one line changed and the same seed."""
    rehearsed = make()
    rehearsed.sample(problem[:1], seed=1)
    hotter = make(solver=CountedQPU(beta=2.0))
    chip = ip.DWave(record=rehearsed.record, solver=keeping_sampler("zephyr", 1))
    assert chip.settings()["device"] == ip.DWave("forward").settings()["device"] == "qpu"
    for other in (hotter, chip, make(solver=CountedQPU("pegasus", 3))):
        with pytest.raises(ValueError, match="must hold answers of"):
            other.sample(problem[:1], seed=1)
    defaults = [ip.DWave(solver=each).record for each in (None, CountedQPU(), CountedQPU(beta=2.0))]
    assert len(set(defaults)) == 3


def test_reads_from_one_start_state_share_a_run_of_the_chip(make):
    """Twelve reads from five start states: two states three times and three twice, without a read
    too many.
    """
    pairs = ip.IsingProblem(
        -5 * np.eye(4, 3), [[0.0, 0.0, 0.0, -5.0]], [[0.0, 0.0, 0.0]]
    )  # states of aligned pairs stay
    aligned = np.array(
        [[*pair, 1, *pair] for pair in itertools.product([1, -1], repeat=3)], dtype=np.int8
    )
    starts = aligned[[0, 3, 5, 6, 7]][np.arange(12) % 5][None]
    qpu = make(
        "reverse",
        solver=CountedQPU(beta=COLD),
        s_target=0.9,
        num_copies=1,
        chain_strength=5.0,
        scale=0.2,
    )
    states = qpu.sample(pairs, 12, seed=1, initial=starts)
    assert sorted(asked["num_reads"] for asked in qpu.device.asked) == [2, 2, 2, 3, 3]
    assert tolerances.same_bits(states.spins, starts)


def test_a_folder_stays_where_it_is_when_the_working_directory_changes(
    make, problem, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    qpu = make(folder=Path("here"))
    assert qpu.record.is_absolute()
    qpu.sample(problem[:1], seed=1)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    qpu.sample(problem[:1], seed=1)
    assert calls_of(qpu) == 1


def test_threads_that_ask_for_the_same_pay_once(make, problem):
    qpu = make()
    with ThreadPoolExecutor(4) as threads:
        states = list(threads.map(lambda _: qpu.sample(problem, 2, seed=1), range(4)))
    assert calls_of(qpu) == -(-len(problem) // len(qpu.copies(H, O)))
    assert all(tolerances.same_bits(each.spins, states[0].spins) for each in states)


def test_beta_effective_is_of_all_reads_of_the_chip_and_not_of_the_lowest(make, problem):
    few = make(num_reads=None).sample(problem, 300, seed=1).info["beta_effective"]
    many = make(num_reads=300, folder="many").sample(problem, 3, seed=1).info["beta_effective"]
    assert many == pytest.approx(few, rel=0.2)


def test_a_chain_strength_beyond_the_chip_is_refused_with_what_it_can_do(make, problem):
    with pytest.raises(
        ValueError,
        match=r"^chain_strength must be at most 0.5 on a chip with couplings down to -2 ",
    ):
        make(chain_strength=0.6, scale=4.0).sample(problem, seed=1)
    assert (
        make(chain_strength=0.5, scale=4.0, folder="most")
        .sample(problem, seed=1)
        .info["calls"][0]["chain_strength"]
        == 0.5
    )


def test_a_chip_without_a_parameter_of_the_mode_is_refused(make, problem):
    device = CountedQPU()
    del device.parameters["initial_state"]
    with pytest.raises(
        ValueError, match=r"^solver emulated-.* must take the parameter initial_state, got one that"
    ):
        make("reverse", solver=device).sample(problem, seed=1, initial=starts_for(problem))


def test_an_annealing_time_out_of_the_chips_range_is_refused(make, problem):
    device = CountedQPU()
    device.properties["annealing_time_range"] = [1.0, 1000.0]
    with pytest.raises(
        ValueError,
        match=r"^annealing_time must be in the chip's annealing_time_range of \[1, 1000\] us, got ",
    ):
        make(solver=device, annealing_time=0.5)


def test_a_range_that_changes_is_held_to_before_anything_is_sent(make, problem):
    device = CountedQPU()
    qpu = make(solver=device, annealing_time=0.5)
    device.properties["annealing_time_range"] = [1.0, 1000.0]
    with pytest.raises(ValueError, match=r"^annealing_time must be in the chip's .* got 0.5$"):
        qpu.sample(problem, seed=1)
    assert device.asked == []


@pytest.mark.slow
def test_nudged_states_are_a_part_of_an_epochs_seconds(make):
    qpu, images = make(num_reads=2), two_classes()
    record = ip.Trainer(small_network(), qpu, num_states=2, nudge=1.0).train_epoch(
        images.train_images, images.train_labels
    )
    assert record.qpu_seconds == pytest.approx(qpu.qpu_seconds, rel=1e-9)


@pytest.mark.parametrize("mode", MODES)
def test_answers_do_not_depend_on_how_problems_are_put_together(make, problem, mode):
    starts = None if mode not in FROM_STARTS else starts_for(problem, 2)

    def sample(qpu, part):
        initial = None if starts is None else starts[part]
        return qpu.sample(problem[part], num_reads=2, seed=1, initial=initial).spins

    qpu = make(mode)
    middle = sample(qpu, slice(2, 4))
    paid = calls_of(qpu)
    whole = sample(qpu, slice(0, 7))
    after = calls_of(qpu)
    assert after > paid, "the other five"
    assert tolerances.same_bits(whole[2:4], middle)
    for parts in ([slice(0, 3), slice(3, 7)], [slice(b, b + 1) for b in range(7)]):
        assert tolerances.same_bits(np.concatenate([sample(qpu, part) for part in parts]), whole)
    assert calls_of(qpu) == after


@pytest.mark.parametrize(
    ("num_copies", "calls", "reads"), [(1, 7, 4), (2, 4, 4), (None, 2, 4), (100, 2, 4)]
)
def test_problems_share_calls_as_copies_allow(make, problem, num_copies, calls, reads):
    """Five copies fit on the chip."""
    qpu = make(num_copies=num_copies)
    states = qpu.sample(problem, num_reads=4, seed=1)
    assert len(states.info["calls"]) == calls_of(qpu) == calls
    assert [asked["num_reads"] for asked in qpu.device.asked] == [reads] * calls
    assert states.spins.shape == (7, 4, H + O)


def test_one_problem_is_read_on_all_copies_at_once(make, problem):
    qpu = make()
    states = qpu.sample(problem[:1], num_reads=9, seed=1)
    assert [asked["num_reads"] for asked in qpu.device.asked] == [2]
    assert states.spins.shape == (1, 9, H + O)
    (file,) = qpu.record.glob("*.safetensors")
    assert file.stem == states.info["calls"][0]["label"] == qpu.device.asked[0]["label"]


def test_copies_take_turns(make, problem):
    qpu = make(num_copies=3)
    tiles = [
        qpu.first_request(problem[:2], num_reads=2, seed=seed).call.tiles for seed in range(30)
    ]
    assert {tuple(tile.copy for tile in each) for each in tiles} == {(0, 1), (0, 2), (1, 2)}


def test_equal_problems_of_one_stream_are_one_request(make, problem):
    """And get its reads as they are, not the lowest of twice as many."""
    twice = ip.IsingProblem(
        problem.couplings,
        np.repeat(problem.hidden_fields[:1], 2, axis=0),
        problem.output_fields[:1],
        streams=[3, 3],
    )
    qpu = make(solver=CountedQPU(beta=0.2), descend=False, scale=0.5, num_copies=4)
    states = qpu.sample(twice, num_reads=40, seed=1)
    assert tolerances.same_bits(states.spins[0], states.spins[1])
    assert (
        sum(tile.count for tile in qpu.first_request(twice, num_reads=40, seed=2).call.tiles) == 40
    )


def test_equal_problems_of_one_stream_are_played_back_to_the_same_bits(make, problem):
    """Also where they were read in calls of their own."""
    fields = np.repeat(problem.hidden_fields[:1], 12, axis=0)
    many = ip.IsingProblem(problem.couplings, fields, problem.output_fields[:1], streams=[3] * 12)
    qpu = make(solver=CountedQPU(beta=0.2), descend=False, scale=0.5, num_copies=1)
    states = qpu.sample(many, num_reads=4, seed=1)
    assert tolerances.same_bits(
        ip.Replay(qpu.record).sample(many, num_reads=4, seed=1).spins, states.spins
    )
