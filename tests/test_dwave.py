"""The D-Wave sampler on emulated chips: what is paid for, what comes back, and what is refused."""

import gc
import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dwave.system.testing import MockDWaveSampler

import isingprop as ip
import oracle
import tolerances
from isingprop.network.bipartite import PARAMETERS
from isingprop.qpu.calls.record import Index
from isingprop.qpu.calls.tasks import tasks_of
from isingprop.qpu.settings import MODES
from ocean import keeping_sampler
from rehearsal import small_network, two_classes

H, O = 4, 3  # noqa: E741 (the field's letters)
FROM_STARTS = [mode for mode in MODES if mode != "forward"]
COLD = 60.0  # inverse temperature at which nothing is excited


class CountedQPU(ip.EmulatedQPU):
    """An emulated chip that keeps the parameters of each call."""

    def __init__(self, topology="zephyr", size=1, **options) -> None:
        super().__init__(topology, size, **options)
        self.asked: list[dict[str, Any]] = []

    def sample_ising(self, h, J, **parameters):
        self.asked.append(parameters)
        return super().sample_ising(h, J, **parameters)


@pytest.fixture(scope="module")
def problem():
    return oracle.random_problem(H, O, num_problems=7, seed=1)


@pytest.fixture
def make(tmp_path):
    """Makes samplers, in tmp_path/record if nothing else is said, and closes them after the test."""
    made = []

    def make(mode="forward", *, solver=None, folder="record", **settings):
        solver = CountedQPU() if solver is None else solver
        made.append(ip.DWave(mode, solver=solver, record=tmp_path / folder, **settings))
        return made[-1]

    yield make
    for sampler in made:
        sampler.close()


def calls_of(sampler) -> int:
    return len(sampler.device.asked)


def starts_for(problem, num_reads=1, seed=0):
    return oracle.random_spins(len(problem), num_reads, problem.num_spins, seed=seed)


def contents(folder):
    return {path: path.read_bytes() for path in sorted(Path(folder).rglob("*")) if path.is_file()}


# What is paid for


@pytest.mark.parametrize("mode", MODES)
def test_the_same_request_is_paid_for_once(make, problem, mode):
    qpu = make(mode)
    starts = None if mode == "forward" else starts_for(problem, 3)
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


def with_arrays(problem, **changed):
    names = "couplings", "hidden_fields", "output_fields", "streams"
    arrays = {name: getattr(problem, name) for name in names} | changed
    return ip.IsingProblem(**arrays)


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
    """Twelve reads from five start states: two states three times and three twice, without a read too many."""
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
    with pytest.raises(ValueError, match=r"^annealing_time must be in \[1, 1000\] us, got 0.5$"):
        make(solver=device, annealing_time=0.5).sample(problem, seed=1)


def test_nudged_states_are_a_part_of_an_epochs_seconds(make):
    qpu, images = make(num_reads=2), two_classes()
    record = ip.Trainer(small_network(), qpu, num_states=2, nudge=1.0).train_epoch(
        images.train_images, images.train_labels
    )
    assert record.qpu_seconds == pytest.approx(qpu.qpu_seconds, rel=1e-9)


@pytest.mark.parametrize("mode", MODES)
def test_answers_do_not_depend_on_how_problems_are_put_together(make, problem, mode):
    starts = None if mode == "forward" else starts_for(problem, 2)

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


# Reads, start states, and what `info` says


@pytest.mark.parametrize("descend", [False, True])
def test_of_more_reads_than_are_asked_for_the_lowest_are_kept(make, problem, descend):
    """By their energies after the descent, where there is one; all 30 are what is asked for of the other sampler."""
    settings = {"descend": descend, "scale": 0.5, "num_copies": 1}
    few = make(num_reads=30, solver=CountedQPU(beta=0.1), folder="few", **settings)
    states = few.sample(problem, num_reads=4, seed=1)
    every = make(solver=CountedQPU(beta=0.1), folder="all", **settings).sample(
        problem, num_reads=30, seed=1
    )
    assert states.energies.tolist() == np.sort(every.energies, axis=1)[:, :4].tolist()
    assert (states.energies.max(axis=1) < every.energies.max(axis=1)).all()
    assert tolerances.same_bits(states.energies, problem.energies(states.spins))
    assert [asked["num_reads"] for asked in few.device.asked] == [30] * 7


def test_each_start_state_gets_the_reads_of_num_reads(make, problem):
    qpu = make("reverse", num_reads=6, num_copies=1)
    states = qpu.sample(problem[:2], num_reads=3, seed=1, initial=starts_for(problem[:2], 3))
    assert [asked["num_reads"] for asked in qpu.device.asked] == [6] * 6
    assert states.spins.shape == (2, 3, H + O)


