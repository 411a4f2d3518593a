#!/usr/bin/env bash
# dwave-preprocessing 0.6.11, dwave-system 1.36.0: composites list parameters that they cannot keep.
#
# A user's guess before any run: a composite whose `parameters` list initial_states and seed starts
# its child from these states, and gives the same samples for the same seed.
#
# Seen: each of three composites copies its child's list. All are around
# dwave.samplers.SimulatedAnnealingSampler, cold enough (beta = 10^6) to stay in any minimum.
# - SpinReversalTransformComposite reverses spins of the model, but not of the start states. It says
#   nothing and ends in other minima; its docstring only says that the initial_state of reverse
#   annealing is not flipped. Its own random numbers do not follow from `seed`.
# - EmbeddingComposite hands on start states of the variables where those of qubits are needed:
#   ValueError. It finds another embedding in each call, so the same seed gives other samples.
# - FixVariablesComposite hands on start states of all variables though it has fixed some:
#   ValueError. With algorithm="roof_duality" the call works for models in which it fixes none.
#
# Output:
#   child alone: stayed, the same seed gives the same samples
#   SpinReversalTransformComposite: moved, the same seed gives other samples
#   EmbeddingComposite: ValueError, the same seed gives other samples
#   FixVariablesComposite: ValueError, the same seed gives the same samples
#
# Exits with 0 as long as it is so.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet dwave-system==1.36.0 dwave-preprocessing==0.6.11 \
    dwave-samplers==1.8.0 dwave-graphs==1.2.0 dimod==0.12.23 numpy==2.4.6

"$folder/venv/bin/python" - <<'PYTHON'
import dimod
import dwave.graphs
import numpy as np
from dwave.preprocessing.composites import FixVariablesComposite, SpinReversalTransformComposite
from dwave.samplers import SimulatedAnnealingSampler
from dwave.system import EmbeddingComposite

PAIRS = 16
pairs = {(k, PAIRS + k): -1.0 for k in range(PAIRS)}
couplings = pairs | {(PAIRS - 1, PAIRS): 0.0}
model = dimod.BinaryQuadraticModel.from_ising({0: 1.0}, couplings)
half = 2 * np.random.default_rng(0).integers(2, size=PAIRS, dtype=np.int8) - 1
half[0] = -1
start = np.tile(half, 2)[None]


def spins(samples):
    return samples.record.sample[:, np.argsort(list(samples.variables))]


def behaviour(sampler):
    assert {"initial_states", "seed"} <= set(sampler.parameters)
    try:
        given = start.copy(), list(range(2 * PAIRS))
        cold = {"num_sweeps": 1, "beta_range": (1e6, 1e6)}
        end = spins(sampler.sample(model, initial_states=given, seed=1, **cold))
        starts = "stayed" if np.array_equal(end, start) else "moved"
    except ValueError as error:
        assert "mismatch between variables" in str(error)
        starts = "ValueError"
    first, second = (spins(sampler.sample(model, num_reads=4, seed=1)) for _ in range(2))
    return starts, "the same" if np.array_equal(first, second) else "other"


chip = dwave.graphs.chimera_graph(4)
structured = dimod.StructureComposite(SimulatedAnnealingSampler(), list(chip), list(chip.edges))
seen = {
    "child alone": behaviour(SimulatedAnnealingSampler()),
    "SpinReversalTransformComposite": behaviour(
        SpinReversalTransformComposite(SimulatedAnnealingSampler())
    ),
    "EmbeddingComposite": behaviour(EmbeddingComposite(structured)),
    "FixVariablesComposite": behaviour(
        FixVariablesComposite(SimulatedAnnealingSampler(), algorithm="roof_duality")
    ),
}
for name, (starts, samples) in seen.items():
    print(f"{name}: {starts}, the same seed gives {samples} samples")
assert list(seen.values()) == [
    ("stayed", "the same"),
    ("moved", "other"),
    ("ValueError", "other"),
    ("ValueError", "the same"),
]
PYTHON
