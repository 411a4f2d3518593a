"""What is sent to D-Wave: the real DWaveSampler over a client that keeps each request."""

import base64
import itertools
from typing import Any

import dimod
import numpy as np
import pytest
from dwave.embedding import embed_bqm
from dwave.embedding.chain_strength import uniform_torque_compensation

import isingprop as ip
from helpers.dwave.ocean import Captured, keeping_sampler
from isingprop.qpu.calls.record import Index
from isingprop.qpu.chip.working_graph import WorkingGraph
from isingprop.qpu.embed.embedding_cache import copies_of

CHIPS = (("pegasus", 16), ("zephyr", 12))


@pytest.fixture(scope="module", params=CHIPS, ids=lambda chip: f"{chip[0]}-{chip[1]}")
def device(request):
    return keeping_sampler(*request.param)


@pytest.fixture
def problem():
    network = ip.BipartiteNetwork.random(num_inputs=100, num_hidden=120, num_classes=10, seed=1)
    network.output_bias[:] = np.linspace(-0.5, 0.5, 40)
    return network.problem(np.random.default_rng(2).random((3, 100), dtype=np.float32))


def sent(
    device, problem, folder, *, initial=None, num_reads=7, **settings
) -> tuple[dict[str, Any], Any]:
    """The body of the first request, and the call as it was recorded."""
    device.client.bodies.clear()
    sampler = ip.DWave(solver=device, record=folder, **settings)
    with pytest.raises(Captured):
        sampler.sample(problem, num_reads=num_reads, seed=5, initial=initial)
    sampler.close()
    (call,) = Index(folder).pending.values()
    return device.client.bodies[0], call


def physical(body, solver) -> tuple[dict[int, float], dict[tuple[int, int], float]]:
    """h and J as D-Wave reads them: NaN is an unused qubit, and only couplers between used ones are
    listed.
    """
    linear = np.frombuffer(base64.b64decode(body["data"]["lin"]), "<f8")
    used = {
        q
        for q, value in zip(solver.properties["qubits"], linear, strict=True)
        if not np.isnan(value)
    }
    h = {
        q: value
        for q, value in zip(solver.properties["qubits"], linear.tolist(), strict=True)
        if q in used
    }
    couplers = [tuple(pair) for pair in solver.properties["couplers"] if used.issuperset(pair)]
    quadratic = np.frombuffer(base64.b64decode(body["data"]["quad"]), "<f8")
    return h, dict(zip(couplers, quadratic.tolist(), strict=True))


def expected_model(device, problem, call, references, bias):
    """The same by D-Wave's own embed_bqm: all tiles of a call in one model.

    With a bias, which may be 0, fields are couplings to an apex.
    """
    apex = bias is not None
    if references is None:
        references = np.ones((len(problem), problem.num_spins))
    copies = copies_of(
        WorkingGraph.of(device), problem.num_hidden + apex, problem.num_output + apex
    )
    model, chains = dimod.BQM("SPIN"), {}
    for b, tile in enumerate(sorted(call.tiles, key=lambda each: order_of(each, call))):
        copy = copies[tile.copy]
        spins = copy.hidden[: problem.num_hidden] + copy.output[: problem.num_output]
        logical = problem.to_bqm(b)
        if apex:
            for v, field in list(logical.linear.items()):
                logical.add_quadratic(v, "apex", field)
                logical.set_linear(v, -bias * references[b, v])
            logical.set_linear("apex", -bias)
            chains[b, "apex"] = copy.hidden[-1] + copy.output[-1]
        chains |= {(b, v): chain for v, chain in enumerate(spins)}
        model.update(
            logical.relabel_variables({v: (b, v) for v in logical.variables}, inplace=False)
        )
    adjacency = {q: set(neighbours) for q, neighbours in device.adjacency.items()}
    return embed_bqm(model, chains, adjacency, chain_strength=call.notes["chain_strength"]), chains


def order_of(tile, call):
    """Problems go to copies in turn, from some first copy on."""
    copies = sorted(each.copy for each in call.tiles)
    breaks = [k for k, (a, b) in enumerate(itertools.pairwise(copies)) if b != a + 1]
    first = copies[breaks[0] + 1] if breaks else copies[0]
    return (tile.copy - first) % 1000


def agree(body, device, model, scale):
    h, j = physical(body, device.solver)
    assert h == pytest.approx({q: scale * value for q, value in model.linear.items()}, abs=1e-12)
    nonzero = {pair: value for pair, value in j.items() if value}
    wanted = {
        min(pair, pair[::-1]): scale * value for pair, value in model.quadratic.items() if value
    }
    assert nonzero == pytest.approx(wanted, abs=1e-12)


@pytest.mark.slow
def test_a_forward_request_is_the_embedded_problem_at_a_fixed_scale(device, problem, tmp_path):
    body, call = sent(device, problem, tmp_path)
    assert body["params"] == {
        "num_reads": 7,
        "annealing_time": 20.0,
        "auto_scale": False,
        "answer_mode": "raw",
    }
    assert body["type"] == "ising"
    assert body["label"] == call.label
    assert body["solver"]["version"]["graph_id"] == call.notes["graph_id"]
    assert call.notes["chain_strength"] == pytest.approx(
        uniform_torque_compensation(problem.to_bqm())
    )
    untrained = 1.414 * np.sqrt(
        1 / 360 * 60
    )  # of J uniform in +-1 / sqrt(120), and a mean degree of 60
    assert call.notes["scale"] * untrained == pytest.approx(1.6)
    assert call.notes["clipped"] == 0
    model, _ = expected_model(device, problem, call, None, None)
    agree(body, device, model, call.notes["scale"])


