"""Models on graphs of more than two colours: families of strangers.py beside stranger_problems.py.

Chips, triangular and cubic lattices with frustration, random and complete graphs, and constraints.
"""

from __future__ import annotations

from functools import partial

import dimod
import networkx as nx
import numpy as np
from dwave.graphs import pegasus_graph, zephyr_graph
from stranger_problems import (
    Draw,
    Maker,
    Problem,
    cauchy,
    ferromagnetic,
    gaussian,
    lattice_ends,
    signs,
    spin_model,
)

ZEPHYR, PEGASUS = 4, 5  # sizes of chips
TRIANGLES = 24  # sites per side of a triangular lattice
FCC_SIDE = 8  # of a face-centred cubic lattice, even
VERTICES, DENSITY = 800, 0.06  # as in G1 ... G10 of the Gset
HUB_VERTICES, HUB_DEGREE = 500, 4
COMPLETE, COMPLETE_CAUCHY = 256, 128
PATTERNS, NEURONS = 5, 200
WRONG = 0.2  # share of wrong signs in a ferromagnet in disguise
MAP_VERTICES, MAP_DEGREE, MAP_COLOURS = 60, 6, 4
CITIES, PENALTY = 9, 2.0


def antiferromagnetic(random: np.random.Generator, count: int) -> np.ndarray:
    return -ferromagnetic(random, count)


def on_graph(
    graph: nx.Graph, random: np.random.Generator, draw: Draw, field: float = 0.0
) -> Problem:
    """Couplings on the edges, and normally distributed fields."""
    places = {v: k for k, v in enumerate(sorted(graph.nodes))}
    ends = np.array([[places[u], places[v]] for u, v in graph.edges]).T
    fields = field * gaussian(random, len(places))
    return Problem(spin_model(ends, draw(random, ends.shape[1]), fields))


def zephyr(random: np.random.Generator, draw: Draw, field: float = 0.0) -> Problem:
    return on_graph(zephyr_graph(ZEPHYR), random, draw, field)


def pegasus(random: np.random.Generator, draw: Draw) -> Problem:
    return on_graph(pegasus_graph(PEGASUS), random, draw)


def disguised(random: np.random.Generator, wrong: float) -> Problem:
    """A ferromagnet on a Zephyr chip whose ground state is a random one, and wrong signs."""
    problem = zephyr(random, lambda r, count: np.where(r.random(count) < wrong, 1.0, -1.0))
    for v in problem.bqm.variables:
        if random.random() < 1 / 2:
            problem.bqm.flip_variable(v)
    return problem


def triangular(random: np.random.Generator, draw: Draw) -> Problem:
    straight = lattice_ends(TRIANGLES, TRIANGLES)
    sites = np.arange(TRIANGLES**2).reshape(TRIANGLES, TRIANGLES)
    across = np.stack([sites.ravel(), np.roll(sites, (-1, -1), (0, 1)).ravel()])
    ends = np.concatenate([straight, across], axis=1)
    return Problem(spin_model(ends, draw(random, ends.shape[1])))


def face_centred(random: np.random.Generator, draw: Draw) -> Problem:
    """Twelve neighbours each, in tetrahedra."""
    graph = nx.Graph()
    for site in np.argwhere(np.indices((FCC_SIDE,) * 3).sum(axis=0) % 2 == 0):
        for step in ((1, 1, 0), (1, -1, 0), (1, 0, 1), (1, 0, -1), (0, 1, 1), (0, 1, -1)):
            graph.add_edge(tuple(site.tolist()), tuple(((site + step) % FCC_SIDE).tolist()))
    return on_graph(graph, random, draw)


def random_graph(random: np.random.Generator, draw: Draw) -> Problem:
    seed = int(random.integers(2**31))
    return on_graph(nx.gnp_random_graph(VERTICES, DENSITY, seed=seed), random, draw)


def preferential(random: np.random.Generator, draw: Draw) -> Problem:
    """A few variables have a great many couplings (Barabasi and Albert)."""
    seed = int(random.integers(2**31))
    graph = nx.barabasi_albert_graph(HUB_VERTICES, HUB_DEGREE, seed=seed)
    return on_graph(graph, random, draw)


def all_pairs(random: np.random.Generator, draw: Draw, count: int) -> Problem:
    ends = np.array(np.triu_indices(count, 1))
    return Problem(spin_model(ends, draw(random, ends.shape[1])))


def hopfield(random: np.random.Generator) -> Problem:
    """A memory of few patterns, which it holds."""
    patterns = signs(random, PATTERNS * NEURONS).reshape(PATTERNS, NEURONS)
    first, second = np.triu_indices(NEURONS, 1)
    couplings = -(patterns[:, first] * patterns[:, second]).sum(axis=0)
    return Problem(spin_model(np.stack([first, second]), couplings))


def colouring(random: np.random.Generator) -> Problem:
    """One bit for each vertex and colour, with a penalty unless a vertex has one colour."""
    graph = nx.random_regular_graph(MAP_DEGREE, MAP_VERTICES, seed=int(random.integers(2**31)))
    model = dimod.generators.combinations([], 0)
    for v in graph.nodes:
        model.update(dimod.generators.combinations([(v, c) for c in range(MAP_COLOURS)], 1))
    for u, v in graph.edges:
        for c in range(MAP_COLOURS):
            model.add_quadratic((u, c), (v, c), 1.0)
    return Problem(model)


def tour(random: np.random.Generator) -> Problem:
    """The travelling salesman, one bit for each city and step."""
    places = random.random((CITIES, 2))
    distances = np.hypot(*(places[:, None] - places).transpose(2, 0, 1))
    strength = PENALTY * distances.max()
    model = dimod.BinaryQuadraticModel("BINARY")
    for k in range(CITIES):
        for bits in ([(k, t) for t in range(CITIES)], [(c, k) for c in range(CITIES)]):
            model.update(dimod.generators.combinations(bits, 1, strength=strength))
    for a, b in np.argwhere(~np.eye(CITIES, dtype=bool)).tolist():
        for t in range(CITIES):
            model.add_quadratic((a, t), (b, (t + 1) % CITIES), float(distances[a, b]))
    return Problem(model)


FAMILIES: dict[str, Maker] = {
    "zephyr-pm1": partial(zephyr, draw=signs),
    "zephyr-gauss": partial(zephyr, draw=gaussian),
    "zephyr-cauchy": partial(zephyr, draw=cauchy),
    "zephyr-antiferromagnet": partial(zephyr, draw=antiferromagnetic),
    "zephyr-random-field": partial(zephyr, draw=ferromagnetic, field=2.0),
    "zephyr-disguised": partial(disguised, wrong=0.0),
    "zephyr-disguised-wrong": partial(disguised, wrong=WRONG),
    "pegasus-pm1": partial(pegasus, draw=signs),
    "triangular-pm1": partial(triangular, draw=signs),
    "triangular-ferromagnet": partial(triangular, draw=ferromagnetic),
    "triangular-antiferromagnet": partial(triangular, draw=antiferromagnetic),
    "face-centred-antiferromagnet": partial(face_centred, draw=antiferromagnetic),
    "random-cut": partial(random_graph, draw=antiferromagnetic),
    "random-pm1": partial(random_graph, draw=signs),
    "preferential": partial(preferential, draw=signs),
    "all-pairs-gauss": partial(all_pairs, draw=gaussian, count=COMPLETE),
    "all-pairs-cauchy": partial(all_pairs, draw=cauchy, count=COMPLETE_CAUCHY),
    "hopfield": hopfield,
    "colouring": colouring,
    "tour": tour,
}
