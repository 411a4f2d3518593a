"""Rotors at fixed strengths against integrals over their Boltzmann distribution.

Each mean of a cosine, a sine or a product of two cosines over independent reads is within
`tolerances.SIGMAS` = 4.9 standard errors of the integral, which a right sampler fails once in 10^6
means; there are some 100 means here.
"""

import numpy as np
import pytest
from scipy.special import i0, i1

from helpers import tolerances
from helpers.rotors import Rotors, Sweeps, anneal, exact, mirrored, twin, z_scores

NUM_READS = 20_000

ONE = Rotors((0.8,), {})
TWO = Rotors((0.5, -0.2), {(0, 1): 0.9}, offsets=(-0.3, 0.4))
THREE = Rotors((0.4, -0.3, 0.1), {(0, 1): 0.7, (1, 2): -0.5, (0, 2): 0.6}, offsets=(0.2, 0, -0.3))

# model, a, b, g, w, and as many sweeps as make reads forget their start.
CASES = {
    "one rotor": (ONE, 1.5, 2.0, 1, 1, 60),
    "one rotor, narrow steps": (ONE, 1.5, 2.0, 1, 0.2, 400),
    "one rotor, no longitudinal field": (ONE, 3.0, 0.0, 1, 1, 60),
    "one rotor, no transverse field": (ONE, 0.0, 2.5, 1, 1, 100),
    "two rotors": (TWO, 2.0, 1.5, 0.5, 0.75, 100),
    "two rotors, narrow steps": (TWO, 1.0, 2.0, -1, 0.3, 400),
    "two rotors, no transverse field": (TWO, 0.0, 2.0, 1, 1, 100),
    "three rotors": (THREE, 1.5, 2.0, 1, 0.75, 120),
    "three rotors, gain of 0": (THREE, 1.0, 2.5, 0, 0.4, 400),
    "three rotors, no transverse field": (THREE, 0.0, 2.5, 1, 1, 150),
}


def worst(angles, expected):
    return max(map(abs, z_scores(angles, expected).values()))


@pytest.mark.parametrize("case", CASES)
def test_means_are_those_of_the_boltzmann_distribution(case):
    rotors, a, b, g, w, num_sweeps = CASES[case]
    _, angles = anneal(rotors, Sweeps.constant(num_sweeps, a, b, g, w), NUM_READS)
    assert worst(angles, exact(rotors, a, b, g)) < tolerances.SIGMAS


def test_the_integrals_are_bessel_functions_without_a_transverse_field():
    """A rotor of the classical magnet: the mean of cos(theta) is -I1(b h) / I0(b h)."""
    mean, deviation = exact(ONE, 0.0, 2.5)["cos 0"]
    x = 2.5 * 0.8
    assert mean == pytest.approx(-i1(x) / i0(x), rel=1e-12)
    second = 1 - i1(x) / (x * i0(x))
    assert deviation == pytest.approx(np.sqrt(second - mean**2), rel=1e-9)


def test_spins_are_the_signs_of_cosines():
    """P(+1) of one rotor in a transverse field alone is 1/2; in a strong field it is 0."""
    spins, _ = anneal(ONE, Sweeps.constant(60, 3.0, 0.0), NUM_READS)
    assert abs(spins.mean(dtype=float)) < tolerances.SIGMAS / np.sqrt(NUM_READS)
    spins, angles = anneal(ONE, Sweeps.constant(100, 0.0, 20.0), NUM_READS)
    assert (spins == np.where(np.cos(angles) > 0, 1, -1)).all()
    assert (spins == -1).mean() > 0.99


WRONG = {
    "steps stop at 0 and pi": lambda angles: np.clip(angles, 0, np.float32(np.pi)),
    "steps are mirrored at 0 only": lambda angles: np.minimum(np.abs(angles), np.float32(np.pi)),
}


@pytest.mark.parametrize("mirror", WRONG)
def test_a_wrong_sampler_is_rejected(mirror):
    expected, sweeps = exact(ONE, 1.0, 2.0), Sweeps.constant(60, 1.0, 2.0, width=0.5)
    right = twin(ONE, sweeps, 4000, seed=1, stream=2, mirror=mirrored)
    wrong = twin(ONE, sweeps, 4000, seed=1, stream=2, mirror=WRONG[mirror])
    assert worst(right, expected) < tolerances.SIGMAS < worst(wrong, expected) / 2
