"""Samplers that give an energy-based model's distribution, and wrong ones that must be rejected."""

import numpy as np
from dwave.samplers import SimulatedAnnealingSampler

from helpers import energy_oracle
from isingprop import Annealing, FromDimod, States, Tempering
from isingprop.energy_model.model import GIBBS

READS = 10_000

HOT = {"descend": False, "num_sweeps": 40}


def anneal(beta, **options):
    return Annealing(beta_range=(beta, beta), **HOT | options)


def dimod_at(beta):
    """Gibbs sampling by dwave-samplers."""
    options = {
        "beta_range": [beta, beta],
        "num_sweeps": 40,
        "proposal_acceptance_criteria": "Gibbs",
    }
    return FromDimod(SimulatedAnnealingSampler(), **options)


class Shifted:
    """Boltzmann's distribution of another problem: all fields are off by a tenth."""

    def sample(self, problem, num_reads=1, seed=None, initial=None):
        other = type(problem)(
            problem.couplings, problem.hidden_fields + 0.1, problem.output_fields + 0.1
        )
        states = anneal(1.0).sample(other, num_reads, seed, initial)
        return States(states.spins, problem.energies(states.spins))


class LowStates:
    """A stranger's sampler of lowest states, which does not say that it is one."""

    def sample(self, problem, num_reads=1, seed=None):
        return Annealing().sample(problem, num_reads, seed)


RIGHT = {
    "Gibbs": GIBBS,
    "annealing": anneal(1.0, num_threads=2),
    "tempering": Tempering(24, (0.25, 1.0), num_betas=3, target_beta=1.0),
    "dimod": dimod_at(1.0),
}

WRONG = {
    "annealing, too cold": anneal(1.2),
    "dimod, too hot": dimod_at(0.8),
    "shifted fields": Shifted(),
    "low states": LowStates(),
}

SAMPLERS = [*((name, False) for name in RIGHT), *((name, True) for name in WRONG)]


def case(num_hidden=5, num_outputs=2, *, count=4, seed=0):
    """A model whose outputs are neither certain nor even, its inputs and labels."""
    model = energy_oracle.random_energy_model(4, num_hidden, num_outputs, seed=seed)
    random = np.random.default_rng([seed, count])
    return model, random.random((count, 4)), random.integers(0, 2, (count, num_outputs))


def numbers(outputs):
    """Of outputs (..., M): bit k is unit k."""
    return (outputs.astype(np.int64) << np.arange(outputs.shape[-1])).sum(axis=-1)


def probabilities(model, x):
    """P(y | x), by enumeration: (B, 2^M)."""
    return energy_oracle.joint(model, x).sum(axis=2)
