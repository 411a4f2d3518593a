"""Deep networks on the command line, and on an emulated D-Wave chip.

Commands run in this process, which spares each of them two seconds of imports.
"""

import json

import numpy as np
import pytest
from dwave.samplers import SimulatedAnnealingSampler, SteepestDescentSampler

import isingprop as ip
from helpers.dwave.chip_commands import Stopping, answers, history
from helpers.training.training_runs import bits, without_seconds
from isingprop.qpu.calls.record import Index
from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU

QUICK = (
    "--num-train",
    "40",
    "--num-test",
    "30",
    "--num-states",
    "3",
    "--num-sweeps",
    "5",
    "--hidden",
    "20,10",
)

RUN_FILES = [
    "checkpoint.safetensors",
    "config.json",
    "history.csv",
    "lock",
    "model.safetensors",
    "training.png",
]


def test_train_leaves_a_whole_run_folder_and_evaluate_agrees(isingprop, tmp_path):
    done = isingprop("train", *QUICK, "--epochs", "2", "--out", "run", "--json")
    assert done.code == 0, done.err
    content, folder = json.loads(done.out), tmp_path / "run"
    assert (
        content["epochs"],
        content["settings"]["hidden"],
        content["settings"]["active_layers"],
    ) == (2, [20, 10], 2)
    assert sorted(path.name for path in folder.iterdir()) == RUN_FILES
    assert (folder / "training.png").read_bytes().startswith(b"\x89PNG")
    assert ip.LayeredNetwork.load(folder / "model.safetensors").sizes == (20, 10, 40)
    assert [row["largest_problem"] for row in history(folder)] == ["50", "50"]
    assert (
        "LayeredNetwork(64 inputs, 20 + 10 hidden, 40 output spins, 10 classes), 40 training images"
        in done.err
    )
    evaluated = json.loads(isingprop("evaluate", "run", "--json").out)
    assert (
        evaluated["test_accuracy"]
        == content["test_accuracy"]
        == float(history(folder)[-1]["test_accuracy"])
    )
    assert isingprop("evaluate", "run").out.startswith("lowest reads    ")
    images = ip.load_data("digits", num_train=40, num_test=30)
    network = ip.LayeredNetwork.random(num_inputs=64, hidden=(20, 10), num_classes=10, seed=0)
    rates = ip.LearningRates.for_images(0.001, images.train_images, deep=True)
    trainer = ip.Trainer(network, ip.Annealing(5), num_states=3, learning_rate=rates, seed=0)
    trainer.fit(images, 2)
    model = ip.LayeredNetwork.load(folder / "model.safetensors")
    assert bits(trainer) == {name: array.tobytes() for name, array in model.parameters().items()}


@pytest.mark.slow
@pytest.mark.parametrize("active_layers", ["2", "all"])
def test_a_resumed_run_ends_with_the_bits_of_one_never_stopped(isingprop, tmp_path, active_layers):
    options = *QUICK, "--active-layers", active_layers
    whole = isingprop("train", *options, "--epochs", "3", "--out", "whole", "--json")
    assert whole.code == 0, whole.err
    assert isingprop("train", *options, "--epochs", "2", "--out", "parts").code == 0
    resumed = isingprop("train", "--resume", "parts", "--epochs", "3", "--threads", "2", "--json")
    assert resumed.code == 0, resumed.err
    models = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "parts")]
    assert models[0] == models[1]
    assert history(tmp_path / "whole") == history(tmp_path / "parts")
    largest = {"2": "50", "all": "70"}[active_layers]
    assert {row["largest_problem"] for row in history(tmp_path / "parts")} == {largest}
    settings = json.loads((tmp_path / "parts" / "config.json").read_text())["settings"]
    assert (settings["hidden"], settings["active_layers"]) == (
        [20, 10],
        {"2": 2, "all": None}[active_layers],
    )
    evaluated = json.loads(isingprop("evaluate", "parts", "--json").out)
    assert evaluated["test_accuracy"] == json.loads(whole.out)["test_accuracy"]


@pytest.mark.slow
@pytest.mark.parametrize("option", [("--hidden", "20,9"), ("--active-layers", "all")])
def test_the_layers_of_a_run_stay_as_they_began(isingprop, option):
    assert isingprop("train", *QUICK, "--epochs", "1", "--out", "run").code == 0
    done = isingprop("train", "--resume", "run", *option)
    assert (done.code, done.out) == (2, "")
    assert (
        done.err == f"Error: {option[0]} cannot be said with --resume: the run keeps what "
        "it began with\n"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "hidden", ["20,,10", "20,0", "", "a", "20,", ",20", "0", "-3", "20,-1", "2.5", "20 10", "1e2"]
)
def test_a_bad_list_of_layers_is_refused_in_one_line(isingprop, tmp_path, hidden):
    done = isingprop("train", f"--hidden={hidden}")
    assert (done.code, done.out) == (2, "")
    refusal = "--hidden must be whole numbers with commas between, at least 1, got "
    assert done.err == f"Error: {refusal}{hidden!r}\n"
    assert list(tmp_path.iterdir()) == []


