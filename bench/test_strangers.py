"""What strangers.py runs on: the families of stranger_problems.py and the files of sparse_files.py.

Not benches, but they run with them.
"""

from __future__ import annotations

from pathlib import Path

import dimod
import graph_problems
import numpy as np
import pytest
import stranger_problems
from sklearn.datasets import load_digits
from sklearn.neural_network import BernoulliRBM
from sparse_files import read_model
from stranger_problems import families

from isingprop.dimod import AnnealingSampler

FAMILIES = families([0, 1], None) | graph_problems.FAMILIES


@pytest.mark.parametrize("name", FAMILIES)
def test_ours_takes_every_family_and_seeds_give_the_same_problem(name: str) -> None:
    make = FAMILIES[name]
    first, again, other = (make(np.random.default_rng([0, k])).bqm for k in (1, 1, 2))
    assert first == again
    assert first != other or name.endswith("ferromagnet")
    AnnealingSampler().sample(first, num_sweeps=1)


def test_the_planted_state_is_a_ground_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stranger_problems, "SIDE", 4)  # 2^16 states
    for seed in range(3):
        problem = FAMILIES["planted"](np.random.default_rng(seed))
        lowest = dimod.ExactSolver().sample(problem.bqm).record.energy.min()
        assert lowest == pytest.approx(problem.ground_energy, rel=1e-12)


def test_energies_of_the_boltzmann_machine_are_those_of_scikit_learn() -> None:
    """scikit-learn knows P(h_j = 1 | v) = 1 / (1 + exp(E(h_j = 1) - E(h_j = 0)))."""
    bqm = FAMILIES["rbm"](np.random.default_rng(0)).bqm
    images = load_digits().data / 16
    state = int(np.random.default_rng(0).integers(2**31))
    machine = BernoulliRBM(stranger_problems.NUM_UNITS, random_state=state).fit(images)

    visible = np.random.default_rng(1).integers(2, size=64)
    hidden = np.vstack([np.zeros(64, dtype=int), np.eye(64, dtype=int)])
    energies = bqm.energies(np.hstack([np.tile(visible, (65, 1)), hidden]))
    expected = machine.transform(visible[None].astype(float))[0]
    assert 1 / (1 + np.exp(energies[1:] - energies[0])) == pytest.approx(expected, rel=1e-9)


def test_weak_strong_clusters_fit_on_chimera() -> None:
    bqm = FAMILIES["weak-strong"](np.random.default_rng(0)).bqm
    cells, rows = 2 * stranger_problems.CELL_ROWS**2, stranger_problems.CELL_ROWS
    between = rows * rows + rows * rows // 2 + rows * (rows - 1)
    assert bqm.num_variables == 8 * cells
    assert bqm.num_interactions == 16 * cells + 4 * between
    assert max(bqm.degree(v) for v in bqm.variables) == 6


# Files


def write(folder: Path, text: str, name: str = "file") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_the_largest_cut_is_the_lowest_energy(tmp_path: Path) -> None:
    model = read_model(write(tmp_path, "# a square\n4 4\n1 2 3\n3 2 1.5\n3 4 -2\n1 4 1e1\n\n"))
    assert model.vartype is dimod.SPIN
    assert list(model.variables) == [0, 1, 2, 3]
    assert dict(model.quadratic) == {(1, 0): 3.0, (2, 1): 1.5, (3, 2): -2.0, (3, 0): 10.0}

    total, states = 12.5, dimod.ExactSolver().sample(model)
    weights = {(0, 1): 3.0, (1, 2): 1.5, (2, 3): -2.0, (0, 3): 10.0}
    for spins, energy in zip(states.record.sample, states.record.energy, strict=True):
        cut = sum(w for (i, j), w in weights.items() if spins[i] != spins[j])
        assert (total - energy) / 2 == cut


def test_a_quadratic_program_lists_half_of_its_matrix(tmp_path: Path) -> None:
    model = read_model(write(tmp_path, "3 4\n1 1 -5\n2 1 3\n2 3 -1\n3 3 2\n", "a.sparse"))
    matrix = np.array([[-5, 3, 0], [3, 0, -1], [0, -1, 2]])
    bits = np.array(np.meshgrid(*[[0, 1]] * 3)).reshape(3, -1).T
    assert model.energies(bits).tolist() == np.einsum("ki,ij,kj->k", bits, matrix, bits).tolist()


def test_vertices_without_edges_count(tmp_path: Path) -> None:
    assert read_model(write(tmp_path, "3 0\n")).num_variables == 3


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "two whole numbers, n and m, expected, got ''"),
        ("# only\n# comments\n", 3, "n and m, expected, got ''"),
        ("3\n", 1, "n and m, expected, got '3'"),
        ("3 2 1\n", 1, "n and m, expected, got '3 2 1'"),
        ("3.0 1\n", 1, "n and m, expected"),
        ("-3 1\n", 1, "n and m, expected"),
        ("0 0\n", 1, "n must be at least 1, got '0 0'"),
        ("3 1\n1 2\n", 2, "i j w, expected, got '1 2'"),
        ("3 1\n1 2 3 4\n", 2, "i j w, expected, got '1 2 3 4'"),
        ("3 1\n1 2 x\n", 2, "i j w, expected, got '1 2 x'"),
        ("3 1\n1 2 nan\n", 2, "i j w, expected"),
        ("3 1\n1 2 1_0\n", 2, "i j w, expected"),
        ("3 1\n1 2 1e999\n", 2, "w must be finite, got '1 2 1e999'"),
        ("3 1\n1.5 2 1\n", 2, "i j w, expected"),
        ("3 2\n1 2 1\n\n2 3 1\n", 3, "i j w, expected, got ''"),
        ("3 2\n1 2 1\n# late\n", 3, "i j w, expected, got '# late'"),
        ("3 1\n0 2 1\n", 2, "i and j must be in 1 ... 3, got '0 2 1'"),
        ("3 1\n1 4 1\n", 2, "i and j must be in 1 ... 3, got '1 4 1'"),
        ("3 1\n2 2 1\n", 2, "an edge must join two vertices, got '2 2 1'"),
        ("# a\n3 2\n1 2 1\n2 1 1\n", 4, "each pair must be given once, got 1 2 again"),
        ("# a\n3 2\n1 2 1\n", 2, "2 entries must follow, got 1"),
        ("3 1\n1 2 1\n2 3 1\n", 1, "1 entries must follow, got 2"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(
    text: str, line: int, message: str, tmp_path: Path
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (the text is compared below)
        read_model(path)
    assert str(caught.value).startswith(f"{path}, line {line}: ")
    assert message in str(caught.value)
