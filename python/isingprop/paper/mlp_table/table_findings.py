"""The findings of the study of the MLP paper's tables, as sentences from its numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from isingprop.analysis.scaling import mean_interval
from isingprop.paper.common.text import percent
from isingprop.paper.mlp_table.table_comparison import NAMES, comparisons, signed
from isingprop.paper.mlp_table.table_jobs import STAND_IN
from isingprop.paper.mlp_table.table_outcomes import (
    MIN_ACCURACY,
    OTHER_MIN_ACCURACIES,
    Agreement,
    Outcomes,
    Searches,
)
from isingprop.paper.mlp_table.table_published import ANNEALER, CLASSICAL_1, CLASSICAL_2, EXACT

_CERTAIN = 5.0  # a logit from which the output is 0 or 1 to within 0.7 %


def findings(outcomes: Outcomes, searches: Searches) -> Iterator[str]:
    """Yields the text of each bullet of the report's section on findings."""
    compared = list(comparisons(outcomes))
    if compared:
        yield from compared
    else:
        yield (
            "There are no published figures for a quick run or for these data, "
            "so none are beside ours."
        )

    for column in (CLASSICAL_2, ANNEALER):
        yield _cost_of_sampling(outcomes, column)
    yield _temperature(searches)
    yield _first_logits(outcomes)
    yield _definition_of_success(outcomes)


def _cost_of_sampling(outcomes: Outcomes, column: str) -> str:
    """Compares sampled with exact gradients, trial by trial."""
    name = NAMES[column]
    agreement = Agreement.of(
        [each[column] for each in outcomes.values()], [each[EXACT] for each in outcomes.values()]
    )
    counts = (
        f"{name} against exact gradients, the same trials: {agreement.both} successful with "
        f"both, {agreement.neither} with neither, {agreement.first} with {name} alone, "
        f"{agreement.second} with exact gradients alone"
    )

    if not agreement.differences.size:
        return f"{counts}."
    difference = signed(mean_interval(100 * agreement.differences))
    return f"{counts}; where both are, {name} ends higher by {difference} points."


def _temperature(searches: Searches) -> str:
    """States the annealer's effective inverse temperature, found in two ways."""
    _, last = STAND_IN.beta_range or (math.nan, math.nan)
    text = (
        f"The annealer's beta_effective is {searches.best:g} by the least divergence, "
        f"{searches.means.min():.2g} nats (Gibbs sampling: {searches.gibbs.mean():.2g}); "
        f"States.beta_effective says {searches.estimated:.3g}, and its schedule ends at {last:g}. "
        "The paper found 16 for its chip."
    )
    end = " It is an end of the grid, so perhaps not the best."
    return text + (end if searches.is_best_at_an_end else "")


def _first_logits(outcomes: Outcomes) -> str:
    """States how large logits are after the first update, which is why trials fail."""
    logits = {
        column: float(
            np.median(np.concatenate([each[column].first_logit for each in outcomes.values()]))
        )
        for column in (CLASSICAL_1, EXACT)
    }

    consequence = (
        "most outputs are as good as certain, and a trial first has to come back from there."
        if min(logits.values()) > _CERTAIN
        else "outputs are not yet certain."
    )
    return (
        "After the first update the median size of a training image's logit is "
        f"{logits[CLASSICAL_1]:.1f} by backpropagation and {logits[EXACT]:.1f} by exact gradients: "
        f"{consequence}"
    )


def _definition_of_success(outcomes: Outcomes) -> str:
    """States how the rate of success depends on the accuracy that it is defined by."""
    every = [outcome for columns in outcomes.values() for outcome in columns.values()]
    rates = {}
    for minimum in (MIN_ACCURACY, *OTHER_MIN_ACCURACIES):
        successful = np.concatenate([outcome.successful_from(minimum) for outcome in every])
        rates[minimum] = percent(float(successful.mean()))

    others = ", ".join(
        f"{rates[minimum]} from {100 * minimum:.0f} %" for minimum in OTHER_MIN_ACCURACIES
    )
    return (
        f"The definition of success: {rates[MIN_ACCURACY]} of all trials are successful with a "
        f"least accuracy of {100 * MIN_ACCURACY:.0f} %; with others it would be {others}."
    )
