"""Binary quadratic models of many kinds, as strangers bring them: the families of strangers.py.

All of them are two-colourable; those of graph_problems.py are not. A maker draws one problem from a
random generator: the same one from the same state of the generator.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import dimod
import numpy as np
from instances import trained_network
from numpy.typing import NDArray

import isingprop as ip

Doubles = NDArray[np.float64]
Ends = NDArray[np.int64]  # (2, E), the spins that each coupling joins
Draw = Callable[[np.random.Generator, int], Doubles]

SIDE, CUBE_SIDE, LARGE_SIDE = 16, 8, 30  # of periodic lattices; even
WEAK = 1e-3  # couplings of the weak part of a problem, where the strong part has 1
PINNING_FIELD = 1000.0
NEARLY_PINNING_FIELD = 3.9  # a spin with four couplings of 1 is pinned beyond 4
PINNED_SHARE = 0.1
SPARSE_SPINS, SPARSE_DEGREE = 400, 4
UNEVEN_HIDDEN, UNEVEN_OUTPUTS = 60, 40
SET_VERTICES = 200
HUB_SPINS, HUB_DEGREE, HUB_EXPONENT = 600, 3, 4  # the exponent makes few spins of many couplings
CHAIN_ROWS, CHAIN_COLUMNS = 16, 12  # the embedded K_{n,m}
CELL_ROWS, CELL = 6, 8  # pairs of cells per side, even; qubits per cell
WEAK_CELL_FIELD = 0.44  # the strong cells have -1
NUM_HIDDEN, NUM_OUTPUT = 120, 40
HIDDEN_FIELD, COUPLING = 0.19, 0.0526  # standard deviations in the paper's network on MNIST
NUM_UNITS, CLAMPING_BIAS = 64, 100.0  # hidden units of the Boltzmann machine
TRAIN_IMAGES, TEST_IMAGES = 1000, 100  # of MNIST


@dataclass(frozen=True)
class Problem:
    """A model, with the energy of its ground state where that is known."""

    bqm: dimod.BinaryQuadraticModel
    ground_energy: float | None = None


Maker = Callable[[np.random.Generator], Problem]


def spin_model(
    ends: Ends, couplings: Doubles, fields: Doubles | None = None
) -> dimod.BinaryQuadraticModel:
    linear = np.zeros(ends.max() + 1) if fields is None else fields
    return dimod.BinaryQuadraticModel.from_numpy_vectors(
        linear, (*ends, couplings), 0.0, dimod.SPIN
    )


def lattice_ends(*sides: int) -> Ends:
    """Neighbours on a periodic lattice: all couplings along the first axis, then the next."""
    sites = np.arange(np.prod(sides)).reshape(sides)
    pairs = [(sites.ravel(), np.roll(sites, -1, axis).ravel()) for axis in range(len(sides))]
    return np.concatenate(pairs, axis=1)


def complete_ends(rows: int, columns: int) -> Ends:
    first, second = np.indices((rows, columns)).reshape(2, -1)
    return np.stack([first, rows + second])


# Distributions of couplings


def signs(random: np.random.Generator, count: int) -> Doubles:
    return random.choice([-1.0, 1.0], count)


def gaussian(random: np.random.Generator, count: int) -> Doubles:
    return random.standard_normal(count)


def cauchy(random: np.random.Generator, count: int) -> Doubles:
    return random.standard_cauchy(count)


def lognormal(random: np.random.Generator, count: int, sigma: float) -> Doubles:
    return signs(random, count) * random.lognormal(0, sigma, count)


def ferromagnetic(random: np.random.Generator, count: int) -> Doubles:
    return np.full(count, -1.0)


# Lattices


def lattice(random: np.random.Generator, draw: Draw, *sides: int) -> Problem:
    ends = lattice_ends(*sides)
    return Problem(spin_model(ends, draw(random, ends.shape[1])))


def lattice_in_field(
    random: np.random.Generator, draw: Draw, draw_fields: Draw, strength: float
) -> Problem:
    ends = lattice_ends(SIDE, SIDE)
    fields = strength * draw_fields(random, SIDE**2)
    return Problem(spin_model(ends, draw(random, ends.shape[1]), fields))


def pinned_lattice(random: np.random.Generator, count: int, field: float) -> Problem:
    """Some spins of a +-1 lattice have a field of either sign."""
    ends, fields = lattice_ends(SIDE, SIDE), np.zeros(SIDE**2)
    fields[random.choice(SIDE**2, count, replace=False)] = field * signs(random, count)
    return Problem(spin_model(ends, signs(random, ends.shape[1]), fields))


def halves(random: np.random.Generator) -> Problem:
    """A +-1 lattice whose couplings are weak in one half."""
    ends = lattice_ends(SIDE, SIDE)
    strengths = np.where(ends[0] % SIDE < SIDE // 2, 1, WEAK)
    return Problem(spin_model(ends, strengths * signs(random, ends.shape[1])))


def graded(random: np.random.Generator) -> Problem:
    """A Gaussian lattice whose couplings fall by four decades from row to row."""
    ends = lattice_ends(SIDE, SIDE)
    strengths = 10.0 ** (-4 * (ends[0] // SIDE) / SIDE)
    return Problem(spin_model(ends, strengths * gaussian(random, ends.shape[1])))


def two_lattices(random: np.random.Generator) -> Problem:
    """A +-1 lattice and a weak one beside it, without a coupling between them."""
    ends = lattice_ends(SIDE, SIDE)
    couplings = [strength * signs(random, ends.shape[1]) for strength in (1, WEAK)]
    return Problem(spin_model(np.hstack([ends, ends + SIDE**2]), np.concatenate(couplings)))


def planted_lattice(random: np.random.Generator) -> Problem:
    """A sum of frustrated plaquettes whose ground states have one state in common.

    Each coupling is in one plaquette of the black squares of a checkerboard. All favour the planted
    state but the weakest of each plaquette, which no state can satisfy without breaking a stronger
    one (tile planting, Hamze et al. 2018, doi:10.1103/PhysRevE.97.043303).
    """
    x, y = np.indices((SIDE, SIDE)).reshape(2, -1)
    black = (x + y) % 2 == 0
    x, y = x[black], y[black]
    steps = ((0, 0), (0, 1), (1, 1), (1, 0))
    corners = [(x + dx) % SIDE * SIDE + (y + dy) % SIDE for dx, dy in steps]
    ends = np.stack([corners, np.roll(corners, -1, axis=0)])  # (2, 4, plaquettes)

    couplings = -np.abs(random.standard_normal(ends.shape[1:]))
    couplings[couplings.argmax(axis=0), np.arange(len(x))] *= -1
    planted = signs(random, SIDE**2)
    gauged = couplings * planted[ends[0]] * planted[ends[1]]
    return Problem(spin_model(ends.reshape(2, -1), gauged.ravel()), float(couplings.sum()))


# Other graphs


def random_ends(random: np.random.Generator, num_spins: int) -> Ends:
    """Random couplings between two halves of the spins."""
    half = num_spins // 2
    pairs = random.integers(0, half, (half * SPARSE_DEGREE, 2))
    pairs[:, 1] += half
    return np.unique(pairs, axis=0).T


def sparse(random: np.random.Generator, draw: Draw) -> Problem:
    ends = random_ends(random, SPARSE_SPINS)
    return Problem(spin_model(ends, draw(random, ends.shape[1]), np.zeros(SPARSE_SPINS)))


def hubs(random: np.random.Generator) -> Problem:
    """A few spins have a great many couplings, most have three or none."""
    half = HUB_SPINS // 2
    chosen = (half * random.random((half, HUB_DEGREE)) ** HUB_EXPONENT).astype(np.int64)
    pairs = np.stack([np.repeat(np.arange(half), HUB_DEGREE), half + chosen.ravel()], axis=1)
    ends = np.unique(pairs, axis=0).T
    return Problem(spin_model(ends, signs(random, ends.shape[1]), np.zeros(HUB_SPINS)))


def chains(random: np.random.Generator, strength: float) -> Problem:
    """A Gaussian K_{n,m} on a chip: a chain of qubits per spin, n m for each layer.

    The chains are `strength` times as strong as the rms field of the couplings on them.
    """
    sites = np.arange(CHAIN_ROWS * CHAIN_COLUMNS).reshape(CHAIN_ROWS, CHAIN_COLUMNS)
    across = sites + sites.size  # the qubits of the output spins, coupled along columns
    pairs = (sites, across), (sites[:, :-1], sites[:, 1:]), (across[:-1], across[1:])
    ends = np.hstack([[first.ravel(), second.ravel()] for first, second in pairs])
    couplings = np.full(ends.shape[1], -strength * np.sqrt(CHAIN_COLUMNS))
    couplings[: sites.size] = gaussian(random, sites.size)
    return Problem(spin_model(ends, couplings))


def weak_strong_clusters(random: np.random.Generator) -> Problem:
    """Pairs of a weak and a strong cell, K_{4,4} each, on a chip of the Chimera kind.

    The order of cells in a row is weak, strong, strong, weak, and so on. Neighbouring strong cells
    are coupled by +1 or -1, and their fields pull them up; fields pull weak cells down, until the
    strong neighbour flips the cell as a whole (Denchev et al. 2016,
    doi:10.1103/PhysRevX.6.031015).
    """
    cells = CELL * np.arange(2 * CELL_ROWS**2).reshape(2, CELL_ROWS, CELL_ROWS)
    (weak, strong), half = cells, CELL // 2
    inside = complete_ends(half, half)[:, None] + cells.reshape(-1, 1)
    # Cells are coupled by their first qubits along columns, and by the others along rows.
    neighbours = (
        (weak + half, strong + half),
        (strong[:, ::2] + half, strong[:, 1::2] + half),
        (strong[:-1], strong[1:]),
    )
    between = [
        np.stack([first.reshape(-1, 1), second.reshape(-1, 1)]) + np.arange(half)
        for first, second in neighbours
    ]
    couplings = [-np.ones(inside[0].size), -np.ones(between[0][0].size)]
    couplings += [np.repeat(signs(random, each.shape[1]), half) for each in between[1:]]

    ends = np.hstack([each.reshape(2, -1) for each in (inside, *between)])
    fields = np.repeat([WEAK_CELL_FIELD, -1.0], CELL * CELL_ROWS**2)
    return Problem(spin_model(ends, np.concatenate(couplings), fields))


def complete(random: np.random.Generator, pinning_field: float = 0.0) -> Problem:
    """K_{120,40} with the strengths of the paper's untrained network."""
    fields = np.zeros(NUM_HIDDEN + NUM_OUTPUT)
    fields[:NUM_HIDDEN] = HIDDEN_FIELD * gaussian(random, NUM_HIDDEN)
    if pinning_field:
        fields[0] = pinning_field
    ends = complete_ends(NUM_HIDDEN, NUM_OUTPUT)
    return Problem(spin_model(ends, COUPLING * gaussian(random, ends.shape[1]), fields))


