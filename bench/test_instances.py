"""Certified problems: where they come from, and that they are proved.

Not benches, but they run with them.
"""

from __future__ import annotations

from pathlib import Path

import dimod
import numpy as np
import pytest
from instances import CERTIFIED_FILE, HIT_TOLERANCE, certified_problems, ground_energy

import isingprop as ip


def test_without_the_file_there_are_smaller_certified_problems_and_a_line_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reasons = {tmp_path: f"has no {CERTIFIED_FILE}", tmp_path / "no": "there is no data folder"}
    for folder, why in reasons.items():
        monkeypatch.setenv("ISINGPROP_DATA", str(folder))
        problems, energies = certified_problems()
        assert [problem.couplings.shape for problem in problems] == 8 * [(120, 20)]
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("certified problems are 120 x 20, proved by enumeration, not 120 x ")
        assert line.endswith(why)

    found = [ip.Annealing(1000).sample(each, 20, seed=0).energies.min() for each in problems]
    assert np.abs(found - energies).max() < HIT_TOLERANCE


@pytest.mark.parametrize("num_output", [1, 2, 5])
def test_the_least_energy_is_that_of_dimod_s_exact_solver(num_output: int) -> None:
    random = np.random.default_rng(num_output)
    problem = ip.IsingProblem(
        random.normal(size=(6, num_output)),
        random.normal(size=(1, 6)),
        random.normal(size=(1, num_output)),
    )
    model = dimod.BinaryQuadraticModel("SPIN")
    model.add_linear_from(enumerate(problem.hidden_fields[0]))
    model.add_linear_from((6 + k, field) for k, field in enumerate(problem.output_fields[0]))
    for (i, k), value in np.ndenumerate(problem.couplings):
        model.add_quadratic(i, 6 + k, value)
    lowest = dimod.ExactSolver().sample(model).first.energy
    assert ground_energy(problem) == pytest.approx(lowest, rel=1e-9)
