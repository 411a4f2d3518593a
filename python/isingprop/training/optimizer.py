"""Optimizer: how updates move the parameters, and the average of where they have been."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop import kernels
from isingprop.network.base_network import Floats32, Network
from isingprop.network.bipartite import PARAMETERS
from isingprop.network.flat import flat_views, over, parameters_of_layer, parts_of, size_of
from isingprop.training.divergence import DivergedError, converging
from isingprop.training.learning_rule import LearningRates, update_in_place
from isingprop.training.phases import Step
from isingprop.util.checks import Floats, float_array, real_number, whole_number

SGD, ADAM = "sgd", "adam"
_MAX_UPDATES = 2**53  # floats count so far
OPTIMIZERS = (SGD, ADAM)

Schedule = str | Callable[[float], float]
_FACTORS: dict[str, Callable[[float], float]] = {
    "constant": lambda done: 1.0,
    "linear": lambda done: 1.0 - done,
    "cosine": lambda done: (1.0 + math.cos(math.pi * done)) / 2.0,
}


def checked_optimizer(name: str) -> str:
    """Returns the name of an optimizer."""
    if name not in OPTIMIZERS:
        raise ValueError(f"optimizer must be one of {', '.join(OPTIMIZERS)}, got {name!r}")
    return name


def checked_schedule(schedule: Schedule) -> Schedule:
    """Returns the name of a schedule, or a function."""
    if not (callable(schedule) or (isinstance(schedule, str) and schedule in _FACTORS)):
        names = ", ".join(_FACTORS)
        raise ValueError(f"schedule must be one of {names}, or a function, got {schedule!r}")
    return schedule


def rates_for(
    images: Floats32, given: float | LearningRates, optimizer: str, *, deep: bool
) -> LearningRates:
    """Returns the learning rates that the argument of a Trainer means for its training images.

    Rates by name are what they are. One number follows the images, see `LearningRates.for_images`
    and `LearningRates.for_adam`.
    """
    if isinstance(given, LearningRates):
        return given
    if optimizer == ADAM:
        return LearningRates.for_adam(given, images, deep=deep)
    return LearningRates.for_images(given, images, deep=deep)


def schedule_name(schedule: Schedule) -> str:
    """Returns a name that is the same in another process."""
    if isinstance(schedule, str):
        return schedule
    return str(getattr(schedule, "__qualname__", type(schedule).__qualname__))


def rate_factor(schedule: Schedule, done: float) -> float:
    """Returns what the rates are multiplied by where a part `done` in [0, 1) of all is done.

    Raises:
        ValueError: where a function gives no finite number >= 0.
        TypeError: where it gives no number.
    """
    if isinstance(schedule, str):
        return _FACTORS[schedule](done)
    return real_number(f"schedule({done:.4g})", schedule(done), least=0.0)


@dataclass(eq=False)
class Optimizer:
    """Moves a network along the gradients of its updates, and may average where it has been.

    "sgd" adds rate * gradient. "adam" adds, for the t-th update of a parameter with gradient g,

        m += 0.1 (g - m),  v += 0.001 (g^2 - v)
        rate * m / (1 - 0.9^t) / ((v / (1 - 0.999^t))^(1/2) + 1e-8)

    The average of the parameters w_n after updates n = 1 ... N is w_N - (drift) / N, where the
    drift is the sum of (n - 1) * (w_n - w_(n-1)): updates change few parameters at a time, and so
    does the drift.

    Args:
        network: changed in place.
        name: "sgd" or "adam".
        averages: whether an average may be wanted.

    References:
        Kingma & Ba 2015, arXiv:1412.6980; Freund & Schapire 1999, doi:10.1023/A:1007662407062;
        Collins 2002, doi:10.3115/1118693.1118694.
    """

    network: Network
    name: str
    averages: bool
    #: Flat arrays over all parameters, see network/flat.py: of Adam, and of the average.
    state: dict[str, Floats32] = field(init=False)
    num_steps: dict[str, int] = field(init=False)  #: of Adam, by parameter
    num_averaged: int = field(default=0, init=False)  #: updates in the average

    def __post_init__(self) -> None:
        """Starts from rest."""
        names = ["means", "squares"] if self.name == ADAM else []
        names += ["drift"] if self.averages else []
        size = size_of(self.network)
        self.state = {name: np.zeros(size, np.float32) for name in names}
        self.num_steps = dict.fromkeys(self.network.parameters(), 0)

        # Views of these flat arrays are made once, since to make them takes as long as a step.
        self._parts = parts_of(self.network)
        self._drift = over(self.network, self.state["drift"]) if self.averages else None
        self._changes = np.zeros(size if self.name == ADAM else 0, np.float32)
        self._ascent = over(self.network, self._changes) if self.name == ADAM else None

    def __getstate__(self) -> dict[str, Any]:
        """Returns what a copy is made of: its views must be of arrays of its own."""
        own = {"network": self.network, "name": self.name, "averages": self.averages}
        return own | {"saved": self.copy_state()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Makes the views anew."""
        saved = state.pop("saved")
        self.__dict__.update(state)
        self.__post_init__()
        self.put_back(saved)

    def update(self, pixels: Floats32, step: Step, rates: Floats32, *, averaged: bool) -> None:
        """Moves the parameters of a step at rates (4,), in the order of network.PARAMETERS.

        With `averaged` the update counts in the average, as number num_averaged + 1. A minibatch
        with several steps is one update: `count_update` goes on to the next.
        """
        weight = np.float32(self.num_averaged) if averaged else None
        if self.name == ADAM:
            self._step(pixels, step, rates, weight)
            return

        arguments = pixels, step.free, step.nudged
        update_in_place(self.network, *arguments, rates, step.weights, step.layer)
        if weight is not None:
            assert self._drift is not None  # Trainer
            update_in_place(self._drift, *arguments, rates * weight, step.weights, step.layer)

    def learn_classes(
        self,
        images: Floats32,
        labels: NDArray[np.int64],
        order: NDArray[np.int64],
        batch_size: int,
        push: float,
        rates: Floats32,
        *,
        averaged: bool,
        num_threads: int,
    ) -> int:
        """Makes all updates of images on class states by one kernel; returns how many were wrong.

        Args:
            images: (n, I).
            labels: (n,).
            order: the images to learn from.
            batch_size: of the minibatches.
            push: added to the fields of the label's own outputs.
            rates: (minibatches, 4).
            averaged: whether the updates count in the average.
            num_threads: for minibatches.
        """
        network, state = self.network, self.state
        hidden_bias, output_bias = network.layer_biases
        names = list(self.num_steps)

        wrong = kernels.train_classes(
            network.input_weights.T,
            network.layer_couplings[0],
            hidden_bias,
            output_bias,
            network.num_classes,
            images,
            labels,
            order,
            batch_size,
            push,
            rates,
            state.get("means"),
            state.get("squares"),
            self.num_steps[names[0]],
            state["drift"] if averaged else None,
            self.num_averaged,
            num_threads,
        )

        if self.name == ADAM:
            self.num_steps = {name: count + len(rates) for name, count in self.num_steps.items()}
        self.count_update(len(rates) if averaged else 0)
        return wrong

    def count_update(self, number: int = 1) -> None:
        """Counts updates that went into the average."""
        self.num_averaged += number

    def average(self) -> Network | None:
        """Returns a copy of the network with averaged parameters, or None without an average."""
        if self.num_averaged == 0:
            return None
        assert self._drift is not None
        drift = self._drift.parameters()
        averaged = over(self.network, np.empty_like(self.state["drift"]))
        for name, array in averaged.parameters().items():
            last = self.network.parameters()[name]
            array[...] = (
                last.astype(np.float64) - drift[name].astype(np.float64) / self.num_averaged
            )
        return averaged

    def copy_state(self) -> dict[str, Any]:
        """Returns what `put_back` restores."""
        arrays = {name: array.copy() for name, array in self.state.items()}
        return {"arrays": arrays, **self.counts()}

    def counts(self) -> dict[str, Any]:
        """Returns the counts of steps, as JSON has them."""
        return {"num_steps": dict(self.num_steps), "num_averaged": self.num_averaged}

    def put_back(self, saved: dict[str, Any]) -> None:
        """Restores a state of `copy_state`, or of a checkpoint.

        Raises:
            ValueError: for arrays that are missing, or of another size.
        """
        arrays: dict[str, Floats] = saved["arrays"]
        if set(arrays) != set(self.state):
            wanted, found = (", ".join(names) or "empty" for names in (self.state, arrays))
            raise ValueError(f"state of the optimizer must be {wanted}, got {found}")
        checked = {
            name: float_array(
                f"{name} of the optimizer", arrays[name], shape=mine.shape, single=True
            )
            for name, mine in self.state.items()
        }
        # A checkpoint without arrays has no counts.
        given = saved.get("num_steps") if arrays else dict.fromkeys(self.num_steps, 0)
        if not isinstance(given, dict) or set(given) != set(self.num_steps):
            raise ValueError(
                f"num_steps must be numbers of {', '.join(self.num_steps)}, got {given!r:.80}"
            )
        steps = {
            name: whole_number(f"num_steps[{name!r}]", given[name], least=0, most=_MAX_UPDATES)
            for name in self.num_steps
        }
        averaged = saved.get("num_averaged") if arrays else 0
        averaged = whole_number("num_averaged", averaged, least=0, most=_MAX_UPDATES)

        for name, array in checked.items():
            self.state[name][...] = array
        self._changes[...] = 0.0
        self.num_steps, self.num_averaged = steps, averaged

    def _step(
        self, pixels: Floats32, step: Step, rates: Floats32, weight: np.float32 | None
    ) -> None:
        """Makes a step of Adam with the parameters that the update is about."""
        assert self._ascent is not None
        ones = np.ones(len(PARAMETERS), np.float32)
        arguments = pixels, step.free, step.nudged, ones, step.weights, step.layer
        update_in_place(self._ascent, *arguments)

        kinds, values = self.network.kinds(), flat_views(self.network)
        for name in parameters_of_layer(self.network, step.layer):
            self.num_steps[name] += 1
            rate = float(rates[PARAMETERS.index(kinds[name])])
            part = self._parts[name]
            kernels.adam(
                values[name],
                self._changes[part],
                self.state["means"][part],
                self.state["squares"][part],
                None if weight is None else self.state["drift"][part],
                rate,
                self.num_steps[name],
                0.0 if weight is None else float(weight),
            )


def copies(network: Network) -> dict[str, Floats32]:
    """Returns copies of the parameters, in their memory order."""
    return {name: array.copy(order="K") for name, array in network.parameters().items()}


def put_back(network: Network, parameters: dict[str, Any]) -> None:
    """Copies parameters into the network's own arrays."""
    for name, array in network.parameters().items():
        array[...] = parameters[name]


@contextmanager
def undone_on_error(
    optimizer: Optimizer, done: int, rates: LearningRates
) -> Iterator[dict[str, Floats32]]:
    """Yields copies of the parameters, and restores them and the optimizer after an error.

    `done` is the number of whole epochs so far, and `rates` are for the message of divergence.
    """
    network = optimizer.network
    before, state = copies(network), optimizer.copy_state()
    watch = converging(network.parameters, f"epoch {done + 1}", rates)

    try:
        with watch:
            yield before
    except BaseException as error:
        put_back(network, before)
        optimizer.put_back(state)
        note = f"isingprop: epoch {done + 1} was undone, the network is as epoch {done} left it"
        if not isinstance(error, DivergedError):  # it would diverge again
            note += (
                "; to resume, call fit() again, in a new process after restore() of the last "
                "checkpoint"
            )
        error.add_note(note)
        raise