@pytest.mark.slow
def test_a_reverse_request_starts_every_chain_from_its_reference(device, problem, tmp_path):
    initial = np.random.default_rng(3).choice(np.array([-1, 1], np.int8), (3, 1, 160))
    body, call = sent(
        device,
        problem,
        tmp_path,
        mode="reverse",
        s_target=0.4,
        annealing_time=50.0,
        initial=initial,
    )
    start = body["params"].pop("initial_state")
    assert body["params"] == {
        "num_reads": 7,
        "auto_scale": False,
        "answer_mode": "raw",
        "anneal_schedule": [[0.0, 1.0], [0.6, 0.4], [49.4, 0.4], [50.0, 1.0]],
        "reinitialize_state": True,
    }
    model, chains = expected_model(device, problem, call, None, None)
    agree(body, device, model, call.notes["scale"])
    wanted = {q: initial[b, 0, v] for (b, v), chain in chains.items() for q in chain}
    assert {q: value for q, value in enumerate(start) if value != 3} == wanted
    assert len(start) == device.properties["num_qubits"]


@pytest.mark.slow
def test_a_cyclic_request_has_the_bias_in_h_and_the_fields_on_couplers(device, problem, tmp_path):
    initial = np.random.default_rng(3).choice(np.array([-1, 1], np.int8), (3, 1, 160))
    body, call = sent(
        device, problem, tmp_path, mode="cyclic", bias=0.7, s_target=0.5, initial=initial
    )
    start = body["params"].pop("initial_state")
    assert body["params"] == {
        "num_reads": 7,
        "auto_scale": False,
        "answer_mode": "raw",
        "anneal_schedule": [[0.0, 1.0], [0.5, 1.0], [1.0, 0.5], [20.0, 1.0]],
        "h_gain_schedule": [[0.0, 0.0], [0.5, 1.0], [1.0, 1.0], [20.0, 0.0]],
        "reinitialize_state": True,
    }
    model, chains = expected_model(device, problem, call, initial[:, 0], 0.7)
    agree(body, device, model, call.notes["scale"])
    values = {
        q: 1 if v == "apex" else initial[b, 0, v] for (b, v), chain in chains.items() for q in chain
    }
    assert {q: value for q, value in enumerate(start) if value != 3} == values


@pytest.mark.slow
def test_a_fast_request_has_no_h_and_the_fields_on_couplers(device, problem, tmp_path):
    biases = np.linspace(-1e-5, 1e-5, device.properties["num_qubits"])
    body, call = sent(
        device, problem, tmp_path, mode="fast", annealing_time=0.005, flux_biases=biases
    )
    assert body["params"] == {
        "num_reads": 7,
        "auto_scale": False,
        "answer_mode": "raw",
        "fast_anneal": True,
        "annealing_time": 0.005,
        "flux_biases": biases.tolist(),
        "flux_drift_compensation": False,
    }
    assert not any(physical(body, device.solver)[0].values())
    model, _ = expected_model(device, problem, call, None, 0.0)
    agree(body, device, model, call.notes["scale"])
    assert call.notes["clipped"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["forward", "cyclic"])
def test_a_spin_reversal_turns_fields_couplings_and_start_states_over_together(
    device, problem, tmp_path, mode
):
    initial = (
        np.random.default_rng(3).choice(np.array([-1, 1], np.int8), (3, 1, 160))
        if mode == "cyclic"
        else None
    )
    plain, call = sent(device, problem, tmp_path / "plain", mode=mode, initial=initial)
    turned, turned_call = sent(
        device, problem, tmp_path / "turned", mode=mode, initial=initial, spin_reversal=True
    )
    assert turned_call.flips.min() == -1
    assert abs(float(turned_call.flips.mean())) < 0.25  # 480 spins: 5.5 standard deviations
    assert call.flips.min() == 1
    flips = np.repeat(turned_call.flips.ravel(), turned_call.chain_lengths.ravel())
    chain_flip = dict(zip(turned_call.qubits.tolist(), flips, strict=True))
    h, j = physical(plain, device.solver)
    turned_h, turned_j = physical(turned, device.solver)
    assert set(h) == set(turned_h) == set(chain_flip)
    assert turned_h == pytest.approx(
        {q: chain_flip[q] * value for q, value in h.items()}, abs=1e-12
    )
    assert turned_j == pytest.approx(
        {(u, v): chain_flip[u] * chain_flip[v] * value for (u, v), value in j.items()}
    )
    if mode == "cyclic":
        was, now = plain["params"]["initial_state"], turned["params"]["initial_state"]
        assert all(now[q] == chain_flip[q] * was[q] for q in chain_flip)


@pytest.mark.slow
def test_values_out_of_range_are_clipped_and_counted(device, problem, tmp_path):
    body, call = sent(device, problem, tmp_path, scale=20.0, chain_strength=0.01)
    h, j = physical(body, device.solver)
    assert max(map(abs, h.values())) == 4.0
    assert max(j.values()) == 1.0
    model, _ = expected_model(device, problem, call, None, None)
    over = sum(not -4 <= 20 * value <= 4 for value in model.linear.values())
    over += sum(not -2 <= 20 * value <= 1 for value in model.quadratic.values())
    assert call.notes["clipped"] == over > 0
