"""Trainer: epochs over labelled images, checkpoints, and tests."""

from __future__ import annotations

import json
import math
import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isingprop.network.base_network import Floats32, Network
from isingprop.network.bipartite import PARAMETERS
from isingprop.samplers.annealing import Annealing
from isingprop.samplers.protocol import Sampler, declared
from isingprop.training.checkpoints import Checkpoint
from isingprop.training.evaluation import EpochRecord, ErrorCount, Evaluation, predict
from isingprop.training.learning_rule import LearningRates, update_in_place
from isingprop.training.minibatches import TEST, Minibatches
from isingprop.training.phases import Plan, phases_of
from isingprop.training.sampling_log import SamplingLog
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
    """Trains a network in place, by dragon training (num_states = m > 1) or equilibrium propagation (num_states = 1).

    For each minibatch: sample m states of H[x]; take the nudged state of each image; raise the energy of the former and
    lower that of the latter (learning.gradient). The order of images is drawn anew each epoch.

    With more than one hidden layer the free states come from a forward sweep: from random states, layers (1, 2), (2, 3)
    ... (L - 1, L) are sampled in turn while the others are frozen. A backward sweep follows: in layers (L - 1, L) each
    free state is held against a nudged partner, its own state but for outputs n[y] and layer L - 1 along its local
    field; in the layers below both are sampled anew from where they are, with the same random numbers. The parameters
    of two layers are updated before the next two are sampled; so the biases of all hidden layers but the first are
    updated twice.

    Args:
        network: changed in place.
        sampler: default Annealing().
        num_states: m, states per image and update. None takes all states with their weights, of a sampler that has them
            (Coherent, Amplified): the limit of m without end.
        learning_rate: one for all parameters, or a mapping with the keys input_weights, couplings, hidden_bias (of all
            hidden layers) and output_bias. With more than one hidden layer input weights learn at 4 times the one rate,
            couplings at half of it.
        batch_size: images per update; the update is their mean. The paper has 1.
        nudge: None takes the nudged state of Eq. (7), the limit of a strong nudge. A finite nudge > 0 samples one read
            of H_N[x, y] instead.
        skip_correct: with a finite nudge, an image whose free states all have the outputs n[y] already changes nothing,
            as in Laydevant et al.
        references: None, or "wrong-classes": the reads of an image start from the states of Eq. (7) of its wrong
            classes in turn, for cyclic annealing; num_states = 9 is one read for each of 9. Which comes first moves on
            from epoch to epoch and from image to image.
        num_test_reads: reads of a test image, of which the lowest counts.
        beta_effective: put the effective inverse temperature (States.beta_effective) of the free states into the record
            of each epoch. It is infinite for states that end in a descent, as Annealing's do by default.
        test_sampler: draws the states of test images; default: the sampler. A test on a QPU costs as much as an epoch.
        active_layers: 2 sweeps over a network with more than one hidden layer as above; None samples all its layers at
            once, and lets the hidden layers of a nudged partner go downhill from the free state.
        margin: >= 0, an energy by which the label must win: free states are those of H[x] + margin * sum_a n_a[y] t_a,
            so updates go on until no other class is lower even then. Tests are without it. None is 0 with one hidden
            layer, as in the paper, and (spins of the last hidden layer) / (200 * number of hidden layers) with more.
        nudged_start: with more than one hidden layer, "free" for nudged partners as above; "random" for ones that are
            drawn apart from the free states, the literal reading of the paper, and for a backward sweep from random
            states. Without a margin it is the worse by some points; at the paper's initial scales neither trains.
        warm_sampler: draws states of the backward sweep from start states; default: 5 cold sweeps of annealing.
        max_spins: refuse to send any sampler a larger problem.
        seed: 0 ... 2^64 - 1; None draws one. All random numbers follow from it.

    Example:
        >>> import isingprop as ip
        >>> images = ip.load_data("digits", num_train=100, num_test=100)
        >>> network = ip.BipartiteNetwork.random(num_inputs=64, num_hidden=30, num_classes=10)
        >>> history = ip.Trainer(network, ip.Annealing(num_sweeps=20), num_states=5).fit(images, epochs=2)
        >>> [record.epoch for record in history]
        [1, 2]

    References:
        arXiv:2506.05244, Sections II, IV and VI; Laydevant, Marković & Grollier 2024, doi:10.1038/s41467-024-46879-4.
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
        self._rates = self.learning_rates.array()

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
            ValueError: for images of another size or more classes than the network has, or, after `restore`, other
                images than the checkpoint was made with.
            KeyboardInterrupt: on Ctrl-C; the network is then as the last whole epoch left it.
        """
        for _ in self.train(images, epochs, progress=progress):
            pass
        return self.history

    def train(
        self, images: ImageSet, epochs: int, *, progress: bool = False
    ) -> Iterator[EpochRecord]:
        """As `fit`, but gives each record as soon as its epoch is done: the place to save a checkpoint."""
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
        """One epoch over (n, I) images and (n,) labels, without a test."""
        train = self._check_images("train", images, labels)
        with self._undone_on_error() as before:
            record = self._train_epoch(*train, before)
        self.history.append(record)
        return record

    def evaluate(self, images: ArrayLike, labels: ArrayLike) -> Evaluation:
        """Accuracy on (n, I) images, by the lowest of num_test_reads reads of each."""
        return self._evaluate(*self._check_images("test", images, labels))

    def save_checkpoint(self, path: str | os.PathLike[str]) -> None:
        """Writes parameters, settings and history, whole or not at all: all that `restore` needs."""
        Checkpoint(
            self.network.parameters(), self._settings(), self.history, self._data_checksum
        ).save(path)

    def restore(self, path: str | os.PathLike[str]) -> None:
        """Takes up where the trainer that wrote the checkpoint was, to the same bits as if it had never stopped.

        This trainer must have been made with the same arguments.

        Raises:
            FileNotFoundError: where there is no file.
            ValueError: for a file of another kind or version, a network of another shape, or other settings.
        """
        checkpoint = Checkpoint.load(path)
        for name, mine in self._settings().items():
            saved = checkpoint.settings.get(name)
            if saved != mine:
                raise ValueError(f"{name} must be {saved} as in the checkpoint {path}, got {mine}")
        self._put_back(checkpoint.parameters_for(self.network, path))
        self.history, self._data_checksum = checkpoint.history, checkpoint.data_checksum

    def _put_back(self, parameters: Mapping[str, Floats]) -> None:
        for name, array in self.network.parameters().items():
            array[...] = parameters[name]

    def _train_epoch(
        self,
        images: Floats32,
        labels: NDArray[np.int64],
        before: dict[str, Floats32],
        bar: Any | None = None,
    ) -> EpochRecord:
        """Trains for one epoch; `before` has copies of the parameters."""
        checksum = self._same_checksum(images, labels)
        network, epoch, num_images = self.network, len(self.history) + 1, len(images)
        errors = ErrorCount(network, cycles=self.references is not None)
        log = SamplingLog(max_spins=self.max_spins, beta_effective=self.beta_effective)
        phases = phases_of(network, self._plan())
        start = perf_counter()

        for pixels, batch in self._minibatches(images, labels, epoch):
            free = phases.free(batch, log)
            for step in phases.steps(batch, free, log):
                update_in_place(
                    network, pixels, step.free, step.nudged, self._rates, step.weights, step.layer
                )
            if errors.add(free, batch.labels) and bar is not None:
                _show(bar, epoch, errors, num_images)

        errors.count()
        if bar is not None:
            _show(bar, epoch, errors, num_images)
        self._data_checksum = checksum

        seconds = perf_counter() - start
        return EpochRecord(
            epoch=epoch,
            train_error_reads=errors.reads,
            train_error_lowest=errors.lowest,
            test_accuracy=float("nan"),
            **self._update_norms(before),
            seconds_updating=seconds - log.seconds,
            seconds_testing=0.0,
            seconds=seconds,
            wrong_cycles=errors.cycles,
            **log.numbers(),
        )

    def _minibatches(self, images: Floats32, labels: NDArray[np.int64], epoch: int) -> Minibatches:
        """Returns the minibatches of an epoch, in its random order."""
        num_references = None if self.references is None else self.num_states
        return Minibatches(
            self.network, images, labels, self.batch_size, num_references, self.seed, epoch
        )

    def _update_norms(self, before: dict[str, NDArray[np.float32]]) -> dict[str, Any]:
        """Of each kind of parameter, over all layers."""
        kinds, squares = self.network.kinds(), dict.fromkeys(PARAMETERS, 0.0)
        for name, array in self.network.parameters().items():
            squares[kinds[name]] += float(np.square(array - before[name], dtype=np.float64).sum())
        return {f"update_norm_{kind}": math.sqrt(square) for kind, square in squares.items()}

    def _plan(self) -> Plan:
        """Returns how to sample both phases."""
        return Plan(
            sampler=self.sampler,
            warm_sampler=self.warm_sampler,
            num_states=self.num_states,
            nudge=self.nudge,
            skip_correct=self.skip_correct,
            margin=self.margin,
            nudged_from_free=self.nudged_start == FREE,
            active_layers=self.active_layers,
        )

    def _evaluate(self, images: NDArray[np.float32], labels: NDArray[np.int64]) -> Evaluation:
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
        """Gives copies of the parameters, and puts them back where the epoch fails or is interrupted."""
        before = {name: array.copy(order="K") for name, array in self.network.parameters().items()}
        checksum = self._data_checksum
        try:
            yield before
        except BaseException as error:
            self._put_back(before)
            self._data_checksum = checksum
            done = len(self.history)
            error.add_note(
                f"isingprop: epoch {done + 1} was undone, the network is as epoch {done} left it; to resume, "
                "call fit() again, in a new process after restore() of the last checkpoint"
            )
            raise

    def _check_images(
        self, part: str, images: ArrayLike, labels: ArrayLike
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        pixels = image_array(f"{part}_images", images, num_inputs=self.network.num_inputs)
        check_pixels(f"{part}_images", pixels)
        num_classes = self.network.num_classes
        return pixels, label_array(
            f"{part}_labels", labels, count=len(pixels), num_classes=num_classes
        )

    def _same_checksum(self, images: NDArray[np.float32], labels: NDArray[np.int64]) -> int:
        """A run goes on with the images it began with: their order is a part of its random numbers."""
        checksum = zlib.crc32(labels.tobytes(), zlib.crc32(images.data))
        if self._data_checksum not in (None, checksum):
            raise ValueError(
                f"train_images must be those that the run began with (checksum {self._data_checksum}), "
                f"got others (checksum {checksum})"
            )
        return checksum

    def _deep_settings(self) -> dict[str, Any]:
        """Of a network with one hidden layer, whose checkpoints may be older, no more than the margin."""
        if self.network.num_hidden_layers == 1:
            return {"margin": self.margin or None}
        warm = declared(self.warm_sampler).settings()
        names = ("active_layers", "margin", "nudged_start")
        return {**{name: getattr(self, name) for name in names}, "warm_sampler": warm}

    def _settings(self) -> dict[str, Any]:
        """All that decides the numbers of a run, as JSON has it; the number of threads does not."""
        settings: dict[str, Any] = {
            "network": str(self.network),
            "sampler": declared(self.sampler).settings(),
            "num_states": self.num_states,
            "learning_rates": asdict(self.learning_rates),
            "batch_size": self.batch_size,
            "nudge": self.nudge,
            "skip_correct": self.skip_correct or None,  # checkpoints from before it have none
            "references": self.references,
            **self._deep_settings(),
            "num_test_reads": self.num_test_reads,
            "test_sampler": None
            if self.test_sampler is self.sampler
            else declared(self.test_sampler).settings(),
            "seed": self.seed,
        }
        normal: dict[str, Any] = json.loads(json.dumps(settings, default=repr))
        return normal


def _show(bar: Any, epoch: int, errors: ErrorCount, num_images: int) -> None:
    """Moves the progress bar to where the counts are."""
    bar.set_postfix(error=f"{errors.lowest:.4f}", reads=f"{errors.reads:.4f}", refresh=False)
    bar.update((epoch - 1) * num_images + errors.num_images - bar.n)