def test_bad_active_layers_are_refused_in_one_line(isingprop, tmp_path):
    done = isingprop("train", "--active-layers", "3")
    assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("active_layers", [(), ("--active-layers", "all")])
def test_one_hidden_layer_is_the_shallow_network(isingprop, tmp_path, active_layers):
    done = isingprop("train", *QUICK[:-1], "20", *active_layers, "--epochs", "1", "--out", "run")
    assert done.code == 0, done.err
    assert ip.BipartiteNetwork.load(tmp_path / "run" / "model.safetensors").num_hidden == 20


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.* has no checksum")
def test_a_run_from_before_there_were_layers_opens_and_goes_on(isingprop, tmp_path):
    options = (*QUICK[:-1], "20", "--recipe", "paper", "--epochs")
    assert isingprop("train", *options, "2", "--out", "whole").code == 0
    trained = isingprop("train", *options, "1", "--out", "run", "--json")
    config = tmp_path / "run" / "config.json"
    content = json.loads(config.read_text())
    del content["settings"]["active_layers"], content["sha256"], content["format_version"]
    content["settings"]["hidden"] = 20
    config.write_text(json.dumps(content))
    evaluated = isingprop("evaluate", "run", "--json")
    assert evaluated.code == 0, evaluated.err
    assert json.loads(evaluated.out)["test_accuracy"] == json.loads(trained.out)["test_accuracy"]
    resumed = isingprop("train", "--resume", "run", "--epochs", "2")
    assert resumed.code == 0, resumed.err
    models = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "run")]
    assert models[0] == models[1]
    assert json.loads(config.read_text())["settings"]["hidden"] == [20]


@pytest.mark.slow
@pytest.mark.parametrize(
    "sampler", ["temper", "cyclic", "dimod:dwave.samplers:SteepestDescentSampler"]
)
def test_another_sampler_is_one_flag(isingprop, tmp_path, sampler):
    done = isingprop(
        "train",
        *QUICK,
        "--sampler",
        sampler,
        "--beta-effective",
        "--epochs",
        "1",
        "--out",
        "run",
        "--json",
    )
    assert done.code == 0, done.err
    content = json.loads(done.out)
    assert (content["wrong_cycles"], content["beta_effective"]) == (None, "inf")
    evaluated = json.loads(isingprop("evaluate", "run", "--json").out)
    assert evaluated["test_accuracy"] == content["test_accuracy"]


# 12 + 8 + 40 spins in two stages; a Z4 has room for both.
SMALL = (
    "--num-train",
    "6",
    "--num-test",
    "10",
    "--hidden",
    "12,8",
    "--num-states",
    "2",
    "--num-sweeps",
    "5",
)

ON_A_CHIP = (
    *SMALL,
    "--qpu-solver",
    "emulated:zephyr:4",
    "--test-sampler",
    "anneal",
    "--epochs",
    "2",
)

SAMPLERS = ["dwave", "dwave-reverse", "dwave-cyclic"]


@pytest.mark.slow
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_run_on_a_chip_keeps_its_answers_and_pays_once(isingprop, monkeypatch, tmp_path, sampler):
    done = isingprop("train", *ON_A_CHIP, "--sampler", sampler, "--out", "whole", "--json")
    assert done.code == 0, done.err
    told, whole = json.loads(done.out), tmp_path / "whole"
    assert sorted(path.name for path in whole.iterdir()) == sorted([*RUN_FILES, "qpu"])
    assert told["qpu_seconds"] == pytest.approx(Index(whole / "qpu").seconds)
    assert told["qpu_seconds"] == pytest.approx(
        sum(float(row["qpu_seconds"]) for row in history(whole))
    )
    assert told["beta_effective"] > 0
    with monkeypatch.context() as patched:
        Stopping(patched, 5, after=True)
        assert isingprop("train", *ON_A_CHIP, "--sampler", sampler, "--out", "run").code == 130
    paid = Stopping(monkeypatch, at=0)
    resumed = isingprop("train", "--resume", "run", "--json")
    assert resumed.code == 0, resumed.err
    models = [(folder / "model.safetensors").read_bytes() for folder in (whole, tmp_path / "run")]
    assert models[0] == models[1]
    assert history(tmp_path / "run") == history(whole)
    pending = 1  # was annealed when the run broke off, but its answer had not come
    assert paid.calls == len(answers(whole)) - (5 - pending)
    before = paid.calls
    evaluated = isingprop("evaluate", "run", "--json")
    assert json.loads(evaluated.out)["test_accuracy"] == told["test_accuracy"]
    assert paid.calls == before


@pytest.mark.slow
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_chip_that_takes_start_states_samples_the_backward_pass_too(
    isingprop, monkeypatch, sampler
):
    """Of each image and epoch two stages from random states, and one, free and nudged, from where
    they are.
    """
    starts = []
    true = EmulatedQPU.sample

    def sample(device, bqm, **parameters):
        starts.append("initial_state" in parameters)
        return true(device, bqm, **parameters)

    monkeypatch.setattr(EmulatedQPU, "sample", sample)
    options = "--sampler", sampler, "--epochs", "1", "--out", "run"
    assert isingprop("train", *ON_A_CHIP[:-2], *options).code == 0
    assert starts.count(False) >= 6 * 2
    assert starts.count(True) == 0 if sampler == "dwave" else starts.count(True) >= 6 * 2


