"""Coherent samplers and problems with marked states."""

import numpy as np

from helpers import oracle
from isingprop import Amplified, Coherent, IsingProblem, coherent

TIME, STEPS, READS = 5.0, 30, 20_000

PLAIN = Coherent(TIME, STEPS, rescale=False)

GROVER = Amplified(TIME, STEPS, rescale=False)

HIDDEN, OUTPUT = 3, 3

OUTPUTS = np.isin(np.arange(2**OUTPUT), [3, 4])  # |A|^2 = 0.077, 0.086, 0.041 in the three problems

RUN = {"total_time": TIME, "num_steps": STEPS}


def problem_of(num_problems=3, *, marked=None, streams=None, dtype=np.float32):
    problem = oracle.random_problem(HIDDEN, OUTPUT, num_problems=num_problems, dtype=dtype)
    arrays = problem.couplings, problem.hidden_fields, problem.output_fields
    return IsingProblem(*arrays, streams=streams, marked=marked)


MARKED = problem_of(marked=[OUTPUTS])


def probabilities(problem, k):
    return np.abs(coherent.anneal(problem[k : k + 1], **RUN)) ** 2
