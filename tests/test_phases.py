"""The room of phases: what samplers are sent for a minibatch, what comes of it, and whole states of deep networks."""

from collections import namedtuple
from itertools import pairwise

import numpy as np
import pytest

import oracle
import tolerances
from isingprop import Annealing, IsingProblem, LayeredNetwork, States, predict, sample_states
from isingprop.training.phases import Batch, Plan, phases_of
from isingprop.training.sampling_log import Meter
from test_layered import deep_network, exact_energies, some_images

# Up to four hidden layers; one is as wide as the outputs, which alone have the margin.
SIZES = [(3, 4, 2), (4, 3, 5, 2), (2, 3, 2, 1, 2)]
LABELS = np.array([1, 0])
CHAINS = 3
MARGIN = 0.25  # on the grid, so that sums in single precision stay exact
LARGE = 4.0  # of which all free states are wrong
FREE_SEED, NUDGED_SEED = 11, 12
Call = namedtuple("Call", "problem num_reads seed initial spins")


class Spy:
    """An annealer that keeps the problems it gets, as they were, and the states it gave."""

    def __init__(self, sampler=None):
        self.sampler, self.calls = sampler or Annealing(num_sweeps=2), []

    def sample(self, problem, num_reads=1, seed=None, initial=None):
        states = self.sampler.sample(problem, num_reads, seed, initial)
        arrays = problem.couplings, problem.hidden_fields, problem.output_fields, problem.streams
        kept = IsingProblem.trusted(*(array.copy() for array in arrays))
        self.calls.append(
            Call(
                kept,
                num_reads,
                seed,
                None if initial is None else initial.copy(),
                states.spins.copy(),
            )
        )
        return states

    def taken(self):
        calls, self.calls = self.calls, []
        return calls


class Case:
    """A network, two images, and samplers that are looked at."""

    def __init__(self, sizes, active_layers=2, **plan):
        self.network, self.images, self.main, self.warm = (
            deep_network(sizes),
            some_images(),
            Spy(),
            Spy(),
        )
        options = {
            "num_states": CHAINS,
            "nudge": None,
            "skip_correct": False,
            "margin": 0.0,
            "nudged_from_free": True,
        }
        self.plan = Plan(sampler=self.main, warm_sampler=self.warm, **{**options, **plan})
        self.phases = phases_of(self.network, self.plan, active_layers)
        self.targets = self.network.readout.targets(LABELS)
        streams = np.array([4, 6], np.uint64)
        fields = self.network.hidden_fields(self.images)
        self.batch = Batch(fields, streams, self.targets[:, None], None, FREE_SEED, NUDGED_SEED)
        self.meter = Meter()

    def free(self):
        return self.phases.free(self.batch, self.meter)

    def pull(self, outputs):
        """sum_a n_a[y] t_a of (B, ..., O) outputs."""
        return np.einsum("ba,b...a->b...", self.targets.astype(float), outputs.astype(float))

    def energies(self, spins):
        """Exact, of (B, ..., N) spins."""
        flat = spins.reshape(2, -1, spins.shape[-1])
        return exact_energies(self.network, self.images, flat).reshape(spins.shape[:-1])

    def assert_stage(self, call, layer, frozen, margin=0.0):
        """The problems are the whole network at these frozen states (B, m, N), but for a constant of each chain."""
        problem, where = call.problem, self.network.active(layer)
        assert (problem.num_hidden, problem.num_output) == self.network.sizes[layer - 1 : layer + 1]
        assert (len(problem), call.num_reads) == (2 * CHAINS, 1)
        active = oracle.all_states(problem.num_spins)
        whole = np.repeat(frozen[:, :, None], len(active), axis=2)
        whole[..., where] = active
        exact = self.energies(whole) + margin * self.pull(whole[..., self.network.num_hidden :])
        constant = exact - oracle.energies(problem, active).reshape(exact.shape)
        np.testing.assert_array_equal(constant, np.broadcast_to(constant[..., :1], constant.shape))

    def spins_of(self, call):
        return call.spins.reshape(2, CHAINS, -1)

    def retrain(self, layer):
        """Moves the parameters of two layers by a step of the grid or none, as the update after their stage does."""
        network = self.network
        arrays = network.couplings[layer - 1], *network.biases[layer - 1 : layer + 1]
        for k, array in enumerate([*arrays, network.input_weights] if layer == 1 else arrays):
            array += np.float32(2.0**-6) * np.random.default_rng(k).integers(-1, 2, array.shape)


