"""Tests of programs: logical arrays onto chains and back, against D-Wave's own embedding and by
exact energies.
"""

from collections.abc import Iterator

import dimod
import numpy as np
import pytest
from dwave.embedding import embed_bqm, unembed_sampleset
from dwave.embedding.chain_breaks import majority_vote

from helpers import oracle, tolerances
from isingprop import DWave, EmulatedQPU, IsingProblem
from isingprop.qpu.calls.program import Program, majority
from isingprop.qpu.calls.tasks import tasks_of
from isingprop.qpu.chip.working_graph import WorkingGraph
from isingprop.qpu.embed.embedding import Embedding
from isingprop.qpu.embed.embedding_cache import copies_of

H, O = 3, 2  # noqa: E741 (the field's letters)

NO_FLIP = np.ones((1, 2), np.int8)

CASES = [("zephyr", 1, False), ("zephyr", 2, True), ("pegasus", 3, False), ("pegasus", 3, True)]


def triangle(couplers=((4, 5), (4, 9), (5, 9))) -> WorkingGraph:
    return WorkingGraph("zephyr", (1, 4), np.array([4, 5, 9]), np.array(couplers), "three-qubits")


def grown_copies(
    graph: WorkingGraph, num_hidden: int, num_output: int, seed: int
) -> list[Embedding]:
    """Copies whose chains were grown at random into free qubits next to them: odd lengths, several
    couplers between.
    """
    random = np.random.default_rng(seed)
    copies = copies_of(graph, num_hidden, num_output)[:3]
    neighbours = graph.to_networkx()
    free = set(graph.qubits.tolist()) - {qubit for copy in copies for qubit in copy.qubits}

    def grown(chain: tuple[int, ...]) -> tuple[int, ...]:
        for _ in range(random.integers(4)):
            near = sorted({v for u in chain for v in neighbours[u]} & free)
            if near:
                chain = (*chain, near[random.integers(len(near))])
                free.remove(chain[-1])
        return tuple(random.permutation(chain).tolist())

    return [
        Embedding(tuple(map(grown, copy.hidden)), tuple(map(grown, copy.output))) for copy in copies
    ]


def chains_of(copies: list[Embedding], *, apex: bool) -> dict[tuple[int, int], tuple[int, ...]]:
    """The chain of each spin of each copy, the apex last."""
    chains = {}
    for k, copy in enumerate(copies):
        each = [*copy.hidden[:H], *copy.output[:O]] + (
            [copy.hidden[H] + copy.output[O]] if apex else []
        )
        chains |= {(k, v): chain for v, chain in enumerate(each)}
    return chains


def logical_model(linear, quadratic, *, apex: bool) -> dimod.BinaryQuadraticModel:
    """All copies in one model; couplings row by row, then those of the apex."""
    pairs = [(i, H + a) for i in range(H) for a in range(O)] + [
        (v, H + O) for v in range(apex * (H + O))
    ]
    model = dimod.BinaryQuadraticModel("SPIN")
    for k, (fields, couplings) in enumerate(zip(linear.tolist(), quadratic.tolist(), strict=True)):
        model.add_linear_from({(k, v): field for v, field in enumerate(fields)})
        model.add_quadratic_from(
            {((k, u), (k, v)): J for (u, v), J in zip(pairs, couplings, strict=True)}
        )
    return model


@pytest.fixture(params=CASES, ids=lambda case: "-".join(map(str, case)))
def grown(request) -> Iterator[tuple[Program, list[Embedding], bool]]:
    topology, size, apex = request.param
    graph = WorkingGraph.perfect(topology, size)
    copies = grown_copies(graph, H + apex, O + apex, seed=size)
    lengths = {len(chain) for chain in chains_of(copies, apex=apex).values()}
    assert len(lengths) > 2, "chains of several lengths"
    return Program(graph, copies, H, O, apex=apex), copies, apex


def test_the_example_of_the_docstring():
    program = Program(triangle(), [Embedding(((4,),), ((5, 9),))], 1, 1)
    h = program.fields(np.array([[0.25, -0.5]]))
    j = program.couplings(np.array([[0.75]]), NO_FLIP, chain_strength=2.0)
    fields, couplings = program.as_dicts(np.array([True]), h, j)
    assert fields == {4: 0.25, 5: -0.25, 9: -0.25}
    assert couplings == {(4, 5): 0.375, (4, 9): 0.375, (5, 9): -2.0}
    assert program.qubits.tolist() == [4, 5, 9]
    assert program.chain_lengths.tolist() == [[1, 2]]


