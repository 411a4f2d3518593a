"""Trainer: epochs over labelled images, checkpoints, and tests."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
from isingprop.training.divergence import DivergedError, converging
from isingprop.training.epoch import run_epoch
from isingprop.training.evaluation import EpochRecord, Evaluation, predict
from isingprop.training.learning_rule import LearningRates
from isingprop.training.minibatches import TEST
from isingprop.training.trainer_options import (
    FREE,
    DeepOptions,
    check_left_out,
    check_network,
    checked_max_spins,
    checked_num_states,
    checked_references,
    checked_sampler,
    checked_skip_correct,
    sampled_shapes,
)
from isingprop.util.checks import (
    Floats,
    check_pixels,
    image_array,
    label_array,
    real_number,
    seed_for,
    seed_number,
    true_or_false,
    whole_number,
)

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
            sampler that gives them (Coherent, Amplified): the limit of many states.
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
        margin: >= 0, an energy by which the label must win: free states are those of
            H[x] + margin * sum_a n_a[y] t_a, so updates go on until no other class is lower even
            then. Tests are without it. None is 0 with one hidden layer, as in the paper, and (spins
            of the last hidden layer) / (200 * number of hidden layers) with more.
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
        deep = network.num_hidden_layers > 1
        self.learning_rates = LearningRates.of(learning_rate, deep=deep)
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

        self.history: list[EpochRecord] = []
        self._data_checksum: int | None = None
        self._checkpoint_files: dict[Path, CheckpointFile] = {}

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
        """
        for _ in self.train(images, epochs, progress=progress):
            pass
        return self.history

    def train(
        self, images: ImageSet, epochs: int, *, progress: bool = False
    ) -> Iterator[EpochRecord]:
        """Works like `fit`, but yields each record when its epoch is done, for checkpoints."""
        from tqdm import tqdm

        epochs = whole_number("epochs", epochs, least=1)
        train = self._check_images("train", images.train_images, images.train_labels)
        test = self._check_images("test", images.test_images, images.test_labels)
        done, last = len(self.history), len(self.history) + epochs
        num_images = len(train[0])

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
                    record = self._train_epoch(*train, before, bar)
                    start = perf_counter()
                    accuracy = self._evaluate(*test).accuracy
                    record = replace(
                        record, test_accuracy=accuracy, seconds_testing=perf_counter() - start
                    )
                self.history.append(record)
                yield record

    def train_epoch(self, images: ArrayLike, labels: ArrayLike) -> EpochRecord:
        """Trains for one epoch on (n, I) images and (n,) labels, without a test."""
        train = self._check_images("train", images, labels)
        with self._undone_on_error() as before:
            record = self._train_epoch(*train, before)
        self.history.append(record)
        return record

    def evaluate(self, images: ArrayLike, labels: ArrayLike) -> Evaluation:
        """Returns the accuracy on (n, I) images, by the lowest of several reads of each."""
        return self._evaluate(*self._check_images("test", images, labels))

    def save_checkpoint(self, path: str | os.PathLike[str]) -> None:
        """Writes all that `restore` needs: parameters, settings and history, or nothing at all.

        Of a long history a trainer that has saved to this path before keeps the earlier records in
        a second file, `<path>.history.jsonl`, so that to save after each epoch costs the same
        however many there were. `restore` needs that file, too, in the same folder.
        """
        file = Path(path).absolute()
        checkpoint = Checkpoint(
            self.network.parameters(), run_settings(self), self.history, self._data_checksum
        )
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
        for name, mine in run_settings(self).items():
            saved = checkpoint.settings.get(name)
            if saved != mine:
                raise ValueError(f"{name} must be {saved} as in the checkpoint {path}, got {mine}")

        self._put_back(checkpoint.parameters_for(self.network, path))
        self.history, self._data_checksum = checkpoint.history, checkpoint.data_checksum

    def _train_epoch(
        self,
        images: Floats32,
        labels: NDArray[np.int64],
        before: dict[str, Floats32],
        bar: Any | None = None,
    ) -> EpochRecord:
        """Trains for one epoch on checked images; `before` has copies of the parameters."""
        checksum = self._same_checksum(images, labels)
        record = run_epoch(self, len(self.history) + 1, images, labels, before, bar)
        self._data_checksum = checksum
        return record

    def _put_back(self, parameters: Mapping[str, Floats]) -> None:
        """Copies parameters into the network's own arrays."""
        for name, array in self.network.parameters().items():
            array[...] = parameters[name]

    def _evaluate(self, images: Floats32, labels: NDArray[np.int64]) -> Evaluation:
        """Returns the accuracy on checked images."""
        seed = seed_for(self.seed, TEST, 0)
        classes = predict(
            self.network,
            self.test_sampler,
            images,
            num_reads=self.num_test_reads,
            seed=seed,
            active_layers=self.active_layers,
            max_spins=self.max_spins,
        )
        return Evaluation.of(classes, labels)

    @contextmanager
    def _undone_on_error(self) -> Iterator[dict[str, NDArray[np.float32]]]:
        """Yields copies of the parameters, and restores them if the epoch does not end well."""
        before = {name: array.copy(order="K") for name, array in self.network.parameters().items()}
        checksum = self._data_checksum

        done = len(self.history)
        watch = converging(self.network.parameters, f"epoch {done + 1}", self.learning_rates)

        try:
            with watch:
                yield before
        except BaseException as error:
            self._put_back(before)
            self._data_checksum = checksum
            note = f"isingprop: epoch {done + 1} was undone, the network is as epoch {done} left it"
            if not isinstance(error, DivergedError):  # it would diverge again
                note += (
                    "; to resume, call fit() again, in a new process after restore() of the last "
                    "checkpoint"
                )
            error.add_note(note)
            raise

    def _check_images(
        self, part: str, images: ArrayLike, labels: ArrayLike
    ) -> tuple[Floats32, NDArray[np.int64]]:
        """Returns the images and labels of one part of an ImageSet, checked to fit the network."""
        pixels = image_array(f"{part}_images", images, num_inputs=self.network.num_inputs)
        check_pixels(f"{part}_images", pixels)

        count, num_classes = len(pixels), self.network.num_classes
        return pixels, label_array(f"{part}_labels", labels, count=count, num_classes=num_classes)

    def _same_checksum(self, images: NDArray[np.float32], labels: NDArray[np.int64]) -> int:
        """Returns the checksum of the images, which must be those that the run began with.

        The order of the images is a part of the run's random numbers.
        """
        checksum = zlib.crc32(labels.tobytes(), zlib.crc32(images.data))
        if self._data_checksum not in (None, checksum):
            raise ValueError(
                "train_images must be those that the run began with "
                f"(checksum {self._data_checksum}), got others (checksum {checksum})"
            )
        return checksum