@pytest.mark.parametrize("num_reads", [1, 2, 7])
def test_never_fewer_reads_than_are_asked_for(make, problem, num_reads):
    qpu = make(num_reads=2, num_copies=1)
    assert qpu.sample(problem[:2], num_reads=num_reads, seed=1).spins.shape == (2, num_reads, H + O)
    assert [asked["num_reads"] for asked in qpu.device.asked] == [max(num_reads, 2)] * 2


def test_states_end_in_a_descent_unless_they_are_not_to(make, problem):
    ends, raw = (
        make(folder=f"{descend}", descend=descend, solver=CountedQPU(beta=0.05), scale=0.5).sample(
            problem, 20, seed=1
        )
        for descend in (True, False)
    )
    aligned = [states.spins * oracle.local_fields(problem, states.spins) for states in (ends, raw)]
    assert (aligned[0] <= oracle.slack(problem)).all()
    assert (aligned[1] > 0).any(axis=2).mean() > 0.9, (
        "hardly a read of a chip that hot is a local minimum"
    )
    assert (ends.energies <= raw.energies).all(), "the same reads"
    assert raw.info["beta_effective"] == pytest.approx(raw.beta_effective(problem))
    assert ends.info["beta_effective"] == pytest.approx(raw.beta_effective(problem)), (
        "of the chip's own reads"
    )


@pytest.mark.parametrize("mode", FROM_STARTS)
def test_without_start_states_the_anneal_is_forward(make, problem, mode):
    qpu = make(mode)
    states = qpu.sample(problem[:2], num_reads=2, seed=1)
    for asked in qpu.device.asked:
        assert asked["annealing_time"] == 20.0
        assert not {
            "anneal_schedule",
            "initial_state",
            "h_gain_schedule",
            "reinitialize_state",
        } & set(asked)
    assert states.lowest().energies == pytest.approx(oracle.ground_energies(problem[:2]), abs=1e-6)


def test_forward_takes_no_start_states(make, problem, assert_refused):
    qpu = make()
    refusal = (
        "ValueError: initial must be None for DWave(mode='forward'), which takes no start states"
    )
    assert_refused(lambda: qpu.sample(problem, seed=1, initial=starts_for(problem)), refusal)
    assert not qpu.takes_initial
    assert calls_of(qpu) == 0


@pytest.mark.parametrize("spin_reversal", [False, True])
@pytest.mark.parametrize("mode", FROM_STARTS)
def test_a_short_way_back_on_a_cold_chip_ends_where_it_began(make, mode, spin_reversal):
    """In both minima of a ferromagnet, of which one is higher; each read in its own."""
    problem = ip.IsingProblem(np.full((H, O), -1.0), np.full((2, H), 0.1), np.full((2, O), 0.1))
    starts = np.ones((2, 5, H + O), np.int8)
    starts[0, 1::2] = starts[1, ::2] = -1
    qpu = make(
        mode,
        solver=CountedQPU(beta=COLD),
        s_target=0.99,
        descend=False,
        spin_reversal=spin_reversal,
        scale=0.5,
    )
    states = qpu.sample(problem, num_reads=5, seed=1, initial=starts)
    assert tolerances.same_bits(states.spins, starts)
    one = qpu.sample(problem, num_reads=3, seed=1, initial=starts[:, :1])
    assert tolerances.same_bits(one.spins, np.repeat(starts[:, :1], 3, axis=1))


SAME_ENDS = {
    "forward": {},
    "forward, turned over": {"spin_reversal": True},
    "reverse": {"mode": "reverse", "s_target": 0.1},
    "reverse, turned over": {"mode": "reverse", "s_target": 0.1, "spin_reversal": True},
    "cyclic without a bias": {"mode": "cyclic", "s_target": 0.1, "bias": 0.0},
    "cyclic without a bias, turned over": {
        "mode": "cyclic",
        "s_target": 0.1,
        "bias": 0.0,
        "spin_reversal": True,
    },
}


@pytest.mark.parametrize("case", SAME_ENDS)
def test_the_lowest_states_are_ground_states(make, problem, case):
    qpu = make(**SAME_ENDS[case], descend=False, scale=0.9, annealing_time=60.0)
    starts = None if case.startswith("forward") else starts_for(problem)
    states = qpu.sample(problem, num_reads=30, seed=1, initial=starts)
    assert states.info["clipped"] == 0
    assert states.lowest().energies == pytest.approx(oracle.ground_energies(problem), abs=1e-6)
    assert tolerances.same_bits(states.energies, problem.energies(states.spins))
    low = states.energies < oracle.ground_energies(problem) + 1e-6
    assert low.mean() > 0.3, "far more often than one of 128 states by chance"


