"""The checklist of a rehearsal: a good run passes, and each fault has its line and its advice."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from helpers.cli.settings_of_runs import settings_of_a_run
from helpers.dwave.qpu_records import TIMING, a_call
from isingprop.cli.rehearsal.checklist import checklist
from isingprop.cli.rehearsal.rehearsal_plan import RehearsalPlan
from isingprop.cli.rehearsal.rehearsed_run import FAULTS, BudgetStop, RehearsedRun, Replayed
from isingprop.qpu.chip.limits import Limits
from isingprop.qpu.chip.working_graph import WorkingGraph
from isingprop.qpu.embed.embedding import Embedding
from isingprop.qpu.estimate import Estimate
from isingprop.qpu.local_service.qp_format import base64_text
from isingprop.qpu.local_service.service import SubmittedProblem
from isingprop.training.evaluation import EpochRecord

NUM_CALLS = 4
SECONDS = TIMING["qpu_access_time"] * 1e-6
GRAPH = WorkingGraph.perfect("zephyr", 1)
COPIES = [Embedding(hidden=((0,), (1, 2)), output=((24, 25),))]
LIMITS = Limits.of(
    {
        "h_range": [-4.0, 4.0],
        "extended_j_range": [-2.0, 1.0],
        "num_reads_range": [1, 1000],
        "annealing_time_range": [0.5, 2000.0],
        "problem_run_duration_range": [0.0, 1e6],
    },
    GRAPH,
)
SETTINGS = settings_of_a_run(
    num_train=100, num_test=50, epochs=10, num_sweeps=5, hidden=(4,), sampler="dwave", seed=0
)
PRICE = Estimate(
    num_qubits=100,
    copies=2,
    calls_per_epoch=50,
    seconds_per_epoch=0.8,
    calls_per_epoch_one_copy=100,
    seconds_per_epoch_one_copy=1.6,
    test_calls_per_epoch=25,
    test_seconds_per_epoch=0.4,
    calls=750,
    seconds=12.0,
)


def submitted(k: int, fields=(0.5, np.nan, -1.0), couplings=(0.25,) * 10) -> SubmittedProblem:
    numbers = {"lin": np.array(fields), "quad": np.array(couplings)}
    data = {name: base64_text(values.astype("<f8").tobytes()) for name, values in numbers.items()}
    job = {"type": "ising", "solver": {"name": "chip"}, "label": f"call-{k}", "data": data}
    return SubmittedProblem(f"id-{k}", job, 0.0, 0.0, answer={"timing": TIMING})


def noted(**notes):
    """The calls of a run, with some of their notes changed."""
    call = a_call()
    notes = {**call.notes, "estimated_seconds": SECONDS, **notes}
    calls = [replace(call, problem_id=f"id-{k}", notes=notes) for k in range(NUM_CALLS)]
    return [(call, TIMING) for call in calls]


def history(**numbers):
    updates = dict.fromkeys(
        [
            f"update_norm_{name}"
            for name in ["input_weights", "couplings", "hidden_bias", "output_bias"]
        ]
        + [f"seconds_{name}" for name in ["sampling", "updating", "testing"]],
        0.0,
    )
    given = {"chain_break_fraction": 0.02, "beta_effective": 3.0, "qpu_seconds": SECONDS, **numbers}
    common = {"train_error_reads": 0.5, "train_error_lowest": 0.5, "test_accuracy": 0.5}
    return [EpochRecord(epoch, **common, **updates, seconds=1.0, **given) for epoch in (1, 2)]


def replayed(*, same_network=True, **numbers):
    return Replayed(history(**numbers), same_network, local_field=0.5)


STOP = BudgetStop("spent", 2.5 * SECONDS, 2 * SECONDS, 2, 2)


def checks(planned=SETTINGS, price=PRICE, **changed):
    """The checks of a good run, with some of what is known of it changed."""
    small = replace(SETTINGS, num_train=2, num_test=1, epochs=2)
    plan = RehearsalPlan(planned, small, NUM_CALLS, STOP.budget, 250.0, 100.0, price)
    good = {
        "paid": [submitted(k) for k in range(NUM_CALLS)],
        "calls": noted(),
        "stop": STOP,
        "faults": set(FAULTS),
        "num_paid_at_kill": 3,
        "epochs": 2,
        "replayed": replayed(),
    }
    return list(checklist(plan, [COPIES], RehearsedRun(**{**good, **changed}), LIMITS))


def test_a_good_run_passes_all_checks():
    found = checks()
    assert [check.name for check in found] == [
        "embedding",
        "clipping",
        "chain breaks",
        "effective beta",
        "price",
        "budget stop",
        "faults",
        "resume",
        "replay",
    ]
    assert [check.line() for check in found if not check.passed] == []
    assert all(f"{check.name:<16}OK  " in check.line() for check in found)
    assert "750 calls, 12.0 s of QPU access for the planned run" in found[4].text
    assert "without --qpu-budget nothing limits it" in found[4].text


FIELDS_OUT = {
    "paid": [submitted(k, fields=(4.0, -4.0, np.nan, 3.9)) for k in range(NUM_CALLS)],
    "calls": noted(clipped=2),
}
COUPLINGS_OUT = {"calls": noted(clipped=1)}  # of ten
WRONG = {
    "fields": (FIELDS_OUT, "clipping", "66.67% of fields h and 0.00%", "lower --qpu-scale"),
    "couplings": (
        COUPLINGS_OUT,
        "clipping",
        "0.00% of fields h and 10.00% of couplings J",
        "lower --qpu-scale, which is 0.1",
    ),
    "weak chains": (
        {"replayed": replayed(chain_break_fraction=0.3)},
        "chain breaks",
        "30.00%",
        "raise chain_strength of ip.DWave, which is 0.333",
    ),
    "strongest chains": (
        {"replayed": replayed(chain_break_fraction=0.3), "calls": noted(chain_strength=20.0)},
        "chain breaks",
        "30.00%",
        "lower --qpu-scale, which is 0.1",
    ),
    "hot": ({"replayed": replayed(beta_effective=0.1)}, "effective beta", "0.1 per", "raise"),
    "opposed": ({"replayed": replayed(beta_effective=-9e9)}, "effective beta", "in 0%", "raise"),
    "no field": ({"replayed": replayed(beta_effective=math.nan)}, "effective beta", "nan", "raise"),
    "budget": (
        {"planned": replace(SETTINGS, qpu_budget=11.9)},
        "price",
        "12.0 s of QPU access for the planned run",
        "--qpu-budget is 11.9 s; raise it, or lower --epochs or --num-train",
    ),
    "formula": (
        {"calls": noted(estimated_seconds=0.5 * SECONDS)},
        "price",
        "15.25 ms each",
        "report",
    ),
    "not stopped": ({"stop": replace(STOP, message=None)}, "budget stop", "allowed 2", "report"),
    "overspent": (
        {"stop": replace(STOP, spent=3 * SECONDS)},
        "budget stop",
        "a budget of 0.038 s allowed 2 calls for 0.046 s",
        "report",
    ),
    "lost at the stop": (
        {"stop": replace(STOP, num_kept=1)},
        "budget stop",
        "of which 1 answers are kept",
        "report",
    ),
    "untried": (
        {"faults": set(FAULTS) - {"server error"}},
        "faults",
        "not tried: server error",
        "raise --num-train",
    ),
    "not killed": ({"num_paid_at_kill": None}, "resume", "not killed", "report"),
    "not ended": ({"epochs": 1}, "resume", "to the end of epoch 1", "report"),
    "lost": ({"calls": noted()[1:]}, "resume", "the answers of 3 of them are kept", "report"),
    "unanswered": (
        {"calls": [(call, None if k == 0 else timing) for k, (call, timing) in enumerate(noted())]},
        "resume",
        "the answers of 3 of them are kept",
        "report",
    ),
    "another network": (
        {"replayed": replayed(same_network=False)},
        "replay",
        "give another network",
        "report",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_one_line_with_its_advice(what):
    changed, name, text, advice = WRONG[what]
    failed = [check for check in checks(**changed) if not check.passed]
    assert [check.name for check in failed] == [name]
    line = failed[0].line()
    assert line.startswith(f"{name:<16}attention  ")
    assert text in line
    assert advice in line
    content = json.loads(json.dumps(failed[0].as_json(), allow_nan=False))
    assert content["ok"] is False
    assert content["advice"] is not None


def test_a_problem_that_was_paid_twice_is_seen():
    paid = [submitted(k) for k in range(NUM_CALLS + 1)]
    found = {check.name: check for check in checks(paid=paid, calls=noted())}
    assert not found["resume"].passed
    assert "5 calls were paid, and the answers of 4 of them are kept" in found["resume"].text
    assert not found["price"].passed  # the formula says four
    assert "5 rehearsed calls took 15.25 ms each, by the formula 4 calls" in found["price"].text


def test_a_deep_network_is_priced_by_what_its_images_have_cost():
    # Two of four calls were for training.
    [price] = [check for check in checks(price=None) if check.name == "price"]
    assert price.passed
    assert price.numbers["planned_seconds"] == pytest.approx((2 * 250 + 2 * 100) * SECONDS)
    assert price.numbers["planned_calls"] is None


def test_a_run_that_has_not_come_to_its_end_is_told_as_far_as_it_came():
    absent = {"epochs": None, "replayed": None, "num_paid_at_kill": None}
    found = checks(**absent, failure="a sum of couplings is out of range")
    assert [check.name for check in found] == ["embedding", "clipping", "budget stop", "run"]
    assert not found[-1].passed
    assert "a sum of couplings is out of range" in found[-1].line()
    nothing = checks(**absent, paid=[], calls=[], stop=None, failure="no")
    assert [check.name for check in nothing] == ["embedding", "run"]
