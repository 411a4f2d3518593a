"""The sentences of a report that depend on the run."""

from __future__ import annotations

from collections.abc import Sequence

from isingprop.cli.report.image_sheets import Shape
from isingprop.cli.report.training_landscape import NUM_READS
from isingprop.cli.run_settings import RunSettings
from isingprop.estimator.recipes import CLASS_STATES
from isingprop.network.base_network import Network
from isingprop.training.evaluation import EpochRecord, Evaluation


def summary_text(network: Network, settings: RunSettings, history: Sequence[EpochRecord]) -> str:
    """Returns what was trained, on what, and for how long."""
    hidden = " + ".join(str(size) for size in network.sizes[:-1])
    seconds = sum(record.seconds + record.seconds_testing for record in history)
    return (
        f"{network.num_inputs} inputs, {hidden} hidden spins and {network.num_output} output spins "
        f"for {network.num_classes} classes, trained on {settings.data_name} for {len(history)} "
        f"epochs ({seconds:.1f} s) with the sampler {settings.sampler}."
    )


def accuracy_text(result: Evaluation, *, by_energies: bool) -> str:
    """Returns the accuracy of the last model, and how its classes were found."""
    how = (
        "by the lowest class energy, without a sampler"
        if by_energies
        else "by the lowest of 10 states found by simulated annealing on the CPU"
    )
    return (
        f"The last model finds the class of {result.accuracy:.1%} ± {result.standard_error:.1%} of "
        f"{result.num_images} test images, {how}."
    )


def curves_text(settings: RunSettings) -> str:
    """Returns what the errors of training are errors of."""
    margin = (
        " They are sampled with a margin against the label, so that the error of training may be "
        "larger than that of the test."
        if settings.margin or len(settings.hidden) > 1
        else ""
    )
    return f"Training errors are those of the states that an epoch learned from.{margin}"


def wrong_text(num_shown: int, num_wrong: int, *, by_energies: bool) -> str:
    """Returns how many images are misclassified, and which of them are shown in what order."""
    if num_wrong == 0:
        return "No test image is misclassified."
    order = (
        ", those first whose label is highest above the class that the network takes"
        if by_energies
        else ", in the order of the data"
    )
    return (
        f"{num_wrong} test images are misclassified; {num_shown} are shown{order}. "
        "The label is left of the arrow, the network's class right of it."
    )


def hidden_text(num_shown: int, network: Network, shape: Shape) -> str:
    """Returns which input weights are shown, and in what shape."""
    layer = "hidden spins" if network.num_hidden_layers == 1 else "spins of the first hidden layer"
    rows, columns, channels = shape
    colours = ", averaged over three colours" if channels > 1 else ""
    scaling = network.input_format.scaling
    if scaling is not None and scaling.is_exchanged:
        colours += ", for inputs with dark and bright exchanged"
    return (
        f"The input weights of {num_shown} of {network.sizes[0]} {layer}, as images of {rows} x "
        f"{columns} pixels{colours}."
    )


def landscape_text(num_images: int, settings: RunSettings, stress: float) -> str:
    """Returns how the states of the map were found, and how good the map is."""
    deep = len(settings.hidden) > 1 and settings.active_layers is not None
    sweep = ", two layers at a time" if deep else ""
    sampled = (
        f"{NUM_READS} states found by simulated annealing on the CPU ({settings.num_sweeps} sweeps"
        f"{sweep})"
    )

    if settings.sampler == CLASS_STATES:
        states = (
            f"This run trains and predicts by class states, the lowest states whose outputs are "
            f"the code of a class: for each of {num_images} test images a large point is its "
            f"lowest class state, and small crosses are {sampled}. These may be lower, and need "
            "not have a class. Classes and distances are those of the class states."
        )
    else:
        states = f"Each of {num_images} test images has {sampled}."

    return (
        f"{states} Distances of points approximate the numbers of spins in which states differ; "
        f"all epochs share one map, of stress {stress:.2f} (0 would be exact)."
    )


def snapshots_text(epochs: Sequence[int], num_kept: int, num_epochs: int) -> str:
    """Returns which epochs the slider has.

    Args:
        epochs: those that are shown.
        num_kept: the number of epochs whose models the run has kept; 0 for none.
        num_epochs: of the run.
    """
    if num_kept == 0:
        return (
            "This run has kept no model of single epochs (isingprop train --snapshots), so only "
            "its last one is shown."
        )
    begins = "before the first epoch" if epochs[0] == 0 else f"after epoch {epochs[0]}"
    ends = "" if epochs[-1] == num_epochs else f", to epoch {epochs[-1]} of {num_epochs}"
    return (
        f"The slider has {len(epochs)} of the {num_kept} models that the run has kept, "
        f"from {begins} on{ends}."
    )