def frozen_above(case, call, layer):
    """The spins of layer l + 2 that the fields of layer l + 1 tell of: (B, m, n)."""
    network = case.network
    states = oracle.all_states(network.sizes[layer + 1])
    possible = network.biases[layer] + states.astype(np.float32) @ network.couplings[layer].T
    equal = (call.problem.output_fields[:, None] == possible).all(axis=2)
    assert (equal.sum(axis=1) == 1).all()
    return states[equal.argmax(axis=1)].reshape(2, CHAINS, -1)


@pytest.mark.parametrize("margin", [0.0, MARGIN])
@pytest.mark.parametrize("sizes", SIZES)
def test_a_forward_pass_samples_two_layers_at_a_time_with_the_others_frozen(sizes, margin):
    """Those below as they were just sampled, those above at the random start; the margin acts on the outputs alone."""
    case = Case(sizes, margin=margin)
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
        case.assert_stage(call, layer, spins, margin if layer == top else 0.0)
        spins[..., case.network.active(layer)] = case.spins_of(call)
    assert tolerances.same_bits(free.spins, spins)
    np.testing.assert_array_equal(free.energies, case.energies(spins))
    assert len({call.seed for call in calls}) == top
    assert all((call.problem.streams == calls[0].problem.streams).all() for call in calls)
    assert len(np.unique(calls[0].problem.streams)) == 2 * CHAINS
    assert case.warm.calls == []
    assert case.meter.largest == max(map(sum, pairwise(sizes)))


@pytest.mark.parametrize("margin", [0.0, MARGIN])
@pytest.mark.parametrize("sizes", SIZES)
def test_all_layers_at_once_are_one_problem(sizes, margin):
    case = Case(sizes, None, margin=margin)
    free, (call,) = case.free(), case.main.calls
    states = np.broadcast_to(oracle.all_states(sum(sizes)), (2, 2 ** sum(sizes), sum(sizes)))
    exact = case.energies(states) + margin * case.pull(states[..., case.network.num_hidden :])
    np.testing.assert_array_equal(
        oracle.energies(call.problem, case.network.to_problem(states)), exact
    )
    assert (call.num_reads, call.initial, call.problem.streams.tolist()) == (CHAINS, None, [4, 6])
    assert tolerances.same_bits(case.network.to_problem(free.spins), call.spins)
    np.testing.assert_array_equal(free.energies, case.energies(free.spins))
    assert case.meter.largest == sum(sizes)


@pytest.mark.parametrize(("active_layers", "largest"), [(2, 7), (None, 9)])
def test_a_problem_that_is_too_large_never_comes_to_the_sampler(
    assert_refused, active_layers, largest
):
    case = Case((3, 4, 2), active_layers)
    case.meter = Meter(max_spins=largest - 1)
    assert_refused(case.free, f"ValueError: max_spins must be at least {largest} for IsingProblem(")
    assert case.main.calls == []
    case.meter = Meter(max_spins=largest)
    case.free()
    assert max(call.problem.num_spins for call in case.main.calls) == case.meter.largest == largest


@pytest.mark.parametrize("margin", [0.0, MARGIN])
@pytest.mark.parametrize("active_layers", [2, None])
def test_one_hidden_layer_is_one_problem_with_energies_without_the_margin(margin, active_layers):
    case = Case((5, 4), active_layers, margin=margin)
    shallow, spy = case.network.shallow(), case.main
    free = phases_of(shallow, case.plan, active_layers).free(case.batch, case.meter)
    (call,), states = spy.calls, oracle.all_states(9)
    exact = case.energies(np.broadcast_to(states, (2, *states.shape)))
    pull = case.pull(np.broadcast_to(states[:, 5:], (2, len(states), 4)))
    np.testing.assert_array_equal(oracle.energies(call.problem, states), exact + margin * pull)
    assert tolerances.same_bits(free.spins, call.spins)
    np.testing.assert_array_equal(free.energies, case.energies(free.spins))
    assert (call.num_reads, call.seed, call.initial) == (CHAINS, FREE_SEED, None)


