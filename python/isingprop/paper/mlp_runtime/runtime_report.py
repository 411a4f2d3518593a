"""The report on the study of run times: its tables, findings and choices, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from isingprop.data.load import ImageSet
from isingprop.energy_model.model import GIBBS
from isingprop.paper.common.study_setup import Setup
from isingprop.paper.common.text import bullets, counted, interval, table
from isingprop.paper.mlp_runtime.runtime_curves import (
    ANNEALING_SECONDS,
    ANNEALING_TIME,
    TITLES,
    ChipTimes,
    Curve,
    Plan,
    crossing,
    ratios,
)
from isingprop.paper.mlp_runtime.runtime_jobs import NUM_READS, WEIGHT_SCALE

_PAPER = (
    "The paper (arXiv:2303.12352, Section 5.3 and Fig. 5): “As the model gets larger, linear "
    "growth is observed in the sampling time of both MLP and classical EBM, while that of the "
    "quantum annealer fluctuates roughly at the same level. … Provided the constant annealing time "
    "used in our work, i.e., 20 µs, the runtime of the two classical models will eventually exceed "
    "that of the quantum-assisted model.” Its classical models ran on a GPU, and it says no "
    "numbers of times."
)
_CHOICES = (
    "Model: n units joined to a single one, P ∝ exp(+k·(W1 x + b) + y (W2 k + c)); W from N(0, "
    "{scale:g}²), one input x ({data}). A call draws {reads:,} samples for that input.",
    "Time: processor time of one thread, median over {seeds}; brackets are Student's 95 % interval "
    "over them, bands in the figure their range. All four take turns within a repetition. What can "
    "be made beforehand (the problem, the model of dimod, the weights) is not timed, nor is W1 x.",
    "isingprop and dwave-samplers: {sweeps} sweeps from random states at constant beta = 1; "
    "dwave-samplers by its Metropolis rule. NumPy, block Gibbs: as many sweeps by matrix products, "
    "all samples at a time, in single precision; our guess at the paper's classical EBM. NumPy, "
    "one product: ({reads:,} × n) by (n × 1), what the MLP does between its hidden and its output "
    "layer; it draws no samples.",
    "p: seconds = A · n^p by least squares of logarithms from n = {fit_from} on. Where curves "
    "meet: between sizes by straight lines of logarithms, beyond them by the fit; from there on "
    "the processor is the slower one.",
    "QPU: an estimate of the access time of a call of {reads:,} reads of {annealing:g} μs, with "
    "programming and read-out, for a perfect chip with the published timing of "
    "Advantage_system4.1 (Pegasus) or Advantage2_system1 (Zephyr). The way to the chip and queues "
    "are not in it, no chip was used, and nothing is said of how near its samples are to P. One "
    "input a call, although a chip has room for several copies of a small model.",
    "Chain: the qubits of the single unit, which are a tree; every other unit is one qubit beside "
    "it. They are the shortest chains that a greedy search found, and the largest models it found; "
    "there may be better ones.",
    "For a single output none of these samples is needed: P(y | x) is a sum of n terms, "
    "EnergyModel.log_prob.",
)
_LINEAR_WITHIN = 0.1  # growth is called linear if the exponent differs from 1 by no more


def report(
    setup: Setup,
    images: ImageSet,
    plan: Plan,
    curves: Mapping[str, Curve],
    chips: Sequence[ChipTimes],
) -> str:
    """Returns the text of mlp-runtime.md."""
    facts = {
        "data": images.name,
        "seeds": counted(setup.num_seeds, "seed"),
        "scale": WEIGHT_SCALE,
        "reads": NUM_READS,
        "sweeps": GIBBS.num_sweeps,
        "fit_from": plan.fit_from,
        "annealing": ANNEALING_TIME,
    }

    parts = [
        "# Fig. 5 of the MLP paper: time to sample against the size of the model",
        _PAPER,
        f"## Seconds for {NUM_READS:,} samples",
        _times(plan, curves, chips),
        "## Where the processor gets slower than the chip",
        _crossings(curves, chips),
        "## Models on chips",
        _stars(plan, chips),
        "## What this says",
        bullets(findings(curves, chips)),
        "## Choices",
        bullets(choice.format(**facts) for choice in _CHOICES),
    ]
    return "\n\n".join(parts) + "\n"


def _times(plan: Plan, curves: Mapping[str, Curve], chips: Sequence[ChipTimes]) -> str:
    """Tabulates the times of all contenders and chips against n."""
    quotients = ratios(curves)
    rows = []
    for column, size in enumerate(plan.sizes):
        cells = [f"{curve.median[column]:.3g}" for curve in curves.values()]
        cells.append(f"{np.median(quotients[:, column]):.1f}")
        rows.append([f"{size:,}", *cells, *(_access(chip, size) for chip in chips)])

    header = ["n", *(TITLES[name] for name in curves), "dwave-samplers / isingprop"]
    return table([*header, *(f"QPU access, {chip.name}" for chip in chips)], rows)


def _access(chip: ChipTimes, size: int) -> str:
    return f"{chip.at(np.array([float(size)]))[0]:.3g}" if size <= chip.largest else "does not fit"


def _crossings(curves: Mapping[str, Curve], chips: Sequence[ChipTimes]) -> str:
    """Tabulates the exponents and from which n on chips are faster."""
    rows = []
    for name, curve in curves.items():
        where = [
            _where(crossing(curve, ANNEALING_SECONDS)),
            *(_where(crossing(curve, chip)) for chip in chips),
        ]
        rows.append([TITLES[name], interval(curve.exponent), *where])

    titles = [f"than access on {chip.name} (up to {chip.largest:,})" for chip in chips]
    return table(["", "p", f"than the anneals alone ({ANNEALING_SECONDS:g} s)", *titles], rows)


def _where(size: int | None) -> str:
    return "–" if size is None else f"n = {size:,}"


def _stars(plan: Plan, chips: Sequence[ChipTimes]) -> str:
    """Tabulates the embeddings of the paper's sizes and of the largest model on each chip."""
    rows = []
    for chip in chips:
        for size in (*plan.paper, chip.largest):
            (k,) = np.flatnonzero(chip.sizes == size)[:1]
            cells = [
                f"{chip.chain[k]:,}",
                str(chip.diameter[k]),
                f"{chip.sizes[k] + chip.chain[k]:,}",
            ]
            label = f"{size:,}" + (", the largest found" if size == chip.largest else "")
            rows.append([chip.name, label, *cells, f"{chip.seconds[k]:.3g} s"])

    return table(["chip", "n", "chain", "couplers across it", "qubits", "QPU access time"], rows)