@pytest.mark.parametrize("bias", [0.0, 4.0])
def test_a_bias_leads_to_the_minimum_of_the_start_state(make, bias):
    """Of two equal ones of a ferromagnet that forgets at s = 0. Without a bias, 40 of one kind: 2^-39."""
    problem = ip.IsingProblem(np.full((H, O), -1.0), np.zeros((2, H)), np.zeros((2, O)))
    starts = np.ones((2, 1, H + O), np.int8)
    starts[1] = -1
    qpu = make("cyclic", bias=bias, scale=0.5, s_target=0.0, descend=False, spin_reversal=True)
    states = qpu.sample(problem, num_reads=20, seed=1, initial=starts)
    along = (states.spins * starts).mean(axis=2)
    assert (np.abs(along) > 0.7).mean() > 0.9, "both are minima"
    assert (along > 0).all() == (bias > 0)


@pytest.mark.parametrize("mode", MODES)
def test_info_tells_what_was_done(make, problem, mode):
    qpu = make(mode, num_copies=3, scale=0.5)
    starts = None if mode == "forward" else starts_for(problem)
    states = qpu.sample(problem, num_reads=5, seed=9, initial=starts)
    info, calls = states.info, states.info["calls"]
    assert (info["seed"], info["sampler"]) == (9, "DWave")
    assert len(calls) == len({call["label"] for call in calls}) == calls_of(qpu) == 3
    for call, asked in zip(calls, qpu.device.asked, strict=True):
        told = {
            name: value for name, value in asked.items() if name not in ("label", "initial_state")
        }
        assert call["parameters"] == told
        assert call["label"] == asked["label"]
        assert call["solver"] == qpu.device.properties["chip_id"]
        assert call["solver"] == f"emulated-{call['graph_id']}"
        assert call["problem_id"] is None
        assert call["timing"]["qpu_access_time"] == pytest.approx(
            1e6 * call["estimated_seconds"], rel=1e-5
        )
        assert call["scale"] > 0
        assert call["chain_strength"] > 0
        assert call["clipped"] == 0
    seconds = sum(call["timing"]["qpu_access_time"] for call in calls) / 1e6
    assert info["qpu_seconds"] == pytest.approx(seconds)
    assert qpu.qpu_seconds == pytest.approx(seconds)
    assert json.loads(json.dumps(info, allow_nan=True)) == info


def test_the_fraction_of_broken_chains_is_what_the_read_out_breaks(make):
    """Chains of L qubits that hold: P(broken) = 1 - (1 - p)^L - p^L. False alarms: 1e-6, two-sided."""
    p, num_reads = 0.05, 400
    big = oracle.random_problem(10, 10, seed=3)
    qpu = make(solver=CountedQPU(beta=COLD, flip_rate=p), scale=0.3, chain_strength=6.0)
    states = qpu.sample(big, num_reads=num_reads, seed=1)
    (tile,) = states.info["calls"]
    lengths = (
        Index(qpu.record)
        .reads(tasks_of(big, num_reads, 1, None, qpu.settings())[0].request)[1]
        .call.chain_lengths
    )
    assert set(lengths.ravel()) == {2}
    chance = 1 - (1 - p) ** lengths.ravel() - p ** lengths.ravel()
    broken = states.info["chain_break_fraction"] * num_reads * lengths.size
    deviation = np.sqrt(num_reads * (chance * (1 - chance)).sum())
    assert abs(broken - num_reads * chance.sum()) < tolerances.SIGMAS * deviation
    assert states.info["chain_break_fraction"] == tile["chain_break_fraction"]


def test_the_fraction_of_broken_chains_is_of_all_chains_of_all_calls(make):
    """A call with one copy in use weighs less than one with four."""
    problem = oracle.random_problem(10, 10, num_problems=5, seed=3)
    qpu = make(solver=CountedQPU(size=2, flip_rate=0.05))
    info = qpu.sample(problem, num_reads=3, seed=1).info
    first, second = (call["chain_break_fraction"] for call in info["calls"])
    assert first != second
    assert info["chain_break_fraction"] == pytest.approx((4 * first + second) / 5)


def test_what_is_done_with_info_does_not_reach_later_answers(make, problem):
    qpu = make()
    first = qpu.sample(problem[:1], seed=1).info
    kept = json.loads(json.dumps(first, allow_nan=True))
    first["calls"][0]["timing"]["qpu_access_time"] = 0.0
    first["calls"][0]["parameters"].clear()
    assert qpu.sample(problem[:1], seed=1).info == kept


def test_values_out_of_range_are_told_of(make, problem):
    info = make(scale=40.0).sample(problem, seed=1).info
    assert info["clipped"] == sum(call["clipped"] for call in info["calls"]) > 0


