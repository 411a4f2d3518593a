"""Samplers of dimod's interface that note what they are given."""

import dimod
import numpy as np


class Recorder:
    """A sampler that answers with given states, by default its start states or all up, and keeps
    what it was called with.
    """

    properties = {}  # noqa: RUF012

    def __init__(self, *parameters, answers=None, rows=1):
        self.parameters = {name: [] for name in parameters}
        self.answers, self.rows = answers, rows
        self.models, self.given = [], []

    def sample(self, bqm, **given):
        self.models.append(bqm)
        self.given.append(given)
        if self.answers is not None:
            return self.answers(bqm, len(self.given) - 1)
        up = np.ones((given.get("num_reads", self.rows), len(bqm)))
        starts, _ = given.get("initial_states", (up, None))
        return sampleset(starts, info={"call": len(self.given) - 1})


def sampleset(spins, labels=None, energy=0.0, **more):
    spins = np.asarray(spins)
    labels = range(spins.shape[1]) if labels is None else labels
    energies = np.broadcast_to(energy, len(spins))
    return dimod.SampleSet.from_samples(
        (spins, list(labels)), energy=energies, vartype="SPIN", sort_labels=False, **more
    )


class TakesBySignature:
    """As OpenJij: its parameters do not list all that sample() names, and sample() takes no
    others.
    """

    parameters = {"beta": []}  # noqa: RUF012

    def sample(self, bqm, num_reads=1, seed=None, sweeps=3):
        self.given = {"num_reads": num_reads, "seed": seed, "sweeps": sweeps}
        return sampleset(np.ones((num_reads, len(bqm))))


class TakesInSampleIsing(dimod.Sampler):
    """As dimod's docs show it: only sample_ising() is written."""

    properties = {}  # noqa: RUF012
    parameters = {}  # noqa: RUF012

    def sample_ising(self, h, J, *, num_reads=1):
        return sampleset(np.ones((num_reads, len(h))), labels=list(h))


class TakesAnything:
    """No dimod.Sampler: it says nothing of what it takes."""

    class TakesNothing:
        def sample(self, bqm):
            return sampleset(np.ones((1, len(bqm))))

    def sample(self, bqm, **given):
        self.given = given
        return sampleset(np.ones((1, len(bqm))))
