"""The settings of a run, and the images, samplers, network and trainer that follow from them."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from isingprop.cli.run_samplers import (
    DWAVE_MODES,
    STARTS_FROM_REFERENCES,
    check_sampler_name,
    make_named_sampler,
)
from isingprop.data.formats.openml_table import PREFIX
from isingprop.data.formats.own_source import name_of
from isingprop.data.load import NAMES, Images, ImageSet, Labels, load_data, load_test_images
from isingprop.estimator.held_out_beta import held_out_beta
from isingprop.estimator.recipes import CLASS_STATES
from isingprop.network.base_network import Network
from isingprop.network.bipartite import BipartiteNetwork
from isingprop.network.layered import LayeredNetwork
from isingprop.readout import Readout
from isingprop.samplers import Sampler
from isingprop.samplers.arguments import MOST_SWEEPS
from isingprop.training.layer_sweeps import check_active_layers
from isingprop.training.optimizer import checked_optimizer, checked_schedule
from isingprop.training.trainer import Trainer
from isingprop.training.trainer_options import WRONG_CLASSES, checked_average
from isingprop.util.checks import real_number, true_or_false, whole_number

#: The least and the largest of the settings that are whole numbers; None is no bound.
BOUNDS: dict[str, tuple[int, int | None]] = {
    "num_train": (1, None),
    "num_test": (1, None),
    "epochs": (1, None),
    # A hundred times the max that the paper samples; far more would fail late, for lack of memory.
    "num_states": (1, 10_000),
    "num_sweeps": (1, MOST_SWEEPS),
    "seed": (0, 2**64 - 1),
    "threads": (1, 1024),
    "batch_size": (1, None),
    "average_from": (1, None),
}


@dataclass(frozen=True)
class RunSettings:
    """The settings that decide the numbers of a run, and two that do not: threads and snapshots.

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
    snapshots: bool = False
    label: str | None = None
    data_sha256: str | None = None

    @property
    def data_name(self) -> str:
        """The name of the data set, which for the user's own is that of their file or folder."""
        return self.data if self.data in NAMES else name_of(self.data).replace("/", "-")

    @classmethod
    def read(cls, content: object) -> RunSettings:
        """Returns the settings that JSON holds, which may have been edited by hand.

        Raises:
            ValueError: for a field that is missing, unknown or out of range.
            TypeError: for a field of another type.
        """
        if not isinstance(content, dict):
            raise TypeError(f"settings must be an object, got {content!r:.80}")
        kinds = {field.name: str(field.type) for field in fields(cls)}
        for name in content:
            if name not in kinds:
                raise ValueError(f"settings must be {', '.join(kinds)}, got {name!r:.80}")
        for field in fields(cls):
            if field.default is MISSING and field.name not in content:
                raise ValueError(f"settings must hold {field.name}, got none")

        checked = {name: _checked(name, kinds[name], value) for name, value in content.items()}
        return cls(**checked)

    def load_data(self) -> ImageSet:
        """Loads the training and test images of the run.

        Raises:
            ValueError: also where a file of the user's own holds others than the run began with.
        """
        if self.data not in NAMES:
            return self._load_own()
        return load_data(
            self.data, data_dir=self.data_dir, num_train=self.num_train, num_test=self.num_test
        )

    def load_test_images(self) -> tuple[Images, Labels]:
        """Loads the test images of the run and their labels, without the training images."""
        if self.data not in NAMES:
            images = self._load_own()
            return images.test_images, images.test_labels
        return load_test_images(self.data, data_dir=self.data_dir, num_test=self.num_test)

    def _load_own(self) -> ImageSet:
        """Loads images from a file or folder of the user's own."""
        if self.data_dir is not None:
            raise ValueError(f"data_dir must be None for {self.data}, got {self.data_dir}")
        images = ImageSet.from_file(
            self.data, label=self.label, num_train=self.num_train, num_test=self.num_test
        )
        if self.data_sha256 not in (None, images.checksum):
            raise ValueError(
                f"{self.data} must hold the images that the run began with (SHA-256 "
                f"{self.data_sha256}), got others ({images.checksum})"
            )
        return images

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

        trainer = Trainer(
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
        further = ("data", "num_train", "num_test", "coupling_gain")
        trainer.further_settings.update({name: getattr(self, name) for name in further})
        return trainer

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

        network: Network
        if self._deep:
            network = LayeredNetwork.random(hidden=self.hidden, **sizes)
        else:
            gain = self.coupling_gain
            network = BipartiteNetwork.random(
                num_hidden=self.hidden[0], coupling_gain=gain, **sizes
            )
        network.input_format = images.input_format
        return network

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


def _checked(name: str, kind: str, value: Any) -> Any:
    """Returns the value of a field of RunSettings of this type, as JSON has it, after a check."""
    kind, _, optional = kind.partition(" | ")
    if value is None and optional:
        return None

    if name in BOUNDS:
        least, most = BOUNDS[name]
        return whole_number(name, value, least=least, most=most)
    if name == "hidden":
        return _hidden_layers(value)
    if name == "active_layers":
        check_active_layers(value)
        return value
    if kind == "bool":
        return true_or_false(name, value)
    if name == "margin":
        return real_number(name, value, least=0.0)
    if kind == "float":
        return real_number(name, value, above=0.0)
    return _checked_text(name, value)


def _hidden_layers(value: Any) -> tuple[int, ...]:
    """Returns the sizes of hidden layers; run folders of the first version have one number."""
    sizes = value if isinstance(value, list) else [value]
    if not sizes:
        raise ValueError("hidden must name at least one layer, got none")
    return tuple(whole_number(f"hidden[{k}]", size, least=1) for k, size in enumerate(sizes))


def _checked_text(name: str, value: Any) -> str:
    """Returns a text, which must be a name that is known where there are such."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a text, got {value!r:.80}")

    is_own = value.startswith(PREFIX) or Path(value).is_absolute()
    if name == "data" and value not in NAMES and not is_own:
        wanted = f"one of {', '.join(NAMES)}, {PREFIX}NAME or an absolute path"
        raise ValueError(f"data must be {wanted}, got {value!r:.80}")

    if name in ("sampler", "test_sampler"):
        check_sampler_name(name, value)
    if name == "optimizer":
        checked_optimizer(value)
    if name == "schedule":
        checked_schedule(value)
    return value
