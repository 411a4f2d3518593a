"""The quantum annealer, simulated: the state vector of all spins, forward, backward, and with marked states amplified.

    H(t) = -(1 - s(t)) sum_k X_k + s(t) H,   from |+...+>, its ground state at s = 0,

where H is diagonal, the energy E of each state. Bit k of the number of a state is 1 where spin k is +1, hidden spins
first.
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