def test_the_random_start_is_any_state_alike():
    """Of 6 spins, seen in the fields of the first stage of 4,000 chains; chi-square by tolerances.FALSE_ALARM."""
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
    """Of all states of layer L - 1 with outputs n[y] and the layers below frozen, by enumeration."""
    case, top = Case(sizes, margin=LARGE), len(sizes) - 1
    free = case.free()
    step = next(case.phases.steps(case.batch, free, case.meter))
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
    case, top = Case(sizes, margin=LARGE, nudged_from_free=nudged_from_free), len(sizes) - 1
    free = case.free()
    before, forward = free.spins.copy(), case.main.taken()
    steps = case.phases.steps(case.batch, free, case.meter)
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
    case = Case(sizes, None, margin=LARGE)
    free = case.free()
    before = free.spins.copy()
    (step,) = case.phases.steps(case.batch, free, case.meter)
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
        case.batch, States(step.nudged, case.energies(step.nudged)), case.meter
    )
    assert tolerances.same_bits(rest.nudged, step.nudged), "what is at rest stays"
    assert (len(case.main.calls), len(case.warm.calls)) == (1, 0)


def assert_at_rest(case, spins, num_free):
    """No flip of one of the first num_free spins lowers the energy."""
    flips = np.where(np.eye(spins.shape[-1], dtype=bool), -1, 1).astype(np.int8)[:num_free]
    gains = case.energies(spins[..., None, :] * flips) - case.energies(spins)[..., None]
    assert (gains >= 0).all()


@pytest.mark.parametrize("sizes", SIZES)
def test_all_at_once_nudged_states_that_are_drawn_apart_are_of_the_network_with_these_outputs(
    sizes,
):
    case = Case(sizes, None, margin=MARGIN, nudged_from_free=False)
    free = case.free()
    case.main.taken()
    (step,) = case.phases.steps(case.batch, free, case.meter)
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


@pytest.mark.parametrize("active_layers", [2, None])
@pytest.mark.parametrize("sizes", SIZES)
def test_states_come_to_rest_without_a_margin_and_many_reads_find_the_ground_state(
    sizes, active_layers
):
    case = Case(sizes)
    states = sample_states(
        case.network, case.main, case.images, 200, seed=1, active_layers=active_layers
    )
    assert states.spins.shape == (2, 200, sum(sizes))
    np.testing.assert_array_equal(states.energies, case.energies(states.spins))
    assert_at_rest(case, states.spins, sum(sizes))
    every = np.broadcast_to(oracle.all_states(sum(sizes)), (2, 2 ** sum(sizes), sum(sizes)))
    assert states.energies.min(axis=1).tolist() == case.energies(every).min(axis=1).tolist()
    shapes = [(call.problem.num_hidden, call.problem.num_output) for call in case.main.calls]
    assert shapes == (
        [(sum(sizes[::2]), sum(sizes[1::2]))] if active_layers is None else list(pairwise(sizes))
    )
    fields = case.main.calls[-1].problem
    last = (
        fields.hidden_fields if active_layers is None and len(sizes) % 2 else fields.output_fields
    )
    assert (last[:, -sizes[-1] :] == case.network.biases[-1]).all(), (
        "the last layer has its bias and no margin"
    )
    lowest = case.network.readout.predict(states.lowest().spins[:, 0, case.network.num_hidden :])
    again = predict(
        case.network, Spy(), case.images, num_reads=200, seed=1, active_layers=active_layers
    )
    assert again.tolist() == lowest.tolist()


def test_states_come_to_rest_wherever_the_sampler_left_them():
    """At infinite temperature that is anywhere, and one sweep downhill is not enough."""
    case = Case((12, 20, 15, 10))
    sampler = Annealing(1, (0.0, 0.0), descend=False)
    states = sample_states(case.network, sampler, case.images, 40, seed=1)
    np.testing.assert_array_equal(states.energies, case.energies(states.spins))
    assert_at_rest(case, states.spins, states.spins.shape[2])


BETA = 0.4
SMALL = [(2, 3, 2), (2, 3, 2, 2)]


def sampled_numbers(network, images):
    """Of 20,000 reads at constant temperature."""
    sampler = Annealing(num_sweeps=60, beta_range=(BETA, BETA), descend=False)
    return oracle.state_numbers(
        sample_states(network, sampler, images, 20_000, seed=2, active_layers=None).spins[0]
    )


def probabilities(network, images):
    weights = np.exp(
        -BETA * exact_energies(network, images, oracle.all_states(sum(network.sizes)))[0]
    )
    return weights / weights.sum()


@pytest.mark.parametrize("sizes", SMALL)
def test_all_layers_at_once_are_boltzmann_distributed_at_constant_temperature(sizes):
    """Chi-square over all states, by tolerances.FALSE_ALARM."""
    network, image = deep_network(sizes), some_images(1)
    assert not tolerances.is_rejected(
        sampled_numbers(network, image), probabilities(network, image)
    )


