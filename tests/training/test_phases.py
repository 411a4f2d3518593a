"""Phases: what samplers are sent for a minibatch, and what comes of it."""

from itertools import pairwise

import numpy as np
import pytest

from helpers import oracle, tolerances
from helpers.training.phase_cases import (
    CHAINS,
    FREE_SEED,
    LABELS,
    NUDGED_SEED,
    SIZES,
    Case,
    Spy,
    assert_at_rest,
)
from isingprop import LayeredNetwork, States, sample_states
from isingprop.training.phases import phases_of
from isingprop.training.sampling_log import SamplingLog

PUSH = 0.25  # on each output of the code; on the grid, so that sums in single precision stay exact

LARGE = 4.0  # of which all free states are wrong


def frozen_above(case, call, layer):
    """The spins of layer l + 2 that the fields of layer l + 1 tell of: (B, m, n)."""
    network = case.network
    states = oracle.all_states(network.sizes[layer + 1])
    possible = network.biases[layer] + states.astype(np.float32) @ network.couplings[layer].T
    equal = (call.problem.output_fields[:, None] == possible).all(axis=2)
    assert (equal.sum(axis=1) == 1).all()
    return states[equal.argmax(axis=1)].reshape(2, CHAINS, -1)


@pytest.mark.parametrize("push", [0.0, PUSH])
@pytest.mark.parametrize("sizes", SIZES)
def test_a_forward_pass_samples_two_layers_at_a_time_with_the_others_frozen(sizes, push):
    """Those below as they were just sampled, those above at the random start; the margin acts on
    the outputs alone.
    """
    case = Case(sizes, push=push)
    free, calls = case.free(), case.main.calls
    top, spins = len(sizes) - 1, np.ones((2, CHAINS, sum(sizes)), np.int8)
    bounds = np.cumsum([0, *sizes])
    assert len(calls) == top
    for layer in range(1, top):
        spins[..., bounds[layer + 1] : bounds[layer + 2]] = frozen_above(
            case, calls[layer - 1], layer
        )
    for layer, call in enumerate(calls, start=1):
        assert call.initial is None
        case.assert_stage(call, layer, spins, push if layer == top else 0.0)
        spins[..., case.network.active(layer)] = case.spins_of(call)
    assert tolerances.same_bits(free.spins, spins)
    np.testing.assert_array_equal(free.energies, case.energies(spins))
    assert len({call.seed for call in calls}) == top
    assert all((call.problem.streams == calls[0].problem.streams).all() for call in calls)
    assert len(np.unique(calls[0].problem.streams)) == 2 * CHAINS
    assert case.warm.calls == []
    assert case.log.largest == max(map(sum, pairwise(sizes)))


@pytest.mark.parametrize("push", [0.0, PUSH])
@pytest.mark.parametrize("sizes", SIZES)
def test_all_layers_at_once_are_one_problem(sizes, push):
    case = Case(sizes, None, push=push)
    free, (call,) = case.free(), case.main.calls
    states = np.broadcast_to(oracle.all_states(sum(sizes)), (2, 2 ** sum(sizes), sum(sizes)))
    exact = case.energies(states) + push * case.pull(states[..., case.network.num_hidden :])
    np.testing.assert_array_equal(
        oracle.energies(call.problem, case.network.to_problem(states)), exact
    )
    assert (call.num_reads, call.initial, call.problem.streams.tolist()) == (CHAINS, None, [4, 6])
    assert tolerances.same_bits(case.network.to_problem(free.spins), call.spins)
    np.testing.assert_array_equal(free.energies, case.energies(free.spins))
    assert case.log.largest == sum(sizes)


@pytest.mark.parametrize(("active_layers", "largest"), [(2, 7), (None, 9)])
def test_a_problem_that_is_too_large_never_comes_to_the_sampler(
    assert_refused, active_layers, largest
):
    case = Case((3, 4, 2), active_layers)
    case.log = SamplingLog(max_spins=largest - 1)
    assert_refused(case.free, f"ValueError: max_spins must be at least {largest} for IsingProblem(")
    assert case.main.calls == []
    case.log = SamplingLog(max_spins=largest)
    case.free()
    assert max(call.problem.num_spins for call in case.main.calls) == case.log.largest == largest