# What is refused

REFUSED = {
    "ValueError: mode must be one of forward, reverse, cyclic, got 'sideways'": {
        "mode": "sideways"
    },
    "ValueError: num_reads must be at least 1, got 0": {"num_reads": 0},
    "ValueError: num_reads must be at most 10000, got 10001": {"num_reads": 10_001},
    "TypeError: num_reads must be an integer, got 2.5": {"num_reads": 2.5},
    "ValueError: annealing_time must be in [0.5, 2000] us, got 0.1": {"annealing_time": 0.1},
    "ValueError: annealing_time must be in [0.5, 2000] us, got 2001": {"annealing_time": 2001},
    "ValueError: annealing_time must be a multiple of 0.01 us, got 20.001": {
        "annealing_time": 20.001
    },
    "ValueError: annealing_time must be finite, got nan": {"annealing_time": float("nan")},
    "TypeError: annealing_time must be a number, got '20'": {"annealing_time": "20"},
    "ValueError: annealing_time must be at least": {"mode": "cyclic", "annealing_time": 1.0},
    "ValueError: chain_strength must be finite and above 0, got 0.0": {"chain_strength": 0},
    "ValueError: chain_strength must be finite and above 0, got -1.0": {"chain_strength": -1},
    "TypeError: chain_strength must be a number, got '2'": {"chain_strength": "2"},
    "ValueError: scale must be finite and above 0, got 0.0": {"scale": 0.0},
    "ValueError: scale must be finite and above 0, got inf": {"scale": float("inf")},
    "TypeError: scale must be a number, got True": {"scale": True},
    "ValueError: s_target must be at least 0 and below 1, got -0.1": {"s_target": -0.1},
    "ValueError: s_target must be at least 0 and below 1, got 1": {
        "mode": "reverse",
        "s_target": 1.0,
    },
    "ValueError: s_target must be at least 0 and below 1, got 2": {
        "mode": "cyclic",
        "s_target": 2.0,
    },
    "ValueError: bias must be finite and at least 0, got -0.4": {"bias": -0.4},
    "TypeError: spin_reversal must be True or False, got 1": {"spin_reversal": 1},
    "TypeError: descend must be True or False, got 'no'": {"descend": "no"},
    "ValueError: num_copies must be at least 1, got 0": {"num_copies": 0},
    "TypeError: num_copies must be an integer, got 1.0": {"num_copies": 1.0},
    "ValueError: budget must be finite and at least 0, got -1.0": {"budget": -1},
    "ValueError: budget must be finite and at least 0, got nan": {"budget": float("nan")},
    "TypeError: budget must be a number, got '1'": {"budget": "1"},
    "TypeError: solver must be a name, features, or a device such as EmulatedQPU(), got 3": {
        "solver": 3
    },
    "TypeError: solver must be a name, features, or a device such as EmulatedQPU(), got <class": {
        "solver": ip.EmulatedQPU
    },
    "TypeError: solver must be a name, features, or a device such as EmulatedQPU(), got Annealing": {
        "solver": ip.Annealing()
    },
}


@pytest.mark.parametrize("refusal", REFUSED)
def test_a_bad_argument_is_refused_by_name(assert_refused, tmp_path, monkeypatch, refusal):
    monkeypatch.chdir(tmp_path)
    assert_refused(lambda: ip.DWave(**REFUSED[refusal]), refusal)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [1.0, 1.5, float("nan"), float("inf")])
def test_an_s_target_out_of_range_is_refused_in_every_mode(value):
    for mode in MODES:
        with pytest.raises(ValueError, match=r"^s_target must be"):
            ip.DWave(mode, s_target=value)


REFUSED_CALLS = {
    "TypeError: problem must be an IsingProblem, got list": {"problem": [1.0]},
    "ValueError: num_reads must be at least 1, got 0": {"num_reads": 0},
    "TypeError: num_reads must be an integer, got 1.5": {"num_reads": 1.5},
    "ValueError: num_reads must be at most 10000, got 50001": {"num_reads": 50_001},
    "ValueError: seed must be at least 0, got -1": {"seed": -1},
    "TypeError: seed must be an integer, got 'a'": {"seed": "a"},
    "TypeError: initial must be int8 spins, got dtype float64": {"initial": np.ones((1, 1, 7))},
    "ValueError: initial must have shape (1, 1, 7), got (1, 1, 6)": {
        "initial": np.ones((1, 1, 6), np.int8)
    },
    "ValueError: initial must have shape (1, 1, 7), got (7,)": {"initial": np.ones(7, np.int8)},
    "ValueError: initial must be -1 or +1, got 0 at index (0, 0, 0)": {
        "initial": np.zeros((1, 1, 7), np.int8)
    },
}


