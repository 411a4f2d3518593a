"""What follows from the numbers of the study of equivalence, in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from isingprop.analysis.scaling import Interval, mean_interval
from isingprop.paper.common.text import interval_of_percent
from isingprop.paper.mlp_equivalence.equivalence_jobs import Outcome

SMALL = 0.01  # nats
_NEAR = f"approaches zero, as the paper says (ends below {SMALL:g} nats and a tenth of its largest value)"
_BACK = f"was near zero, but rises again (ends below {SMALL:g} nats)"
_FAR = "does not approach zero"
_FALLING, _RISING, _STEADY = "still falling", "rising", "no change to be seen"
_WORSE, _BETTER, _SAME = "worse", "better", "no difference to be seen"
_ONE_SEED = "one seed, so no verdict"


def findings(exact: Sequence[Outcome], sampled: Sequence[Outcome]) -> Iterator[str]:
    """What the numbers say, one sentence or two each."""
    both = [*exact, *sampled]
    yield from _same_weights(both)
    yield f"Trained apart: the loss of the MLP and that of an MLP with the EBM's weights {_apart(both)}."
    yield f"Divergence: {_grouped(both, _level)}. In the last third: {_grouped(both, _trend)}."
    if not any(math.isnan(own.between[0, -1]) for own in both):
        yield (
            "Against two MLPs trained by backpropagation from different seeds, which also have "
            "different batches, the EBM's weights are at the end: "
            f"{_grouped(both, _against_another)}."
        )
    for name, own, told in (
        ("ebm_accuracy_inherited", "mlp_accuracy", "An EBM with the MLP's weights, minus the MLP"),
        ("mlp_accuracy_inherited", "ebm_accuracy", "An MLP with the EBM's weights, minus the EBM"),
        ("mlp_accuracy_inherited", "mlp_accuracy", "An MLP with the EBM's weights, minus the MLP"),
    ):
        yield f"{told}, points of test accuracy at the end: {_compared(both, name, own)}."
    yield from _first_order(both)
    for each, alike in zip(sampled, exact, strict=False):
        change = mean_interval(each.end("log_likelihood") - alike.end("log_likelihood"))
        yield f"{each.title}, minus exact gradients: log-likelihood {_interval(change)} nats ({verdict(change)})."
    if not math.isnan(both[0].difference("loss", "loss_inherited").low):
        count = 5 * len(both) + len(sampled)
        misses = f"{count / 20:.1g} would miss the truth by chance, in the mean"
        yield f"These are {count} intervals of 95 %, of which {misses}."


def _same_weights(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """The loss of a perceptron against minus the log-likelihood of the model with its weights."""
    for told, loss, likelihood in (
        ("the MLP's", "loss", "log_likelihood_inherited"),
        ("the EBM's", "loss_inherited", "log_likelihood"),
    ):
        gaps = {each.title: each.gap(loss, likelihood, sign=-1) for each in outcomes}
        largest, where, own = max(
            (*each.farthest(gaps[each.title]), each.title) for each in outcomes
        )
        last = max(outcomes, key=lambda each: gaps[each.title][-1])
        end = float(gaps[last.title][-1])
        yield (
            f"With {told} weights in both, loss and −log-likelihood of a seed differ by at most "
            f"{nats(largest)} nats ({own}, update {where}); at the end by at most {nats(end)} "
            f"({last.title}), {100 * end / last.end(loss).mean():.2g} % of the loss."
        )


def _apart(outcomes: Sequence[Outcome]) -> str:
    """How far, and from when on no farther than SMALL."""
    gaps = {own.title: own.gap("loss", "loss_inherited") for own in outcomes}
    parts = []
    for own in outcomes:
        gap = gaps[own.title]
        largest, where = own.farthest(gap)
        far = np.flatnonzero(gap > SMALL)
        if not far.size:
            when = "never more"
        elif far[-1] == len(gap) - 1:
            when = f"more than {SMALL:g} still at the end"
        else:
            when = f"less than {SMALL:g} from update {own.updates[far[-1] + 1]} on"
        parts.append(
            f"{own.title} {nats(largest)} (update {where}), {when}, {nats(gap[-1])} at the end"
        )
    return "differ, of a seed, at most by, in nats: " + "; ".join(parts)


def _level(own: Outcome) -> str:
    mean = own.mean("kl")
    if mean[-1] >= min(SMALL, mean.max() / 10):
        return _FAR
    return _BACK if _trend(own) == _RISING else _NEAR


def _trend(own: Outcome) -> str:
    change = own.late_change()
    if math.isnan(change.low):
        return _ONE_SEED
    return _FALLING if change.high < 0 else _RISING if change.low > 0 else _STEADY


def _against_another(own: Outcome) -> str:
    """Whether the twin is as near to its perceptron as another perceptron is."""
    change = mean_interval(own.end("kl") - own.between[:, -1])
    return (
        "nearer"
        if change.high < 0
        else "farther"
        if change.low > 0
        else "as far, as far as can be seen"
    )


def _compared(outcomes: Sequence[Outcome], name: str, other: str) -> str:
    """Each difference, then the verdicts."""
    changes = {own.title: own.difference(name, other) for own in outcomes}
    told = ", ".join(f"{title} {interval_of_percent(change)}" for title, change in changes.items())
    return f"{told}; {_grouped(outcomes, lambda own: verdict(changes[own.title]))}"


def _first_order(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """The equivalence is of first order in weights, which grow."""
    grown = [own.mean("ebm_norm_1")[-1] / own.mean("ebm_norm_1")[0] for own in outcomes]
    low, high = (f"{each:.2g}" for each in (min(grown), max(grown)))
    yield f"W1 of the EBM grows {low} to {high} times (norm); the two gradients with its weights {_cosines(outcomes)}."
    largest = max(
        float(own.curves[f"{name}_largest"].max()) for own in outcomes for name in ("mlp", "ebm")
    )
    ratio = max(float((own.mean("ebm_norm_2") / own.mean("ebm_norm_1")).max()) for own in outcomes)
    size = (
        "smaller than one in absolute value, as the paper says of its own"
        if largest < 1
        else "not all below one"
    )
    yield f"Weights are {size}: the largest is {largest:.2f}. ‖W2‖ / ‖W1‖ of the EBM is at most {ratio:.2g}."


def _cosines(outcomes: Sequence[Outcome]) -> str:
    means = [own.mean("cosine") for own in outcomes]
    first, last = min(float(mean[0]) for mean in means), min(float(mean[-1]) for mean in means)
    apart = (
        "turn away from each other"
        if all(mean[-1] < mean[0] for mean in means)
        else "do not all turn away"
    )
    return f"{apart}: their cosine is {first:.4f} or more after the first update and {last:.4f} or more at the end"


def verdict(difference: Interval) -> str:
    """In a word."""
    if math.isnan(difference.low):
        return _ONE_SEED
    return _BETTER if difference.low > 0 else _WORSE if difference.high < 0 else _SAME


def _grouped(outcomes: Sequence[Outcome], say: Callable[[Outcome], str]) -> str:
    told: dict[str, list[str]] = {}
    for own in outcomes:
        told.setdefault(say(own), []).append(own.title)
    return "; ".join(f"{words}: {', '.join(titles)}" for words, titles in told.items())


def _interval(value: Interval) -> str:
    mean, low, high = (f"{each:+.2g}" for each in value)
    return mean if math.isnan(value.low) else f"{mean} [{low}, {high}]"


def nats(value: float) -> str:
    """To two digits."""
    return "–" if math.isnan(value) else f"{value:.2g}"
