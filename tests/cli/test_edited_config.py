"""config.json edited by hand: what is refused when it is read, and what when a run goes on."""

import json
from dataclasses import asdict, fields, replace

import pytest

from helpers.cli.settings_of_runs import settings_of_a_run
from helpers.idx_files import small_arrays, write_folder
from isingprop.cli.options import BOUNDS
from isingprop.cli.run_folder import RunFolder
from isingprop.cli.run_settings import RunSettings
from isingprop.data.download import FILES

SETTINGS = settings_of_a_run(
    data="mnist",
    num_train=20,
    num_test=10,
    epochs=3,
    num_states=1,
    num_sweeps=5,
    hidden=(6,),
    sampler="class-states",
    seed=0,
    test_sampler="anneal",
    optimizer="adam",
    average_from=1,
    coupling_gain=0.3,
)
EDITS = {
    "data": ["digit", 3, None, ["digits"]],
    "data_dir": [3, ["a"], True],
    "num_train": ["20", 0, -1, 2.5, True],
    "num_test": ["20", 0, -1, 2.5, True],
    "epochs": ["30", True, -3, 2.5, None, 0, [3]],
    "num_states": ["3", 0, 10_001, 1.0, None],
    "num_sweeps": ["3", 0, 10**9, 1.0, None],
    "hidden": [["a"], [], [0], [2.5], "120", None, [True], [[3]], 0],
    "learning_rate": ["x", float("nan"), float("inf"), 0, -1.0, None, True, [0.1], 10**400],
    "sampler": ["annealing", "", 3, None, "dimod:a"],
    "seed": ["0", -1, 2**64, 0.0, None],
    "threads": ["1", 0, 1025, 1.5, None],
    "beta_effective": ["no", 0, None],
    "batch_size": ["1", 0, 1.5, None],
    "test_sampler": ["annealing", 3],
    "qpu_solver": [3, ["a"]],
    "qpu_budget": ["1", 0, -1, float("nan"), True],
    "active_layers": [3, "2", True, 2.5],
    "optimizer": ["rmsprop", 3, None],
    "schedule": ["step", 3, None],
    "margin": ["1", -1.0, float("nan"), True],
    "average_from": ["1", 0, 1.5],
    "coupling_gain": ["1", 0.0, -1, float("inf"), None],
    "qpu_scale": ["1", 0, -1, float("nan")],
    "qpu_annealing_time": ["1", 0, -1, float("nan")],
    "snapshots": ["no", 0, None],
    "label": [3, ["a"]],
    "data_sha256": [3, True],
}


@pytest.fixture
def edited(tmp_path):
    """Writes a run folder, with an edit of the settings in its config.json, as text editors do."""
    folder = RunFolder.create(tmp_path / "run", SETTINGS)
    whole = json.loads((folder.path / "config.json").read_text())

    def edited(edit):
        content = json.loads(json.dumps(whole))
        content.pop("sha256", None)
        content.pop("format_version", None)
        edit(content)
        (folder.path / "config.json").write_text(json.dumps(content))
        return folder.path

    return edited


pytestmark = pytest.mark.filterwarnings("ignore:.*checksum")


def test_each_field_has_edits_here():
    assert list(EDITS) == [field.name for field in fields(RunSettings)]


@pytest.mark.parametrize("name", EDITS)
def test_a_value_of_another_type_or_range_is_refused_with_its_field(edited, name):
    for value in EDITS[name]:
        path = edited(lambda content, value=value: content["settings"].update({name: value}))
        with pytest.raises(ValueError, match=rf"^{name}(\[0\])? must ") as caught:
            RunFolder.open(path)
        message = str(caught.value)
        assert message.endswith(f" (in {path / 'config.json'})")
        assert ", got " in message


