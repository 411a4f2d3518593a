"""Trainer: epochs over labelled images, checkpoints, and tests."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isingprop.network.base_network import Floats32, Network
from isingprop.samplers.annealing import Annealing
from isingprop.samplers.protocol import Sampler
from isingprop.training.epoch import Place, run_epoch, test_model
from isingprop.training.evaluation import EpochRecord, Evaluation
from isingprop.training.learning_rule import LearningRates
from isingprop.training.minibatches import checked_images, checked_weights, same_checksum
from isingprop.training.optimizer import (
    Optimizer,
    Schedule,
    checked_optimizer,
    checked_schedule,
    rates_for,
    undone_on_error,
)
from isingprop.training.resuming import Resumable
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
    checked_rate,
    checked_references,
    checked_sampler,
    checked_skip_correct,
    sampled_shapes,
)
from isingprop.util.checks import Doubles, real_number, seed_number, true_or_false, whole_number
from isingprop.util.messages import say
from isingprop.util.progress import Progress

if TYPE_CHECKING:
    from isingprop.data.load import ImageSet


class Trainer(Resumable):
    """Trains a network in place, by dragon training or equilibrium propagation (num_states = 1).

    For each minibatch m states of H[x] are sampled (the free phase), and the nudged state of each
    image is taken; the update raises the energy of the former and lowers that of the latter, see
    `gradient`. The order of images is drawn anew each epoch. `train` is the hook for callbacks.

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
        learning_rate: one number follows the images: input weights have it times 88 / (mean |x|^2)
            of the training images, see `LearningRates.for_images`, and with "adam" less than it
            for large images, see `LearningRates.for_adam`. With more than one hidden layer input
            weights learn at 4 times the one rate, couplings at half of it. LearningRates, or a
            mapping with the keys input_weights, couplings, hidden_bias (of all hidden layers) and
            output_bias, is literal: `LearningRates.of(0.001)` is the paper's one rate for all.
            Pixels around a grey mean image m train worse than dark ones; two inputs for each pixel,
            max(x - m, 0) and max(m - x, 0), are as good (digits of 32 x 32 x 3: 97 % for 89 %).
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
        optimizer: "sgd" or "adam", see `Optimizer`.
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
        self._given_rate = checked_rate(learning_rate)
        self.learning_rates = LearningRates.of(self._given_rate, deep=network.num_hidden_layers > 1)
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

        self.history, self.further_settings = [], {}
        self._data_checksum = self._test_checksum = None
        self._checkpoint_files = {}
        self._are_fixed = True

    def __repr__(self) -> str:
        """Returns the network, the sampler and the number of epochs so far."""
        epochs = "1 epoch" if len(self.history) == 1 else f"{len(self.history)} epochs"
        return f"Trainer({self.network}, {self.sampler}, {epochs} so far)"

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
            progress: show on stderr how far it is; see `Progress`.

        Raises:
            ValueError: for images of another size or more classes than the network has, or other
                images than those of the epochs before. Also where training diverges, with the
                learning rates; the network is then as after Ctrl-C.
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
        """Works like `fit`, but yields each record when its epoch is done: the hook for callbacks.

        The body of the loop is the place for whatever is to happen after each epoch: checkpoints,
        logs (TensorBoard and MLflow: python/examples), other tests, an early end by `break` or an
        exception, after which another call goes on. The network may be read there, not changed.

        Example:
            >>> import isingprop as ip
            >>> images = ip.load_data("digits", num_train=100, num_test=100)
            >>> network = ip.BipartiteNetwork.random(num_inputs=64, num_hidden=30, num_classes=10)
            >>> trainer = ip.Trainer(network, ip.Annealing(num_sweeps=20), num_states=5)
            >>> for record in trainer.train(images, epochs=20):
            ...     if record.train_error_lowest < 0.5:
            ...         break
            >>> len(trainer.history) < 20
            True
        """
        done = len(self.history)
        last = done + whole_number("epochs", epochs, least=1)
        checked_average(self.average_from, last)
        train, test = self.check_images(images)
        self._decide_rates(train[0])
        self._test_checksum = same_checksum(None, *test)
        num_images, chances = len(train[0]), (Chance.of(train[1]), Chance.of(test[1]))

        with Progress(last * num_images, done=done * num_images, shown=progress) as bar:
            while len(self.history) < last:
                title = f"epoch {len(self.history) + 1}/{last}"
                bar.describe(title)
                with self._undone_on_error() as before:
                    record = self._train_epoch(*train, before, last, bar)
                    start = perf_counter()
                    accuracy = test_model(self, self.model, *test).accuracy
                    record = replace(
                        record, test_accuracy=accuracy, seconds_testing=perf_counter() - start
                    )
                    record, reason = judged(self, self.history, record, before, *chances)
                self.history.append(record)
                bar.move_to(record.epoch * num_images)
                error = f"training error {record.train_error_lowest:.2%}"
                bar.line(f"{title}: {error}, test accuracy {accuracy:.1%}")
                if reason is not None and first_unstable(self.history) == record.epoch:
                    bar.clear()
                    text = f"training is unstable in epoch {record.epoch}: {reason}"
                    say(f"isingprop: {text}") if progress else warnings.warn(text, stacklevel=2)
                yield record

    def train_epoch(
        self,
        images: ArrayLike,
        labels: ArrayLike,
        num_epochs: int | None = None,
        *,
        weights: ArrayLike | None = None,
        other_images: bool = False,
    ) -> EpochRecord:
        """Trains for one epoch, without a test; only its record tells that it was unstable.

        Args:
            images: (n, I).
            labels: (n,).
            num_epochs: the number of all epochs of the run, for a schedule that is not constant.
            weights: (n,), >= 0 and not all 0. Image k then comes n w_k / (sum w) times in an epoch,
                rounded down or up at random so that this is its mean: each update is in the mean
                that of images repeated as often as integer weights say.
            other_images: allow other images than in the epochs before, as of data that come in
                parts. The learning rates stay those for the first ones.
        """
        done = len(self.history)
        self._data_checksum = None if other_images else self._data_checksum
        train = checked_images(self.network, "train", images, labels)
        self._decide_rates(train[0])
        if num_epochs is None and self.schedule != "constant":
            raise ValueError("num_epochs must be a number unless schedule is constant, got None")
        if num_epochs is not None:
            num_epochs = whole_number("num_epochs", num_epochs, least=done + 1)
            checked_average(self.average_from, num_epochs)
        shares = checked_weights("weights", weights, len(train[0]))

        with self._undone_on_error() as before:
            record = self._train_epoch(*train, before, num_epochs or done + 1, weights=shares)
            record, _ = judged(self, self.history, record, before, Chance.of(train[1]))
        self.history.append(record)
        return record

    def evaluate(self, images: ArrayLike, labels: ArrayLike) -> Evaluation:
        """Returns the accuracy on (n, I) images, by the lowest of several reads of each."""
        return test_model(self, self.model, *checked_images(self.network, "test", images, labels))

    def _decide_rates(self, images: Floats32) -> None:
        """Sets the learning rates, which follow the images of the first epoch."""
        if not self.history:
            deep = self.network.num_hidden_layers > 1
            self._set_rates(rates_for(images, self._given_rate, self.optimizer, deep=deep))

    def _train_epoch(
        self,
        images: Floats32,
        labels: NDArray[np.int64],
        before: dict[str, Floats32],
        last: int,
        bar: Progress | None = None,
        weights: Doubles | None = None,
    ) -> EpochRecord:
        """Trains for one epoch of `last` on checked images; `before` are copied parameters."""
        checksum = same_checksum(self._data_checksum if self.history else None, images, labels)
        place = Place(len(self.history) + 1, last)
        record = run_epoch(self, self._optimizer, place, images, labels, before, bar, weights)
        self._data_checksum = checksum
        return record

    def _undone_on_error(self) -> AbstractContextManager[dict[str, Floats32]]:
        return undone_on_error(self._optimizer, len(self.history), self.learning_rates)
