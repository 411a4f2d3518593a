"""Tests of limits: ranges, sums of couplings, reads."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from dwave.cloud.testing.mocks import qpu_problem_timing_data
from dwave.system.coupling_groups import coupling_groups

from isingprop.qpu.chip.limits import Limits
from isingprop.qpu.chip.working_graph import WorkingGraph
from isingprop.qpu.estimate import access_time

RANGES = {
    "chip_id": "chip",
    "h_range": [-4.0, 4.0],
    "j_range": [-1.0, 1.0],
    "extended_j_range": [-2.0, 1.0],
    "num_reads_range": [1, 10000],
    "annealing_time_range": [0.5, 2000.0],
    "problem_run_duration_range": [0.0, 1_000_000.0],
    "problem_timing_data": qpu_problem_timing_data(),
}

PEGASUS = {**RANGES, "per_qubit_coupling_range": [-18.0, 15.0]}

ZEPHYR = {**RANGES, "per_group_coupling_range": [-13.0, 10.0]}


@pytest.fixture(scope="module")
def pegasus():
    return WorkingGraph.perfect("pegasus", 3)


@pytest.fixture(scope="module")
def zephyr():
    return WorkingGraph.perfect("zephyr", 3)


def random_couplings(count, seed=0):
    return np.random.default_rng(seed).uniform(-2, 1, count)


def within(limits, J):
    try:
        limits.check_coupling_sums(J)
    except ValueError:
        return False
    return True


def test_what_is_in_range_is_not_touched(pegasus):
    limits = Limits.of(PEGASUS, pegasus)
    h, J = np.array([-4.0, 0.0, 4.0]), np.array([-2.0, 0.3, 1.0])
    new_h, new_J, clipped = limits.clip(h, J)
    np.testing.assert_array_equal(new_h, h)
    np.testing.assert_array_equal(new_J, J)
    assert clipped == 0


def test_what_is_out_of_range_is_moved_to_the_bound_and_counted(pegasus):
    limits = Limits.of(PEGASUS, pegasus)
    h, J = np.array([[-4.1, 0.0], [4.1, 9.0]]), np.array([-2.1, 1.1, 0.0])
    kept = h.copy(), J.copy()
    new_h, new_J, clipped = limits.clip(h, J)
    np.testing.assert_array_equal(new_h, [[-4, 0], [4, 4]])
    np.testing.assert_array_equal(new_J, [-2, 1, 0])
    assert clipped == 5
    np.testing.assert_array_equal(h, kept[0])
    np.testing.assert_array_equal(J, kept[1])


def test_a_chip_without_an_extended_range_has_its_plain_one(pegasus):
    properties = {key: value for key, value in PEGASUS.items() if key != "extended_j_range"}
    assert Limits.of(PEGASUS, pegasus).j_range == (-2.0, 1.0)
    assert Limits.of(properties, pegasus).j_range == (-1.0, 1.0)


@pytest.mark.parametrize("sign", [-1, 1])
def test_sums_over_qubits_may_reach_their_bound_and_no_more(pegasus, sign):
    """One qubit after the other, its couplings alone not zero."""
    limits = Limits.of(PEGASUS, pegasus)
    low, high = limits.coupling_range
    for qubit in pegasus.qubits[::5]:
        mine = (pegasus.couplers == qubit).any(axis=1)
        J = np.where(mine, (high if sign > 0 else -low) * sign / mine.sum(), 0.0)
        limits.check_coupling_sums(J)
        with pytest.raises(ValueError, match=f"sum of couplings of qubit {qubit} must be in"):
            limits.check_coupling_sums(J * 1.001)


def test_the_message_names_the_qubit_that_is_farthest_out(pegasus):
    limits = Limits.of(PEGASUS, pegasus)
    degrees = np.bincount(pegasus.couplers.ravel())
    worst, second = np.argsort(-degrees, kind="stable")[[0, 40]]
    J = np.zeros(len(pegasus.couplers))
    J[(pegasus.couplers == second).any(axis=1)] = -18.2 / degrees[second]
    mine = np.flatnonzero((pegasus.couplers == worst).any(axis=1))
    J[mine] = -18.4 / degrees[worst]
    expected = (
        rf"^sum of couplings of qubit {worst} must be in \[-18, 15\], got -18\.4; lower "
        rf"scale or chain_strength$"
    )
    with pytest.raises(ValueError, match=expected):
        limits.check_coupling_sums(J)


@pytest.mark.parametrize("seed", range(20))
def test_sums_over_qubits_are_those_of_a_plain_loop(pegasus, seed):
    J = random_couplings(len(pegasus.couplers), seed)
    sums = {}
    for pair, value in zip(pegasus.couplers.tolist(), J, strict=True):
        for qubit in pair:
            sums[qubit] = sums.get(qubit, 0.0) + value
    properties = {**PEGASUS, "per_qubit_coupling_range": [-12.0, 2.0]}
    good = all(-12 <= value <= 2 for value in sums.values())
    assert within(Limits.of(properties, pegasus), J) == good
    widest = {**PEGASUS, "per_qubit_coupling_range": [min(sums.values()), max(sums.values())]}
    assert within(Limits.of(widest, pegasus), J)
    narrower = {
        **PEGASUS,
        "per_qubit_coupling_range": [min(sums.values()) + 1e-6, max(sums.values())],
    }
    assert not within(Limits.of(narrower, pegasus), J)


@pytest.mark.parametrize("seed", range(5))
def test_sums_over_groups_are_those_of_dwave(zephyr, seed):
    """On a chip with broken parts, which D-Wave's function must see as such."""
    graph = zephyr.without(zephyr.qubits[::17], [])
    graph = graph.without([], graph.couplers[::29])
    J = random_couplings(len(graph.couplers), seed)
    values = {tuple(pair): value for pair, value in zip(graph.couplers.tolist(), J, strict=True)}
    sums = [
        sum(values[min(pair), max(pair)] for pair in group)
        for group in coupling_groups(graph.to_networkx())
    ]
    low, high = min(sums), max(sums)
    for bounds, good in (
        ((low, high), True),
        ((low + 1e-6, high), False),
        ((low, high - 1e-6), False),
    ):
        assert within(Limits.of({**ZEPHYR, "per_group_coupling_range": bounds}, graph), J) == good


