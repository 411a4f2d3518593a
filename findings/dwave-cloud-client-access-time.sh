#!/usr/bin/env bash
# dwave-cloud-client 0.14.8: estimates of QPU access time that are not those of the call.
#
# A user's guess before any run: StructuredSolver.estimate_qpu_access_time(num_qubits, **parameters)
# with the parameters of a call gives the time that the solver will charge for the call, so that
# parameters that are left out, and parameters of 0, mean there what they mean to the solver.
#
# Seen, with the timing data of Advantage2_system1 (us; 100 qubits, 1,000 reads of 20 us):
# - reinitialize_state: the solver's default is True, the estimate's is False, whose delay between
#   reads is another one. The call with the default is priced as the one with False: 3,031 us more.
# - reverse_anneal: the estimate has an argument of this name, which it does not use.
# - A pause of 0 (programming_thermalization, readout_thermalization) is priced as the default one:
#   1,000 us and, on a solver with a default of 50 us, 50 us for each read.
# - annealing_time=0 is priced as the default time, too. (The solver refuses it.)
# - max_num_reads(anneal_schedule=...) counts the default annealing time: it allows 10,000 reads of
#   a schedule of 2,000 us, of which problem_run_duration_range allows 499.
# Priced as they are: annealing_time, also the 5 ns of a fast anneal, and reverse annealing by an
# anneal_schedule with initial_state and reinitialize_state given.
#
# Output:
#   reverse anneal, reinitialize_state left out, True, False: 147766 144735 147766
#   reverse_anneal=True: as without it
#   programming_thermalization None, 0, 1: 189235 189235 188236
#   readout_thermalization None, 0, 1 with a default of 50: 239235 239235 190235
#   annealing_time None, 0, 0.005: 189235 189235 169240
#   max_num_reads of a schedule of 2000 us, of that annealing_time: 10000 499
#
# Exits with 0 as long as it is so.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet dwave-cloud-client==0.14.8 numpy==2.4.6

"$folder/venv/bin/python" - <<'PYTHON'
from types import SimpleNamespace

from dwave.cloud.solver import StructuredSolver

TIMING = {  # of Advantage2_system1, as the API listed it on 2026-04-15
    "version": "1.0.0",
    "typical_programming_time": 33631.59,
    "reverse_annealing_with_reinit_prog_time_delta": 0.0,
    "reverse_annealing_without_reinit_prog_time_delta": 31.33,
    "default_programming_thermalization": 1000.0,
    "default_annealing_time": 20.0,
    "readout_time_model": "pwl_log_log",
    "readout_time_model_parameters": [
        0.0, 0.7118156236873552, 1.622919864592155, 2.5460233863267376, 3.6610550848533783,
        1.3562242666114566, 1.6328679675785214, 1.7857781469507206, 1.99055000334358,
        1.9905608299940198,
    ],
    "qpu_delay_time_per_sample": 60.57,
    "reverse_annealing_with_reinit_delay_time_delta": -44.5,
    "reverse_annealing_without_reinit_delay_time_delta": -41.5,
    "default_readout_thermalization": 0.0,
    "decorrelation_max_nominal_anneal_time": 2000.0,
    "decorrelation_time_range": [0.0, 0.0],
}
PROPERTIES = {
    "problem_timing_data": TIMING,
    "problem_run_duration_range": [0.0, 1000000.0],
    "num_reads_range": [1, 10000],
    "default_annealing_time": 20.0,
    "default_readout_thermalization": 0.0,
    "default_programming_thermalization": 1000.0,
}
REVERSE = {"anneal_schedule": [[0, 1], [10, 0.5], [20, 1]], "initial_state": [[0, 1]]}
LONG = [[0, 0], [1000, 0.5], [2000, 1]]


def price(timing=TIMING, **parameters):
    solver = SimpleNamespace(properties={"problem_timing_data": timing})
    return round(StructuredSolver.estimate_qpu_access_time(solver, 100, 1000, **parameters))


reverse = [price(**REVERSE, **given) for given in ({}, *(
    {"reinitialize_state": again} for again in (True, False)
))]
print("reverse anneal, reinitialize_state left out, True, False:", *reverse)
assert reverse[0] == reverse[2] == reverse[1] + 3031

named = price(reverse_anneal=True)
print("reverse_anneal=True:", "as without it" if named == price() else "priced")
assert named == price()

pauses = [price(programming_thermalization=time) for time in (None, 0, 1)]
print("programming_thermalization None, 0, 1:", *pauses)
assert pauses[0] == pauses[1] == pauses[2] + 999

slow = TIMING | {"default_readout_thermalization": 50.0}
pauses = [price(slow, readout_thermalization=time) for time in (None, 0, 1)]
print("readout_thermalization None, 0, 1 with a default of 50:", *pauses)
assert pauses[0] == pauses[1] == pauses[2] + 49_000

anneals = [price(annealing_time=time) for time in (None, 0, 0.005)]
print("annealing_time None, 0, 0.005:", *anneals)
assert anneals[0] == anneals[1] == anneals[2] + 19_995

solver = SimpleNamespace(properties=PROPERTIES, software=False)
reads = [
    StructuredSolver.max_num_reads(solver, anneal_schedule=LONG),
    StructuredSolver.max_num_reads(solver, annealing_time=2000),
]
print("max_num_reads of a schedule of 2000 us, of that annealing_time:", *reads)
assert reads == [10_000, 499]
PYTHON
