"""The findings of the study of equivalence, as sentences that follow from its numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from isingprop.analysis.scaling import Interval, mean_interval
from isingprop.paper.common.text import interval_of_percent
from isingprop.paper.mlp_equivalence.equivalence_outcomes import Outcome

SMALL = 0.01  # nats, below which a divergence or a difference of losses is near zero
_NEAR = (
    f"approaches zero, as the paper says (ends below {SMALL:g} nats and a tenth of its largest "
    "value)"
)
_BACK = f"was near zero, but rises again (ends below {SMALL:g} nats)"
_FAR = "does not approach zero"
_FALLING, _RISING, _STEADY = "still falling", "rising", "no change to be seen"
_WORSE, _BETTER, _SAME = "worse", "better", "no difference to be seen"
_ONE_SEED = "one seed, so no verdict"
_INTERVALS_PER_OUTCOME = 5  # on the trend, another perceptron, and three accuracies
_INTERVALS_PER_MISS = 20  # one in so many intervals of 95 % misses the truth


def findings(exact: Sequence[Outcome], sampled: Sequence[Outcome]) -> Iterator[str]:
    """Yields the text of each bullet of the report's section on findings.

    Args:
        exact: outcomes of exact gradients, one for each pair.
        sampled: outcomes of sampled gradients, for the first pairs in the same order.
    """
    both = [*exact, *sampled]
    yield from _same_weights(both)
    yield (
        "Trained apart: the loss of the MLP and that of an MLP with the EBM's weights "
        f"{_apart(both)}."
    )
    yield f"Divergence: {_grouped(both, _level)}. In the last third: {_grouped(both, _trend)}."
    if not any(math.isnan(outcome.between[0, -1]) for outcome in both):
        yield (
            "Against two MLPs trained by backpropagation from different seeds, which also have "
            "different batches, the EBM's weights are at the end: "
            f"{_grouped(both, _against_another)}."
        )
    yield from _accuracies(both)
    yield from _first_order(both)
    yield from _cost_of_sampling(exact, sampled)

    if not math.isnan(both[0].difference("loss", "loss_inherited").low):
        count = _INTERVALS_PER_OUTCOME * len(both) + len(sampled)
        misses = f"{count / _INTERVALS_PER_MISS:.1g} would miss the truth by chance, in the mean"
        yield f"These are {count} intervals of 95 %, of which {misses}."


def _same_weights(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Compares a perceptron's loss with minus the log-likelihood of the model with its weights."""
    for whose, loss, likelihood in (
        ("the MLP's", "loss", "log_likelihood_inherited"),
        ("the EBM's", "loss_inherited", "log_likelihood"),
    ):
        gaps = {each.title: each.gap(loss, likelihood, sign=-1) for each in outcomes}
        largest, where, title = max(
            (*each.farthest(gaps[each.title]), each.title) for each in outcomes
        )
        last = max(outcomes, key=lambda each: gaps[each.title][-1])
        end = float(gaps[last.title][-1])

        yield (
            f"With {whose} weights in both, loss and −log-likelihood of a seed differ by at most "
            f"{nats(largest)} nats ({title}, update {where}); at the end by at most {nats(end)} "
            f"({last.title}), {100 * end / last.end(loss).mean():.2g} % of the loss."
        )


def _apart(outcomes: Sequence[Outcome]) -> str:
    """States how far two losses differ, and from which update on at most by SMALL."""
    parts = []
    for outcome in outcomes:
        gap = outcome.gap("loss", "loss_inherited")
        largest, where = outcome.farthest(gap)
        far = np.flatnonzero(gap > SMALL)
        if not far.size:
            when = "never more"
        elif far[-1] == len(gap) - 1:
            when = f"more than {SMALL:g} still at the end"
        else:
            when = f"less than {SMALL:g} from update {outcome.updates[far[-1] + 1]} on"
        parts.append(
            f"{outcome.title} {nats(largest)} (update {where}), {when}, {nats(gap[-1])} at the end"
        )

    return "differ, of a seed, at most by, in nats: " + "; ".join(parts)


def _level(outcome: Outcome) -> str:
    """Returns whether the divergence is near zero at the end, in words."""
    mean = outcome.mean("kl")
    if mean[-1] >= min(SMALL, mean.max() / 10):
        return _FAR
    return _BACK if _trend(outcome) == _RISING else _NEAR


def _trend(outcome: Outcome) -> str:
    """Returns whether the divergence rises or falls in the last third, in words."""
    change = outcome.late_change()
    if math.isnan(change.low):
        return _ONE_SEED
    return _FALLING if change.high < 0 else _RISING if change.low > 0 else _STEADY