def test_what_was_expected_and_found_is_told(edited):
    for name, value, told in (
        ("epochs", "30", "epochs must be an integer, got '30'"),
        ("epochs", -3, "epochs must be at least 1, got -3"),
        ("threads", 1025, "threads must be at most 1024, got 1025"),
        ("learning_rate", "x", "learning_rate must be a number, got 'x'"),
        ("learning_rate", float("nan"), "learning_rate must be finite and above 0, got nan"),
        ("hidden", ["a"], "hidden[0] must be an integer, got 'a'"),
        (
            "data",
            "digit",
            "data must be one of digits, mnist, fashion-mnist, openml:NAME or an "
            "absolute path, got 'digit'",
        ),
        ("schedule", "step", "schedule must be one of constant, linear, cosine, or a function"),
    ):
        path = edited(lambda content, n=name, v=value: content["settings"].update({n: v}))
        with pytest.raises(ValueError) as caught:  # noqa: PT011
            RunFolder.open(path)
        assert str(caught.value).startswith(told)


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (lambda content: content["settings"].update(epoch=3), "settings must be data, data_dir"),
        (lambda content: content["settings"].pop("seed"), "settings must hold seed, got none"),
        (lambda content: content.update(settings=[1]), "settings must be an object, got [1]"),
        (lambda content: content.pop("settings"), "settings must be an object, got None"),
    ],
)
def test_fields_that_are_missing_or_unknown(edited, edit, told):
    path = edited(edit)
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        RunFolder.open(path)
    assert str(caught.value).startswith(told)
    assert str(path / "config.json") in str(caught.value)


def test_settings_are_read_back_and_older_folders_lack_some(edited):
    assert RunFolder.open(edited(lambda content: None)).settings == SETTINGS
    first = RunSettings("digits", None, None, None, 3, 1, 5, (6,), 0.001, "anneal", 0, 1)
    old = {
        field.name: getattr(first, field.name) for field in fields(first)[: len(vars(first)) - 13]
    }
    old["hidden"] = 6  # as the first version wrote it
    path = edited(lambda content: content.update(settings=old))
    assert RunFolder.open(path).settings == first


def test_the_command_refuses_in_one_line(edited, isingprop):
    edited(lambda content: content["settings"].update(epochs="30"))
    for command in (("evaluate", "run"), ("train", "--resume", "run")):
        done = isingprop(*command)
        assert (done.code, done.out) == (1, "")
        *_, last = done.err.splitlines()
        assert last == "Error: epochs must be an integer, got '30' (in run/config.json)"


@pytest.mark.parametrize("name", BOUNDS)
def test_options_have_the_same_bounds(isingprop, name):
    least, most = BOUNDS[name]
    option = f"--{name.replace('_', '-')}"
    for value in (least - 1, *(() if most is None else (most + 1,))):
        done = isingprop("train", option, str(value))
        assert done.code == 2
        assert option in done.err