@pytest.mark.parametrize("refusal", REFUSED_CALLS)
def test_a_bad_call_is_refused_by_name_and_sends_nothing(make, problem, assert_refused, refusal):
    qpu = make("reverse", num_copies=1)
    asked = {"problem": problem[:1], "num_reads": 1, "seed": 1, "initial": None} | REFUSED_CALLS[
        refusal
    ]
    assert_refused(lambda: qpu.sample(**asked), refusal)
    assert calls_of(qpu) == 0
    assert not list(qpu.record.glob("*.safetensors"))


def test_fields_that_are_not_finite_are_refused(make, problem):
    poisoned = with_arrays(problem, hidden_fields=problem.hidden_fields.copy())
    poisoned.hidden_fields[2, 1] = np.nan
    with pytest.raises(
        ValueError, match=r"hidden_fields must be finite, got nan at index \(2, 1\)"
    ):
        make().sample(poisoned, seed=1)


def test_a_network_that_does_not_fit_is_refused_by_its_size(make):
    qpu = make()
    with pytest.raises(ValueError, match=r"^num_hidden must be at most 48, got 60$"):
        qpu.sample(oracle.random_problem(60, 40), seed=1)
    with pytest.raises(ValueError, match=r"fit"):
        qpu.sample(oracle.random_problem(30, 30), seed=1)
    assert calls_of(qpu) == 0
    assert not list(qpu.record.glob("*.safetensors"))


def test_couplings_whose_sums_are_out_of_range_are_refused_before_they_are_sent(make, problem):
    device = CountedQPU()
    device.properties["per_group_coupling_range"] = [-0.5, 0.5]
    with pytest.raises(
        ValueError, match=r"^sum of .* must be in .*; lower scale or chain_strength$"
    ):
        make(solver=device, scale=1.0).sample(problem, seed=1)
    assert device.asked == []


def test_no_token_is_written_or_told(make, monkeypatch, problem):
    monkeypatch.setenv("DWAVE_API_TOKEN", "SECRET-4711")
    qpu = make()
    states = qpu.sample(problem[:1], seed=1)
    assert all(b"SECRET-4711" not in content for content in contents(qpu.record).values())
    assert "SECRET-4711" not in json.dumps(states.info, allow_nan=True) + repr(qpu) + json.dumps(
        qpu.settings()
    )


# Budgets


@pytest.mark.parametrize("num_copies", [1, 3])
def test_a_budget_stops_before_the_call_that_could_exceed_it(make, problem, num_copies):
    free = make(num_copies=num_copies, folder="free")
    whole = free.sample(problem, num_reads=4, seed=1)
    costs = [call["estimated_seconds"] for call in whole.info["calls"]]
    for affordable in range(len(costs)):
        budget = sum(costs[: affordable + 1]) - 1e-4
        qpu = make(num_copies=num_copies, budget=budget, folder=f"{affordable}")
        with pytest.raises(ip.QPUBudgetError) as caught:
            qpu.sample(problem, num_reads=4, seed=1)
        spent = sum(costs[:affordable])
        message = f"must leave {costs[affordable]:.3f} s for the next call, got {budget:g} s with {spent:.3f} s spent"
        assert str(caught.value) == f"QPU budget {message}"
        assert calls_of(qpu) == affordable
        assert len(list(qpu.record.glob("*.safetensors"))) == affordable
        assert qpu.qpu_seconds == pytest.approx(spent, rel=1e-5)
        assert qpu.qpu_seconds <= budget


def test_a_larger_budget_goes_on_without_paying_again(make, problem):
    qpu = make(num_copies=1, budget=0.05)
    with pytest.raises(ip.QPUBudgetError):
        qpu.sample(problem, num_reads=4, seed=1)
    paid, before = calls_of(qpu), contents(qpu.record)
    assert 0 < paid < 7
    with pytest.raises(ip.QPUBudgetError):
        qpu.sample(problem, num_reads=4, seed=1)
    assert (calls_of(qpu), contents(qpu.record)) == (paid, before)
    qpu.close()
    rich = make(num_copies=1, budget=1.0, solver=CountedQPU())
    states = rich.sample(problem, num_reads=4, seed=1)
    assert calls_of(rich) == 7 - paid
    assert before.items() <= contents(rich.record).items()
    whole = make(num_copies=1, folder="whole").sample(problem, num_reads=4, seed=1)
    assert tolerances.same_bits(states.spins, whole.spins)


def test_a_budget_of_just_the_cost_is_enough(make, problem):
    cost = make(folder="free").sample(problem, seed=1).info["calls"]
    qpu = make(budget=sum(call["estimated_seconds"] for call in cost) + 1e-6)
    qpu.sample(problem, seed=1)
    assert calls_of(qpu) == len(cost)


