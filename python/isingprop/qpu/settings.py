"""What decides the numbers of a D-Wave sampler; the device, the budget and the folder do not."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from isingprop.qpu.chip.schedules import (
    ANNEALING_TIMES,
    Schedule,
    check_anneal_fraction,
    check_annealing_time,
    cyclic_schedules,
    reverse_schedule,
)
from isingprop.util.checks import real_number, true_or_false, whole_number

MODES = ("forward", "reverse", "cyclic")
_MOST_READS = 10_000
# sqrt(2), the prefactor of D-Wave's uniform torque compensation.
_TORQUE_PREFACTOR = 1.414
# On the chip, of an untrained network: leaves a quarter to -2; couplings grow by a fifth in training.
_CHAIN_ON_CHIP = 1.6
# Cyclic annealing has fields on couplers, whose range is a quarter of that of fields.
_CYCLIC_SHARE = 1 / 3


@dataclass(frozen=True)
class Settings:
    """Those of DWave, of the same names."""

    mode: str
    num_reads: int | None
    annealing_time: float
    chain_strength: float | None
    scale: float | None
    s_target: float
    bias: float
    spin_reversal: bool
    descend: bool

    def __post_init__(self) -> None:
        """Checks all of them."""
        if self.mode not in MODES:
            raise ValueError(f"mode must be one of {', '.join(MODES)}, got {self.mode!r}")
        if self.num_reads is not None:
            object.__setattr__(
                self,
                "num_reads",
                whole_number("num_reads", self.num_reads, least=1, most=_MOST_READS),
            )
        object.__setattr__(
            self, "annealing_time", check_annealing_time(self.annealing_time, ANNEALING_TIMES)
        )
        for name in ("chain_strength", "scale"):
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, real_number(name, value, above=0.0))
        object.__setattr__(self, "s_target", check_anneal_fraction(self.s_target))
        object.__setattr__(self, "bias", real_number("bias", self.bias, least=0.0))
        for name in ("spin_reversal", "descend"):
            true_or_false(name, getattr(self, name))
        self.schedules()  # refuses an s_target and an annealing_time that do not go together

    def as_json(self) -> dict[str, Any]:
        """What tells one sampler from another, in a record and in a checkpoint."""
        return {"name": "DWave", **asdict(self)}

    def schedules(self) -> tuple[Schedule | None, Schedule | None]:
        """(anneal_schedule, h_gain_schedule) of calls from start states, None where the chip's own is meant."""
        if self.mode == "reverse":
            return reverse_schedule(self.annealing_time, self.s_target), None
        return (
            cyclic_schedules(self.annealing_time, self.s_target)
            if self.mode == "cyclic"
            else (None, None)
        )

    def scale_for(self, num_hidden: int, num_output: int) -> float:
        """The chip's J over the network's: the one that is set, or that of the rule."""
        if self.scale is not None:
            return self.scale
        untrained = torque_compensation(1 / (3 * num_hidden), num_hidden, num_output)
        return _CHAIN_ON_CHIP / untrained * (_CYCLIC_SHARE if self.mode == "cyclic" else 1.0)


def torque_compensation(mean_square: float, num_hidden: int, num_output: int) -> float:
    """A chain strength that holds against the other couplings: 1.414 sqrt(mean J^2) sqrt(mean degree), or 1.

    References:
        dwave.embedding.chain_strength.uniform_torque_compensation.
    """
    degree = 2 * num_hidden * num_output / (num_hidden + num_output)
    return _TORQUE_PREFACTOR * math.sqrt(mean_square * degree) or 1.0
