"""Energy scales A(s) and B(s) of real chips, against D-Wave's own tables."""

import numpy as np
import pytest

from isingprop.qpu.chip.energy_scales import EnergyScales, thermal_energy

TOLERANCE = 0.022  # of the natural logarithm, as the docstring states
LEAST = 1e-4  # GHz, below which A is not compared
# Rows (s, A, B) of D-Wave's tables of standard anneals: 09-1263A-C and 09-1312A-N.
STANDARD = {
    "pegasus": [
        (0.05005005, 6.416594, 0.3960831),
        (0.3003003, 1.187242, 1.514279),
        (0.4994995, 0.1483038, 2.921101),
        (0.6996997, 1.538719e-03, 4.796494),
        (1.0, 1.242656e-09, 8.47707),
    ],
    "zephyr": [
        (0.05, 7.81355362, 0.80505093),
        (0.3, 1.88831518, 2.621943),
        (0.5, 0.3717831, 5.04107092),
        (0.7, 0.01170485, 8.35875228),
        (1.0, 3.3e-07, 14.73382979),
    ],
}
FAST_FILES = {
    "pegasus": "09-1263A-B_Advantage_system4.1",
    "zephyr": "09-1312A-N_Advantage2_system1",
}
# A = B in GHz, as D-Wave's documentation states it.
CRITICAL_POINTS = {"pegasus": 1.391, "zephyr": 2.308}


@pytest.mark.parametrize("topology", STANDARD)
def test_standard_anneals_have_the_scales_that_dwave_published(topology: str) -> None:
    s, *published = np.array(STANDARD[topology]).T
    for ours, theirs in zip(EnergyScales.of(topology).at(s), published, strict=True):
        assert np.abs(np.log(ours / theirs)).max() < TOLERANCE


@pytest.mark.parametrize("topology", FAST_FILES)
def test_fast_anneals_have_the_scales_that_dwave_published(topology: str, shared_data) -> None:
    path = shared_data / "schedules" / f"{FAST_FILES[topology]}_fast_annealing_schedule.csv"
    if not path.is_file():
        pytest.skip(f"no file {path}")
    table = np.loadtxt(path, delimiter=",", skiprows=1, encoding="utf-8-sig")

    assert np.abs(table[:, 3] - table[:, 0]).max() < 1e-12  # c(s) = s: of fast anneals indeed
    transverse, problem = EnergyScales.of(topology).at(table[:, 0], fast=True)
    compared = table[:, 1] > LEAST
    assert np.abs(np.log(transverse[compared] / table[compared, 1])).max() < TOLERANCE
    assert np.abs(np.log(problem / table[:, 2])).max() < TOLERANCE
    standard, _ = EnergyScales.of(topology).at(table[:, 0])
    assert np.abs(np.log(standard[compared] / table[compared, 1])).max() > 1


@pytest.mark.parametrize("topology", STANDARD)
def test_the_persistent_current_grows_linearly_in_a_standard_anneal(topology: str) -> None:
    s = np.linspace(0, 1, 101)
    current, fast = (np.sqrt(EnergyScales.of(topology).at(s, fast=fast)[1]) for fast in (0, 1))
    line = current[0] + (current[-1] - current[0]) * s
    assert np.abs(current / line - 1).max() < 0.04 < np.abs(fast / line - 1).max()


@pytest.mark.parametrize("topology", STANDARD)
def test_both_protocols_lead_through_the_critical_point_of_the_documentation(topology: str) -> None:
    s = np.linspace(0, 1, 100_001)
    for fast in (False, True):
        transverse, problem = EnergyScales.of(topology).at(s, fast=fast)
        crossing = problem[np.abs(transverse - problem).argmin()]
        assert crossing == pytest.approx(CRITICAL_POINTS[topology], rel=0.01)


def test_temperatures_are_those_of_the_documentation() -> None:
    assert EnergyScales.of("pegasus").temperature == 15.4
    assert EnergyScales.of("zephyr").temperature == 20.0
    planck, boltzmann = 6.62607015e-34, 1.380649e-23
    assert thermal_energy(16.0) == pytest.approx(boltzmann * 0.016 / planck / 1e9, rel=1e-6)
