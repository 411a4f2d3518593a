"""The command with an emulated D-Wave chip: run folders, budgets, dry runs, and going on without
paying again.

Commands run in this process, which spares each of them two seconds of imports.
"""

import json
from pathlib import Path

import pytest

import isingprop as ip
from helpers.cli.cli_runs import error_lines
from helpers.dwave.chip_commands import SAMPLERS, SMALL, Stopping, answers, history
from isingprop.qpu.calls.record import Index


def assert_same_run(folder, other):
    assert (folder / "model.safetensors").read_bytes() == (other / "model.safetensors").read_bytes()
    assert history(folder) == history(other)
    assert len(answers(folder)) == len(answers(other))
    assert Index(folder / "qpu").pending == {}


@pytest.mark.slow
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_run_keeps_every_answer_in_its_folder(isingprop, whole, sampler):
    folder, told = whole(sampler, isingprop)
    assert sorted(path.name for path in folder.iterdir()) == [
        "checkpoint.safetensors",
        "config.json",
        "history.csv",
        "lock",
        "model.safetensors",
        "qpu",
        "training.png",
    ]
    settings = json.loads((folder / "qpu" / "settings.json").read_text())
    assert (settings["name"], settings["mode"]) == ("DWave", SAMPLERS[sampler])
    index = Index(folder / "qpu")
    assert index.pending == {}
    assert told["qpu_seconds"] == pytest.approx(index.seconds)
    assert told["qpu_seconds"] > sum(float(row["qpu_seconds"]) for row in history(folder)) > 0, (
        "tests cost, too"
    )
    assert told["qpu_emulated"] is True
    assert told["stopped"] is None
    assert (told["wrong_cycles"] is None) == (sampler == "dwave")
    assert 0 <= told["chain_break_fraction"] < 1
    assert told["beta_effective"] > 0
    assert told["settings"]["qpu_solver"] == "emulated:zephyr:2"
    config = json.loads((folder / "config.json").read_text())["settings"]
    assert config["sampler"] == sampler


def test_what_it_cost_is_said_in_words(isingprop):
    done = isingprop("train", *SMALL, "--sampler", "dwave", "--epochs", "1", "--out", "run")
    assert done.code == 0, done.err
    spent = Index(Path("run", "qpu")).seconds
    assert (
        f"QPU access      {spent:.3f} s in all, for the answers in {Path('run', 'qpu')}; "
        "emulated: estimated, nothing billed\n" in done.out
    )
    assert "broken chains" in done.out


