"""A sampler that keeps what it is sent, and the phases of small deep networks."""

from collections import namedtuple

import numpy as np

from helpers import oracle
from helpers.training.deep_networks import deep_network, exact_energies, some_images
from isingprop import Annealing, IsingProblem
from isingprop.training.phases import Batch, Plan, phases_of
from isingprop.training.sampling_log import SamplingLog

# Up to four hidden layers; one is as wide as the outputs, which alone have the margin.
SIZES = [(3, 4, 2), (4, 3, 5, 2), (2, 3, 2, 1, 2)]

LABELS = np.array([1, 0])

CHAINS = 3

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
    """A network, two images, and samplers that are looked at. The margin of the plan is such that
    each output of the code is pushed by `push`.
    """

    def __init__(self, sizes, active_layers=2, push=0.0, **plan):
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
            "margin": 4 * self.network.readout.redundancy * push,
            "nudged_from_free": True,
            "active_layers": active_layers,
        }
        self.plan = Plan(sampler=self.main, warm_sampler=self.warm, **{**options, **plan})
        self.phases = phases_of(self.network, self.plan)
        self.targets = self.network.readout.targets(LABELS)
        streams = np.array([4, 6], np.uint64)
        fields = self.network.hidden_fields(self.images)
        self.batch = Batch(
            fields,
            streams,
            np.asarray(LABELS),
            self.targets[:, None],
            None,
            FREE_SEED,
            NUDGED_SEED,
        )
        self.log = SamplingLog()

    def free(self):
        return self.phases.free(self.batch, self.log)

    def pull(self, outputs):
        """sum_a n_a[y] t_a of (B, ..., O) outputs."""
        return np.einsum("ba,b...a->b...", self.targets.astype(float), outputs.astype(float))

    def energies(self, spins):
        """Exact, of (B, ..., N) spins."""
        flat = spins.reshape(2, -1, spins.shape[-1])
        return exact_energies(self.network, self.images, flat).reshape(spins.shape[:-1])

    def assert_stage(self, call, layer, frozen, push=0.0):
        """The problems are the whole network at these frozen states (B, m, N), but for a constant
        of each chain.
        """
        problem, where = call.problem, self.network.active(layer)
        assert (problem.num_hidden, problem.num_output) == self.network.sizes[layer - 1 : layer + 1]
        assert (len(problem), call.num_reads) == (2 * CHAINS, 1)
        active = oracle.all_states(problem.num_spins)
        whole = np.repeat(frozen[:, :, None], len(active), axis=2)
        whole[..., where] = active
        exact = self.energies(whole) + push * self.pull(whole[..., self.network.num_hidden :])
        constant = exact - oracle.energies(problem, active).reshape(exact.shape)
        np.testing.assert_array_equal(constant, np.broadcast_to(constant[..., :1], constant.shape))

    def spins_of(self, call):
        return call.spins.reshape(2, CHAINS, -1)

    def retrain(self, layer):
        """Moves the parameters of two layers by a step of the grid or none, as the update after
        their stage does.
        """
        network = self.network
        arrays = network.couplings[layer - 1], *network.biases[layer - 1 : layer + 1]
        for k, array in enumerate([*arrays, network.input_weights] if layer == 1 else arrays):
            array += np.float32(2.0**-6) * np.random.default_rng(k).integers(-1, 2, array.shape)


def assert_at_rest(case, spins, num_free):
    """No flip of one of the first num_free spins lowers the energy."""
    flips = np.where(np.eye(spins.shape[-1], dtype=bool), -1, 1).astype(np.int8)[:num_free]
    gains = case.energies(spins[..., None, :] * flips) - case.energies(spins)[..., None]
    assert (gains >= 0).all()
