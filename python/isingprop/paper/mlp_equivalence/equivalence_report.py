"""The report on the study of equivalence: its tables, findings and choices, as Markdown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from isingprop.analysis.scaling import standard_error
from isingprop.paper.common.study_setup import Setup
from isingprop.paper.common.text import bullets, percent_with_error, table
from isingprop.paper.mlp_equivalence.equivalence_findings import findings, nats
from isingprop.paper.mlp_equivalence.equivalence_jobs import (
    BATCH_SIZE,
    LEARNING_RATE,
    NUM_EVALUATED,
    SCALE,
)
from isingprop.paper.mlp_equivalence.equivalence_outcomes import Outcome

_PAPER = (
    "The paper (arXiv:2303.12352, Section 5.1) trains a perceptron (MLP) by backpropagation and an "
    "energy-based model (EBM) by contrastive divergence, then gives each the weights of the other: "
    "“The metrics are highly similar across the training iterations, and the output divergence "
    "measured with MLP approaches zero”. Its Fig. 3 is of the digits 0 and 1, Figs. 8 to 13 are of "
    "other pairs; it states no numbers."
)
_CHOICES = (
    "Data: {data}; {images} (training, test images; the test images are as many of each class). "
    "{seeds}; ± is the standard error over seeds, brackets are Student's 95 % interval of "
    "differences of equal seeds. Neither has the choice of the test images in it.",
    "Networks: {num_hidden} hidden units and one output. Adam, rate {rate:g}, batches of {batch:,} "
    "images (or all, where there are fewer), the same batches for both.",
    "MLP: scikit-learn's MLPClassifier with its initial weights, which are uniform in ±√(2 / "
    "(inputs + outputs)) of each layer; PyTorch's, which the paper has, are uniform in ±1 / "
    "√inputs. Measured from the first update on.",
    "EBM: initial weights from a normal distribution with a standard deviation of {scale:g}, "
    "without biases; exact gradients, Eqs. (14) to (19) with all outputs summed over. “Sampled”: "
    "{num_reads} outputs for each image of a batch, drawn by Gibbs sampling of 20 sweeps from "
    "random states, in place of the paper's contrastive divergence.",
    "Sign: P(y, k | x) ∝ exp(+k·(W1 x + b) + y·(W2 k + c)). The paper's Eqs. (1) and (2) have the "
    "other one, which does not fit its Eq. (18).",
    "Loss and log-likelihood: means over the first {evaluated:,} training images of the pair (or "
    "all), in nats. Accuracy and divergence: of all its test images.",
    "Symmetrised KL: KL(p ‖ q) + KL(q ‖ p), not half of it, summed over both classes; p is the "
    "output of the MLP trained by backpropagation, q that of an MLP with the EBM's weights; mean "
    "over images.",
    "Cosine: of the angle between the exact gradient of the log-likelihood and that of the loss, "
    "both with the EBM's weights, over all parameters and the images that the loss is of. Norms: "
    "of the EBM's gradient and weights; largest weight: of W1 and W2, in absolute value, over all "
    "seeds.",
    "Figure: means over seeds, bands are the standard error. The paper's axis of updates has no "
    "numbers we could read; this one is logarithmic.",
)


def report(
    setup: Setup, numbers: Mapping[str, Any], exact: Sequence[Outcome], sampled: Sequence[Outcome]
) -> str:
    """Returns the text of mlp-equivalence.md.

    Args:
        setup: the study's data, seeds and size.
        numbers: the contents of the JSON file.
        exact: outcomes of exact gradients, one for each pair.
        sampled: outcomes of sampled gradients, for the first pairs in the same order.
    """
    facts, both = _facts(setup, numbers), [*exact, *sampled]
    parts = [
        "# A perceptron and its energy-based twin",
        _PAPER,
        f"## After {numbers['updates']} updates",
        _accuracies(both),
        _losses(both),
        "## Divergence of the outputs of two MLPs: symmetrised KL in nats",
        _divergences(both),
        "## Gradients and weights",
        _drift(both),
        "## What this says",
        bullets(findings(exact, sampled)),
        "## Choices",
        bullets(choice.format(**facts) for choice in _CHOICES),
    ]

    return "\n\n".join(parts) + "\n"


def _facts(setup: Setup, numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the values that fill in the text of the choices."""
    images = "; ".join(
        f"{name}: {train:,}, {test:,}" for name, (train, test) in numbers["images"].items()
    )

    return {
        "data": setup.data,
        "images": images,
        "seeds": "One seed" if setup.num_seeds == 1 else f"{setup.num_seeds} seeds",
        "num_hidden": numbers["num_hidden"],
        "rate": LEARNING_RATE,
        "batch": BATCH_SIZE,
        "scale": SCALE,
        "num_reads": numbers["num_reads"],
        "evaluated": NUM_EVALUATED,
    }


