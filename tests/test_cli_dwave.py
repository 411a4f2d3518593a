"""The command with an emulated D-Wave chip: run folders, budgets, dry runs, and going on without paying again.

Commands run in this process, which spares each of them two seconds of imports.
"""

import csv
import gc
import json
import os
import shutil
import subprocess
import sys
import warnings
from collections import namedtuple
from pathlib import Path

import pytest

import isingprop as ip
from isingprop.cli import main
from isingprop.qpu.calls.record import Index
from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU

QUICK = (
    "--num-train",
    "10",
    "--num-test",
    "10",
    "--hidden",
    "6",
    "--num-states",
    "2",
    "--num-sweeps",
    "5",
)
SMALL = (*QUICK, "--epochs", "2", "--qpu-solver", "emulated:zephyr:2")
SAMPLERS = {"dwave": "forward", "dwave-reverse": "reverse", "dwave-cyclic": "cyclic"}
Done = namedtuple("Done", "code out err")


@pytest.fixture
def isingprop(capfd, monkeypatch, tmp_path):
    """Runs the command in tmp_path."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: run(capfd, monkeypatch, *arguments)


def run(capfd, monkeypatch, *arguments) -> Done:
    capfd.readouterr()
    monkeypatch.setattr(sys, "argv", ["isingprop", *map(str, arguments)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the end of a process closes what is open
        with pytest.raises(SystemExit) as stop:
            main()
        stop.value.__traceback__ = None
        code = stop.value.code or 0
        del stop
        gc.collect()
    return Done(code, *capfd.readouterr())


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of each mode that nothing stopped: its folder and what it printed."""
    made = {}

    def whole(sampler, isingprop) -> tuple[Path, dict]:
        if sampler not in made:
            folder = tmp_path_factory.mktemp(sampler) / "run"
            done = isingprop("train", *SMALL, "--sampler", sampler, "--out", folder, "--json")
            assert done.code == 0, done.err
            made[sampler] = folder, json.loads(done.out)
        return made[sampler]

    return whole


def answers(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "qpu").glob("*.safetensors")}


