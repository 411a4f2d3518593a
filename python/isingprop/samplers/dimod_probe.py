"""What small problems show of a dimod sampler before work: start states, seeds, a known fault.

All calls are made by deep copies of the sampler, since a composite may fix an embedding in its
first call or draw random numbers of its own. A sampler that may cost money is not called.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from isingprop.problem import IsingProblem
from isingprop.samplers.dimod_calls import ACCEPTANCE, DimodCalls
from isingprop.util.checks import Spins

# Attributes in which D-Wave's samplers, and others alike, keep a connection to a service.
_CONNECTIONS = "client", "solver"

# Parameters that fit the user's problem but not a small one, or that call a function of his.
_OF_THE_PROBLEM = "initial_states", "interrupt_function"
_OF_THE_SCHEDULE = (
    "beta_range",
    "beta_schedule",
    "beta_schedule_type",
    "num_sweeps",
    "num_sweeps_per_beta",
)

# Pairs of spins that couple to nothing else. Of the 2^16 states in which each pair is aligned, all
# are lowest, so two that agree by chance, or after a random reversal of spins, do so once in 2^16.
_NUM_PAIRS = 16
_NUM_READS = 2
_COLD = 1e5, 1e6  # inverse temperatures at which no spin turns against a coupling of 1

# A lone spin turns against this field with probability 1/500 at an inverse temperature of 1. The
# first two random numbers of a call of dwave-samplers 1.8.0 are below 1/512, so that it does turn.
_FIELD = np.log(499) / 2
_NUM_LONE = 4


def repeats(calls: DimodCalls) -> bool:
    """Returns whether the same seed gives the same states: twice in a copy, and in another one."""
    if not calls.takes_seed or may_cost_money(calls.sampler):
        return False

    parameters = _without(calls.parameters, *_OF_THE_PROBLEM)
    try:
        one, other = calls.copied(parameters), calls.copied(parameters)
        first, *more = (_sampled(each) for each in (one, one, other))
    except Exception:  # a stranger's sampler may raise anything
        return False
    return all(np.array_equal(first, each) for each in more)


def why_no_starts(calls: DimodCalls) -> str | None:
    """Returns why start states are refused; None where cold reads stayed where they started."""
    if "initial_states" not in calls.takes:
        return "which takes no initial_states"
    if may_cost_money(calls.sampler):
        return "whose calls may cost money: it was not tried whether it starts from them"

    half = 2 * np.random.default_rng(0).integers(2, size=_NUM_PAIRS, dtype=np.int8) - 1
    start = np.tile(np.append(half, np.int8(-1)), 2)
    try:
        cold = calls.copied(_scheduled(calls, _COLD))
        stayed = (_sampled(cold, start) == start).all()
    except Exception as error:  # a stranger's sampler may raise anything
        return f"which cannot start from them, or not in a small problem: {error!r}"
    return None if stayed else "which did not start from those of a small problem"


def needs_leading_spins(calls: DimodCalls) -> bool:
    """Returns whether each call makes the first two spins turn over, unless others come first."""
    ordered = not calls.parameters.get("randomize_order", False)
    if calls.parameters.get(ACCEPTANCE) != "Gibbs" or not ordered:
        return False
    if may_cost_money(calls.sampler):
        return False

    try:
        probe = calls.copied(_scheduled(calls, (1.0, 1.0)))
        at_fault = _first_two_turn(probe)
        probe.leading_spins = True
        return at_fault and not _first_two_turn(probe)
    except Exception:  # a stranger's sampler may raise anything
        return False


def may_cost_money(sampler: object) -> bool:
    """Returns whether a sampler, or one that it holds, has a connection to a service."""
    seen: dict[int, object] = {}
    todo = [sampler]
    while todo:
        each = todo.pop()
        if id(each) in seen:
            continue
        seen[id(each)] = each

        held = getattr(each, "__dict__", {})
        if any(name in held or hasattr(type(each), name) for name in _CONNECTIONS):
            return True
        for value in held.values():
            inner = value if isinstance(value, list | tuple) else [value]
            todo += [item for item in inner if hasattr(type(item), "sample")]
    return False


def _sampled(calls: DimodCalls, start: Spins | None = None) -> Spins:
    """Returns reads of the pairs, of which the last has a field; all start from `start`."""
    fields = np.zeros((1, _NUM_PAIRS + 1))
    fields[0, -1] = 1.0  # a composite that fixes variables fixes these
    problem = IsingProblem(-np.eye(_NUM_PAIRS + 1), fields, np.zeros_like(fields))
    starts = None if start is None else np.tile(start, (_NUM_READS, 1))
    spins, _ = calls.reads(problem.to_bqm(), _NUM_READS, np.random.SeedSequence(0), starts, [])
    return spins


def _first_two_turn(calls: DimodCalls) -> bool:
    """Returns whether the first two of the lone spins turn against their fields."""
    import dimod

    model = dimod.BinaryQuadraticModel.from_ising(dict.fromkeys(range(_NUM_LONE), _FIELD), {})
    down = -np.ones((1, _NUM_LONE), dtype=np.int8)
    spins, _ = calls.reads(model, 1, np.random.SeedSequence(0), down, [])
    return bool((spins[0, :2] == 1).all())


def _scheduled(calls: DimodCalls, beta_range: tuple[float, float]) -> dict[str, Any]:
    """Returns the parameters with one sweep and this range in place of the user's schedule."""
    given = {"num_sweeps": 1, "beta_range": beta_range}
    schedule = {name: value for name, value in given.items() if name in calls.takes}
    return _without(calls.parameters, *_OF_THE_PROBLEM, *_OF_THE_SCHEDULE) | schedule


def _without(parameters: dict[str, object], *names: str) -> dict[str, object]:
    """Returns the parameters but for those of these names."""
    return {name: value for name, value in parameters.items() if name not in names}
