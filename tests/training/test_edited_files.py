"""Files whose text or arrays were edited by hand: a ValueError that names the file, or none."""

import json
import re

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save

import isingprop as ip
from helpers.training.training_runs import DATA
from isingprop.energy_model.model import EnergyModel

pytestmark = pytest.mark.filterwarnings("ignore:.* has no checksum")

HUGE = "9" * 5000  # digits, more than Python turns into an integer
NO_TEXT = [None, True, 3, -1, 2.5, 10**400, [], [1], {}, {"a": 1}]
WRONG_TEXT = ["", "text", "null", "nan", "-1", "[]", "{}", "{", "[" * 100_000, HUGE]
NO_COUNT = [None, True, -1, 2.5, 10**400, "3", [], {}]
NO_FLOAT = [None, True, -1, 10**400, "3", [], {}]


def network():
    made = ip.BipartiteNetwork.random(num_inputs=7, num_hidden=5, num_classes=3, redundancy=1)
    made.beta = 1.5
    return made


def layered():
    return ip.LayeredNetwork.random(num_inputs=7, hidden=(5, 4), num_classes=3, redundancy=1)


def energy_model():
    return EnergyModel.random(num_inputs=3, num_hidden=4, num_outputs=2)


class Run:
    """A trainer with a checkpoint in place of a model; the second file has the earlier records."""

    def __init__(self, epochs=2):
        options = {"num_states": 1, "optimizer": "adam", "average_from": 1}
        self.trainer = ip.Trainer(network(), ip.ClassStates(network().readout), **options)
        self.epochs = epochs

    def save(self, path):
        for _ in range(self.epochs):
            self.trainer.train_epoch(DATA.train_images, DATA.train_labels)
            self.trainer.save_checkpoint(path)

    def load(self, path):
        Run().trainer.restore(path)


def split_run():
    return Run(epochs=55)


def content_of(path):
    with safe_open(path, framework="numpy") as file:
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        text = json.loads(file.metadata()["isingprop"])

    # Version 1 has no checksum, which would be all that is looked at.
    text.pop("sha256", None)
    return arrays, {**text, "format_version": "1"}


def assert_named(made, path, arrays, text, words=None):
    path.write_bytes(save(arrays, metadata={"isingprop": json.dumps(text)}))
    try:
        made.load(path)
    except ValueError as error:
        assert str(path) in str(error)  # noqa: PT017
        assert words is None or re.search(words, str(error))  # noqa: PT017
    else:
        raise AssertionError(f"{text} was read")


KEYS = {
    network: ("format", "format_version", "num_classes", "beta"),
    layered: ("format", "format_version", "num_classes"),
    energy_model: ("format", "format_version"),
    Run: ("format", "format_version", "settings", "data_checksum", "history", "optimizer"),
    split_run: ("earlier_history", "latest_history"),
}


@pytest.mark.parametrize("make", KEYS)
def test_text_of_another_type_or_content(tmp_path, make):
    made, path = make(), tmp_path / "file"
    made.save(path)
    arrays, text = content_of(path)
    assert set(KEYS[make]) <= set(text)
    for key in KEYS[make]:
        for value in [*NO_TEXT, *WRONG_TEXT]:
            if not (key.endswith("history") and value == "[]"):
                assert_named(made, path, arrays, {**text, key: value})
    for value in [*NO_TEXT, *WRONG_TEXT]:
        assert_named(made, path, arrays, value)


@pytest.mark.parametrize("value", [None, 10], ids=repr)
@pytest.mark.parametrize("make", [network, layered])
def test_a_number_of_classes_that_is_no_text_is_named(tmp_path, make, value):
    made, path = make(), tmp_path / "file"
    made.save(path)
    arrays, text = content_of(path)
    words = f"num_classes in .* must be text, got {value}"
    assert_named(made, path, arrays, {**text, "num_classes": value}, words)


@pytest.mark.parametrize("make", [network, layered, energy_model, Run])
def test_arrays_that_do_not_fit(tmp_path, make):
    made, path = make(), tmp_path / "file"
    made.save(path)
    arrays, text = content_of(path)
    for name, array in arrays.items():
        for wrong in (
            *(np.full_like(array, number) for number in (np.nan, np.inf)),
            *(array.astype(bool), np.zeros(0, np.float32), array[..., None], array[:-1]),
        ):
            # A larger or smaller batch of inputs is as good as any.
            if not (make is energy_model and name == "output_weights" and wrong.shape == (1, 4)):
                assert_named(made, path, {**arrays, name: wrong}, text)
        rest = {each: arrays[each] for each in arrays if each != name}
        assert_named(made, path, rest, text)


def edited(text, key, edit):
    value = json.loads(text[key])
    edit(value)
    return {**text, key: json.dumps(value)}


def test_records_and_counts_of_a_checkpoint(tmp_path):
    made, path = Run(), tmp_path / "file"
    made.save(path)
    arrays, text = content_of(path)

    for field in json.loads(text["history"])[0]:
        optional = ip.EpochRecord.__dataclass_fields__[field].default is None
        for wrong in NO_COUNT if field == "epoch" else NO_FLOAT:
            if not (optional and wrong is None) and not (field == "unstable" and wrong is True):

                def edit(history, field=field, wrong=wrong):
                    history[0][field] = wrong

                assert_named(made, path, arrays, edited(text, "history", edit), field)

    for name in json.loads(text["optimizer"])["num_steps"]:
        for wrong in NO_COUNT:
            new = edited(
                text, "optimizer", lambda o, n=name, w=wrong: o["num_steps"].update({n: w})
            )
            assert_named(made, path, arrays, new, name)
    for wrong in NO_COUNT:
        for key in ("num_averaged", "num_steps"):
            new = edited(text, "optimizer", lambda o, k=key, w=wrong: o.update({k: w}))
            assert_named(made, path, arrays, new, key)
        new = edited(text, "history", lambda history, w=wrong: history.append(w))
        assert_named(made, path, arrays, new)
    second = edited(text, "history", lambda history: history.pop(0))
    assert_named(made, path, arrays, second, "epoch of record 1 must be 1, got 2")
    assert_named(made, path, arrays, {**text, "data_checksum": "null"}, "data_checksum")


def test_what_a_checkpoint_says_of_its_second_file(tmp_path):
    made, path = split_run(), tmp_path / "file"
    made.save(path)
    arrays, text = content_of(path)
    for key in ("file", "records", "size"):
        for wrong in [*NO_COUNT, HUGE, "../file", "a/b"]:
            new = edited(text, "earlier_history", lambda e, k=key, w=wrong: e.update({k: w}))
            if not (key == "file" and wrong == "3"):  # is missing, which is another error
                assert_named(made, path, arrays, new, key)