@pytest.mark.parametrize("sizes", SMALL)
def test_states_that_are_not_carried_back_are_rejected(sizes, monkeypatch):
    network, image = deep_network(sizes), some_images(1)
    monkeypatch.setattr(LayeredNetwork, "from_problem", lambda _, spins: spins)
    assert tolerances.is_rejected(sampled_numbers(network, image), probabilities(network, image))


@pytest.mark.parametrize("layer", [1, 2])
def test_couplings_of_one_layer_transposed_are_rejected(layer):
    network, image = deep_network((2, 2, 2)), some_images(1)
    wrong = deep_network((2, 2, 2))
    wrong.couplings[layer - 1][...] = network.couplings[layer - 1].T
    assert not tolerances.is_rejected(
        sampled_numbers(network, image), probabilities(network, image)
    )
    assert tolerances.is_rejected(sampled_numbers(wrong, image), probabilities(network, image))


@pytest.mark.parametrize("active_layers", [2, None])
def test_same_bits_in_any_division_on_any_number_of_threads_and_every_kernel(
    on_every_kernel, active_layers
):
    network, images, streams = (
        deep_network((17, 16, 33, 10), 30, grid=False),
        oracle.random_images(7, 30),
        np.arange(7),
    )

    def drawn(rows, num_reads=5, num_threads=1):
        states = sample_states(
            network,
            Annealing(5, num_threads=num_threads),
            images[rows],
            num_reads,
            seed=3,
            streams=100 + streams[rows],
            active_layers=active_layers,
        )
        return states.spins, states.energies

    def whole_and_parts():
        every = slice(None)
        parts = [drawn(slice(k, k + 1)) for k in range(7)], [drawn(slice(0, 3)), drawn(slice(3, 7))]
        joined = [[np.concatenate(each) for each in zip(*part, strict=True)] for part in parts]
        fewer = [np.ascontiguousarray(each[:, :2]) for each in drawn(every)]
        return [drawn(every), *joined, drawn(every, num_threads=2), drawn(every, num_threads=7)], [
            fewer,
            drawn(every, num_reads=2),
        ]

    results = on_every_kernel(whole_and_parts)
    for kind in (0, 1):
        assert tolerances.same_bits(*(each[kind] for wholes, _ in results for each in wholes))
        assert tolerances.same_bits(*(each[kind] for _, fewer in results for each in fewer))
    assert len(np.unique(results[0][0][0][0].reshape(35, -1), axis=0)) > 7, "chains differ"


@pytest.mark.parametrize("active_layers", [2, None])
def test_ties_that_never_end_do_not_hang(active_layers):
    """A network of zeros, whose spins may turn over for ever."""
    network = LayeredNetwork(
        np.zeros((3, 2)),
        [np.zeros((3, 4)), np.zeros((4, 2))],
        map(np.zeros, (3, 4, 2)),
        num_classes=2,
    )
    states = sample_states(network, Annealing(2), np.zeros((3, 2)), 4, active_layers=active_layers)
    assert (states.energies == 0).all()
    assert len(np.unique(states.spins.reshape(12, -1), axis=0)) > 1


class Failing:
    """Gives states of another shape than asked for."""

    def sample(self, problem, num_reads=1, seed=None, initial=None):
        return States(
            np.ones((len(problem), num_reads, 1 + problem.num_spins), np.int8),
            np.zeros((len(problem), num_reads)),
        )


NETWORK = deep_network((3, 4, 2))


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        ({"active_layers": 3}, "ValueError: active_layers must be 2 or None, got 3"),
        ({"active_layers": 1}, "ValueError: active_layers must be 2 or None, got 1"),
        ({"active_layers": "2"}, "ValueError: active_layers must be 2 or None, got '2'"),
        ({"active_layers": True}, "ValueError: active_layers must be 2 or None, got True"),
        ({"num_reads": 0}, "ValueError: num_reads must be at least 1, got 0"),
        ({"seed": -1}, "ValueError: seed must be at least 0, got -1"),
        ({"images": np.ones((2, 4))}, "ValueError: images must have shape (n, 3), got (2, 4)"),
        ({"images": np.full((2, 3), 2.0)}, "ValueError: images must be in [0, 1], got 2.0"),
        ({"streams": [0]}, "ValueError: streams must have shape (2,), got (1,)"),
        (
            {"sampler": Failing()},
            "ValueError: spins from Failing must have shape (20, 1, 7), got (20, 1, 8)",
        ),
    ],
)
def test_refusals(assert_refused, options, refusal):
    arguments = {"network": NETWORK, "sampler": Annealing(2), "images": some_images(), **options}
    assert_refused(lambda: sample_states(**arguments), refusal)