@pytest.mark.parametrize("push", [0.0, PUSH])
@pytest.mark.parametrize("active_layers", [2, None])
def test_one_hidden_layer_is_one_problem_with_energies_without_the_margin(push, active_layers):
    case = Case((5, 4), active_layers, push=push)
    shallow, spy = case.network.shallow(), case.main
    free = phases_of(shallow, case.plan).free(case.batch, case.log)
    (call,), states = spy.calls, oracle.all_states(9)
    exact = case.energies(np.broadcast_to(states, (2, *states.shape)))
    # The margin acts on the label's own outputs, so that its code is as much above the others.
    own = np.einsum("ba,sa->bs", (case.targets > 0).astype(float), states[:, 5:].astype(float))
    pushed = oracle.energies(call.problem, states)
    np.testing.assert_array_equal(pushed, exact + 2 * push * own)
    codes = [(states[:, 5:] == code).all(axis=1) for code in case.network.readout.targets([0, 1])]
    lifts = [[(pushed - exact)[k, code][0] for code in codes] for k in (0, 1)]
    for label, lift in zip(LABELS, lifts, strict=True):
        assert lift[label] - lift[1 - label] == case.plan.margin
    assert tolerances.same_bits(free.spins, call.spins)
    np.testing.assert_array_equal(free.energies, case.energies(free.spins))
    assert (call.num_reads, call.seed, call.initial) == (CHAINS, FREE_SEED, None)


def test_the_random_start_is_any_state_alike():
    """Of 6 spins, seen in the fields of the first stage of 4,000 chains; chi-square by
    tolerances.FALSE_ALARM.
    """
    network, spy = (
        LayeredNetwork(
            [[1.0]] * 2, [[[1.0] * 2] * 2, np.diag([1.0, 2])], [[0.0] * 2] * 3, num_classes=2
        ),
        Spy(),
    )
    sample_states(network, spy, np.zeros((40, 1)), num_reads=100, seed=0)
    start = np.sign(spy.calls[0].problem.output_fields).astype(np.int8)
    assert len(start) == 4000
    for joined in (
        start,
        start.reshape(-1, 4),
        start.reshape(20, 2, 100, 2).swapaxes(1, 2).reshape(-1, 4),
    ):
        count = 2 ** joined.shape[1]
        assert not tolerances.is_rejected(oracle.state_numbers(joined), np.full(count, 1 / count))
    sample_states(network, spy, np.zeros((40, 1)), num_reads=100, seed=1)
    assert (np.sign(spy.calls[2].problem.output_fields) != start).mean() > 0.4


@pytest.mark.parametrize("sizes", SIZES)
def test_the_nudged_partner_is_the_free_state_but_for_the_last_two_layers_at_their_lowest(sizes):
    """Of all states of layer L - 1 with outputs n[y] and the layers below frozen, by
    enumeration.
    """
    case, top = Case(sizes, push=LARGE), len(sizes) - 1
    free = case.free()
    step = next(case.phases.steps(case.batch, free, case.log))
    where = case.network.active(top)
    assert step.layer == top
    assert tolerances.same_bits(np.ascontiguousarray(free.spins[..., where]), step.free)
    inner = oracle.all_states(sizes[-2])
    whole = np.repeat(free.spins[:, :, None], len(inner), axis=2)
    whole[..., where.start : where.start + sizes[-2]] = inner
    whole[..., case.network.num_hidden :] = case.targets[:, None, None]
    lowest = case.energies(whole).argmin(axis=2)
    expected = np.take_along_axis(whole, lowest[..., None, None], axis=2)[:, :, 0]
    np.testing.assert_array_equal(step.nudged, expected[..., where])
    assert (step.nudged != step.free).any(axis=2).all()