@pytest.mark.slow
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_evaluate_costs_nothing(isingprop, whole, monkeypatch, sampler):
    folder, told = whole(sampler, isingprop)
    before = answers(folder)
    stopping = Stopping(monkeypatch, at=1)
    done = isingprop("evaluate", folder, "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["test_accuracy"] == told["test_accuracy"]
    assert answers(folder) == before
    assert stopping.calls == 0


@pytest.mark.slow
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_replay_of_the_run_folder_trains_the_same_network(isingprop, whole, sampler):
    folder, told = whole(sampler, isingprop)
    images = ip.load_data("digits", num_train=10, num_test=10)
    network = ip.BipartiteNetwork.random(num_inputs=64, num_hidden=6, num_classes=10, seed=0)
    rates = ip.LearningRates.for_images(0.001, images.train_images)
    references = None if sampler == "dwave" else "wrong-classes"
    trainer = ip.Trainer(
        network, ip.Replay(folder), num_states=2, learning_rate=rates, references=references, seed=0
    )
    record = trainer.fit(images, epochs=2)[-1]
    model = ip.BipartiteNetwork.load(folder / "model.safetensors")
    assert all(
        (array == model.parameters()[name]).all() for name, array in network.parameters().items()
    )
    assert record.test_accuracy == told["test_accuracy"]


@pytest.mark.slow
@pytest.mark.parametrize(("call", "after"), [(1, False), (7, True), (14, True), (33, False)])
def test_a_run_that_was_interrupted_ends_as_one_that_never_was(
    isingprop, whole, monkeypatch, tmp_path, call, after
):
    """In the first epoch, in its test (whose calls are sent eight at a time), and in the second; of
    40 calls.
    """
    unbroken, _ = whole("dwave", isingprop)
    with monkeypatch.context() as patched:
        Stopping(patched, call, after=after)
        done = isingprop("train", *SMALL, "--sampler", "dwave", "--out", "run")
    assert done.code == 130
    assert done.err.splitlines()[-1] == "Interrupted; go on with: isingprop train --resume run"
    assert len(answers(tmp_path / "run")) == call, "written before they are sent"
    pending = len(Index(tmp_path / "run" / "qpu").pending)
    assert 1 <= pending <= 8
    assert pending == 1 or call in (14, 33)
    paid = Stopping(monkeypatch, at=0)
    done = isingprop("train", "--resume", "run")
    assert done.code == 0, done.err
    assert_same_run(tmp_path / "run", unbroken)
    assert paid.calls == len(answers(unbroken)) - (call - pending)


@pytest.mark.slow
def test_an_error_of_the_device_is_one_line_and_the_run_goes_on(
    isingprop, whole, monkeypatch, tmp_path
):
    unbroken, _ = whole("dwave-cyclic", isingprop)
    with monkeypatch.context() as patched:
        Stopping(patched, 9, RuntimeError("the fridge\nis warm"))
        done = isingprop("train", *SMALL, "--sampler", "dwave-cyclic", "--out", "run")
    assert done.code == 1
    errors = error_lines(done.err)
    assert errors == [
        "Error: RuntimeError: the fridge is warm; go on with: isingprop train --resume run"
    ]
    assert isingprop("train", "--resume", "run").code == 0
    assert_same_run(tmp_path / "run", unbroken)


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["dwave", "dwave-cyclic"])
def test_a_budget_is_a_hard_stop_and_a_larger_one_goes_on(isingprop, whole, tmp_path, sampler):
    unbroken, told = whole(sampler, isingprop)
    budget = told["qpu_seconds"] * 0.6
    options = "--sampler", sampler, "--out", "run", "--qpu-budget", f"{budget:.4f}"
    done = isingprop("train", *SMALL, *options, "--json")
    assert done.code == 0, done.err
    content = json.loads(done.out)
    assert content["stopped"].startswith("QPU budget must leave ")
    assert content["qpu_seconds"] <= budget
    assert content["qpu_seconds"] == pytest.approx(Index(tmp_path / "run" / "qpu").seconds)
    assert content["epochs"] == 1
    lines = error_lines(done.err)
    how = "go on with: isingprop train --resume run --qpu-budget SECONDS"
    assert lines == [f"Stopped: {content['stopped']}; {how}"]
    before = answers(tmp_path / "run")
    again = json.loads(isingprop("train", "--resume", "run", "--json").out)
    assert again["stopped"] == content["stopped"]
    assert answers(tmp_path / "run") == before, "the old budget holds"
    done = isingprop("train", "--resume", "run", "--qpu-budget", "1000", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["stopped"] is None
    assert before.items() <= answers(tmp_path / "run").items()
    assert_same_run(tmp_path / "run", unbroken)


@pytest.mark.slow
def test_a_budget_for_less_than_an_epoch_stops_in_words(isingprop, tmp_path):
    """And tells of no file that is not there."""
    done = isingprop("train", *SMALL, "--sampler", "dwave", "--out", "run", "--qpu-budget", "0.12")
    assert done.code == 0, done.err
    assert "Stopped: QPU budget must leave" in done.err
    assert "Traceback" not in done.err
    assert len(answers(tmp_path / "run")) == 3
    for name in ("model.safetensors", "history.csv", "training.png"):
        assert (name in done.out) == (tmp_path / "run" / name).exists()


@pytest.mark.slow
def test_a_budget_ends_an_evaluation_in_one_line(isingprop, tmp_path):
    """More test images than the run paid for."""
    options = "--sampler", "dwave", "--epochs", "1", "--out", "run", "--qpu-budget", "0.8"
    assert isingprop("train", *SMALL, *options).code == 0
    before = answers(tmp_path / "run")
    done = isingprop("evaluate", "run", "--num-test", "100")
    assert done.code == 1
    assert done.out == ""
    (error,) = done.err.splitlines()
    assert "QPU budget must leave" in error
    assert before.items() <= answers(tmp_path / "run").items()
