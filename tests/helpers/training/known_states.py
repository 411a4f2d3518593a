"""States whose classes and errors were counted by hand."""

import numpy as np

from isingprop import States
from isingprop.readout import UNCLASSIFIED


class Stub:
    """A sampler of known states: image k, known by its stream, has outputs[k] and energies[k]."""

    def __init__(self, outputs, energies):
        self.outputs, self.energies = np.array(outputs, np.int8), np.array(energies, float)

    def sample(self, problem, num_reads=1, seed=None, initial=None):
        rows = problem.streams.astype(int)
        outputs = self.outputs[rows, :num_reads]
        hidden = np.ones((*outputs.shape[:2], problem.num_hidden), np.int8)
        return States(np.concatenate([hidden, outputs], axis=2), self.energies[rows, :num_reads])


# Two classes of two output spins: class 0 is ++--, class 1 is --++, and a tie is neither.
ZERO, ONE, TIE, BARELY_ZERO = [1, 1, -1, -1], [-1, -1, 1, 1], [1, -1, -1, 1], [1, -1, -1, -1]

OUTPUTS = [[ZERO, TIE], [ONE, ONE], [ONE, BARELY_ZERO], [ZERO, BARELY_ZERO]]

ENERGIES = [
    [-1, -2],
    [-3, -1],
    [0, 0],
    [-1, -5],
]  # the lowest reads: 1, 0, 0 (the first of equals), 1

LABELS = np.array([0, 1, 0, 0])

LOWEST_CLASSES = [UNCLASSIFIED, 1, 1, 0]

WRONG_READS, WRONG_LOWEST = 2 / 8, 2 / 4  # the tie, and the first read of image 2
