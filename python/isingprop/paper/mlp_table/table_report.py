"""The report on the MLP paper's Tables 1 to 3: tables, findings and choices, as Markdown."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from isingprop.energy_model.model import GIBBS
from isingprop.paper.common.image_pairs import num_hidden
from isingprop.paper.common.study_setup import Setup
from isingprop.paper.common.text import bullets, counted, table
from isingprop.paper.mlp_table.table_findings import findings
from isingprop.paper.mlp_table.table_jobs import (
    BATCH_SIZE,
    GRID,
    LEARNING_RATE,
    NUM_IMAGES,
    NUM_READS,
    SEARCH_READS,
    STAND_IN,
    UPDATES,
    trial_seeds,
)
from isingprop.paper.mlp_table.table_outcomes import (
    CONFIDENCE,
    MIN_ACCURACY,
    MIN_SUCCESSES,
    NUM_LATE,
    SPREAD,
    Outcome,
    Outcomes,
    Searches,
    Verdict,
)
from isingprop.paper.mlp_table.table_plot import TITLES
from isingprop.paper.mlp_table.table_published import COLUMNS, Published
from isingprop.paper.mlp_table.table_sources import Source, is_without_fashion, num_tested
from isingprop.util.checks import Doubles

_PAPER = (
    "The paper (arXiv:2303.12352, Section 5.2) trains perceptrons on {num_images} images of two "
    "classes, by backpropagation and through the energy-based twin, whose outputs it samples by "
    "Gibbs sampling or on a quantum annealer; the twin's weights go to a perceptron for the test."
)
_BESIDE = (
    " Its figures are beside ours, in italics; those of its annealer (Quantum-1) beside a CPU "
    "annealer's, which is no quantum annealer."
)
_CHOICES = (
    "Networks: {inputs}-{hidden}-1 with biases. {num_images} training images, half of them of each "
    "class, drawn anew in each trial; batches of {batch}, in an order that is drawn anew each time "
    "round; {updates} updates with Adam at rate {rate:g}. The paper does not say how many updates "
    "it has; its Table 2 ends at “>20”. After every update a test with all test images of the "
    "pair, the same number of each class: {tests}.",
    "{trials} ({seeds}); the paper has 3 to 16. In a trial all columns have the same images and "
    "batches; the twins begin with the same weights, N(0, 0.01²), the perceptron with "
    "scikit-learn's.",
    "The sign of the exponent is that of the paper's conditional expectations; its Eqs. (1) and "
    "(2) have the other.",
    "Successful: all of the last {late} test accuracies are at least {least:.0f} %. The paper says "
    "“a significant increase in test accuracy during training”, and unsuccessful are "
    "“constant/volatile” curves; it has no number for it.",
    "Table 1: after the last update (the paper does not say when). Table 2: the first update after "
    "which the mean of successful trials is above 70 %. Table 3: brackets are the {confidence:.0f} "
    "% interval of Clopper and Pearson.",
    "Within: the published accuracy is within {spread:g} standard deviations (over successful "
    "trials, unbiased) of our mean. Where there are fewer than {successes} successful trials there "
    "is no verdict.",
    "Gibbs sampling: {gibbs} sweeps at constant temperature from random states. Annealer: {sweeps} "
    "sweeps, beta from {first:g} to {last:g}, no descent, no limits to fields (the paper's chip "
    "has some). {reads:,} samples of each image for each update.",
    "The annealer's beta_effective: at each value of the grid, divergence (Jensen-Shannon) of "
    "{search_reads} samples from P(y | x), over the training images and all updates of exact "
    "trainings on the first pair of each data set, with seeds of their own; test images had no "
    "part in it. Gibbs sampling's is found in the same way.",
    "Exact gradients: the sum over outputs in place of samples, which is cheap here and shows what "
    "sampling costs.",
    "Figure: mean and standard deviation of successful trials{diamonds}.",
)
_HALVES = (
    "Fashion-MNIST's training files are missing: training images are of the first half of its test "
    "images of each class, and tests are of the other half."
)
NO_FASHION = "No Fashion-MNIST found: the tables have MNIST's pairs alone"

_MARK = {Verdict.WITHIN: "", Verdict.OUTSIDE: " (!)", Verdict.NONE: " (?)"}


def report(
    setup: Setup, sources: Mapping[str, Source], outcomes: Outcomes, searches: Searches
) -> str:
    """Returns the text of mlp-table.md."""
    parts = [
        "# Perceptrons trained by backpropagation and by sampling",
        _PAPER.format(num_images=NUM_IMAGES) + (_BESIDE if _has_published(outcomes) else ""),
        "## What this says",
        bullets(findings(outcomes, searches)),
        "## Table 1: test accuracy of successful trials in per cent, mean ± standard deviation, "
        "and their number",
        _grid(outcomes, _accuracy, _published_accuracy),
        "(!): the published accuracy is not within; (?): no verdict.",
        "## Of all trials, successful or not",
        _grid(outcomes, _accuracy_of_all),
        f"## Table 2: updates until test accuracy is above 70 %, of {UPDATES}",
        _grid(outcomes, _steps, _published_steps),
        "## Table 3: successful trials in per cent",
        _grid(outcomes, _success, _published_success),
        "## The annealer's inverse temperature",
        _search_table(searches),
        "## Choices",
        bullets(_choices(setup, sources, outcomes)),
    ]

    return "\n\n".join(parts) + "\n"


def _choices(setup: Setup, sources: Mapping[str, Source], outcomes: Outcomes) -> Iterator[str]:
    """Yields the text of each bullet of the section on choices."""
    facts = _facts(setup, sources, outcomes)
    for choice in _CHOICES:
        yield choice.format(**facts)
    if any(source.halved for source in sources.values()):
        yield _HALVES
    if is_without_fashion(setup, sources):
        yield f"{NO_FASHION}."


def _facts(setup: Setup, sources: Mapping[str, Source], outcomes: Outcomes) -> dict[str, Any]:
    """Returns the values that fill in the text of the choices."""
    first, last = STAND_IN.beta_range or (math.nan, math.nan)
    images = next(iter(sources.values())).images

    return {
        "inputs": images.train_images.shape[1],
        "hidden": num_hidden(setup),
        "num_images": NUM_IMAGES,
        "batch": BATCH_SIZE,
        "updates": UPDATES,
        "rate": LEARNING_RATE,
        "tests": "; ".join(_tests(name, source, outcomes) for name, source in sources.items()),
        "trials": counted(len(trial_seeds(setup)), "trial"),
        "seeds": counted(setup.num_seeds, "seed"),
        "diamonds": "; diamonds are the published accuracies" if _has_published(outcomes) else "",
        "late": NUM_LATE,
        "least": 100 * MIN_ACCURACY,
        "confidence": 100 * CONFIDENCE,
        "spread": SPREAD,
        "successes": MIN_SUCCESSES,
        "gibbs": GIBBS.num_sweeps,
        "sweeps": STAND_IN.num_sweeps,
        "first": first,
        "last": last,
        "reads": NUM_READS,
        "search_reads": SEARCH_READS,
    }


def _has_published(outcomes: Outcomes) -> bool:
    return any(
        outcome.published is not None
        for columns in outcomes.values()
        for outcome in columns.values()
    )


def _tests(name: str, source: Source, outcomes: Outcomes) -> str:
    counts = [num_tested(source, pair) for pair in outcomes if pair.data == name]
    return f"{name} {min(counts):,} to {max(counts):,}"


def _grid(
    outcomes: Outcomes,
    ours: Callable[[Outcome], str],
    theirs: Callable[[Published], str] | None = None,
) -> str:
    """Tabulates a figure of all outcomes, with a row for each pair.

    Args:
        outcomes: by pair and column.
        ours: writes the figure of an outcome.
        theirs: writes the published figure, which is put after ours; None for ours alone.
    """
    published = {
        name
        for columns in outcomes.values()
        for name, outcome in columns.items()
        if theirs and outcome.published
    }
    header = ["", ""]
    for column in COLUMNS:
        header += [TITLES[column]] + ["*paper*"] * (column in published)

    rows = []
    for pair, columns in outcomes.items():
        row = [pair.data, pair.title]
        for outcome in columns.values():
            row.append(ours(outcome))
            if theirs and outcome.published:
                row.append(f"*{theirs(outcome.published)}*")
        rows.append(row)
    return table(header, rows)


def _accuracy(outcome: Outcome) -> str:
    mark = "" if outcome.published is None else _MARK[outcome.verdict()]
    return f"{_mean_and_sd(outcome.last)} ({outcome.num_successful}){mark}"


def _published_accuracy(paper: Published) -> str:
    return f"{100 * paper.accuracy:.1f}"


def _accuracy_of_all(outcome: Outcome) -> str:
    return _mean_and_sd(outcome.accuracy[:, -1])


def _mean_and_sd(values: Doubles) -> str:
    if not values.size:
        return "–"
    mean = f"{100 * values.mean():.1f}"
    return f"{mean} ± {100 * values.std(ddof=1):.1f}" if values.size > 1 else mean


def _steps(outcome: Outcome) -> str:
    if not outcome.num_successful:
        return "–"
    steps = outcome.steps()
    return f">{UPDATES}" if steps is None else str(steps)


def _published_steps(paper: Published) -> str:
    return f">{UPDATES}" if paper.steps is None else str(paper.steps)


def _success(outcome: Outcome) -> str:
    mean, low, high = (f"{100 * each:.0f}" for each in outcome.success)
    return f"{mean} [{low}, {high}]"


def _published_success(paper: Published) -> str:
    return f"{100 * paper.success:.0f}"


def _search_table(searches: Searches) -> str:
    """Tabulates the mean divergence at each value of the grid, with the smallest in bold."""
    cells = [f"{each:.2g}" for each in searches.means]
    best = GRID.index(searches.best)
    cells[best] = f"**{cells[best]}**"
    return table(
        ["beta_effective", *(f"{beta:g}" for beta in GRID)], [["divergence (nats)", *cells]]
    )
