"""Budgets, first requests and estimates of the D-Wave sampler."""

import pytest
from dwave.system.testing import MockDWaveSampler

import isingprop as ip
from helpers import tolerances
from helpers.dwave.dwave_cases import CountedQPU, calls_of, contents, starts_for
from helpers.dwave.rehearsal import small_network, two_classes
from isingprop.qpu.settings import FROM_STARTS, MODES

# Budgets


@pytest.mark.parametrize("num_copies", [1, 3])
def test_a_budget_stops_before_the_call_that_could_exceed_it(make, problem, num_copies):
    free = make(num_copies=num_copies, folder="free")
    whole = free.sample(problem, num_reads=4, seed=1)
    costs = [call["estimated_seconds"] for call in whole.info["calls"]]
    for affordable in range(len(costs)):
        budget = sum(costs[: affordable + 1]) - 1e-4
        qpu = make(num_copies=num_copies, budget=budget, folder=f"{affordable}")
        with pytest.raises(ip.QPUBudgetError) as caught:
            qpu.sample(problem, num_reads=4, seed=1)
        spent = sum(costs[:affordable])
        message = (
            f"must leave {costs[affordable]:.3f} s for the next call, got {budget:g} s "
            f"with {spent:.3f} s spent (emulated: estimated, nothing billed)"
        )
        assert str(caught.value) == f"QPU budget {message}"
        assert calls_of(qpu) == affordable
        assert len(list(qpu.record.glob("*.safetensors"))) == affordable
        assert qpu.qpu_seconds == pytest.approx(spent, rel=1e-5)
        assert qpu.qpu_seconds <= budget


def test_a_larger_budget_goes_on_without_paying_again(make, problem):
    qpu = make(num_copies=1, budget=0.05)
    with pytest.raises(ip.QPUBudgetError):
        qpu.sample(problem, num_reads=4, seed=1)
    paid, before = calls_of(qpu), contents(qpu.record)
    assert 0 < paid < 7
    with pytest.raises(ip.QPUBudgetError):
        qpu.sample(problem, num_reads=4, seed=1)
    assert (calls_of(qpu), contents(qpu.record)) == (paid, before)
    qpu.close()
    rich = make(num_copies=1, budget=1.0, solver=CountedQPU())
    states = rich.sample(problem, num_reads=4, seed=1)
    assert calls_of(rich) == 7 - paid
    assert before.items() <= contents(rich.record).items()
    whole = make(num_copies=1, folder="whole").sample(problem, num_reads=4, seed=1)
    assert tolerances.same_bits(states.spins, whole.spins)


def test_a_budget_of_just_the_cost_is_enough(make, problem):
    cost = make(folder="free").sample(problem, seed=1).info["calls"]
    qpu = make(budget=sum(call["estimated_seconds"] for call in cost) + 1e-6)
    qpu.sample(problem, seed=1)
    assert calls_of(qpu) == len(cost)


def test_a_budget_needs_timing_data(make, problem):
    device = MockDWaveSampler(
        topology_type="zephyr", topology_shape=[1, 4], parameter_warnings=False
    )
    del device.properties["problem_timing_data"]
    qpu = make(solver=device, budget=1.0)
    with pytest.raises(
        ValueError, match=r"^budget must be None for MockDWaveSampler, which has no timing data$"
    ):
        qpu.sample(problem, seed=1)
    with pytest.raises(ValueError, match=r"budget must be None"):
        qpu.first_request(problem, seed=1)
    assert not list(qpu.record.glob("*.safetensors"))
    states = make(solver=device, folder="free").sample(problem[:1], seed=1)
    assert states.num_reads == 1


# Before spending


@pytest.mark.parametrize("mode", MODES)
def test_the_first_request_sends_and_writes_nothing_and_is_the_one_that_is_sent(
    make, problem, mode
):
    qpu = make(mode, spin_reversal=True, num_copies=3)
    starts = None if mode not in FROM_STARTS else starts_for(problem)
    call, h, j = qpu.first_request(problem, 5, seed=1, initial=starts)
    assert calls_of(qpu) == 0
    assert not qpu.record.exists()
    kept = {}

    def sample_ising(linear, quadratic, **parameters):
        kept.setdefault("sent", (linear, quadratic, parameters))
        return type(qpu.device).sample_ising(qpu.device, linear, quadratic, **parameters)

    qpu.device.sample_ising = sample_ising
    qpu.sample(problem, 5, seed=1, initial=starts)
    linear, quadratic, parameters = kept["sent"]
    del parameters["label"]
    start = parameters.pop("initial_state", None)
    assert (h, j, call.parameters) == (linear, quadratic, parameters)
    wanted = (
        dict(zip(call.qubits.tolist(), call.initial_state.tolist(), strict=True))
        if starts is not None
        else None
    )
    assert start == wanted


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_an_estimate_is_what_a_run_costs(make, mode):
    """To 1 %: copies differ in their numbers of qubits, and a test leaves cyclic annealing's
    ancillas idle.
    """
    images = two_classes()
    qpu = make(mode, solver=CountedQPU(size=2), num_copies=3)
    references = None if mode not in FROM_STARTS else "wrong-classes"
    trainer = ip.Trainer(
        small_network(),
        qpu,
        num_states=5,
        batch_size=2,
        references=references,
        num_test_reads=4,
        seed=1,
    )
    history = trainer.fit(images, epochs=2)
    plan = {"num_states": 5, "batch_size": 2, "num_test_reads": 4, "num_hidden": 4, "num_output": 4}
    if references is not None:
        plan["references"] = 1  # of two classes, one is wrong
    price = qpu.estimate(num_images=6, epochs=2, num_test=5, **plan)
    assert price.calls == calls_of(qpu)
    assert price.seconds == pytest.approx(qpu.qpu_seconds, rel=0.01)
    assert price.copies == 3
    spent = sum(record.qpu_seconds for record in history)
    assert 2 * price.seconds_per_epoch == pytest.approx(spent, rel=0.01)