def test_a_budget_needs_timing_data(make, problem):
    device = MockDWaveSampler(
        topology_type="zephyr", topology_shape=[1, 4], parameter_warnings=False
    )
    del device.properties["problem_timing_data"]
    qpu = make(solver=device, budget=1.0)
    with pytest.raises(
        ValueError, match=r"^budget must be None for MockDWaveSampler, which has no timing data$"
    ):
        qpu.sample(problem, seed=1)
    with pytest.raises(ValueError, match=r"budget must be None"):
        qpu.first_request(problem, seed=1)
    assert not list(qpu.record.glob("*.safetensors"))
    states = make(solver=device, folder="free").sample(problem[:1], seed=1)
    assert states.num_reads == 1


# Before spending


@pytest.mark.parametrize("mode", MODES)
def test_the_first_request_sends_and_writes_nothing_and_is_the_one_that_is_sent(
    make, problem, mode
):
    qpu = make(mode, spin_reversal=True, num_copies=3)
    starts = None if mode == "forward" else starts_for(problem)
    call, h, j = qpu.first_request(problem, 5, seed=1, initial=starts)
    assert calls_of(qpu) == 0
    assert not qpu.record.exists()
    kept = {}

    def sample_ising(linear, quadratic, **parameters):
        kept.setdefault("sent", (linear, quadratic, parameters))
        return type(qpu.device).sample_ising(qpu.device, linear, quadratic, **parameters)

    qpu.device.sample_ising = sample_ising
    qpu.sample(problem, 5, seed=1, initial=starts)
    linear, quadratic, parameters = kept["sent"]
    del parameters["label"]
    start = parameters.pop("initial_state", None)
    assert (h, j, call.parameters) == (linear, quadratic, parameters)
    wanted = (
        dict(zip(call.qubits.tolist(), call.initial_state.tolist(), strict=True))
        if starts is not None
        else None
    )
    assert start == wanted


@pytest.mark.parametrize("mode", MODES)
def test_an_estimate_is_what_a_run_costs(make, mode):
    """To 1 %: copies differ in their numbers of qubits, and a test leaves cyclic annealing's ancillas idle."""
    images = two_classes()
    qpu = make(mode, solver=CountedQPU(size=2), num_copies=3)
    references = None if mode == "forward" else "wrong-classes"
    trainer = ip.Trainer(
        small_network(),
        qpu,
        num_states=5,
        batch_size=2,
        references=references,
        num_test_reads=4,
        seed=1,
    )
    history = trainer.fit(images, epochs=2)
    plan = {"num_states": 5, "batch_size": 2, "num_test_reads": 4, "num_hidden": 4, "num_output": 4}
    if references is not None:
        plan["references"] = 1  # of two classes, one is wrong
    price = qpu.estimate(num_images=6, epochs=2, num_test=5, **plan)
    assert price.calls == calls_of(qpu)
    assert price.seconds == pytest.approx(qpu.qpu_seconds, rel=0.01)
    assert price.copies == 3
    spent = sum(record.qpu_seconds for record in history)
    assert 2 * price.seconds_per_epoch == pytest.approx(spent, rel=0.01)


# Replay


def test_a_replay_has_the_bits_of_the_recorded_run_and_asks_no_chip(make, problem):
    qpu = make("cyclic", spin_reversal=True, num_reads=6)
    starts = starts_for(problem, 2)
    recorded = [qpu.sample(problem, 2, seed=1, initial=starts), qpu.sample(problem, 3, seed=2)]
    before, paid = contents(qpu.record), calls_of(qpu)
    replay = ip.Replay(qpu.record)
    played = [replay.sample(problem, 2, seed=1, initial=starts), replay.sample(problem, 3, seed=2)]
    for one, other in zip(recorded, played, strict=True):
        assert tolerances.same_bits(one.spins, other.spins)
        assert tolerances.same_bits(one.energies, other.energies)
        assert one.info == other.info
    assert (contents(qpu.record), calls_of(qpu)) == (before, paid)
    assert replay.settings() == qpu.settings()
    assert replay.takes_initial


def test_a_replay_refuses_what_was_not_recorded(make, problem, assert_refused):
    qpu = make()
    qpu.sample(problem[:3], seed=1)
    replay = ip.Replay(qpu.record)
    what = f"ValueError: {qpu.record} must hold an answer to problem"
    assert_refused(lambda: replay.sample(problem, seed=1), f"{what} 3, got none")
    assert_refused(lambda: replay.sample(problem[:3], seed=2), f"{what} 0, got none")
    assert_refused(
        lambda: replay.sample(problem[:3]),
        "ValueError: seed must be that of the recorded call, got None",
    )
    assert_refused(
        lambda: replay.sample([1]), "TypeError: problem must be an IsingProblem, got list"
    )
    assert_refused(
        lambda: replay.sample(problem[:3], 0, seed=1),
        "ValueError: num_reads must be at least 1, got 0",
    )
    refusal = "ValueError: references must be None for Replay("
    assert_refused(lambda: ip.Trainer(small_network(), replay, references="wrong-classes"), refusal)