def history(folder) -> list[dict[str, str]]:
    with (folder / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    return [
        {k: v for k, v in row.items() if "seconds" not in k or k == "qpu_seconds"} for row in rows
    ]


def assert_same_run(folder, other):
    assert (folder / "model.safetensors").read_bytes() == (other / "model.safetensors").read_bytes()
    assert history(folder) == history(other)
    assert len(answers(folder)) == len(answers(other))
    assert Index(folder / "qpu").pending == {}


class Stopping:
    """In place of EmulatedQPU.sample: raises `error` at call number `at`, before or after it was annealed."""

    def __init__(self, monkeypatch, at, error=KeyboardInterrupt, *, after=False):
        self.at, self.error, self.after, self.calls = at, error, after, 0
        true = EmulatedQPU.sample

        def sample(device, bqm, **parameters):
            self.calls += 1
            if self.calls == self.at and not self.after:
                raise self.error
            answer = true(device, bqm, **parameters)
            if self.calls == self.at:
                raise self.error
            return answer

        monkeypatch.setattr(EmulatedQPU, "sample", sample)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_run_keeps_every_answer_in_its_folder(isingprop, whole, sampler):
    folder, told = whole(sampler, isingprop)
    assert sorted(path.name for path in folder.iterdir()) == [
        "checkpoint.safetensors",
        "config.json",
        "history.csv",
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
        f"QPU access      {spent:.3f} s in all, for the answers in {Path('run', 'qpu')}\n"
        in done.out
    )
    assert "broken chains" in done.out


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


@pytest.mark.parametrize(("call", "after"), [(1, False), (7, True), (14, True), (33, False)])
def test_a_run_that_was_interrupted_ends_as_one_that_never_was(
    isingprop, whole, monkeypatch, tmp_path, call, after
):
    """In the first epoch, in its test (whose calls are sent eight at a time), and in the second; of 40 calls."""
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


def test_an_error_of_the_device_is_one_line_and_the_run_goes_on(
    isingprop, whole, monkeypatch, tmp_path
):
    unbroken, _ = whole("dwave-cyclic", isingprop)
    with monkeypatch.context() as patched:
        Stopping(patched, 9, RuntimeError("the fridge\nis warm"))
        done = isingprop("train", *SMALL, "--sampler", "dwave-cyclic", "--out", "run")
    assert done.code == 1
    errors = [line for line in done.err.splitlines() if not line.startswith("isingprop: ")]
    assert errors == [
        "Error: RuntimeError: the fridge is warm; go on with: isingprop train --resume run"
    ]
    assert isingprop("train", "--resume", "run").code == 0
    assert_same_run(tmp_path / "run", unbroken)


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
    lines = [line for line in done.err.splitlines() if not line.startswith("isingprop: ")]
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


def test_a_budget_for_less_than_an_epoch_stops_in_words(isingprop, tmp_path):
    """And tells of no file that is not there."""
    done = isingprop("train", *SMALL, "--sampler", "dwave", "--out", "run", "--qpu-budget", "0.05")
    assert done.code == 0, done.err
    assert "Stopped: QPU budget must leave" in done.err
    assert "Traceback" not in done.err
    assert len(answers(tmp_path / "run")) == 3
    for name in ("model.safetensors", "history.csv", "training.png"):
        assert (name in done.out) == (tmp_path / "run" / name).exists()


def test_a_budget_ends_an_evaluation_in_one_line(isingprop, tmp_path):
    """More test images than the run paid for."""
    options = "--sampler", "dwave", "--epochs", "1", "--out", "run", "--qpu-budget", "0.4"
    assert isingprop("train", *SMALL, *options).code == 0
    before = answers(tmp_path / "run")
    done = isingprop("evaluate", "run", "--num-test", "100")
    assert done.code == 1
    assert done.out == ""
    (error,) = done.err.splitlines()
    assert "QPU budget must leave" in error
    assert before.items() <= answers(tmp_path / "run").items()


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_dry_run_shows_the_first_request_and_leaves_nothing(
    isingprop, whole, monkeypatch, tmp_path, sampler
):
    stopping = Stopping(monkeypatch, at=1)
    done = isingprop("train", *SMALL, "--sampler", sampler, "--dry-run")
    assert done.code == 0, done.err
    assert done.err == ""
    lines = done.out.splitlines()
    assert lines[0] == "first request   shown, not sent"
    assert [line.split()[0] for line in lines[1:]] == [
        "solver",
        "problem",
        "h",
        "scale",
        "parameters",
        "cost",
    ]
    assert ("initial_state" in done.out) == (sampler != "dwave")
    assert ("h_gain_schedule" in done.out) == (sampler == "dwave-cyclic")
    as_json = isingprop(
        "train", *SMALL, "--sampler", sampler, "--dry-run", "--json", "--out", "run"
    )
    body = json.loads(as_json.out)
    assert set(body) == {"solver", "h", "J", "params", "label"}
    assert body["params"]["num_reads"] >= 1
    assert body["params"]["auto_scale"] is False
    assert stopping.calls == 0
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_stops_before_a_test_that_has_no_answers_yet(isingprop, monkeypatch, tmp_path):
    """Ten calls of the epoch are answered; the eleventh would be the test's."""
    with monkeypatch.context() as patch:
        Stopping(patch, at=11)
        assert isingprop("train", *SMALL, "--sampler", "dwave", "--out", "run").code == 130
    assert len(Index(tmp_path / "run" / "qpu").pending) == 1
    assert len(answers(tmp_path / "run")) == 11, "ten, and the one that was asked for"
    stopping = Stopping(monkeypatch, at=1)
    done = isingprop("train", "--resume", "run", "--dry-run")
    assert (done.code, done.out.splitlines()[0]) == (0, "first request   shown, not sent"), done.err
    assert stopping.calls == 0


def test_a_dry_run_of_an_epoch_that_has_all_its_answers_says_so(
    isingprop, whole, monkeypatch, tmp_path
):
    folder, _ = whole("dwave", isingprop)
    shutil.copytree(folder, tmp_path / "run")
    (tmp_path / "run" / "checkpoint.safetensors").unlink()
    stopping = Stopping(monkeypatch, at=1)
    done = isingprop("train", "--resume", "run", "--dry-run")
    assert (done.code, done.err) == (0, "")
    assert done.out == "first request   none: all answers of the next epoch are on disk\n"
    assert json.loads(isingprop("train", "--resume", "run", "--dry-run", "--json").out) == {}
    assert stopping.calls == 0


def test_the_request_of_a_dry_run_is_the_first_of_the_run(isingprop, monkeypatch):
    body = json.loads(
        isingprop("train", *SMALL, "--sampler", "dwave-cyclic", "--dry-run", "--json").out
    )
    sent = []

    def sample_ising(_, h, J, **parameters):
        sent.append((h, J, parameters))
        raise KeyboardInterrupt

    monkeypatch.setattr(EmulatedQPU, "sample_ising", sample_ising)
    assert isingprop("train", *SMALL, "--sampler", "dwave-cyclic", "--out", "run").code == 130
    ((h, J, parameters),) = sent
    assert body["h"] == {str(qubit): value for qubit, value in h.items()}
    assert body["J"] == {f"{u} {v}": value for (u, v), value in J.items()}
    start = {str(qubit): value for qubit, value in parameters.pop("initial_state").items()}
    assert body["params"].pop("initial_state") == start
    del parameters["label"]
    assert body["params"] == parameters


@pytest.mark.parametrize("sampler", ["anneal", "cyclic", "temper"])
def test_a_dry_run_without_a_chip_is_refused(isingprop, tmp_path, sampler):
    done = isingprop("train", *QUICK, "--sampler", sampler, "--dry-run")
    assert done.code == 1
    assert done.out == ""
    must = "--dry-run must go with --sampler dwave, dwave-reverse or dwave-cyclic"
    assert done.err == f"Error: {must}, got {sampler}\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("sampler", "test_sampler", "epoch", "test"),
    [
        ("dwave", "anneal", 10, 0),
        ("anneal", "dwave", 0, 10),
        ("dwave", "dwave", 10, 10),
        ("cyclic", "dwave", 0, 10),
    ],
)
def test_a_test_has_a_sampler_of_its_own(isingprop, tmp_path, sampler, test_sampler, epoch, test):
    options = "--sampler", sampler, "--test-sampler", test_sampler, "--out", "run", "--json"
    done = isingprop("train", *SMALL, *options, "--epochs", "1")
    assert done.code == 0, done.err
    assert len(answers(tmp_path / "run")) == epoch + test
    content = json.loads(done.out)
    assert content["qpu_seconds"] == pytest.approx(Index(tmp_path / "run" / "qpu").seconds)
    assert [bool(row["qpu_seconds"]) for row in history(tmp_path / "run")] == [sampler == "dwave"]
    evaluated = json.loads(isingprop("evaluate", "run", "--json").out)
    assert evaluated["test_accuracy"] == content["test_accuracy"]
    assert len(answers(tmp_path / "run")) == epoch + test
    resumed = isingprop("train", "--resume", "run", "--json")
    assert resumed.code == 0, resumed.err
    assert len(answers(tmp_path / "run")) == epoch + test, "nothing was left to do"