def test_a_group_that_is_out_of_range_is_named_by_its_qubit(zephyr):
    limits = Limits.of(ZEPHYR, zephyr)
    group = max(coupling_groups(zephyr.to_networkx()), key=len)
    inside = {tuple(sorted(pair)) for pair in group}
    J = np.array(
        [-13.5 / len(group) if tuple(pair) in inside else 0.0 for pair in zephyr.couplers.tolist()]
    )
    with pytest.raises(
        ValueError,
        match=rf"^sum of a group of couplings of qubit {group[0][1]} must be in \[-13, 10\], got "
        rf"-13\.5;",
    ):
        limits.check_coupling_sums(J)


@pytest.mark.parametrize(
    ("topology", "name"),
    [("pegasus", "per_qubit_coupling_range"), ("zephyr", "per_group_coupling_range")],
)
def test_values_for_some_rows_are_judged_like_all_with_zeros_elsewhere(topology, name, request):
    graph = request.getfixturevalue(topology)
    random = np.random.default_rng(3)
    rows = random.choice(len(graph.couplers), size=len(graph.couplers) // 2, replace=False)
    J, everywhere = random_couplings(len(rows), 4), np.zeros(len(graph.couplers))
    everywhere[rows] = J
    properties, judged = {**RANGES, name: [0.0, 0.0]}, []
    some, whole = Limits.of(properties, graph, rows), Limits.of(properties, graph)
    for low in np.linspace(-9.0, -7.0, 100):  # the lowest sum is among these
        judged.append(within(replace(some, coupling_range=(low, 100.0)), J))
        assert judged[-1] == within(replace(whole, coupling_range=(low, 100.0)), everywhere)
    assert set(judged) == {True, False}


def test_a_group_range_goes_before_a_qubit_range(zephyr):
    both = Limits.of({**ZEPHYR, "per_qubit_coupling_range": [-18.0, 15.0]}, zephyr)
    assert both.coupling_range == (-13.0, 10.0)


def test_a_chip_may_bound_no_sums(pegasus):
    Limits.of(RANGES, pegasus).check_coupling_sums(np.full(len(pegasus.couplers), -100.0))


def test_a_sum_that_is_no_number_is_refused(pegasus):
    with pytest.raises(ValueError, match="got nan"):
        Limits.of(PEGASUS, pegasus).check_coupling_sums(np.full(len(pegasus.couplers), np.nan))


def test_no_couplings_have_no_sums(pegasus, zephyr):
    none = np.zeros(0, dtype=np.int64)
    Limits.of(PEGASUS, pegasus, none).check_coupling_sums(np.zeros(0))
    Limits.of(ZEPHYR, zephyr, none).check_coupling_sums(np.zeros(0))


@pytest.mark.parametrize("name", ["h_range", "num_reads_range", "problem_run_duration_range"])
def test_a_chip_that_does_not_say_its_ranges_is_named(pegasus, name):
    properties = {key: value for key, value in PEGASUS.items() if key != name}
    with pytest.raises(ValueError, match=f"^solver chip must have the property {name}, got none$"):
        Limits.of(properties, pegasus)


def test_a_call_makes_as_many_reads_as_the_chip_lists_where_there_is_time(pegasus):
    limits = Limits.of({**PEGASUS, "num_reads_range": [2, 5000]}, pegasus)
    assert limits.reads_range(lambda reads: 0.0) == (2, 5000)
    assert limits.reads_range(lambda reads: 1.0) == (2, 5000)


@pytest.mark.parametrize("longest", [1e6, 987_654.0, 50_000.0, 15_400.0])
def test_a_call_makes_as_many_reads_as_fit_into_its_time_and_no_more(pegasus, longest):
    limits = Limits.of({**PEGASUS, "problem_run_duration_range": [0, longest]}, pegasus)
    model = partial(access_time, PEGASUS, 906, annealing_time=20.0)
    most = next(reads for reads in range(1, 10000) if model(reads + 1) > longest / 1e6)
    assert limits.reads_range(model) == (1, most)


def test_a_chip_without_time_for_one_read_says_what_that_takes(pegasus):
    limits = Limits.of({**PEGASUS, "problem_run_duration_range": [0, 15_000]}, pegasus)
    with pytest.raises(
        ValueError,
        match=r"^problem_run_duration_range must allow a call of 1 read, which takes 15339\.3 us, "
        r"got \[0, 15000\]$",
    ):
        limits.reads_range(partial(access_time, PEGASUS, 906))