def findings(curves: Mapping[str, Curve], chips: Sequence[ChipTimes]) -> Iterator[str]:
    """Yields the text of each bullet of the report's section on findings."""
    yield _against_dwave_samplers(curves)

    for name, curve in curves.items():
        growth = _growth(curve.exponent.mean)
        exponent = interval(curve.exponent)
        yield f"{TITLES[name]}: time grows as n^p with p = {exponent}, {growth}."

    for chip in chips:
        first, last = chip.seconds[0], chip.seconds[-1]
        yield (
            f"{chip.name}: the access time is not constant, but grows {last / first:.1f}-fold from "
            f"n = {chip.sizes[0]} to {chip.largest:,} ({first:.3g} to {last:.3g} s), since more "
            f"qubits take longer to read out; the anneals are {ANNEALING_SECONDS:g} s of it."
        )
    for name, curve in curves.items():
        yield _verdict(TITLES[name], curve, chips)


def _growth(exponent: float) -> str:
    if abs(exponent - 1) <= _LINEAR_WITHIN:
        return "linear"
    return "slower than linear" if exponent < 1 else "faster than linear"


def _against_dwave_samplers(curves: Mapping[str, Curve]) -> str:
    """States the ratio of dwave-samplers' time to isingprop's."""
    quotients = ratios(curves)
    medians, sizes = np.median(quotients, axis=0), curves["isingprop"].sizes
    smallest, last = int(medians.argmin()), quotients[:, -1]
    return (
        f"isingprop against dwave-samplers, by turns in one run: its time is {medians[-1]:.1f} "
        f"times ours at n = {sizes[-1]:,} ({last.min():.1f} to {last.max():.1f} over repetitions), "
        f"and at least {medians[smallest]:.1f} times (at n = {sizes[smallest]:,})."
    )


def _verdict(title: str, curve: Curve, chips: Sequence[ChipTimes]) -> str:
    """States from which n on each chip is faster, and whether it holds a model of that size."""
    parts = []
    for chip in chips:
        where = crossing(curve, chip)
        if where is None:
            parts.append(f"faster than {chip.name} at any n")
        elif where <= chip.largest:
            parts.append(f"slower than {chip.name} from n = {where:,} on, which fits")
        else:
            parts.append(
                f"faster than {chip.name} for all that fits, they would meet at n = {where:,}"
            )

    return f"{title}, against the whole access time: {'; '.join(parts)}."
