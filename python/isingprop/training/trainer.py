"""Trainer: epochs over labelled images, checkpoints, and tests."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isingprop.network.base_network import Floats32, Network
from isingprop.samplers.annealing import Annealing
from isingprop.samplers.protocol import Sampler
from isingprop.training.checkpoints import Checkpoint, CheckpointFile, run_settings
from isingprop.training.epoch import Place, run_epoch, test_model
from isingprop.training.evaluation import EpochRecord, Evaluation
from isingprop.training.learning_rule import LearningRates
from isingprop.training.minibatches import checked_images, same_checksum
from isingprop.training.optimizer import (
    Optimizer,
    Schedule,
    checked_optimizer,
    checked_schedule,
    put_back,
    undone_on_error,
)
from isingprop.training.stability import Chance, first_unstable, judged
from isingprop.training.trainer_options import (
    FREE,
    DeepOptions,
    check_class_states,
    check_left_out,
    check_network,
    checked_average,
    checked_max_spins,
    checked_num_states,
    checked_references,
    checked_sampler,
    checked_skip_correct,
    sampled_shapes,
)
from isingprop.util.checked_files import naming
from isingprop.util.checks import real_number, seed_number, true_or_false, whole_number
from isingprop.util.messages import say

if TYPE_CHECKING:
    from isingprop.data.load import ImageSet


class Trainer:
    """Trains a network in place, by dragon training or equilibrium propagation (num_states = 1).

    For each minibatch m states of H[x] are sampled (the free phase), and the nudged state of each
    image is taken; the update raises the energy of the former and lowers that of the latter, see
    `gradient`. The order of images is drawn anew each epoch.

    With more than one hidden layer the free states come from a forward sweep: from random states,
    layers (1, 2), (2, 3) ... (L - 1, L) are sampled in turn while the others are frozen. A backward
    sweep follows. In layers (L - 1, L) each free state is compared with a nudged partner: its own
    state, but with outputs n[y] and with layer L - 1 along its local field. In the layers below,
    both are sampled anew from where they are, with the same random numbers. The parameters of two
    layers are updated before the next two are sampled, so the biases of all hidden layers but the
    first are updated twice.

    Args:
        network: changed in place.
        sampler: default Annealing().
        num_states: m, states per image and update. None takes all states with their weights, from a
            sampler that gives them (Coherent, Amplified): the limit of many states. Reads that end
            in the same state teach as much as one, see `Tempering`.
        learning_rate: one for all parameters, or a mapping with the keys input_weights, couplings,
            hidden_bias (of all hidden layers) and output_bias. With more than one hidden layer
            input weights learn at 4 times the one rate, couplings at half of it.
        batch_size: images per update; the update is their mean. The paper has 1.
        nudge: None takes the nudged state of Eq. (7), the limit of a strong nudge. A finite nudge >
            0 samples one read of H_N[x, y] instead.
        skip_correct: with a finite nudge, an image whose free states all have the outputs n[y]
            already changes nothing, as in Laydevant et al.
        references: None, or "wrong-classes": the reads of an image start from the states of Eq. (7)
            of its wrong classes in turn, for cyclic annealing; num_states = 9 is one read for each
            of 9. Which comes first moves on from epoch to epoch and from image to image.
        num_test_reads: reads of a test image, of which the lowest counts.
        beta_effective: put the effective inverse temperature (States.beta_effective) of the free
            states into the record of each epoch. It is infinite for states that end in a descent,
            as Annealing's do by default.
        test_sampler: samples the states of test images; default: the sampler. A test on a QPU costs
            as much as an epoch.
        active_layers: for more than one hidden layer. 2 sweeps as above; None samples all layers at
            once, and lets the hidden layers of a nudged partner go downhill from the free state.
        margin: >= 0, an energy by which the label must win, in the unit of the couplings: free
            states are sampled with fields that raise the states of the label by so much over those
            of other classes, and updates go on until no other class is lower even then. With one
            hidden layer they act on the label's own outputs, with more on all. Tests are without
            it. None is 0 with one hidden layer, as in the paper, and redundancy * (spins of the
            last hidden layer) / (50 * number of hidden layers) with more.
        optimizer: "sgd", or "adam", whose learning rate is the size of a step; see `Optimizer`.
        schedule: what the rates are multiplied by when a part p of all epochs is done: "constant"
            1, "linear" 1 - p, "cosine" (1 + cos(pi p)) / 2, or a function of p that gives finite
            numbers >= 0. All epochs are those done before and those asked for in `fit`.
        average_from: the first of the epochs over whose updates the parameters are averaged; None
            averages nothing. `model` has the average.
        nudged_start: for more than one hidden layer. "free" takes nudged partners as above.
            "random" samples them apart from the free states, the literal reading of the paper, and
            starts the backward sweep from random states. Without a margin it is the worse by some
            points; at the paper's initial scales neither trains.
        warm_sampler: for more than one hidden layer. It samples states of the backward sweep from
            start states; default: 5 cold sweeps of annealing.
        max_spins: refuse to send any sampler a larger problem.
        seed: 0 ... 2^64 - 1; None draws one. All random numbers follow from it.

    Example:
        >>> import isingprop as ip
        >>> images = ip.load_data("digits", num_train=100, num_test=100)
        >>> network = ip.BipartiteNetwork.random(num_inputs=64, num_hidden=30, num_classes=10)
        >>> trainer = ip.Trainer(network, ip.Annealing(num_sweeps=20), num_states=5)
        >>> [record.epoch for record in trainer.fit(images, epochs=2)]
        [1, 2]

    References:
        arXiv:2506.05244, Sections II, IV and VI; Laydevant, Marković & Grollier 2024,
        doi:10.1038/s41467-024-46879-4.
    """

    def __init__(
        self,
        network: Network,
        sampler: Sampler | None = None,
        *,
        num_states: int | None = 20,
        learning_rate: float | Mapping[str, float] | LearningRates = 0.001,
        batch_size: int = 1,
        nudge: float | None = None,
        skip_correct: bool = False,
        references: str | None = None,
        num_test_reads: int = 10,
        beta_effective: bool = False,
        test_sampler: Sampler | None = None,
        active_layers: int | None = 2,
        margin: float | None = None,
        nudged_start: str = FREE,
        warm_sampler: Sampler | None = None,
        max_spins: int | None = None,
        optimizer: str = "sgd",
        schedule: Schedule = "constant",
        average_from: int | None = None,
        seed: int | None = 0,
    ) -> None:
        """Checks the arguments and starts with an empty history."""
        check_network(network)
        self.network = network
        left_out = {"nudge": nudge, "skip_correct": skip_correct or None, "references": references}
        check_left_out(network, **left_out)

        self.sampler = checked_sampler(sampler, Annealing())
        self.test_sampler = checked_sampler(test_sampler, self.sampler, "test_sampler")
        self.num_states = checked_num_states(num_states, self.sampler, network)
        check_class_states(self.sampler, network, self.num_states)
        check_class_states(self.test_sampler, network, role="test_sampler")
        self.learning_rates = LearningRates.of(learning_rate, deep=network.num_hidden_layers > 1)
        self.batch_size = whole_number("batch_size", batch_size, least=1)

        self.nudge = None if nudge is None else real_number("nudge", nudge, above=0.0)
        self.skip_correct = checked_skip_correct(
            skip_correct, self.nudge, self.num_states, self.sampler
        )
        self.references = checked_references(references, self.sampler)

        options = DeepOptions.checked(
            network, self.sampler, active_layers, margin, nudged_start, warm_sampler
        )
        self.active_layers, self.margin, self.nudged_start, self.warm_sampler = options
        self.max_spins = checked_max_spins(max_spins, self.problem_shapes, network)

        self.num_test_reads = whole_number("num_test_reads", num_test_reads, least=1)
        self.beta_effective = true_or_false("beta_effective", beta_effective)
        self.seed = seed_number(seed)

        self.optimizer = checked_optimizer(optimizer)
        self.schedule = checked_schedule(schedule)
        self.average_from = checked_average(average_from)
        self._optimizer = Optimizer(network, self.optimizer, averages=average_from is not None)

        self.history: list[EpochRecord] = []
        self.further_settings: dict[str, Any] = {}  #: of the caller, that `restore` compares, too
        self._data_checksum: int | None = None
        self._test_checksum: int | None = None
        self._checkpoint_files: dict[Path, CheckpointFile] = {}

    @property
    def model(self) -> Network:
        """The network with averaged parameters, a copy, or else the network as it is."""
        return self._optimizer.average() or self.network

    @property
    def problem_shapes(self) -> list[tuple[int, int]]:
        """Returns the hidden and output spins of all problems that samplers are sent."""
        return sampled_shapes(self.network, self.active_layers, self.nudged_start)

    def fit(self, images: ImageSet, epochs: int, *, progress: bool = False) -> list[EpochRecord]:
        """Trains for `epochs` more epochs and returns the records of all epochs so far.

        Args:
            images: what to train and to test on.
            epochs: at least 1.
            progress: draw a progress bar on stderr, where that is a terminal.

        Raises:
            ValueError: for images of another size or more classes than the network has, or, after
                `restore`, other images than the checkpoint was made with. Also where training
                diverges, with the learning rates; the network is then as after Ctrl-C.
            KeyboardInterrupt: on Ctrl-C; the network is then as the last whole epoch left it.

        Warns:
            UserWarning: of the first unstable epoch; with `progress` it is a line on stderr.
        """
        for _ in self.train(images, epochs, progress=progress):
            pass
        return self.history

    def train(
        self, images: ImageSet, epochs: int, *, progress: bool = False
    ) -> Iterator[EpochRecord]:
        """Works like `fit`, but yields each record when its epoch is done, for checkpoints."""
        from tqdm import tqdm

        done = len(self.history)
        last = done + whole_number("epochs", epochs, least=1)
        checked_average(self.average_from, last)
        train, test = self.check_images(images)
        self._test_checksum = same_checksum(None, *test)
        num_images, chances = len(train[0]), (Chance.of(train[1]), Chance.of(test[1]))

        bar = tqdm(
            total=last * num_images,
            initial=done * num_images,
            unit=" images",
            disable=None if progress else True,
        )
        with bar:
            while len(self.history) < last:
                bar.set_description(f"epoch {len(self.history) + 1}/{last}", refresh=False)
                with self._undone_on_error() as before:
                    record = self._train_epoch(*train, before, last, bar)
                    start = perf_counter()
                    accuracy = test_model(self, self.model, *test).accuracy
                    record = replace(
                        record, test_accuracy=accuracy, seconds_testing=perf_counter() - start
                    )
                    record, reason = judged(self, self.history, record, before, *chances)
                self.history.append(record)
                if reason is not None and first_unstable(self.history) == record.epoch:
                    bar.clear()
                    text = f"training is unstable in epoch {record.epoch}: {reason}"
                    say(f"isingprop: {text}") if progress else warnings.warn(text, stacklevel=2)
                yield record

    def train_epoch(
        self, images: ArrayLike, labels: ArrayLike, num_epochs: int | None = None
    ) -> EpochRecord:
        """Trains for one epoch on (n, I) images and (n,) labels, without a test.

        A schedule that is not constant needs num_epochs, the number of all epochs of the run. No
        warning tells of an unstable epoch, only its record.
        """
        done = len(self.history)
        train = checked_images(self.network, "train", images, labels)
        if num_epochs is None and self.schedule != "constant":
            raise ValueError("num_epochs must be a number unless schedule is constant, got None")
        if num_epochs is not None:
            num_epochs = whole_number("num_epochs", num_epochs, least=done + 1)
            checked_average(self.average_from, num_epochs)

        with self._undone_on_error() as before:
            record = self._train_epoch(*train, before, num_epochs or done + 1)
            record, _ = judged(self, self.history, record, before, Chance.of(train[1]))
        self.history.append(record)
        return record

    def check_images(self, images: ImageSet) -> list[tuple[Floats32, NDArray[np.int64]]]:
        """Returns the training and test images with labels, those that the run began with.

        The network keeps their format.
        """
        checked = []
        for part, before in (("train", self._data_checksum), ("test", self._test_checksum)):
            arrays = getattr(images, f"{part}_images"), getattr(images, f"{part}_labels")
            checked.append(checked_images(self.network, part, *arrays))
            same_checksum(before if self.history else None, *checked[-1], part)
        if images.num_classes == self.network.num_classes:
            self.network.input_format = images.input_format
        return checked

    def evaluate(self, images: ArrayLike, labels: ArrayLike) -> Evaluation:
        """Returns the accuracy on (n, I) images, by the lowest of several reads of each."""
        return test_model(self, self.model, *checked_images(self.network, "test", images, labels))

    def save_checkpoint(self, path: str | os.PathLike[str]) -> None:
        """Writes all that `restore` needs: parameters, settings and history, or nothing at all.

        Of a long history a trainer that has saved to this path before keeps the earlier records in
        a second file, `<path>.history.jsonl`, so that to save after each epoch costs the same
        however many there were. `restore` needs that file, too, in the same folder.
        """
        file = Path(path).absolute()
        optimizer = {"arrays": self._optimizer.state, **self._optimizer.counts()}
        parameters, settings = self.network.parameters(), run_settings(self)
        sums = self._data_checksum, self._test_checksum
        checkpoint = Checkpoint(parameters, settings, self.history, *sums, optimizer)
        self._checkpoint_files.setdefault(file, CheckpointFile(file)).save(checkpoint)

    def restore(self, path: str | os.PathLike[str]) -> None:
        """Continues the run of the trainer that wrote the checkpoint, to the same bits.

        This trainer must have been made with the same arguments. The result is that of a run that
        was never stopped, if its samplers give the same states for the same seed
        (`FromDimod.repeats`).

        Raises:
            FileNotFoundError: where there is no file, or not the second one that it needs.
            ValueError: for a file of another kind or version, a network of another shape, or other
                settings.
        """
        checkpoint = Checkpoint.load(path)
        checkpoint.check_settings(self, path)
        with naming(path):
            parameters = checkpoint.parameters_for(self.network, path)
            self._optimizer.put_back(checkpoint.optimizer)
        put_back(self.network, parameters)
        self.history, self._test_checksum = checkpoint.history, checkpoint.test_checksum
        self._data_checksum = checkpoint.data_checksum

    def _train_epoch(
        self,
        images: Floats32,
        labels: NDArray[np.int64],
        before: dict[str, Floats32],
        last: int,
        bar: Any | None = None,
    ) -> EpochRecord:
        """Trains for one epoch of `last` on checked images; `before` are copied parameters."""
        checksum = same_checksum(self._data_checksum if self.history else None, images, labels)
        place = Place(len(self.history) + 1, last)
        record = run_epoch(self, self._optimizer, place, images, labels, before, bar)
        self._data_checksum = checksum
        return record

    def _undone_on_error(self) -> AbstractContextManager[dict[str, Floats32]]:
        return undone_on_error(self._optimizer, len(self.history), self.learning_rates)
