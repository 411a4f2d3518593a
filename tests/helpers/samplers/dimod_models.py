"""Binary quadratic models for the drop-in samplers."""

import dimod
import dimod.testing
import numpy as np
import pytest
from networkx.algorithms import bipartite

from isingprop import IsingProblem
from isingprop.dimod import AnnealingSampler, TemperingSampler

BOTH = pytest.mark.parametrize(
    "sampler", [AnnealingSampler(), TemperingSampler()], ids=["annealing", "tempering"]
)


def random_edges(random, num_variables, density):
    """Edges (2, E) between the even and the odd variables, which then have new numbers in
    no order.
    """
    pairs = np.argwhere(random.random((num_variables, num_variables)) < density)
    ends = pairs[pairs.sum(axis=1) % 2 == 1].T
    ends = np.unique(np.sort(ends, axis=0), axis=1)
    return random.permutation(num_variables)[ends]


def random_bqm(
    seed,
    num_variables=10,
    density=0.3,
    vartype="SPIN",
    kind=dimod.BinaryQuadraticModel,
    digits=None,
):
    """Normally distributed biases, labels of many types, an offset."""
    random = np.random.default_rng([seed, num_variables])
    labels = [
        [k, f"x{k}", (k, "y"), k + 0.5][k % 4] for k in random.permutation(num_variables).tolist()
    ]
    u, v = random_edges(random, num_variables, density)
    biases = (
        random.normal(size=num_variables + len(u) + 1)
        .round(digits if digits is not None else 15)
        .tolist()
    )
    linear = dict(zip(labels, biases, strict=False))
    quadratic = {
        (labels[a], labels[b]): bias
        for a, b, bias in zip(u, v, biases[num_variables:-1], strict=True)
    }
    return kind(linear, quadratic, biases[-1], vartype)


def glass(num_variables=80, vartype="SPIN"):
    """With many local minima, and variables that are not in the order of their labels."""
    bqm = random_bqm(0, num_variables, 0.1, vartype)
    return bqm.relabel_variables({v: str(v) for v in bqm.variables}, inplace=False)


def network(num_variables=80, vartype="SPIN"):
    """Two dense layers, whose variables are in no order."""
    random = np.random.default_rng(1)
    names = random.permutation(num_variables).astype(str).tolist()
    i, a = np.indices((num_variables // 3, num_variables - num_variables // 3)).reshape(2, -1)
    ends = i, a + num_variables // 3
    biases = random.normal(size=num_variables), (*ends, random.normal(size=len(i)))
    return dimod.BinaryQuadraticModel.from_numpy_vectors(
        *biases, 0.5, vartype, variable_order=names
    )


def frustrated(num_variables=80, vartype="SPIN"):
    """Some ten couplings for each variable, with many odd cycles."""
    random = np.random.default_rng(2)
    names = random.permutation(num_variables).astype(str).tolist()
    i, j = np.triu_indices(num_variables, 1)
    ends = np.array([i, j])[:, random.random(len(i)) < 10 / num_variables]
    biases = random.normal(size=num_variables), (*ends, random.normal(size=ends.shape[1]))
    return dimod.BinaryQuadraticModel.from_numpy_vectors(
        *biases, -0.25, vartype, variable_order=names
    )


EACH_KIND = pytest.mark.parametrize(
    "make", [glass, network, frustrated], ids=["two-colours", "dense", "odd-cycles"]
)


def two_layers(bqm):
    """Returns a model of two colours as a problem of `isingprop`, and the number of the spin of
    each variable.
    """
    bqm = bqm.change_vartype("SPIN", inplace=False)
    variables, colours = list(bqm.variables), bipartite.color(dimod.to_networkx_graph(bqm))
    outputs = [v for v in variables if colours[v]]
    order = [v for v in variables if not colours[v]] + outputs
    place = {v: k for k, v in enumerate(order)}
    num_hidden = len(variables) - len(outputs)
    couplings = np.zeros((num_hidden, len(outputs)))
    for ends, bias in bqm.quadratic.items():
        hidden, output = sorted(place[v] for v in ends)
        couplings[hidden, output - num_hidden] = bias
    fields = np.array([[bqm.linear[v] for v in order]])
    problem = IsingProblem(couplings, fields[:, :num_hidden], fields[:, num_hidden:])
    return problem, [place[v] for v in variables]


def lattice(*sizes, seed=0):
    """+1 and -1 at random between neighbours, variables numbered at random."""
    random = np.random.default_rng(seed)
    sites = random.permutation(np.prod(sizes)).reshape(sizes)
    pairs = [
        np.stack([np.delete(sites, -1, axis).ravel(), np.delete(sites, 0, axis).ravel()])
        for axis in range(len(sizes))
    ]
    ends = np.concatenate(pairs, axis=1)
    return dimod.BinaryQuadraticModel.from_numpy_vectors(
        np.zeros(sites.size), (*ends, random.choice([-1.0, 1.0], ends.shape[1])), 0.0, "SPIN"
    )


def reads(samples):
    return samples.record.sample.tolist()


PAIR = dimod.BinaryQuadraticModel({"a": 0.5}, {"ab": -1.0}, 0.0, "SPIN")