@pytest.mark.slow
def test_an_embedding_without_a_coupler_for_a_coupling_is_refused():
    with pytest.raises(
        ValueError,
        match=r"^copies must have a coupler for each coupling, got an embedding without$",
    ):
        Program(triangle(couplers=((5, 9),)), [Embedding(((4,),), ((5, 9),))], 1, 1)
    graph = WorkingGraph.perfect("zephyr", 1)
    for apex, spins in ((False, (1, H)), (True, (1, H)), (True, (0, H + O))):
        copies = copies_of(graph, H + apex, O + apex)[:2]
        Program(graph, copies, H, O, apex=apex)
        chains = chains_of(copies, apex=apex)
        one, other = (chains[1, spin] for spin in spins)
        between = [
            pair
            for pair in graph.couplers.tolist()
            if len({*pair} & {*one}) == len({*pair} & {*other}) == 1
        ]
        with pytest.raises(ValueError, match="must have a coupler for each coupling"):
            Program(graph.without([], between), copies, H, O, apex=apex)


@pytest.mark.slow
def test_arrays_are_those_of_dwaves_own_embedding(grown):
    program, copies, apex = grown
    random = np.random.default_rng(0)
    shape = len(copies), H + O + apex
    assert (program.num_copies, program.num_spins) == shape
    assert program.num_couplings == H * O + apex * (H + O)
    linear, quadratic = (
        random.normal(size=shape),
        random.normal(size=(len(copies), program.num_couplings)),
    )
    flips = random.choice(np.array([-1, 1], np.int8), shape)
    u, v = np.array(
        [(i, H + a) for i in range(H) for a in range(O)]
        + [(v, H + O) for v in range(apex * (H + O))]
    ).T
    turned = quadratic * flips[:, u] * flips[:, v]
    h, j = program.as_dicts(
        np.ones(len(copies), bool),
        program.fields(linear),
        program.couplings(quadratic, flips, 1.75),
    )
    chains = chains_of(copies, apex=apex)
    adjacency = {q: set(near) for q, near in program.graph.to_networkx().adjacency()}
    wanted = embed_bqm(
        logical_model(linear, turned, apex=apex), chains, adjacency, chain_strength=1.75
    )
    assert h == pytest.approx(dict(wanted.linear), abs=1e-15)
    pairs = {(min(pair), max(pair)): J for pair, J in wanted.quadratic.items()}
    assert j == pytest.approx(pairs, abs=1e-15)
    assert program.qubits.tolist() == [qubit for chain in chains.values() for qubit in chain]


def test_only_copies_in_use_are_programmed(grown):
    program, copies, apex = grown
    used = np.arange(len(copies)) == 1
    h, j = program.as_dicts(used, np.zeros(len(program.qubits)), np.zeros(len(program.rows)))
    mine = {
        qubit for (k, _), chain in chains_of(copies, apex=apex).items() if k == 1 for qubit in chain
    }
    assert set(h) == mine == set(program.qubits[program.used_qubits(used)].tolist())
    assert {qubit for pair in j for qubit in pair} == mine
    assert len(j) == program.used_rows(used).sum()


def test_chains_of_one_value_have_the_logical_energy(grown):
    """Up to a constant, -chain_strength for each coupler inside a chain; whatever the spin
    reversal.
    """
    program, copies, apex = grown
    random = np.random.default_rng(1)
    shape = len(copies), H + O + apex
    linear, quadratic = (
        random.normal(size=shape),
        random.normal(size=(len(copies), program.num_couplings)),
    )
    model = logical_model(linear, quadratic, apex=apex)
    chain_of = {
        qubit: spin for spin, chain in chains_of(copies, apex=apex).items() for qubit in chain
    }
    inside = sum(
        chain_of.get(u) == chain_of.get(v) is not None for u, v in program.graph.couplers.tolist()
    )
    assert inside > 0
    for _ in range(20):
        states, flips = random.choice(np.array([-1, 1], np.int8), (2, *shape))
        h, j = program.as_dicts(
            np.ones(len(copies), bool),
            program.fields(linear * flips),
            program.couplings(quadratic, flips, 1.5),
        )
        qubits = dict(
            zip(program.qubits.tolist(), program.spread(states * flips).tolist(), strict=True)
        )
        physical = dimod.BinaryQuadraticModel.from_ising(h, j).energy(qubits)
        logical = model.energy({(k, v): states[k, v] for k, v in np.ndindex(shape)})
        assert physical + 1.5 * inside == pytest.approx(logical, abs=1e-12)


