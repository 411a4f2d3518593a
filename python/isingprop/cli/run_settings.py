"""The settings of a run, and the images, samplers, network and trainer that follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from isingprop.cli.run_samplers import DWAVE_MODES, STARTS_FROM_REFERENCES, make_named_sampler
from isingprop.data.load import Images, ImageSet, Labels, load_data, load_test_images
from isingprop.estimator.held_out_beta import held_out_beta
from isingprop.estimator.recipes import CLASS_STATES
from isingprop.network.base_network import Network
from isingprop.network.bipartite import BipartiteNetwork
from isingprop.network.layered import LayeredNetwork
from isingprop.readout import Readout
from isingprop.samplers import Sampler
from isingprop.training.trainer import Trainer
from isingprop.training.trainer_options import WRONG_CLASSES, checked_average
from isingprop.util.checks import real_number


@dataclass(frozen=True)
class RunSettings:
    """The settings that decide the numbers of a run, and the number of threads, which does not.

    The fields are those of config.json in a run folder, in this order; each has the name of its
    option of `isingprop train`. A field with a default is one that older run folders may lack.
    """

    data: str
    data_dir: str | None
    num_train: int | None
    num_test: int | None
    epochs: int
    num_states: int
    num_sweeps: int
    hidden: tuple[int, ...]
    learning_rate: float
    sampler: str
    seed: int
    threads: int
    beta_effective: bool = False
    batch_size: int = 1
    test_sampler: str | None = None
    qpu_solver: str | None = None
    qpu_budget: float | None = None
    active_layers: int | None = 2
    optimizer: str = "sgd"
    schedule: str = "constant"
    margin: float | None = None
    average_from: int | None = None
    coupling_gain: float = 1.0
    qpu_scale: float | None = None
    qpu_annealing_time: float | None = None

    def load_data(self) -> ImageSet:
        """Loads the training and test images of the run."""
        return load_data(
            self.data, data_dir=self.data_dir, num_train=self.num_train, num_test=self.num_test
        )

    def load_test_images(self) -> tuple[Images, Labels]:
        """Loads the test images of the run and their labels, without the training images."""
        return load_test_images(self.data, data_dir=self.data_dir, num_test=self.num_test)

    def make_sampler(self, readout: Readout, name: str | None = None) -> Sampler:
        """Returns the sampler of this name; None stands for that of the training images."""
        return make_named_sampler(
            self.sampler if name is None else name,
            readout=readout,
            num_sweeps=self.num_sweeps,
            num_threads=self.threads,
            qpu_solver=self.qpu_solver,
            qpu_budget=self.qpu_budget,
            qpu_scale=self.qpu_scale,
            qpu_annealing_time=self.qpu_annealing_time,
        )

    def make_trainer(self, images: ImageSet) -> Trainer:
        """Returns an untrained network with its trainer."""
        self._check_qpu()
        checked_average(self.average_from, self.epochs)
        network = self._make_network(images)
        sampler = self.make_sampler(network.readout)
        from_references = self.sampler in STARTS_FROM_REFERENCES
        own_test = self.test_sampler not in (None, self.sampler)

        return Trainer(
            network,
            sampler,
            num_states=self.num_states,
            learning_rate=real_number("learning_rate", self.learning_rate, above=0.0),
            batch_size=self.batch_size,
            # One hidden layer starts in the states of Eq. (7); the backward sweep of a deep network
            # starts in the states that the forward sweep has reached.
            references=WRONG_CLASSES if from_references and not self._deep else None,
            warm_sampler=sampler if from_references and self._deep else None,
            beta_effective=self.beta_effective or self.sampler in DWAVE_MODES,
            test_sampler=(
                self.make_sampler(network.readout, self.test_sampler) if own_test else None
            ),
            active_layers=self.active_layers,
            margin=self.margin,
            optimizer=self.optimizer,
            schedule=self.schedule,
            average_from=self.average_from,
            seed=self.seed,
        )

    @property
    def finds_beta(self) -> bool:
        """Whether a run fits beta; with samplers it would sample twice as many states."""
        return self.sampler == CLASS_STATES

    def fit_beta(self, model: Network, images: ImageSet) -> None:
        """Sets the beta of a model from networks like it, each trained on half of the images."""

        def train(rows: Labels) -> BipartiteNetwork:
            trainer = self.make_trainer(images)
            some, labels = images.train_images[rows], images.train_labels[rows]
            for _ in range(self.epochs):
                trainer.train_epoch(some, labels, self.epochs)
            found: BipartiteNetwork = trainer.model.shallow()
            return found

        beta = held_out_beta(train, images.train_images, images.train_labels, self.seed)
        model.shallow().beta = beta

    def load_network(self, path: Path) -> Network:
        """Loads the model of the run."""
        return LayeredNetwork.load(path) if self._deep else BipartiteNetwork.load(path)

    @property
    def _deep(self) -> bool:
        return len(self.hidden) > 1

    def _make_network(self, images: ImageSet) -> Network:
        sizes = {
            "num_inputs": images.train_images.shape[1],
            "num_classes": images.num_classes,
            "seed": self.seed,
        }
        if self._deep:
            return LayeredNetwork.random(hidden=self.hidden, **sizes)
        return BipartiteNetwork.random(
            num_hidden=self.hidden[0], coupling_gain=self.coupling_gain, **sizes
        )

    def _check_qpu(self) -> None:
        """Checks that one chip in one mode gets the budget and the folder of answers."""
        dwave = [name for name in (self.sampler, self.test_sampler) if name in DWAVE_MODES]
        if len(set(dwave)) > 1:
            raise ValueError(
                f"test_sampler must be {self.sampler} or no D-Wave chip, got {self.test_sampler}"
            )

        for name in ("qpu_solver", "qpu_budget", "qpu_scale", "qpu_annealing_time"):
            if not dwave and (value := getattr(self, name)) is not None:
                raise ValueError(
                    f"{name} must go with sampler {', '.join(DWAVE_MODES)}, "
                    f"got {value} with {self.sampler}"
                )