def test_modes_do_not_differ_between_training_and_test(isingprop, tmp_path):
    """One budget and one folder of answers are for one sampler; tests have no start states in any mode."""
    options = (
        "--sampler",
        "dwave-cyclic",
        "--test-sampler",
        "dwave",
        "--epochs",
        "1",
        "--out",
        "run",
    )
    done = isingprop("train", *SMALL, *options)
    assert done.code == 1
    assert done.err == "Error: test_sampler must be dwave-cyclic or no D-Wave chip, got dwave\n"
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("option", [("--qpu-budget", "1"), ("--qpu-solver", "emulated:zephyr:2")])
def test_options_of_a_chip_are_refused_where_there_is_none(isingprop, option):
    done = isingprop("train", "--num-train", "10", "--num-test", "10", *option)
    assert done.code == 1
    assert done.err.startswith(
        f"Error: {option[0][2:].replace('-', '_')} must go with sampler dwave, dwave-reverse"
    )


@pytest.fixture
def no_account(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("DWAVE_")]:
        monkeypatch.delenv(name)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS"):
        monkeypatch.setenv(name, str(tmp_path / "home"))


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_without_an_account_the_error_is_one_line_saying_how_to_get_one(
    isingprop, no_account, sampler
):
    for more in ((), ("--dry-run",), ("--qpu-solver", "Advantage2_system1.6")):
        done = isingprop("train", *QUICK, "--sampler", sampler, *more)
        assert done.code == 1
        assert done.out == ""
        errors = [line for line in done.err.splitlines() if not line.startswith("isingprop: ")]
        assert len(errors) == 1, done.err
        assert "dwave setup" in errors[0]
        assert "Traceback" not in done.err


def test_a_run_that_found_no_account_leaves_no_folder(isingprop, no_account, tmp_path):
    assert isingprop("train", *QUICK, "--sampler", "dwave", "--out", "run").code == 1
    assert list(tmp_path.iterdir()) == []
    done = isingprop("train", *SMALL, "--sampler", "dwave", "--epochs", "1", "--out", "run")
    assert done.code == 0, done.err


REFUSED = {
    "--sampler must be anneal": ("--sampler", "qpu"),
    "--test-sampler must be anneal": ("--test-sampler", "qpu"),
    "--qpu-budget must be finite and above 0, got 0.0": ("--qpu-budget", "0"),
    "--qpu-budget must be finite and above 0, got nan": ("--qpu-budget", "nan"),
    "qpu_solver must be emulated:pegasus or emulated:zephyr": (
        "--sampler",
        "dwave",
        "--qpu-solver",
        "emulated:chimera",
    ),
    "size must be at least": ("--sampler", "dwave", "--qpu-solver", "emulated:zephyr:0"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_bad_option_is_refused_in_one_line_before_any_work(isingprop, tmp_path, what):
    done = isingprop("train", *QUICK, *REFUSED[what])
    assert done.code in (1, 2)
    assert done.out == ""
    (error,) = done.err.splitlines()
    assert what in error
    assert list(tmp_path.iterdir()) == []


HOLDER = """
import sys, time
from pathlib import Path
from isingprop.qpu.calls.record import Record, read_settings
record = Record.of(Path(sys.argv[1]), read_settings(Path(sys.argv[1])))
print("held", flush=True)
time.sleep(60)
"""


def test_two_commands_do_not_write_into_one_folder(isingprop, monkeypatch, tmp_path):
    with monkeypatch.context() as patched:
        Stopping(patched, 3)
        assert isingprop("train", *SMALL, "--sampler", "dwave", "--out", "run").code == 130
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "run" / "qpu")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        done = isingprop("train", "--resume", "run")
        holder.kill()
    assert done.code == 1
    errors = [line for line in done.err.splitlines() if not line.startswith("isingprop: ")]
    assert len(errors) == 1
    assert "must be written by one process at a time, got another at work" in errors[0]
    assert isingprop("train", "--resume", "run").code == 0
