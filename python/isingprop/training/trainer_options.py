"""Checks of the Trainer's arguments, and the group of those that only deep networks need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

from isingprop.network.base_network import Network
from isingprop.network.layer_order import side_sizes
from isingprop.samplers.annealing import Reannealing
from isingprop.samplers.class_states import ClassStates
from isingprop.samplers.protocol import Sampler, Weighing, check_sampler, declared
from isingprop.training.layer_sweeps import check_active_layers
from isingprop.training.learning_rule import LearningRates
from isingprop.util.checks import real_number, true_or_false, whole_number
from isingprop.util.kept_arguments import refusal

WRONG_CLASSES = "wrong-classes"
FREE, RANDOM = "free", "random"

# Each output of the code pushes by the number of spins of the last hidden layer over this and over
# the number of hidden layers: the fewer spins and the more layers there are, the weaker the fields
# of outputs are at first. Without a margin the test error of two layers of 120 is 2 points larger,
# and three layers do not train; nor do two layers of 40 with the margin that suits layers of 120.
_SPINS_PER_MARGIN = 200


class TrainerOptions(Protocol):
    """The checked arguments of a Trainer, which it has as attributes of these names; see there."""

    network: Network
    sampler: Sampler
    num_states: int | None
    learning_rates: LearningRates  #: from the first epoch on those for its images
    batch_size: int
    nudge: float | None
    skip_correct: bool
    references: str | None
    num_test_reads: int
    beta_effective: bool
    test_sampler: Sampler
    active_layers: int | None
    margin: float
    nudged_start: str
    warm_sampler: Sampler
    max_spins: int | None
    optimizer: str
    schedule: str | Callable[[float], float]
    average_from: int | None
    seed: int
    further_settings: dict[str, Any]


class FixedOptions(TrainerOptions):
    """Refuses other values for the arguments of a Trainer once it is made.

    They would leave what was checked or made from them as it is, and be in the checkpoint.
    """

    _are_fixed = False

    def __setattr__(self, name: str, value: object) -> None:
        """Sets an attribute that is not one of the arguments."""
        if self._are_fixed and (name == "learning_rate" or name in TrainerOptions.__annotations__):
            advice = "; schedule changes rates in training" if "learning_rate" in name else ""
            raise refusal(type(self), name, value, f"make a new one{advice}")
        super().__setattr__(name, value)

    def replace_samplers(self, **stand_ins: Sampler) -> None:
        """Puts stand-ins in the place of samplers, by the names of the arguments, unchecked."""
        self.__dict__.update(stand_ins)


class DeepOptions(NamedTuple):
    """What decides the sampling of a network with more than one hidden layer; see Trainer."""

    active_layers: int | None
    margin: float  #: may be given with one hidden layer, too
    nudged_start: str
    warm_sampler: Sampler

    @classmethod
    def checked(
        cls,
        network: Network,
        sampler: Sampler,
        active_layers: int | None,
        margin: float | None,
        nudged_start: str,
        warm_sampler: Sampler | None,
    ) -> DeepOptions:
        """Checks the arguments of Trainer of these names and puts defaults in place of None."""
        check_active_layers(active_layers)
        if margin is None:
            deep = network.num_hidden_layers > 1
            margin = (
                deep_margin(*network.sizes[:-1], redundancy=network.readout.redundancy)
                if deep
                else 0.0
            )
        margin = real_number("margin", margin, least=0.0)
        if nudged_start not in (FREE, RANDOM):
            raise ValueError(f"nudged_start must be {FREE!r} or {RANDOM!r}, got {nudged_start!r}")

        if warm_sampler is None:
            warm_sampler = Reannealing(num_threads=declared(sampler).num_threads)
        check_sampler(warm_sampler, "warm_sampler")
        if not declared(warm_sampler).takes_initial:
            raise ValueError(f"warm_sampler must take start states, got {warm_sampler}")

        return cls(active_layers, margin, nudged_start, warm_sampler)


def checked_rate(value: float | Mapping[str, float] | LearningRates) -> float | LearningRates:
    """Returns one learning rate for all parameters, or those that are given by name."""
    rates = LearningRates.of(value)
    return rates if isinstance(value, Mapping | LearningRates) else rates.couplings


def deep_margin(*hidden: int, redundancy: int = 4) -> float:
    """Returns the default margin of a network with several hidden layers of these sizes."""
    return 4 * redundancy * (hidden[-1] / (_SPINS_PER_MARGIN * len(hidden)))


def sampled_shapes(
    network: Network, active_layers: int | None, nudged_start: str
) -> list[tuple[int, int]]:
    """Returns the hidden and output spins of all problems that samplers are sent."""
    sizes = network.sizes
    shapes = [side_sizes(sizes)] if active_layers is None else list(pairwise(sizes))
    apart = nudged_start == RANDOM and active_layers is None
    if apart and network.num_hidden_layers > 1:
        shapes.append(side_sizes(sizes[:-1]))
    return shapes


def check_network(network: object) -> None:
    """Refuses what is not a network, and one whose parameters are not finite."""
    if not isinstance(network, Network):
        wanted = "a BipartiteNetwork or a LayeredNetwork"
        raise TypeError(f"network must be {wanted}, got {type(network).__name__}")
    network.check_finite()


def check_left_out(network: Network, **arguments: object) -> None:
    """Refuses arguments that networks with more than one hidden layer do not have."""
    if network.num_hidden_layers == 1:
        return
    for name, given in arguments.items():
        if given is not None:
            raise ValueError(f"{name} must be left out for {network}, got {given!r}")


def checked_sampler(sampler: Sampler | None, default: Sampler, role: str = "sampler") -> Sampler:
    """Returns the sampler, checked, or the default."""
    chosen = default if sampler is None else sampler
    check_sampler(chosen, role)
    return chosen


def check_class_states(
    sampler: Sampler, network: Network, num_states: int | None = None, role: str = "sampler"
) -> None:
    """Refuses class states of another class code, or more of them than there are classes."""
    if not isinstance(sampler, ClassStates):
        return

    if network.num_hidden_layers > 1:
        raise ValueError(f"{role} must not be ClassStates for {network}: one hidden layer only")
    if sampler.readout != network.readout:
        raise ValueError(
            f"{role}.readout must be {network.readout} as in the network, got {sampler.readout}"
        )

    if num_states is not None and num_states > network.num_classes:
        raise ValueError(
            f"num_states must be at most {network.num_classes}, one for each class, "
            f"got {num_states}"
        )


def checked_average(average_from: int | None, last: int | None = None) -> int | None:
    """Returns average_from, an epoch that must come where the last one is known."""
    if average_from is None:
        return None
    average_from = whole_number("average_from", average_from, least=1)
    if last is not None and average_from > last:
        raise ValueError(f"average_from must be at most {last}, the last epoch, got {average_from}")
    return average_from


def checked_num_states(num_states: int | None, sampler: Sampler, network: Network) -> int | None:
    """Returns num_states, which is None only for a sampler that gives all states with weights."""
    if num_states is not None:
        num_states = whole_number("num_states", num_states, least=1)

    deep = network.num_hidden_layers > 1
    if num_states is None and (deep or not isinstance(sampler, Weighing)):
        raise ValueError(f"num_states must be a number for {sampler} and {network}, got None")
    if deep and declared(sampler).takes_marks:
        raise ValueError(f"sampler must not look for marked states for {network}, got {sampler}")
    return num_states


def checked_skip_correct(
    skip_correct: bool, nudge: float | None, num_states: int | None, sampler: Sampler
) -> bool:
    """Returns skip_correct, which needs sampled nudged states and free ones that are comparable."""
    true_or_false("skip_correct", skip_correct)
    if skip_correct and nudge is None:
        raise ValueError("nudge must be a number where skip_correct is True, got None")
    if skip_correct and (num_states is None or declared(sampler).takes_marks):
        found = f"{sampler} and num_states = {num_states}"
        raise ValueError(f"skip_correct must be False for {found}, got True")
    return skip_correct


def checked_references(references: str | None, sampler: Sampler) -> str | None:
    """Returns references, which need a sampler that takes start states."""
    if references not in (None, WRONG_CLASSES):
        raise ValueError(f"references must be None or {WRONG_CLASSES!r}, got {references!r}")
    if references is not None and not declared(sampler).takes_initial:
        raise ValueError(f"references must be None for {sampler}, which takes no start states")
    return references


def checked_max_spins(
    max_spins: int | None, shapes: list[tuple[int, int]], network: Network
) -> int | None:
    """Returns max_spins, which must allow the problems of these shapes."""
    if max_spins is None:
        return None
    max_spins = whole_number("max_spins", max_spins, least=1)

    largest = max(map(sum, shapes))
    if max_spins < largest:
        raise ValueError(f"max_spins must be at least {largest} for {network}, got {max_spins}")
    return max_spins