def test_a_dry_run_shows_the_first_request_and_leaves_nothing(isingprop, monkeypatch, tmp_path):
    stopping = Stopping(monkeypatch, at=1)
    done = isingprop("train", *ON_A_CHIP, "--sampler", "dwave", "--dry-run")
    assert done.code == 0, done.err
    assert done.out.startswith("first request   shown, not sent\n")
    assert (stopping.calls, list(tmp_path.iterdir())) == (0, [])


@pytest.mark.slow
def test_a_pair_of_layers_that_does_not_fit_on_the_chip_is_refused_before_there_is_a_folder(
    isingprop, tmp_path
):
    """The first pair does, 4 x 4 spins on a Z1; the second, 4 x 40, does not."""
    options = (
        "--hidden",
        "4,4",
        "--qpu-solver",
        "emulated:zephyr:1",
        "--sampler",
        "dwave",
        "--out",
        "run",
    )
    done = isingprop("train", *SMALL, *options)
    assert (done.code, done.out) == (1, "")
    assert len(done.err.splitlines()) == 1
    assert "40" in done.err
    assert list(tmp_path.iterdir()) == []


IMAGES = ip.load_data("digits", num_train=6, num_test=5)


def network(hidden=(6, 5)):
    return ip.LayeredNetwork.random(
        num_inputs=64, hidden=hidden, num_classes=10, redundancy=1, seed=2
    )


def trained(sampler, **options):
    trainer = ip.Trainer(
        network(), sampler, num_states=2, learning_rate=0.02, num_test_reads=2, **options
    )
    trainer.fit(IMAGES, 2)
    return trainer


@pytest.fixture
def device():
    return EmulatedQPU("zephyr", 2)


@pytest.mark.slow
@pytest.mark.parametrize("active_layers", [2, None])
@pytest.mark.parametrize("mode", ["forward", "reverse", "cyclic"])
def test_training_on_a_chip_is_free_when_it_is_run_again(
    monkeypatch, tmp_path, device, mode, active_layers
):
    options = {
        "active_layers": active_layers,
        "batch_size": 3,
        "max_spins": 15 if active_layers else 21,
    }
    sampler = ip.DWave(mode, solver=device, record=tmp_path)
    first = trained(sampler, **options)
    assert bits(first) != {name: array.tobytes() for name, array in network().parameters().items()}
    record = first.history[-1]
    assert record.largest_problem == (15 if active_layers else 21)
    assert record.qpu_seconds > 0
    assert 0 <= record.chain_break_fraction < 1
    sampler.close()
    paid = Stopping(monkeypatch, at=1)
    again = trained(ip.DWave(mode, solver=EmulatedQPU("zephyr", 2), record=tmp_path), **options)
    assert paid.calls == 0
    assert bits(again) == bits(first)
    assert without_seconds(again.history) == without_seconds(first.history)
    played = trained(ip.Replay(tmp_path), **options)
    assert bits(played) == bits(first)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["reverse", "cyclic"])
def test_a_chip_warms_what_is_sampled_backward(monkeypatch, tmp_path, mode):
    """Each chain from its own start state, in a sampler of its own beside the annealer.

    Equal requests are one call; with this model there are none.
    """
    device = EmulatedQPU("zephyr", 2, model="classical")
    starts = []
    true = EmulatedQPU.sample

    def sample(device, bqm, **parameters):
        starts.append(parameters.get("initial_state"))
        return true(device, bqm, **parameters)

    monkeypatch.setattr(EmulatedQPU, "sample", sample)
    options = {
        "sampler": ip.Annealing(5),
        "warm_sampler": ip.DWave(mode, solver=device, record=tmp_path),
    }
    first = trained(**options)
    assert len(starts) >= 2 * 6 * 2, "free and nudged, six images, two epochs"
    assert None not in starts
    assert first.history[-1].qpu_seconds > 0
    count = len(starts)
    assert bits(trained(**options)) == bits(first)
    assert len(starts) == count


@pytest.mark.slow
@pytest.mark.parametrize("make", [SimulatedAnnealingSampler, SteepestDescentSampler])
def test_a_dimod_sampler_trains_a_deep_network(make):
    runs = [
        trained(ip.FromDimod(make()), warm_sampler=ip.FromDimod(make()), max_spins=15)
        for _ in range(2)
    ]
    assert bits(runs[0]) == bits(runs[1])
    assert bits(runs[0]) != {
        name: array.tobytes() for name, array in network().parameters().items()
    }
    assert runs[0].history[-1].largest_problem == 15
    energies = ip.sample_states(
        network(), ip.FromDimod(make()), IMAGES.test_images, 3, seed=0
    ).energies
    assert np.isfinite(energies).all()
