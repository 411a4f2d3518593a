"""A simulated quantum annealer, which evolves the state vector of all spins under

    H(t) = -(1 - s(t)) sum_k X_k + s(t) H,   from |+...+>, the ground state at s = 0,

where H is diagonal and holds the energy E of each state. `anneal` runs the evolution forward or
backward, and `amplify` amplifies the marked states by amplitude amplification. Bit k of a state's
number is 1 where spin k is +1; hidden spins come first.
"""

from isingprop.quantum.amplified_anneal import Amplification, amplify
from isingprop.quantum.state_vector import MOST_SPINS, MOST_STEPS, Amplitudes, Anneal, anneal
from isingprop.quantum.time_schedule import Schedule

__all__ = [
    "MOST_SPINS",
    "MOST_STEPS",
    "Amplification",
    "Amplitudes",
    "Anneal",
    "Schedule",
    "amplify",
    "anneal",
]