def _against_another(outcome: Outcome) -> str:
    """Returns whether the twin is as near to its perceptron as another perceptron is, in words."""
    change = mean_interval(outcome.end("kl") - outcome.between[:, -1])
    if change.high < 0:
        return "nearer"
    return "farther" if change.low > 0 else "as far, as far as can be seen"


def _accuracies(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Compares the test accuracies of both models, each with its own and the other's weights."""
    for name, other, title in (
        ("ebm_accuracy_inherited", "mlp_accuracy", "An EBM with the MLP's weights, minus the MLP"),
        ("mlp_accuracy_inherited", "ebm_accuracy", "An MLP with the EBM's weights, minus the EBM"),
        ("mlp_accuracy_inherited", "mlp_accuracy", "An MLP with the EBM's weights, minus the MLP"),
    ):
        yield f"{title}, points of test accuracy at the end: {_compared(outcomes, name, other)}."


def _compared(outcomes: Sequence[Outcome], name: str, other: str) -> str:
    """Lists the difference of two accuracies for each outcome, then the verdicts."""
    changes = {outcome.title: outcome.difference(name, other) for outcome in outcomes}
    listed = ", ".join(
        f"{title} {interval_of_percent(change)}" for title, change in changes.items()
    )
    return f"{listed}; {_grouped(outcomes, lambda outcome: verdict(changes[outcome.title]))}"


def _first_order(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """States how far weights grow: the equivalence is only of first order in them."""
    grown = [each.mean("ebm_norm_1")[-1] / each.mean("ebm_norm_1")[0] for each in outcomes]
    yield (
        f"W1 of the EBM grows {min(grown):.2g} to {max(grown):.2g} times (norm); the two gradients "
        f"with its weights {_cosines(outcomes)}."
    )

    largest = max(
        float(each.curves[f"{name}_largest"].max()) for each in outcomes for name in ("mlp", "ebm")
    )
    ratios = [each.mean("ebm_norm_2") / each.mean("ebm_norm_1") for each in outcomes]
    size = (
        "smaller than one in absolute value, as the paper says of its own"
        if largest < 1
        else "not all below one"
    )
    yield (
        f"Weights are {size}: the largest is {largest:.2f}. ‖W2‖ / ‖W1‖ of the EBM is at most "
        f"{max(float(ratio.max()) for ratio in ratios):.2g}."
    )


def _cosines(outcomes: Sequence[Outcome]) -> str:
    """States how the cosine of the two gradients changes."""
    means = [outcome.mean("cosine") for outcome in outcomes]
    first, last = min(float(mean[0]) for mean in means), min(float(mean[-1]) for mean in means)
    turning = (
        "turn away from each other"
        if all(mean[-1] < mean[0] for mean in means)
        else "do not all turn away"
    )
    return (
        f"{turning}: their cosine is {first:.4f} or more after the first update and {last:.4f} "
        "or more at the end"
    )


def _cost_of_sampling(exact: Sequence[Outcome], sampled: Sequence[Outcome]) -> Iterator[str]:
    """Compares the log-likelihoods reached by sampled and by exact gradients."""
    for outcome, alike in zip(sampled, exact, strict=False):
        change = mean_interval(outcome.end("log_likelihood") - alike.end("log_likelihood"))
        yield (
            f"{outcome.title}, minus exact gradients: log-likelihood {_interval(change)} nats "
            f"({verdict(change)})."
        )


def verdict(difference: Interval) -> str:
    """Returns whether a difference is better or worse than zero, in words; larger is better."""
    if math.isnan(difference.low):
        return _ONE_SEED
    return _BETTER if difference.low > 0 else _WORSE if difference.high < 0 else _SAME


def _grouped(outcomes: Sequence[Outcome], describe: Callable[[Outcome], str]) -> str:
    """Lists the outcomes by their description, those with equal descriptions together."""
    titles: dict[str, list[str]] = {}
    for outcome in outcomes:
        titles.setdefault(describe(outcome), []).append(outcome.title)
    return "; ".join(f"{words}: {', '.join(names)}" for words, names in titles.items())


def _interval(value: Interval) -> str:
    mean, low, high = (f"{each:+.2g}" for each in value)
    return mean if math.isnan(value.low) else f"{mean} [{low}, {high}]"


def nats(value: float) -> str:
    """Writes a number of nats to two digits, or a dash for NaN."""
    return "–" if math.isnan(value) else f"{value:.2g}"