@pytest.mark.parametrize("spin_reversal", [False, True])
@pytest.mark.parametrize("mode", ["forward", "reverse", "cyclic"])
def test_a_call_has_scale_times_the_energy_of_its_problems(tmp_path, mode, spin_reversal):
    """In cyclic mode, while the gain is 0 and where the apex is up; where it is 1, less bias for
    each spin along r.
    """
    random = np.random.default_rng(2)
    problem = oracle.random_problem(H, O, num_problems=3)
    qpu = DWave(
        mode,
        solver=EmulatedQPU("zephyr", 2),
        record=tmp_path,
        scale=0.3,
        chain_strength=2.5,
        bias=0.75,
        spin_reversal=spin_reversal,
    )
    starts = None if mode == "forward" else oracle.random_spins(3, 1, H + O)
    call, h, j = qpu.first_request(problem, 4, seed=7, initial=starts)
    assert call.notes["clipped"] == 0
    assert (call.flips.min() == -1) == spin_reversal
    apex = mode == "cyclic"
    tasks = {task.request: task.problem for task in tasks_of(problem, 4, 7, starts, qpu.settings())}
    copies = [tasks[tile.request] for tile in call.tiles]  # the problem of each
    assert set(copies) == {0, 1, 2}
    spin_of_qubit = np.repeat(np.arange(call.flips.size), call.chain_lengths.ravel()).tolist()
    chain_of = dict(zip(call.qubits.tolist(), spin_of_qubit, strict=True))
    inside = sum(chain_of[u] == chain_of[v] for u, v in j)
    for _ in range(10):
        spins = random.choice(np.array([-1, 1], np.int8), (len(copies), H + O))
        logical = problem.energies(np.broadcast_to(spins, (3, *spins.shape)))[
            copies, np.arange(len(copies))
        ].sum()
        up = np.concatenate([spins, np.ones((len(copies), int(apex)), np.int8)], axis=1)
        values = np.repeat((up * call.flips).ravel(), call.chain_lengths.ravel())
        state = dict(zip(call.qubits.tolist(), values.tolist(), strict=True))
        without_gain = dimod.BinaryQuadraticModel.from_ising({} if apex else h, j).energy(state)
        assert without_gain + 0.3 * 2.5 * inside == pytest.approx(0.3 * logical, abs=1e-12)
        if apex:
            along = (spins * starts[copies, 0]).sum() + len(copies)
            pull = sum(h[qubit] * value for qubit, value in state.items())
            assert pull == pytest.approx(-0.3 * 0.75 * along, abs=1e-12)


def test_majority_is_dwaves_where_there_is_no_tie():
    random = np.random.default_rng(3)
    lengths = np.array([1, 3, 5, 7, 1, 9, 3])
    samples = random.choice(np.array([-1, 1], np.int8), (200, lengths.sum()))
    ends = np.cumsum(lengths)
    chains = [
        tuple(range(end - length, end))
        for end, length in zip(ends.tolist(), lengths.tolist(), strict=True)
    ]
    spins, broken = majority(samples, lengths)
    assert spins.dtype == np.int8
    assert tolerances.same_bits(spins, np.ascontiguousarray(majority_vote(samples, chains)[0]))
    of_two_values = [np.ptp(samples[:, chain], axis=1) > 0 for chain in chains]
    assert (broken == np.stack(of_two_values, axis=1)).all()


def test_a_read_is_unembedded_as_dwave_does(grown):
    program, copies, apex = grown
    random = np.random.default_rng(4)
    chains = chains_of(copies, apex=apex)
    lengths = program.chain_lengths.ravel()
    samples = random.choice(np.array([-1, 1], np.int8), (300, len(program.qubits)))
    spins, broken = majority(samples, lengths)
    source = dimod.BinaryQuadraticModel.from_ising(dict.fromkeys(chains, 0.0), {})
    target = dimod.SampleSet.from_samples(
        (samples, program.qubits.tolist()), "SPIN", np.zeros(len(samples))
    )
    theirs = unembed_sampleset(target, chains, source, chain_break_fraction=True)
    mine = spins[:, [list(chains).index(spin) for spin in theirs.variables]]
    starts = np.cumsum(lengths) - lengths
    tie = np.add.reduceat(samples, starts, axis=1, dtype=np.int64) == 0
    order = [list(chains).index(spin) for spin in theirs.variables]
    assert tie.any()
    assert (mine == theirs.record.sample)[~tie[:, order]].all()
    assert broken.mean(axis=1) == pytest.approx(theirs.record.chain_break_fraction)


def test_a_tie_is_told_as_zero():
    samples = np.array([[1, -1, -1, 1, 1, -1], [-1, 1, 1, 1, 1, -1]], np.int8)
    spins, broken = majority(samples, np.array([2, 4]))
    assert spins.tolist() == [[0, 0], [0, 1]]
    assert broken.tolist() == [[True, True], [True, True]]


def test_a_chain_longer_than_a_byte_counts_is_read_right():
    samples = np.ones((2, 300), np.int8)
    samples[1, :149] = -1
    spins, broken = majority(samples, np.array([300]))
    assert spins.tolist() == [[1], [1]]
    assert broken.tolist() == [[False], [True]]
    spins, _ = majority(-samples, np.array([300]))
    assert spins.tolist() == [[-1], [-1]]


@pytest.mark.slow
def test_a_problem_of_one_spin_each_goes_through(tmp_path):
    problem = IsingProblem([[0.5]], [[0.0]], [[0.25]])
    qpu = DWave(solver=EmulatedQPU("zephyr", 1), record=tmp_path, num_copies=1, scale=1.0)
    call, h, j = qpu.first_request(problem, seed=0)
    assert sorted(h.values()) == [0.0, 0.25]
    assert list(j.values()) == [0.5]
    assert call.chain_lengths.tolist() == [[1, 1]]
