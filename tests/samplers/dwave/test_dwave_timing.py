"""What answers say wrongly: access times, for which estimates are counted, and energies."""

import math

import numpy as np
import pytest

import isingprop as ip
from isingprop.cli.console import print_qpu_seconds
from isingprop.cli.run_folder import RunFolder
from isingprop.qpu.calls.connection import QPUBudgetError

MILLISECOND = 1e-3


class Teller(ip.EmulatedQPU):
    """A chip that gives `told` for its timing data, and another energy than its own to one read."""

    def __init__(self, told, energy_error=0.0):
        super().__init__("zephyr", 1)
        self.told = told
        self.energy_error = energy_error

    def sample(self, bqm, **parameters):
        answer = super().sample(bqm, **parameters)
        answer.info["timing"] = self.told
        answer.record.energy[0] += self.energy_error
        return answer


@pytest.fixture
def problem():
    random = np.random.default_rng(0)
    return ip.IsingProblem(
        random.normal(size=(3, 2)), random.normal(size=(30, 3)), random.normal(size=(1, 2))
    )


def sampler_of(told, folder, **options):
    return ip.DWave(solver=Teller(told), record=folder, num_copies=1, **options)


@pytest.mark.parametrize(
    "told",
    [
        {},
        None,
        [1, 2],
        "12 ms",
        {"qpu_access_time": None},
        {"qpu_access_time": "15000"},
        {"qpu_access_time": math.nan},
        {"qpu_access_time": math.inf},
        {"qpu_access_time": -5e6},
        {"qpu_access_time": True},
        {"qpu_access_time": {}, "other": int},
    ],
    ids=repr,
)
def test_a_time_that_is_not_told_is_counted_by_the_estimate(told, problem, tmp_path):
    sampler = sampler_of(told, tmp_path, budget=0.1)
    each = sampler.first_request(problem, 4, seed=0).call.notes["estimated_seconds"]
    with pytest.raises(QPUBudgetError, match=r"got 0\.1 s with 0\.\d+ s spent"):
        sampler.sample(problem, 4, seed=0)
    number = int(0.1 / each)
    assert 1 < number < len(problem)
    assert sampler.qpu_seconds == pytest.approx(number * each)
    assert sampler.calls_estimated == number
    sampler.close()

    # The record opens again, goes on and plays back.
    richer = sampler_of(told, tmp_path)
    states = richer.sample(problem, 4, seed=0)
    assert states.info["calls_estimated"] == richer.calls_estimated == len(problem)
    assert states.info["qpu_seconds"] == pytest.approx(len(problem) * each)
    richer.close()
    again = ip.Replay(tmp_path).sample(problem, 4, seed=0)
    assert np.array_equal(again.spins, states.spins)


def test_a_time_that_is_told_is_counted(problem, tmp_path):
    sampler = sampler_of({"qpu_access_time": 20_000.0}, tmp_path, budget=0.1)
    with pytest.raises(QPUBudgetError, match=r"with 0\.080 s spent"):
        sampler.sample(problem, 4, seed=0)
    assert sampler.qpu_seconds == pytest.approx(80 * MILLISECOND)
    assert sampler.calls_estimated == 0


def trained(chip, folder):
    """The one epoch of a small training run on a chip, and its trainer."""
    images = ip.load_data("digits", num_train=10, num_test=2)
    network = ip.BipartiteNetwork.random(
        num_inputs=images.train_images.shape[1], num_hidden=3, num_classes=10, redundancy=1, seed=0
    )
    sampler = ip.DWave(solver=chip, record=folder / "qpu")
    trainer = ip.Trainer(network, sampler, num_states=2, test_sampler=ip.Annealing(), seed=0)
    [record] = trainer.fit(images, epochs=1)
    return record, trainer


def test_the_history_says_how_many_calls_were_counted_by_estimate(tmp_path):
    told, _ = trained(Teller({"qpu_access_time": 20_000.0}), tmp_path / "told")
    not_told, _ = trained(Teller({}), tmp_path / "not told")
    assert told.calls_estimated == 0
    assert not_told.calls_estimated == 10
    assert not_told.qpu_seconds > 0


def test_the_history_and_the_summary_say_how_many_energies_are_wrong(tmp_path, capsys):
    lines = {}
    for error in (0.0, 1.0):
        folder = tmp_path / str(error)
        record, trainer = trained(Teller({"qpu_access_time": 20_000.0}, error), folder)
        assert record.energies_wrong == trainer.sampler.energies_wrong == (10 if error else 0)
        print_qpu_seconds(trainer, RunFolder(folder, settings=None))
        lines[error] = capsys.readouterr().out
    assert "QPU energies    wrong in the answers for 10 reads; they are not used\n" in lines[1.0]
    assert "QPU energies" not in lines[0.0]
