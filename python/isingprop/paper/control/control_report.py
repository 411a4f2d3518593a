"""Writes the report of the control experiment: tables, findings, and the choices behind them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from isingprop.analysis.scaling import Interval, mean_interval
from isingprop.paper.common.methods import MARGIN, NUM_SWEEPS
from isingprop.paper.common.rates import held_out_rule
from isingprop.paper.common.study_setup import Setup
from isingprop.paper.common.text import bullets, interval, percent, table
from isingprop.paper.control.control_findings import NUM_INTERVALS, differences, findings
from isingprop.paper.control.control_jobs import NUM_PROBE_READS, NUM_PROBED, NUM_TEST_READS
from isingprop.paper.control.control_methods import NUM_ADAM_STATES, NUM_ADAM_SWEEPS
from isingprop.paper.control.control_outcomes import Outcome, SizeOutcome

_QUESTION = (
    "A network with one hidden layer has, for each class, a lowest state whose outputs are the "
    "class's code; it is known in closed form and needs no sampler. Here networks are trained by "
    "these class states, by sampled states with all else equal, by the paper's settings "
    "(arXiv:2506.05244), and by backpropagation. What sampling adds is the difference."
)
_CHOICES = (
    "Data: {data}, {num_test:,} test images; {seeds} seeds. Sizes: {sizes}. Brackets are Student's "
    "95 % interval over seeds, of differences of equal seeds; the choice of test images is not in "
    "it, which for one accuracy of 90 % is a standard error of {alone}. There are {count} such "
    "comparisons, of which {missed:.1g} would miss the truth by chance, in the mean.",
    f"The paper's settings: m = 20 (dragon), 9 (cyclic) or 1 (equilibrium), {NUM_SWEEPS} sweeps, "
    "one image per update, a constant rate, no margin. Backpropagation with the squared error is "
    "that of Fig. 5.",
    f"Adam: 10 images per update, a rate that falls to 0 in a straight line, parameters averaged "
    f"over the second half of the epochs, couplings drawn 0.3 times as large; {NUM_ADAM_SWEEPS} "
    f"sweeps and m = {NUM_ADAM_STATES} for dragon. The margin is {MARGIN:g}. Backpropagation by "
    "hinge loss and cross-entropy has the same optimizer and 10 outputs; all others have 40. Only "
    "the rate is chosen for each method: the margin and the scale of couplings were found to be "
    "good for class states, on training images, which is in favour of these.",
    "Test accuracy: by class states, that is the class of lowest energy in closed form; sampled: "
    f"by the lowest of {NUM_TEST_READS} annealed reads of the same network. Training error: of all "
    "training images after the last epoch, likewise.",
    "z: of the errors of the states that each epoch learned from, before their own updates, as in "
    "Fig. 5; a margin pushes these states away from the label, so that z is not that of a network "
    "without. A dash: too few errors.",
    f"Low states: {NUM_PROBE_READS} annealed reads ({NUM_SWEEPS} sweeps) of H[x], without a "
    f"margin, for each of the first {NUM_PROBED} training images, by the network as it trains. "
    "Code: the outputs are the code of a class. Above: energy above the class state of the class "
    "that the outputs vote for, mean, in units of the mean distance between the two lowest class "
    "states of an image; negative is below. Below: share of states that are below it. Lowest "
    "below: share of images whose lowest state is below all class states. Other class: share of "
    "images whose lowest state votes for another class than that of the lowest class state.",
    "Time: what one core of this machine takes for an epoch, without waiting and without tests; "
    "median over epochs and seeds. QPU time: an estimate for a perfect Zephyr Z12 chip full of "
    "copies of the network, with the published timing of Advantage2_system1 and anneals of 20 μs. "
    "No chip was used.",
)


def report(setup: Setup, outcomes: Sequence[SizeOutcome]) -> str:
    """Returns the text of control.md.

    Args:
        setup: the settings of the command.
        outcomes: the results for each number of training images.
    """
    images = outcomes[0].images
    count = NUM_INTERVALS * len(outcomes)
    facts = {
        "data": images.name,
        "num_test": len(images.test_labels),
        "seeds": setup.num_seeds,
        "sizes": "; ".join(
            f"{each.size.num_train:,} training images for {each.size.epochs} epochs"
            for each in outcomes
        ),
        "alone": percent((0.9 * 0.1 / len(images.test_labels)) ** 0.5),
        "count": count,
        "missed": count / 20,
    }

    parts = ["# Control: what sampling adds", _QUESTION]
    parts += ["## What this says", bullets(findings(outcomes))]
    parts += ["## Differences of test accuracy, in points", differences(outcomes)]
    for each in outcomes:
        parts += [f"## {_title(each)}", _accuracies(each)]
    parts += [f"## Low states, {_title(outcomes[-1])}", _low_states(outcomes[-1])]
    parts += [
        "## Choices",
        bullets([*(each.format(**facts) for each in _CHOICES), *_rules(outcomes)]),
    ]
    return "\n\n".join(parts) + "\n"


def _title(each: SizeOutcome) -> str:
    return f"{each.size.num_train:,} training images, {each.size.epochs} epochs"


def _rules(outcomes: Sequence[SizeOutcome]) -> Iterator[str]:
    """Yields how the rates were chosen for each size."""
    for each in outcomes:
        yield f"{each.size.num_train:,} images. " + held_out_rule(
            each.trials.epochs, each.size.num_folds
        )


def _accuracies(each: SizeOutcome) -> str:
    """Returns the table of accuracies, errors and costs."""
    rows = []
    for own in each.methods.values():
        sampled = percents(mean_interval(own.sampled_accuracy)) if own.is_ising else "–"
        chip = "–" if own.qpu_seconds is None else f"{own.qpu_seconds:.3g} s"
        row = [own.method.title, f"{own.learning_rate:g}", percents(own.last("test_accuracy"))]
        row += [sampled, percents(own.last("train_error")), interval(own.z)]
        rows.append([*row, f"{own.seconds_per_epoch:.2g} s", chip])

    header = [
        "",
        "best rate",
        "test accuracy",
        "test accuracy, sampled",
        "training error",
        "z",
        "time per epoch, one core",
        "per epoch on a chip, estimated",
    ]
    return table(header, rows)


def _low_states(each: SizeOutcome) -> str:
    """Returns the table of low states after the first and the last epoch."""
    header = ["", "code, epoch 1", "code, at the end", "above", "below"]
    header += ["lowest below", "other class"]
    rows = [
        [own.method.title, percent(float(own.arrays["codes"][:, 0].mean())), *_low_state_cells(own)]
        for own in each.methods.values()
        if own.is_ising
    ]
    return table(header, rows)


def _low_state_cells(own: Outcome) -> list[str]:
    """Returns the cells of a method after the last epoch."""
    shares = ("codes", "below", "lowest_below", "other_class")
    code, *others = (percents(own.last(name)) for name in shares)
    return [code, interval(own.last("above")), *others]


def percents(value: Interval) -> str:
    """Formats a fraction and its interval as per cent."""
    low, high = (percent(each).removesuffix(" %") for each in (value.low, value.high))
    return percent(value.mean) if low == "–" else f"{percent(value.mean)} [{low}, {high}]"