def _accuracies(outcomes: Sequence[Outcome]) -> str:
    """Tabulates test accuracies of both models, each with its own and the other's weights."""
    names = ("mlp_accuracy", "ebm_accuracy_inherited", "ebm_accuracy", "mlp_accuracy_inherited")
    header = ["test accuracy", "MLP", "EBM with its weights", "EBM", "MLP with its weights"]
    return table(
        header,
        ([outcome.title, *(_percent(outcome, name) for name in names)] for outcome in outcomes),
    )


def _percent(outcome: Outcome, name: str) -> str:
    return percent_with_error(float(outcome.end(name).mean()), standard_error(outcome.end(name)))


def _losses(outcomes: Sequence[Outcome]) -> str:
    """Tabulates losses and negative log-likelihoods, with a model's own and the other's weights."""
    signs = {"loss": 1, "log_likelihood_inherited": -1, "log_likelihood": -1, "loss_inherited": 1}
    rows = [
        [each.title, *(nats(sign * each.end(name).mean()) for name, sign in signs.items())]
        for each in outcomes
    ]

    header = [
        "loss or −log-likelihood (nats)",
        "MLP",
        "EBM with its weights",
        "EBM",
        "MLP with its weights",
    ]
    return table(header, rows)


def _divergences(outcomes: Sequence[Outcome]) -> str:
    """Tabulates the divergence of twins, and that of perceptrons of two seeds."""
    rows = []
    for outcome in outcomes:
        largest, where = outcome.farthest(outcome.mean("kl"))
        end, error = float(outcome.end("kl").mean()), standard_error(outcome.end("kl"))
        at_end = nats(end) if math.isnan(error) else f"{nats(end)} ± {nats(error)}"
        between = [nats(outcome.between[:, k].mean()) for k in (0, -1)]
        first = nats(outcome.mean("kl")[0])
        rows.append([outcome.title, first, f"{nats(largest)} ({where})", at_end, *between])

    header = [
        "",
        "first update",
        "largest (after update)",
        "end",
        "MLPs of two seeds: first update",
        "end",
    ]
    return table(header, rows)


def _drift(outcomes: Sequence[Outcome]) -> str:
    """Tabulates how gradients turn away from each other and how weights grow."""
    rows = []
    for outcome in outcomes:
        cosine = outcome.mean("cosine")
        norms = [outcome.mean(name) for name in ("gradient", "ebm_norm_1", "ebm_norm_2")]
        grown = [f"{norm[0]:.2g} to {norm[-1]:.2g}" for norm in norms]
        largest = [f"{outcome.end(f'{name}_largest').max():.2f}" for name in ("ebm", "mlp")]
        cosines = [f"{value:.4f}" for value in (cosine[0], cosine.min(), cosine[-1])]
        rows.append([outcome.title, *cosines, *grown, *largest])

    header = [
        "",
        "cosine: first update",
        "lowest",
        "end",
        "‖gradient‖",
        "‖W1‖",
        "‖W2‖",
        "largest weight: EBM",
        "MLP",
    ]
    return table(header, rows)
