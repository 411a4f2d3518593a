"""The settings that determine the states of a `DWave` sampler, together with its device."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from isingprop.qpu.chip.reverse_schedules import cyclic_schedules, reverse_schedule
from isingprop.qpu.chip.schedules import Schedule, check_anneal_fraction, check_annealing_time
from isingprop.util.checks import float_array, real_number, true_or_false, whole_number

FROM_STARTS = ("reverse", "cyclic")  #: modes that take start states
WITH_APEX = ("cyclic", "fast")  #: modes in which fields are couplings to a further spin
MODES = ("forward", *FROM_STARTS, "fast")
# The prefactor of D-Wave's uniform torque compensation, sqrt(2).
_TORQUE_PREFACTOR = 1.414
# Chain strength of an untrained network over the strongest coupling of the chip. The rest is left
# for couplings, which grow by a fifth in training.
_CHAIN_SHARE = 0.8
# The least chain strength c that is chosen for a network, in the chip's units. Fields act on all
# qubits of a chain alike and break none, nor do weak couplings; heat breaks each coupler of a chain
# with a probability of 1 / (1 + exp(2 beta c)). At c = 0.5 and beta = 6 that is 1 in 400: of the
# chains of 120 x 40 spins without couplings 0.9 % (Z12) and 1.5 % (P16) were broken on emulated
# chips of the classical model, 52 % and 64 % at c = 0.1. Networks have 1.3 to 1.6 without it; in
# cyclic mode 0.53 to 0.8 from 20 hidden spins on.
LEAST_CHAIN = 0.5
# Factor of the scale in modes that put fields on couplers, whose range is a quarter of that of
# fields.
_APEX_SHARE = 1 / 3
QUBIT_SETTINGS = ("flux_biases", "anneal_offsets")  #: settings with a number for each qubit
# Defaults of settings that records of before do not have.
_LATER = {"reinitialize_state": True, **dict.fromkeys(QUBIT_SETTINGS)}


@dataclass(frozen=True)
class Settings:
    """The arguments of DWave with the same names; `schedules` tells whether a chip takes them."""

    mode: str
    num_reads: int | None
    annealing_time: float
    chain_strength: float | None
    scale: float | None
    s_target: float
    bias: float
    spin_reversal: bool | int
    descend: bool
    reinitialize_state: bool = True
    flux_biases: tuple[float, ...] | None = None
    anneal_offsets: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        """Checks and converts all values."""
        if self.mode not in MODES:
            raise ValueError(f"mode must be one of {', '.join(MODES)}, got {self.mode!r}")
        if self.num_reads is not None:
            num_reads = whole_number("num_reads", self.num_reads, least=1)
            object.__setattr__(self, "num_reads", num_reads)

        annealing_time = real_number("annealing_time", self.annealing_time, above=0.0)
        object.__setattr__(self, "annealing_time", annealing_time)
        for name in ("chain_strength", "scale"):
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, real_number(name, value, above=0.0))
        object.__setattr__(self, "s_target", check_anneal_fraction(self.s_target))
        object.__setattr__(self, "bias", real_number("bias", self.bias, least=0.0))
        object.__setattr__(self, "spin_reversal", _spin_reversal(self.spin_reversal))
        for name in ("descend", "reinitialize_state"):
            true_or_false(name, getattr(self, name))
        if not (self.reinitialize_state or self.takes_starts):
            raise ValueError(
                f"reinitialize_state must be True for DWave(mode={self.mode!r}), which takes no "
                "start states, got False"
            )
        for name, values in self.by_qubit().items():
            numbers = float_array(name, values, shape=(None,)).astype(float)
            object.__setattr__(self, name, tuple(numbers.tolist()))

    def by_qubit(self) -> dict[str, tuple[float, ...]]:
        """Returns the settings with a number for each qubit that are given."""
        return {
            name: value for name in QUBIT_SETTINGS if (value := getattr(self, name)) is not None
        }

    @property
    def takes_starts(self) -> bool:
        """Whether calls may have start states."""
        return self.mode in FROM_STARTS

    @property
    def has_apex(self) -> bool:
        """Whether the network is embedded with a further spin in each layer."""
        return self.mode in WITH_APEX

    @property
    def is_fast(self) -> bool:
        """Whether calls use the fast-anneal protocol."""
        return self.mode == "fast"

    @property
    def num_reversals(self) -> int:
        """The number of spin reversals over which the reads of a task are shared out at least."""
        return int(self.spin_reversal) if self.spin_reversal else 1

    def as_json(self) -> dict[str, Any]:
        """Returns the settings as records and checkpoints compare them.

        Settings that came later are left out where they have their default, so that records of
        before are those of the same settings. Numbers for each qubit are named by a digest; calls
        record them.
        """
        content = {"name": "DWave", **asdict(self)}
        for name, values in self.by_qubit().items():
            content[name] = hashlib.sha256(np.array(values, dtype="<f8").tobytes()).hexdigest()
        return {name: value for name, value in content.items() if value != _LATER.get(name, ...)}

    def schedules(self, properties: Mapping[str, Any]) -> tuple[Schedule | None, Schedule | None]:
        """Returns the schedules of calls from start states.

        Args:
            properties: solver properties of the chip.

        Returns:
            (anneal_schedule, h_gain_schedule), each None where the chip's default is used.

        Raises:
            ValueError: where the chip does not take annealing_time, or no schedule of the mode.
        """
        check_annealing_time(self.annealing_time, properties, fast=self.is_fast)
        if self.mode == "reverse":
            return reverse_schedule(self.annealing_time, self.s_target, properties), None
        if self.mode == "cyclic":
            return cyclic_schedules(self.annealing_time, self.s_target, properties)
        return None, None

    def scale_for(self, num_hidden: int, num_output: int, strongest: float) -> float:
        """Returns the chip's J over the network's: the value set, or that of the default rule.

        Args:
            num_hidden: H.
            num_output: O.
            strongest: strength of the strongest ferromagnetic coupling of the chip.
        """
        if self.scale is not None:
            return self.scale
        untrained = torque_compensation(1 / (3 * num_hidden), num_hidden, num_output)
        return _CHAIN_SHARE * strongest / untrained * (_APEX_SHARE if self.has_apex else 1.0)


def _spin_reversal(value: object) -> bool | int:
    """Returns True or False, or a number of at least 2."""
    if isinstance(value, bool):
        return value
    number = whole_number("spin_reversal", value, least=1)
    return number if number > 1 else True


def torque_compensation(mean_square: float, num_hidden: int, num_output: int) -> float:
    """Returns a chain strength that holds chains of K_{H,O} together against the other couplings.

        1.414 sqrt(mean J^2) sqrt(mean degree)

    Args:
        mean_square: mean J^2.
        num_hidden: H.
        num_output: O.

    References:
        dwave.embedding.chain_strength.uniform_torque_compensation.
    """
    degree = 2 * num_hidden * num_output / (num_hidden + num_output)
    return _TORQUE_PREFACTOR * math.sqrt(mean_square * degree)