@pytest.mark.parametrize("mode", MODES)
def test_a_training_is_played_back_to_the_same_bytes_without_ocean(make, python, tmp_path, mode):
    references = None if mode == "forward" else "wrong-classes"
    options = {"num_states": 3, "batch_size": 2, "references": references, "seed": 4}
    network = small_network()
    trainer = ip.Trainer(network, make(mode, spin_reversal=True), **options)
    history = trainer.fit(two_classes(), epochs=2)
    trainer.save_checkpoint(tmp_path / "checkpoint.safetensors")
    network.save(tmp_path / "model.safetensors")
    done = python(f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import isingprop as ip
from rehearsal import small_network, two_classes
network = small_network()
trainer = ip.Trainer(network, ip.Replay({str(tmp_path / "record")!r}), **{options!r})
history = trainer.fit(two_classes(), epochs=2)
network.save({str(tmp_path / "played.safetensors")!r})
trainer.restore({str(tmp_path / "checkpoint.safetensors")!r})
print([(r.train_error_reads, r.test_accuracy, r.qpu_seconds, r.chain_break_fraction) for r in history])
print(sorted(name for name in sys.modules if name.split(".")[0] in ("dwave", "dimod", "networkx", "minorminer")))
""")
    assert done.returncode == 0, done.stderr
    told, modules = done.stdout.splitlines()
    assert modules == "[]"
    wanted = [
        (r.train_error_reads, r.test_accuracy, r.qpu_seconds, r.chain_break_fraction)
        for r in history
    ]
    assert told == str(wanted)
    assert (tmp_path / "played.safetensors").read_bytes() == (
        tmp_path / "model.safetensors"
    ).read_bytes()


# Training


@pytest.mark.parametrize("mode", MODES)
def test_a_trainer_records_what_it_cost_and_how_many_chains_broke(make, mode):
    device = CountedQPU(size=2, flip_rate=0.02)
    qpu = make(mode, solver=device)
    references = None if mode == "forward" else "wrong-classes"
    network = small_network()
    before = {name: array.copy() for name, array in network.parameters().items()}
    trainer = ip.Trainer(
        network, qpu, num_states=3, references=references, test_sampler=ip.Annealing()
    )
    history = trainer.fit(two_classes(), epochs=2)
    assert sum(record.qpu_seconds for record in history) == pytest.approx(qpu.qpu_seconds)
    for record in history:
        assert record.qpu_seconds > 0
        assert 0 <= record.chain_break_fraction < 1
        assert (record.wrong_cycles is None) == (mode == "forward")
    assert not any(
        np.array_equal(array, before[name]) for name, array in network.parameters().items()
    )


def test_a_trainer_without_a_chip_records_none_of_it():
    (record,) = ip.Trainer(small_network(), ip.Annealing()).fit(two_classes(), epochs=1)
    assert record.qpu_seconds is None
    assert record.chain_break_fraction is None


def test_references_are_refused_for_forward_annealing(make):
    with pytest.raises(
        ValueError,
        match=r"^references must be None for DWave\(mode='forward'.*takes no start states$",
    ):
        ip.Trainer(small_network(), make(), references="wrong-classes")


def test_another_sampler_tests(make):
    """And it is asked for nothing else."""
    noted = []

    class Noted:
        def sample(self, problem, num_reads=1, seed=None):
            noted.append((len(problem), num_reads))
            return ip.Annealing().sample(problem, num_reads, seed)

    qpu = make()
    ip.Trainer(small_network(), qpu, num_states=2, test_sampler=Noted(), num_test_reads=7).fit(
        two_classes(), epochs=2
    )
    assert noted == [(5, 7), (5, 7)]
    assert calls_of(qpu) == 12
    noted.clear()
    chip_tests = ip.Trainer(
        small_network(), ip.Annealing(), test_sampler=make(folder="tests"), num_test_reads=7
    )
    (record,) = chip_tests.fit(two_classes(), epochs=1)
    assert calls_of(chip_tests.test_sampler) == 1
    assert record.qpu_seconds is None, "the states that it learned from cost nothing"


def test_a_trainer_that_is_made_anew_pays_nothing_for_what_was_done(make):
    def train(qpu, epochs):
        network = small_network()
        ip.Trainer(network, qpu, num_states=3).fit(two_classes(), epochs=epochs)
        return network

    qpu = make()
    train(qpu, 1)
    paid = calls_of(qpu)
    longer = train(qpu, 2)
    assert calls_of(qpu) == 2 * paid
    whole = train(make(folder="whole"), 2)
    for name in PARAMETERS:
        assert tolerances.same_bits(getattr(longer, name), getattr(whole, name))


# Other devices


@pytest.mark.parametrize("mode", MODES)
def test_ocean_s_own_mock_is_a_solver(make, problem, mode):
    mock = MockDWaveSampler(topology_type="zephyr", topology_shape=[1, 4], parameter_warnings=False)
    qpu = make(mode, solver=mock)
    starts = None if mode == "forward" else starts_for(problem)
    states = qpu.sample(problem, num_reads=3, seed=1, initial=starts)
    assert states.spins.shape == (7, 3, H + O)
    assert tolerances.same_bits(states.energies, problem.energies(states.spins))
    again = qpu.sample(problem, num_reads=3, seed=1, initial=starts)
    assert tolerances.same_bits(states.spins, again.spins)


def test_a_dimod_sampler_is_pointed_to_dwave():
    with pytest.raises(TypeError, match=r"use DWave\(solver=EmulatedQPU\(\)\)"):
        ip.Trainer(small_network(), ip.EmulatedQPU("zephyr", 1))


@pytest.fixture
def no_account(monkeypatch, tmp_path):
    """No configuration file, no environment variable and no network."""
    for name in (
        "DWAVE_API_TOKEN",
        "DWAVE_PROFILE",
        "DWAVE_CONFIG_FILE",
        "DWAVE_API_ENDPOINT",
        "DWAVE_API_SOLVER",
    ):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path / "home")

    def refuse(*_, **__):
        raise AssertionError("nothing may be asked for over a network")

    monkeypatch.setattr("socket.socket.connect", refuse)


@pytest.mark.parametrize("solver", [None, "Advantage_system4.1", {"topology__type": "zephyr"}])
def test_without_an_account_the_error_is_one_line_saying_how_to_get_one(
    no_account, problem, tmp_path, solver
):
    qpu = ip.DWave(solver=solver, record=tmp_path / "record")
    for call in (
        lambda: qpu.sample(problem, seed=1),
        lambda: qpu.first_request(problem, seed=1),
        lambda: qpu.estimate(num_images=10, epochs=1),
        lambda: qpu.device,
    ):
        with pytest.raises(ConnectionError) as caught:
            call()
        assert "dwave setup" in str(caught.value)
        assert "\n" not in str(caught.value)
        assert caught.value.__cause__ is None
    assert not list(tmp_path.glob("record/*.safetensors"))
    qpu.close()


def test_a_profile_that_does_not_exist_is_said_in_one_line(
    no_account, monkeypatch, problem, tmp_path
):
    monkeypatch.setenv("DWAVE_PROFILE", "nowhere")
    qpu = ip.DWave(record=tmp_path / "record")
    with pytest.raises(ConnectionError, match="dwave setup"):
        qpu.sample(problem, seed=1)
    qpu.close()


def test_nothing_is_opened_or_written_before_the_first_call(no_account, tmp_path):
    qpu = ip.DWave("cyclic")
    assert qpu.record.parent == Path.cwd() / "runs"
    assert qpu.record.name.startswith("qpu-")
    assert repr(qpu) == f"DWave(mode='cyclic', record={str(qpu.record)!r})"
    qpu.close()
    assert list(Path.cwd().iterdir()) == []


def test_the_default_folder_is_one_for_each_settings(no_account):
    folders = [
        ip.DWave(**settings).record
        for settings in ({}, {"mode": "reverse"}, {"bias": 0.5}, {"budget": 3})
    ]
    assert len(set(folders)) == 3
    assert folders[0] == folders[3]


def test_a_device_of_the_users_is_left_open(make, problem):
    qpu = make()
    closed = []
    qpu.device.close = lambda: closed.append(True)
    qpu.sample(problem[:1], seed=1)
    qpu.close()
    qpu.close()
    assert closed == []
    assert qpu.sample(problem[:1], seed=1).num_reads == 1, "the next call opens the folder again"


def test_a_sampler_that_is_forgotten_lets_go_of_its_folder_without_a_warning(tmp_path, problem):
    """pytest makes an error of a ResourceWarning."""
    qpu = ip.DWave(solver=CountedQPU(), record=tmp_path)
    qpu.sample(problem[:1], seed=1)
    del qpu
    gc.collect()
    other = ip.DWave(solver=CountedQPU(), record=tmp_path)
    other.sample(problem[:1], seed=1)
    assert calls_of(other) == 0
    other.close()
