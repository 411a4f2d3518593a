"""The checklist of a rehearsal: what each check has found, and what to change where it failed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

import numpy as np

from isingprop.cli.console import json_number
from isingprop.cli.rehearsal.rehearsed_run import FAULTS, access_seconds
from isingprop.qpu.local_service.qp_format import numbers_of

if TYPE_CHECKING:
    from isingprop.cli.rehearsal.rehearsal_plan import RehearsalPlan
    from isingprop.cli.rehearsal.rehearsed_run import BudgetStop, RehearsedRun, Replayed
    from isingprop.qpu.chip.limits import Limits
    from isingprop.qpu.embed.embedding import Embedding

_MAX_CLIPPED = 0.01  # of all fields, or of all couplings
# A broken chain is replaced by the majority of its qubits, from which the network then learns.
_MAX_BROKEN = 0.1
_MIN_ALIGNED = 0.6  # of spins along their local fields; it is 0.5 at random
_MAX_PRICE_ERROR = 0.01  # of what is charged for calls, against the formula
_REPORT = "do not run this on a chip, and report it as an error of isingprop"


@dataclass(frozen=True)
class Check:
    """One line of the checklist."""

    name: str
    passed: bool
    text: str  #: what was found
    advice: str | None = None  #: what to change where it has not passed
    numbers: dict[str, Any] = field(default_factory=dict)  #: for JSON

    def line(self) -> str:
        """Returns the check as a line of text."""
        mark = "OK" if self.passed else "attention"
        advice = "" if self.passed or self.advice is None else f"; {self.advice}"
        return f"{self.name:<16}{mark:<11}{self.text}{advice}"

    def as_json(self) -> dict[str, Any]:
        """Returns the check as a JSON object."""
        advice = None if self.passed else self.advice
        head = {"name": self.name, "ok": self.passed, "text": self.text, "advice": advice}
        return head | self.numbers


def checklist(
    plan: RehearsalPlan, copies: Sequence[list[Embedding]], run: RehearsedRun, limits: Limits
) -> Iterator[Check]:
    """Yields the checks of a rehearsal, as far as its run has come.

    Args:
        plan: plan of the rehearsal.
        copies: copies on the chip of each problem that is sent.
        run: the run.
        limits: limits of the chip.
    """
    yield _embedding(copies)
    if run.paid and run.calls:
        yield _clipping(run, limits)
    if run.replayed is not None:
        yield _chain_breaks(run, run.replayed, limits)
        yield _beta(run, run.replayed)
        yield _price(plan, run, run.replayed)
    if run.stop is not None:
        yield _budget_stop(run.stop)

    if run.epochs is not None:
        yield _faults(run)
        yield _resume(plan, run)
    if run.replayed is not None:
        yield _replay(run, run.replayed)
    if run.failure is not None:
        yield Check("run", False, f"it has not come to its end: {run.failure}")


def _embedding(copies: Sequence[list[Embedding]]) -> Check:
    embedded = []
    for found in copies:
        best = found[0]
        embedded.append(
            {
                "hidden": len(best.hidden),
                "output": len(best.output),
                "copies": len(found),
                "qubits": best.num_qubits,
                "max_chain_hidden": best.max_chain_hidden,
                "max_chain_output": best.max_chain_output,
            }
        )

    text = (
        "{copies} of {hidden} x {output} spins, the best on {qubits} qubits in chains of up to "
        "{max_chain_hidden} (hidden) and {max_chain_output} (output)"
    )
    texts = [text.format_map(each | {"copies": _copies(each["copies"])}) for each in embedded]
    return Check("embedding", True, "; ".join(texts), numbers={"problems": embedded})


def _copies(number: int) -> str:
    return f"{number} {'copy' if number == 1 else 'copies'}"


def _clipping(run: RehearsedRun, limits: Limits) -> Check:
    """Returns the check of values out of range; a field that was is on a bound of the range."""
    num_fields = num_couplings = clipped_fields = 0
    for problem in run.paid:
        fields, couplings = numbers_of(problem.job)
        num_fields += int(np.isfinite(fields).sum())
        num_couplings += len(couplings)
        clipped_fields += int(np.isin(fields, limits.h_range).sum())

    clipped = sum(call.notes["clipped"] for call, _ in run.calls)
    of_h, of_j = clipped_fields / num_fields, (clipped - clipped_fields) / num_couplings
    scale = run.calls[0][0].notes["scale"]
    return Check(
        "clipping",
        max(of_h, of_j) <= _MAX_CLIPPED,
        f"{of_h:.2%} of fields h and {of_j:.2%} of couplings J were out of the chip's range",
        f"lower --qpu-scale, which is {scale:.3g}",
        {"clipped_h": of_h, "clipped_J": of_j, "scale": scale},
    )


def _chain_breaks(run: RehearsedRun, replayed: Replayed, limits: Limits) -> Check:
    broken = fmean(record.chain_break_fraction or 0.0 for record in replayed.history)
    notes = [call.notes for call, _ in run.calls]
    strength, scale = max(each["chain_strength"] for each in notes), notes[0]["scale"]

    advice = f"raise chain_strength of ip.DWave, which is {strength:.3g}"
    if math.isclose(strength * scale, -limits.j_range[0]):  # as strong as the chip allows
        advice = f"lower --qpu-scale, which is {scale:.3g}: chains can be no stronger at it"
    return Check(
        "chain breaks",
        broken <= _MAX_BROKEN,
        f"{broken:.2%} of all chains of all reads were broken",
        advice,
        {"chain_break_fraction": broken, "chain_strength": strength},
    )


def _beta(run: RehearsedRun, replayed: Replayed) -> Check:
    """Returns the check of whether the reads follow the problem at all."""
    betas = [record.beta_effective for record in replayed.history]
    beta = median(math.nan if each is None else each for each in betas)
    aligned = (1 + math.tanh(beta * replayed.local_field)) / 2  # 1 / (1 + exp(-2 beta f))
    scale = run.calls[0][0].notes["scale"]

    return Check(
        "effective beta",
        aligned >= _MIN_ALIGNED,
        f"{beta:.3g} per unit of J: a spin is along its local field in {aligned:.0%} of reads",
        f"raise --qpu-scale, which is {scale:.3g}",
        {"beta_effective": json_number(beta), "aligned": json_number(aligned)},
    )


def _price(plan: RehearsalPlan, run: RehearsedRun, replayed: Replayed) -> Check:
    """Returns the check of what the planned run will cost, and what calls did cost."""
    measured = access_seconds(run.paid) / len(run.paid)
    formula = fmean(call.notes["estimated_seconds"] for call, _ in run.calls)
    seconds = _planned_seconds(plan, run, replayed)
    calls = None if plan.price is None else plan.price.calls
    budget = plan.planned.qpu_budget

    as_expected = math.isclose(measured, formula, rel_tol=_MAX_PRICE_ERROR)
    text = f"{seconds:,.1f} s of QPU access for the planned run"
    if calls is not None:
        as_expected &= len(run.paid) <= plan.calls
        text = f"{calls:,} calls, {text}"
    text += f"; {len(run.paid)} rehearsed calls took {1000 * measured:.2f} ms each, "
    text += (
        "as the formula says"
        if as_expected
        else f"by the formula {plan.calls} calls and {1000 * formula:.2f} ms"
    )

    advice = _REPORT
    if budget is None:
        text += "; without --qpu-budget nothing limits it"
    elif seconds > budget:
        text += f"; --qpu-budget is {budget:g} s"
        advice = "raise it, or lower --epochs or --num-train"

    numbers = {
        "planned_calls": calls,
        "planned_seconds": seconds,
        "seconds_per_call": measured,
        "estimated_seconds_per_call": formula,
        "qpu_budget": budget,
    }
    passed = as_expected and (budget is None or seconds <= budget)
    return Check("price", passed, text, advice, numbers)


def _planned_seconds(plan: RehearsalPlan, run: RehearsedRun, replayed: Replayed) -> float:
    """Returns the QPU access time of the planned run, by the formula of `isingprop qpu estimate`.

    The formula knows one hidden layer; with more, it is what the images of the rehearsal have cost,
    times the number of images.
    """
    if plan.price is not None:
        return plan.price.seconds

    training = math.fsum(record.qpu_seconds or 0.0 for record in replayed.history)
    testing = access_seconds(run.paid) - training
    return plan.times_training * training + plan.times_testing * testing


def _budget_stop(stop: BudgetStop) -> Check:
    kept_all = stop.num_paid == stop.num_kept > 0
    passed = stop.message is not None and stop.spent <= stop.budget and kept_all

    spent = f"{stop.num_paid} calls for {stop.spent:.3f} s"
    text = f"a budget of {stop.budget:.3f} s stopped the run after {spent}, whose answers are kept"
    if not passed:
        text = (
            f"a budget of {stop.budget:.3f} s allowed {spent}, of which {stop.num_kept} answers "
            "are kept"
        )
    numbers = {"stopping_budget": stop.budget, "stopped_after": stop.num_paid}
    return Check("budget stop", passed, text, _REPORT, numbers)


def _faults(run: RehearsedRun) -> Check:
    absent = [name for name in FAULTS if name not in run.faults]
    text = f"survived: {', '.join(name for name in FAULTS if name in run.faults)}"
    if absent:
        text += f"; not tried: {', '.join(absent)}"
    advice = "the run made too few calls for all of them: raise --num-train"
    return Check("faults", not absent, text, advice, {"faults": sorted(run.faults)})


def _resume(plan: RehearsalPlan, run: RehearsedRun) -> Check:
    """Returns the check of the killed run, by the server's own list of what was paid."""
    paid = {problem.id for problem in run.paid}
    kept = {call.problem_id for call, timing in run.calls if timing is not None}
    passed = (
        run.num_paid_at_kill is not None
        and run.epochs == plan.settings.epochs
        and paid == kept
        and len(paid) == len(run.calls)
    )

    killed = f"killed after {run.num_paid_at_kill} calls"
    text = (
        f"{'not killed' if run.num_paid_at_kill is None else killed}, and resumed to the end of "
        f"epoch {run.epochs}; {len(paid)} calls were paid, and the answers of "
        f"{len(paid & kept)} of them are kept"
    )
    numbers = {"killed_after": run.num_paid_at_kill, "paid": len(paid), "kept": len(paid & kept)}
    return Check("resume", passed, text, _REPORT, numbers)


def _replay(run: RehearsedRun, replayed: Replayed) -> Check:
    result = "the same network" if replayed.same_network else "another network"
    return Check(
        "replay",
        replayed.same_network,
        f"{len(run.calls)} recorded answers give {result}, without a chip or an interruption",
        _REPORT,
        {"same_network": replayed.same_network},
    )
