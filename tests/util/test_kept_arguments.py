"""What is assigned to an argument of a finished object is refused, as it would change nothing."""

import pytest
from dwave.samplers import SimulatedAnnealingSampler

import isingprop as ip

GIBBS = ip.Annealing(beta_range=(1, 1))


def make(name):
    if name == "DWave":
        return ip.DWave(solver="emulated:zephyr:1")
    if name == "FromDimod":
        return ip.FromDimod(SimulatedAnnealingSampler(), num_sweeps=3)
    model = ip.EnergyModel.random(num_inputs=4, num_hidden=3, num_outputs=1, seed=0)
    return ip.EnergyTrainer(model, GIBBS)


@pytest.mark.parametrize(
    ("kind", "name", "advice"),
    [
        ("DWave", "annealing_time", r"call set_params\(annealing_time=\.\.\.\)"),
        ("DWave", "budget", r"call set_params\(budget=\.\.\.\)"),
        ("DWave", "solver", r"call set_params\(solver=\.\.\.\)"),
        ("FromDimod", "num_sweeps", r"call set_params\(num_sweeps=\.\.\.\)"),
        ("EnergyTrainer", "learning_rate", "make a new one"),
        ("EnergyTrainer", "sampler", "make a new one"),
    ],
)
def test_an_argument_is_kept(kind, name, advice):
    thing = make(kind)
    message = rf"^{name} must stay as it was given to {kind}\(\), got 7: {advice}$"
    with pytest.raises(AttributeError, match=message):
        setattr(thing, name, 7)
    assert not hasattr(thing, name)


def test_set_params_changes_it():
    assert make("DWave").set_params(annealing_time=50.0).get_params()["annealing_time"] == 50
    assert make("FromDimod").set_params(num_sweeps=7).get_params()["num_sweeps"] == 7


def test_the_record_may_be_any_path(tmp_path):
    sampler = make("DWave")
    sampler.record = str(tmp_path / "here")
    assert sampler.record == tmp_path / "here"
    assert sampler.get_params()["record"] == tmp_path / "here"
