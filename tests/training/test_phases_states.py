"""Phases: states at rest, their distribution, bits on every kernel, refusals."""

from itertools import pairwise

import numpy as np
import pytest

from helpers import oracle, tolerances
from helpers.training.deep_networks import deep_network, exact_energies, some_images
from helpers.training.phase_cases import SIZES, Case, Spy, assert_at_rest
from isingprop import Annealing, LayeredNetwork, States, predict, sample_states


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