@pytest.mark.parametrize("nudged_from_free", [True, False])
@pytest.mark.parametrize("sizes", SIZES)
def test_a_backward_pass_goes_down_and_samples_both_chains_from_where_they_are(
    sizes, nudged_from_free
):
    """With the same random numbers, under the parameters that the stage above has left."""
    case, top = Case(sizes, push=LARGE, nudged_from_free=nudged_from_free), len(sizes) - 1
    free = case.free()
    before, forward = free.spins.copy(), case.main.taken()
    steps = case.phases.steps(case.batch, free, case.log)
    step, layers, (spy, other) = (
        next(steps),
        [top],
        (case.warm, case.main)[:: 1 if nudged_from_free else -1],
    )
    first, second = free.spins.copy(), free.spins.copy()
    if not nudged_from_free:
        second = assert_drawn_apart(case, case.main.taken(), forward)
    second[..., case.network.active(top)] = step.nudged
    assert (second[..., case.network.num_hidden :] == case.targets[:, None]).all()
    case.retrain(top)
    for step in steps:
        layers.append(step.layer)
        calls, where = spy.taken(), case.network.active(step.layer)
        for call, spins, sampled in zip(calls, (first, second), step[1:3], strict=True):
            case.assert_stage(call, step.layer, spins)
            start = spins[..., where].reshape(2 * CHAINS, 1, -1) if nudged_from_free else None
            np.testing.assert_array_equal(call.initial, start)
            assert tolerances.same_bits(case.spins_of(call), sampled)
            spins[..., where] = sampled
        assert calls[0].seed == calls[1].seed
        assert calls[0].seed not in {call.seed for call in forward}
        assert tolerances.same_bits(
            calls[0].problem.streams, calls[1].problem.streams, forward[0].problem.streams
        )
        case.retrain(step.layer)
    assert layers == list(range(top, 0, -1))
    assert other.calls == []
    assert tolerances.same_bits(free.spins, before), "errors are counted of the states as they were"


def assert_drawn_apart(case, calls, forward):
    """A forward pass of its own, without the margin and with other seeds; its states."""
    spins, top = np.ones((2, CHAINS, sum(case.network.sizes)), np.int8), len(case.network.couplings)
    assert len(calls) == top
    assert not {call.seed for call in calls} & {call.seed for call in forward}
    for layer, call in enumerate(calls, start=1):
        if layer == top:
            case.assert_stage(call, layer, spins)
        spins[..., case.network.active(layer)] = case.spins_of(call)
    return spins


@pytest.mark.parametrize("sizes", SIZES)
def test_all_at_once_the_hidden_layers_of_a_nudged_partner_go_downhill_to_rest(sizes):
    case = Case(sizes, None, push=LARGE)
    free = case.free()
    before = free.spins.copy()
    (step,) = case.phases.steps(case.batch, free, case.log)
    assert step.layer is None
    assert tolerances.same_bits(free.spins, step.free, before)
    assert (step.nudged[..., case.network.num_hidden :] == case.targets[:, None]).all()
    assert_at_rest(case, step.nudged, case.network.num_hidden)
    turned = free.spins.copy()
    turned[..., case.network.num_hidden :] = case.targets[:, None]
    gained = case.energies(step.nudged) - case.energies(turned)
    assert (gained <= 0).all()
    assert gained.any() or sizes[-2] == 1, "one spin alone sees the outputs"
    (rest,) = case.phases.steps(
        case.batch, States(step.nudged, case.energies(step.nudged)), case.log
    )
    assert tolerances.same_bits(rest.nudged, step.nudged), "what is at rest stays"
    assert (len(case.main.calls), len(case.warm.calls)) == (1, 0)


@pytest.mark.parametrize("sizes", SIZES)
def test_all_at_once_nudged_states_that_are_drawn_apart_are_of_the_network_with_these_outputs(
    sizes,
):
    case = Case(sizes, None, push=PUSH, nudged_from_free=False)
    free = case.free()
    case.main.taken()
    (step,) = case.phases.steps(case.batch, free, case.log)
    (call,) = case.main.calls
    hidden = np.broadcast_to(
        oracle.all_states(case.network.num_hidden), (2, 2**case.network.num_hidden, sum(sizes[:-1]))
    )
    whole = np.concatenate(
        [hidden, np.repeat(case.targets[:, None], hidden.shape[1], axis=1)], axis=2
    )
    odd_first = np.concatenate(
        [*case.network.split(whole)[:-1:2], *case.network.split(whole)[1:-1:2]], axis=-1
    )
    constant = case.energies(whole) - oracle.energies(call.problem, odd_first)
    np.testing.assert_array_equal(constant, np.broadcast_to(constant[:, :1], constant.shape))
    assert (call.num_reads, call.initial, call.seed) == (CHAINS, None, NUDGED_SEED)
    assert tolerances.same_bits(free.spins, step.free)
    assert (step.nudged[..., case.network.num_hidden :] == case.targets[:, None]).all()
    layers = case.network.split(step.nudged)
    np.testing.assert_array_equal(
        np.concatenate([*layers[:-1:2], *layers[1:-1:2]], axis=-1), call.spins
    )