# What an edit of a finished run's config.json does when the run goes on: the name in the refusal,
# or None for what decides no number, or is meant to be changed.
CHANGES = {
    "data": ("fashion-mnist", "data must be mnist as in"),
    "data_dir": ("other", "test_images must be those that the run began with"),
    "num_train": (19, "num_train must be 20 as in"),
    "num_test": (9, "num_test must be 10 as in"),
    "epochs": (4, None),
    "num_states": (2, "num_states must be 1 as in"),
    "num_sweeps": (6, "test_sampler must be "),
    "hidden": ((7,), "network must be "),
    "learning_rate": (0.002, "learning_rates must be "),
    "sampler": ("anneal", "sampler must be "),
    "seed": (1, "seed must be 0 as in"),
    "threads": (2, None),
    "beta_effective": (True, None),  # a column
    "batch_size": (2, "batch_size must be 1 as in"),
    "test_sampler": ("temper", "test_sampler must be "),
    "qpu_solver": ("emulated:zephyr:2", "qpu_solver must go with sampler dwave"),
    "qpu_budget": (1.0, "qpu_budget must go with sampler dwave"),
    "active_layers": (None, None),  # of deep networks
    "optimizer": ("sgd", "optimizer must be adam as in"),
    "schedule": ("linear", "schedule must be None as in"),
    "margin": (1.0, "margin must be None as in"),
    "average_from": (2, "average_from must be 1 as in"),
    "coupling_gain": (0.5, "coupling_gain must be 0.3 as in"),
    "qpu_scale": (0.5, "qpu_scale must go with sampler dwave"),
    "qpu_annealing_time": (5.0, "qpu_annealing_time must go with sampler dwave"),
    "snapshots": (True, None),
    "label": ("species", None),  # of tables
    "data_sha256": ("0" * 64, None),  # of the user's own data
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run of SETTINGS on small images, and another folder with other test images."""
    folder = tmp_path_factory.mktemp("finished")
    arrays, others = small_arrays(), small_arrays(seed=1)
    write_folder(folder / "data", arrays)
    write_folder(folder / "other", {**arrays, FILES[2]: others[FILES[2]]})
    settings = replace(SETTINGS, data_dir=str(folder / "data"))
    images = settings.load_data()
    trainer = settings.make_trainer(images)
    trainer.fit(images, settings.epochs)
    trainer.save_checkpoint(folder / "checkpoint")
    return folder, settings


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_setting_of_a_run_that_goes_on(finished, name):
    folder, settings = finished
    value, told = CHANGES[name]
    changed = replace(settings, **{name: str(folder / value) if name == "data_dir" else value})

    def go_on():
        images = changed.load_data()
        trainer = changed.make_trainer(images)
        trainer.restore(folder / "checkpoint")
        trainer.check_images(images)

    if told is None:
        go_on()
    else:
        with pytest.raises(ValueError, match=told):
            go_on()


def test_each_field_has_a_change_here():
    assert list(CHANGES) == [field.name for field in fields(RunSettings)]
    assert all(getattr(SETTINGS, name) != CHANGES[name][0] for name in asdict(SETTINGS))


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("qpu_scale", 0.5, "sampler must be .*'scale'"),
        ("qpu_annealing_time", 5.0, "sampler must be .*'annealing_time'"),
        ("qpu_budget", 2.0, None),
        ("active_layers", None, "active_layers must be 2 as in"),
    ],
)
def test_a_changed_setting_of_a_chip_or_a_deep_network(tmp_path, name, value, told):
    settings = replace(SETTINGS, data="digits", optimizer="sgd", average_from=None)
    if name == "active_layers":
        settings = replace(settings, hidden=(6, 5), sampler="anneal", test_sampler=None)
    else:
        chip = {"sampler": "dwave", "test_sampler": None, "qpu_solver": "emulated:zephyr:2"}
        settings = replace(settings, **chip)
    images = settings.load_data()
    settings.make_trainer(images).save_checkpoint(tmp_path / "checkpoint")
    trainer = replace(settings, **{name: value}).make_trainer(images)
    if told is None:
        trainer.restore(tmp_path / "checkpoint")
    else:
        with pytest.raises(ValueError, match=told):
            trainer.restore(tmp_path / "checkpoint")


@pytest.mark.slow
def test_a_finished_run_is_not_tested_on_other_images(tmp_path, isingprop):
    """Nothing is trained, so that training images are not compared by an epoch."""
    quick = ("--num-train", "30", "--num-test", "20", "--hidden", "6", "--epochs", "2")
    assert isingprop("train", *quick, "--out", "run").code == 0
    config = tmp_path / "run" / "config.json"
    config.write_text(config.read_text().replace('"num_test": 20', '"num_test": 10'))
    before = (tmp_path / "run" / "history.csv").read_bytes()
    done = isingprop("train", "--resume", "run")
    assert done.code == 1
    assert "num_test must be 20 as in the checkpoint run/checkpoint" in done.err
    assert (tmp_path / "run" / "history.csv").read_bytes() == before