# Trained models


def uneven(random: np.random.Generator, draw: Draw) -> Problem:
    """K_{60,40} with heavy tails."""
    ends = complete_ends(UNEVEN_HIDDEN, UNEVEN_OUTPUTS)
    return Problem(spin_model(ends, draw(random, ends.shape[1])))


def one_strong_bond(random: np.random.Generator, count: int) -> Doubles:
    couplings = gaussian(random, count)
    couplings[random.integers(count)] = PINNING_FIELD
    return couplings


def independent_set(random: np.random.Generator, penalty: float) -> Problem:
    """Weights near 1 and a penalty for each edge with both ends in the set, in spins.

    Each field nearly cancels the couplings of its spin, and the rest of it decides.
    """
    ends = random_ends(random, SET_VERTICES)
    degrees = np.bincount(ends.ravel(), minlength=SET_VERTICES)
    fields = penalty / 4 * degrees - random.uniform(0.25, 0.75, SET_VERTICES)
    return Problem(spin_model(ends, np.full(ends.shape[1], penalty / 4), fields))


def boltzmann_machine(random: np.random.Generator, *, clamp: bool) -> Problem:
    """scikit-learn's restricted Boltzmann machine on its digits, in bits.

    A clamped one has the upper half of a digit as large biases of half of its visible units.
    """
    from sklearn.datasets import load_digits
    from sklearn.neural_network import BernoulliRBM

    images = load_digits().data / 16  # the brightest pixel
    machine = BernoulliRBM(NUM_UNITS, random_state=int(random.integers(2**31))).fit(images)
    visible = -machine.intercept_visible_
    if clamp:
        upper = images[random.integers(len(images)), : len(visible) // 2]
        visible[: len(upper)] = np.where(upper > 0.5, -CLAMPING_BIAS, CLAMPING_BIAS)

    linear = np.concatenate([visible, -machine.intercept_hidden_])
    ends, weights = complete_ends(len(visible), NUM_UNITS), -machine.components_.T.ravel()
    build = dimod.BinaryQuadraticModel.from_numpy_vectors
    return Problem(build(linear, (*ends, weights), 0.0, dimod.BINARY))


@cache
def network_problems(epochs: int, data_dir: Path | None) -> ip.IsingProblem:
    """The problems of the test images after some epochs of training."""
    images = ip.load_data("digits")
    if data_dir is not None:
        images = ip.load_data(
            "mnist", data_dir=data_dir, num_train=TRAIN_IMAGES, num_test=TEST_IMAGES
        )
    return trained_network(images, epochs).problem(images.test_images)


def network(random: np.random.Generator, epochs: int, data_dir: Path | None) -> Problem:
    problems = network_problems(epochs, data_dir)
    return Problem(problems.to_bqm(int(random.integers(len(problems)))))


def families(epochs: list[int], data_dir: Path | None) -> dict[str, Maker]:
    """The makers by name, those of the paper's network after each number of epochs among them."""
    tenth = int(PINNED_SHARE * SIDE**2)
    plane, large, cube = (SIDE,) * 2, (LARGE_SIDE,) * 2, (CUBE_SIDE,) * 3

    def on_lattice(draw: Draw, sides: tuple[int, ...]) -> Maker:
        return lambda random: lattice(random, draw, *sides)

    table: dict[str, Maker] = {
        "lattice-pm1": on_lattice(signs, plane),
        "lattice-pm1-large": on_lattice(signs, large),
        "lattice-gauss": on_lattice(gaussian, plane),
        "lattice-gauss-large": on_lattice(gaussian, large),
        "lattice-cauchy": on_lattice(cauchy, plane),
        "lattice-cauchy-large": on_lattice(cauchy, large),
    }
    for sigma in (1, 2, 4):
        table[f"lattice-lognormal-{sigma}"] = on_lattice(partial(lognormal, sigma=sigma), plane)
    table |= {
        "lattice-halves": halves,
        "lattice-graded": graded,
        "two-lattices": two_lattices,
        "cubic-pm1": on_lattice(signs, cube),
        "cubic-gauss": on_lattice(gaussian, cube),
        "ferromagnet": on_lattice(ferromagnetic, plane),
        "random-field": partial(
            lattice_in_field, draw=ferromagnetic, draw_fields=gaussian, strength=0.5
        ),
        "fields-gauss": partial(lattice_in_field, draw=signs, draw_fields=gaussian, strength=3.0),
        "fields-cauchy": partial(lattice_in_field, draw=gaussian, draw_fields=cauchy, strength=1.0),
        "planted": planted_lattice,
        "pinned-one": partial(pinned_lattice, count=1, field=PINNING_FIELD),
        "pinned-tenth": partial(pinned_lattice, count=tenth, field=PINNING_FIELD),
        "nearly-pinned-tenth": partial(pinned_lattice, count=tenth, field=NEARLY_PINNING_FIELD),
        "weak-strong": weak_strong_clusters,
        "chains": partial(chains, strength=1.0),
        "chains-strong": partial(chains, strength=2.0),
        "sparse-gauss": partial(sparse, draw=gaussian),
        "sparse-cauchy": partial(sparse, draw=cauchy),
        "hubs": hubs,
        "complete": complete,
        "complete-pinned": partial(complete, pinning_field=PINNING_FIELD),
        "complete-one-bond": partial(uneven, draw=one_strong_bond),
        "complete-cauchy": partial(uneven, draw=cauchy),
        "complete-lognormal-3": partial(uneven, draw=partial(lognormal, sigma=3)),
        "independent-set": partial(independent_set, penalty=10.0),
        "independent-set-steep": partial(independent_set, penalty=50.0),
        "rbm": partial(boltzmann_machine, clamp=False),
        "rbm-clamped": partial(boltzmann_machine, clamp=True),
    }
    for count in epochs:
        table[f"network-{count}"] = partial(network, epochs=count, data_dir=data_dir)
    return table
