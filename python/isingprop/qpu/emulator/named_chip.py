"""Emulated chips by name, as `DWave(solver=...)` and `--qpu-solver` take them."""

from __future__ import annotations

import re
from typing import Any

from isingprop.qpu.chip.chip_file import REAL_CHIPS, real_chip_name

_PREFIX = "emulated"
_NAME = re.compile(rf"{_PREFIX}:([^:]+)(?::(\d+))?", re.IGNORECASE)


def is_emulated(solver: object) -> bool:
    """Returns whether a solver is the name of an emulated chip, right or wrong."""
    return isinstance(solver, str) and solver.lower().startswith(_PREFIX)


def solver_or_emulated(argument: str, solver: Any) -> Any:
    """Returns the EmulatedQPU that "emulated:CHIP[:SIZE]" names, and any other solver as it is.

    Args:
        argument: the name of the argument or option, for the message.
        solver: CHIP is "pegasus" or "zephyr", a perfect chip of P_SIZE or Z_SIZE, by default of the
            size of the largest chips; or the name of a real chip that `EmulatedQPU` knows, with its
            working graph. The chip has the default model of `EmulatedQPU`, with the energy scales
            and the temperature that were measured on the real chip of its topology. A text that
            does not begin with "emulated" is the name of a solver of D-Wave's.

    Raises:
        ValueError: for another CHIP or SIZE.

    Example:
        >>> len(solver_or_emulated("solver", "emulated:zephyr:1").nodelist)
        48
        >>> solver_or_emulated("solver", "Advantage2_system1")
        'Advantage2_system1'
    """
    if not is_emulated(solver):
        return solver

    match = _NAME.fullmatch(solver)
    chip, size = match.groups() if match else ("", None)
    chip = chip.lower()
    if chip not in REAL_CHIPS and real_chip_name(chip) is None:
        known = ", ".join(f"{_PREFIX}:{each}" for each in REAL_CHIPS.values())
        perfect = " or ".join(f"{_PREFIX}:{each}" for each in REAL_CHIPS)
        raise ValueError(
            f"{argument} must be {known}, or {perfect} with :SIZE if need be, got {solver!r}"
        )

    from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU

    try:
        return EmulatedQPU(chip, None if size is None else int(size))
    except ValueError as error:
        raise ValueError(
            f"{argument} must name a chip that exists, got {solver!r}: {error}"
        ) from None
