"""The jobs of the study of run times: one repetition of all that a processor does, and the stars of one chip."""

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

NUM_READS = 1000  # Gamma, of one input
WEIGHT_SCALE = (
    0.1  # of N(0, scale^2), as after some training; the paper's initial weights have 0.01
)
CONTENDERS = ("isingprop", "dwave-samplers", "gibbs", "products")
_LEAST_SECONDS = 0.01  # on the clock: short calls are timed over several in a row

Call = Callable[[], object]


@dataclass(frozen=True)
class Sampling:
    """Draws NUM_READS states of models of several sizes in several ways, one call after another, and times them.

    Its result has seconds, (contenders, sizes): processor time of a call.

    Args:
        sizes: n, units of the layer that is joined to a single other one.
        seed: of weights and samples; it also decides who begins.
    """

    sizes: tuple[int, ...]
    seed: int

    def run(self, images: ImageSet) -> Arrays:
        """Times the contenders by turns, with a first input of the training images."""
        seconds = np.empty((len(CONTENDERS), len(self.sizes)))
        for call in _calls(
            images, 1, self.seed
        ).values():  # what is loaded or made at the first call
            call()
        for column, size in enumerate(self.sizes):
            calls = _calls(images, size, self.seed)
            for row in np.roll(np.arange(len(CONTENDERS)), self.seed + column).tolist():
                seconds[row, column] = _seconds_of(calls[CONTENDERS[row]])
        return {"seconds": seconds}


@dataclass(frozen=True)
class Stars:
    """Embeds n x 1 on a perfect chip.

    Its result has largest, the most leaves found; and for each size, and for the largest at the end, chain and
    diameter, the qubits of the centre and the couplers between the two farthest of them: 0 where n x 1 does not fit.

    Args:
        topology: "pegasus" or "zephyr".
        size: of the chip.
        sizes: n.
    """

    topology: str
    size: int
    sizes: tuple[int, ...]

    def run(self, images: ImageSet) -> Arrays:
        """No images are needed."""
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
    """Processor time of a call, on all threads."""
    number, start = 0, process_time()
    while (passed := process_time() - start) < _LEAST_SECONDS or number == 0:
        call()
        number += 1
    return passed / number


def _calls(images: ImageSet, size: int, seed: int) -> dict[str, Call]:
    """What is timed, by contender; all that can be made beforehand is."""
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
    """By its default rule, Metropolis."""
    from dwave.samplers import SimulatedAnnealingSampler

    sampler: Any = SimulatedAnnealingSampler()  # type: ignore[no-untyped-call]
    model, settings = problem.to_bqm(), {"num_reads": NUM_READS, "num_sweeps": GIBBS.num_sweeps}
    return lambda: sampler.sample(model, beta_range=(1.0, 1.0), seed=seed % 2**31, **settings)


def gibbs(
    fields: NDArray[np.float32], weights: NDArray[np.float32], seed: int
) -> NDArray[np.bool_]:
    """Block Gibbs sampling of P(k, y | x) by matrix products, all reads at a time, in single precision.

    Args:
        fields: (n,), W1 x + b.
        weights: (n, 1), W2^T.
        seed: of the start and of all samples.

    Returns:
        (NUM_READS, 1), y.
    """
    random = np.random.default_rng(seed)
    outputs = random.random((NUM_READS, 1), np.float32) < 0.5
    for _ in range(GIBBS.num_sweeps):
        hidden = _drawn(fields + outputs @ weights.T, random)
        outputs = _drawn(hidden @ weights, random)
    return outputs


def _drawn(fields: NDArray[np.floating[Any]], random: np.random.Generator) -> NDArray[np.bool_]:
    """Bits that are 1 with probability sigma(fields)."""
    drawn: NDArray[np.bool_] = random.random(fields.shape, np.float32) * (1 + np.exp(-fields)) < 1
    return drawn
