"""The jobs of the study of run times: one repetition on a processor, and embeddings on one chip."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.data.load import ImageSet
from isingprop.energy_model.model import GIBBS, EnergyModel
from isingprop.paper.common.jobs import Arrays
from isingprop.problem import IsingProblem

NUM_READS = 1000  # Gamma in the paper: samples of one input
# The standard deviation of the weights, which are larger than the paper's initial ones (0.01), as
# they are after some training.
WEIGHT_SCALE = 0.1
CONTENDERS = ("isingprop", "dwave-samplers", "gibbs", "products")
_MIN_SECONDS = 0.01  # of a measurement: shorter calls are repeated in a row
_MAX_SEED = 2**31  # seeds of dwave-samplers are below this

Call = Callable[[], object]


@dataclass(frozen=True)
class Sampling:
    """Job that times how long each contender takes to sample NUM_READS states.

    The result holds seconds, (contenders, sizes): the processor time of a call.

    Args:
        sizes: values of n, the number of units that are joined to a single other one.
        seed: decides weights and samples, and which contender begins.
    """

    sizes: tuple[int, ...]
    seed: int

    def run(self, images: ImageSet) -> Arrays:
        """Times the contenders in turns at each size, on the first training image."""
        seconds = np.empty((len(CONTENDERS), len(self.sizes)))

        # The first call of each loads libraries, so it is not timed.
        for call in _calls(images, 1, self.seed).values():
            call()

        for column, size in enumerate(self.sizes):
            calls = _calls(images, size, self.seed)
            for row in np.roll(np.arange(len(CONTENDERS)), self.seed + column).tolist():
                seconds[row, column] = _seconds_of(calls[CONTENDERS[row]])
        return {"seconds": seconds}


@dataclass(frozen=True)
class Stars:
    """Job that embeds models on a perfect chip.

    A model of n units joined to a single one is a star: the single unit is its centre, a chain of
    qubits, and each of the n units is a leaf, one qubit beside the chain.

    The result holds largest, the max number of leaves found, and two arrays with one number for
    each size and one more for the largest:

    - chain: the number of qubits of the centre;
    - diameter: the couplers between the two qubits of the centre that are farthest apart.

    Both numbers are 0 if the model does not fit.

    Args:
        topology: "pegasus" or "zephyr".
        size: the size of the chip, 16 for P16.
        sizes: values of n.
    """

    topology: str
    size: int
    sizes: tuple[int, ...]

    def run(self, images: ImageSet) -> Arrays:
        """Embeds a model of each size; the images are not used."""
        from isingprop.qpu.chip.working_graph import WorkingGraph
        from isingprop.qpu.embed import stars

        graph = WorkingGraph.perfect(self.topology, self.size)
        chip = stars.Stars(graph)
        largest = chip.largest()
        found = [chip.find(size) if size <= len(largest.leaves) else None for size in self.sizes]

        centres = [() if star is None else star.centre for star in (*found, largest)]
        diameters = [stars.diameter(graph, centre) if centre else 0 for centre in centres]
        return {
            "largest": np.array(len(largest.leaves)),
            "chain": np.array([len(centre) for centre in centres]),
            "diameter": np.array(diameters),
        }


def _seconds_of(call: Call) -> float:
    """Measures the processor time of a call, summed over all threads."""
    num_calls, start = 0, process_time()
    while (passed := process_time() - start) < _MIN_SECONDS or num_calls == 0:
        call()
        num_calls += 1
    return passed / num_calls


def _calls(images: ImageSet, size: int, seed: int) -> dict[str, Call]:
    """Returns the call to be timed for each contender.

    Everything that can be prepared, such as problems and weights, is prepared here and not timed.
    """
    x = images.train_images[:1]
    model = EnergyModel.random(
        num_inputs=x.shape[1], num_hidden=size, scale=WEIGHT_SCALE, seed=seed
    )
    problem = model.problem(x)

    fields = model.hidden_fields(x)[0].astype(np.float32)
    weights = model.output_weights.T.astype(np.float32)
    hidden = np.random.default_rng(seed).random((NUM_READS, size), np.float32)

    return {
        "isingprop": lambda: GIBBS.sample(problem, num_reads=NUM_READS, seed=seed),
        "dwave-samplers": _dwave_samplers(problem, seed),
        "gibbs": lambda: gibbs(fields, weights, seed),
        "products": lambda: hidden @ weights,
    }


def _dwave_samplers(problem: IsingProblem, seed: int) -> Call:
    """Returns a call of dwave-samplers' simulated annealing, with its default rule, Metropolis."""
    from dwave.samplers import SimulatedAnnealingSampler

    sampler: Any = SimulatedAnnealingSampler()  # type: ignore[no-untyped-call]
    model, settings = problem.to_bqm(), {"num_reads": NUM_READS, "num_sweeps": GIBBS.num_sweeps}
    return lambda: sampler.sample(model, beta_range=(1.0, 1.0), seed=seed % _MAX_SEED, **settings)


def gibbs(
    fields: NDArray[np.float32], weights: NDArray[np.float32], seed: int
) -> NDArray[np.bool_]:
    """Samples P(k, y | x) by block Gibbs sampling, with matrix products in single precision.

    Each product is of all reads at a time.

    Args:
        fields: W1 x + b, (n,).
        weights: W2^T, (n, 1).
        seed: decides the random start and all samples.

    Returns:
        The outputs y of all reads, (NUM_READS, 1).
    """
    random = np.random.default_rng(seed)
    outputs = random.random((NUM_READS, 1), np.float32) < 0.5
    for _ in range(GIBBS.num_sweeps):
        hidden = _sample_bits(fields + outputs @ weights.T, random)
        outputs = _sample_bits(hidden @ weights, random)
    return outputs


def _sample_bits(
    fields: NDArray[np.floating[Any]], random: np.random.Generator
) -> NDArray[np.bool_]:
    """Samples bits that are 1 with probability sigma(fields)."""
    bits: NDArray[np.bool_] = random.random(fields.shape, np.float32) * (1 + np.exp(-fields)) < 1
    return bits
