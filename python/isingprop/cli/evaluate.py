"""The command `isingprop evaluate`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from isingprop.cli.console import (
    one_line_errors,
    percent,
    print_json,
    print_qpu_seconds,
    qpu_numbers,
    test_numbers,
)
from isingprop.cli.finished_runs.confusion import Confusion
from isingprop.cli.options import AsJson, DataDir, Threads, absolute, whole
from isingprop.cli.run_folder import RunFolder
from isingprop.cli.shell.shell_commands import DATA
from isingprop.data.load import Images, Labels
from isingprop.estimator.recipes import CLASS_STATES
from isingprop.network.bipartite import BipartiteNetwork
from isingprop.network.calibration import calibration_error
from isingprop.training.evaluation import Evaluation, predict
from isingprop.training.minibatches import TEST
from isingprop.training.trainer import Trainer
from isingprop.util.checks import seed_for


def evaluate(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a run.")],
    data_dir: DataDir = None,
    num_test: Annotated[
        int | None,
        whole("num_test", DATA, "Test images, balanced over classes [default: the run's]."),
    ] = None,
    threads: Threads = 1,
    as_json: AsJson = False,
) -> None:
    """Test the model of a run on test images.

    Images are classified by class energies, and by the lowest of 10 reads. Reads are not what a
    network trained on class states answers by: only --json has their accuracy then. Those of a run
    that tests on a chip are asked of the chip, within the run's budget, unless it has answered.
    """
    with one_line_errors():
        run = RunFolder.open(folder)
        settings = replace(run.settings, threads=threads)
        if data_dir is not None:
            settings = replace(settings, data_dir=absolute(data_dir))
        if num_test is not None:
            settings = replace(settings, num_test=num_test)

        images, labels = settings.load_test_images()
        network = settings.load_network(run.model)
        own = settings.test_sampler or settings.sampler
        reading = "anneal" if own == CLASS_STATES else own
        sampler = settings.make_sampler(network.readout, reading)
        run.keep_answers(sampler)
        trainer = Trainer(
            network, sampler, active_layers=settings.active_layers, seed=settings.seed
        )
        classes = predict(
            network,
            sampler,
            images,
            seed=seed_for(settings.seed, TEST, 0),  # as in the tests of the run's epochs
            active_layers=settings.active_layers,
        )
        reads = result = Evaluation.of(classes, labels)
        exact = None
        if isinstance(network, BipartiteNetwork):
            classes = network.predict(images)
            result = Evaluation.of(classes, labels)
            exact = ClassEnergyTest.of(network, result, images, labels)
        confusion = Confusion.of(classes, labels, network.num_classes)

    if as_json:
        # test_accuracy is of the kind that the run's history has.
        tested = result if own == CLASS_STATES else reads
        numbers = {"test_accuracy": tested.accuracy, **test_numbers(tested)}
        if exact is not None:
            numbers |= {"test_accuracy_reads": reads.accuracy, **asdict(exact)}
        numbers |= asdict(confusion)
        print_json({"model": str(run.model), **numbers, **qpu_numbers(trainer)})
    else:
        if exact is not None:
            typer.echo(f"class energies  {percent(result)} right")
        if own != CLASS_STATES:  # a network of class states does not answer by its reads
            typer.echo(
                f"lowest reads    {percent(reads)} right, {reads.unclassified:.1%} unclassified"
            )
        if exact is not None:
            typer.echo(exact.line())
        print_qpu_seconds(trainer, run)
        for line in confusion.lines(network.class_names):
            typer.echo(line)


@dataclass(frozen=True)
class ClassEnergyTest:
    """The test by class energies; its fields are keys of the command's JSON."""

    test_accuracy_energies: float
    beta: float | None  #: the model's own: it must not be fitted to the images of a test
    calibration_error: float | None  #: of the probabilities at beta; None without one

    @classmethod
    def of(
        cls, network: BipartiteNetwork, result: Evaluation, images: Images, labels: Labels
    ) -> ClassEnergyTest:
        """Adds to the test of the classes of lowest energy how right their probabilities are."""
        accuracy = result.accuracy
        if network.beta is None:
            return cls(accuracy, None, None)
        return cls(accuracy, network.beta, calibration_error(network.predict_proba(images), labels))

    def line(self) -> str:
        """Returns what the command prints of the calibration."""
        if self.calibration_error is None:
            return "calibration     unknown: the model has no beta (BipartiteNetwork.fit_beta)"
        return (
            f"calibration     expected error {self.calibration_error:.1%} at the model's beta, "
            f"{self.beta:.4g}"
        )
