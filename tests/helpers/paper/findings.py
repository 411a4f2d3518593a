"""Made-up answers of the figures' jobs, and readers of the reports that follow from them."""

import csv
import json

import numpy as np

from helpers.paper.made_up import curve
from isingprop.paper.common.curves import METHODS, PUBLISHED
from isingprop.paper.common.methods import CLOSED_FORM, LAYDEVANT2024
from isingprop.paper.zhang2025.fig4 import FirstEpoch

NAMES = {
    **{method: name for name, method in METHODS.items()},
    CLOSED_FORM: "closed-form",
    LAYDEVANT2024: "laydevant2024",
}

BEST = {"dragon": 1e-3, "backprop-sigmoid": 1e-1}  # and 1e-2 for the others

SHARES = np.array(
    [-0.02, 0.0, 0.02]
)  # by which the exponents of seeds 0, 1, 2 differ from their mean


def rows_of(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def text_of(folder, name):
    """The report, which must be whole, and the JSON file, which must be read by any reader
    of JSON.
    """

    def refuse(word):
        raise AssertionError(word)

    json.loads((folder / f"{name}.json").read_text(), parse_constant=refuse)
    text = (folder / f"{name}.md").read_text()
    for fragment in ("nan", "None", "{", "}", "inf "):
        assert fragment not in text.replace("finite", ""), fragment
    return text


def finding(text, beginning):
    """The one bullet that begins so."""
    (line,) = [line for line in text.splitlines() if line.startswith(f"- {beginning}")]
    return line


def law(z, epochs, prefactor=0.5):
    return prefactor * np.arange(1.0, epochs + 1) ** -z


def answer(which, *, errors=None, spread=True, special=()):
    """Results for all jobs: power laws with the published exponents, which differ from seed to
    seed.

    Args:
        which: the setup.
        errors: a function of (name, epochs) for other errors than these.
        spread: whether exponents differ from seed to seed.
        special: pairs of (name, seed) whose only error is in the first epoch.
    """

    def result(job):
        if isinstance(job, FirstEpoch):
            return plateau(job)
        name, trial = NAMES[job.method], job.seed not in which.seeds
        distance = abs(np.log10(job.learning_rate / BEST.get(name, 1e-2)))
        if trial:
            return curve(law(1.0, job.epochs, 0.1 + 0.1 * distance), accuracy=0.1)
        assert name == "laydevant2024" or distance == 0, "trained at another rate than the best"
        if (name, job.seed) in special:
            return curve([0.5] + [0.0] * (job.epochs - 1))
        z = PUBLISHED.get(name, 0.7) + (SHARES[job.seed % 3] if spread else 0)
        reads = (
            law(z, job.epochs)
            if errors is None
            else np.array(errors(name, job.epochs), dtype=float)
        )
        lowest = reads if "backprop" in name else reads / 2
        return curve(
            reads, lowest, 0.8 + 0.01 * (job.seed % 3), 0.7 + 0.1 * (job.seed % 3), seconds=0.25
        )

    return result


def plateau(job, falls=("error", "error_reads", "error_lowest"), ends=True, noise=0.0):
    """Errors that fall by 20 points up to m = 10 and by none beyond it, or by 10 from end
    to end.
    """
    m = np.log10(job.num_states)
    errors = 0.5 - 0.2 * np.minimum(m, 1) if ends else 0.5 - 0.1 * m
    errors = errors + noise * np.sin(10 * (job.seed + 1) * (1 + m))
    errors = errors + (0.1 if job.learning_rate == 0.003 else 0)
    return {kind: errors / (1 + k) for k, kind in enumerate(falls)}
