"""What a network knows of its images: kept in its file, carried along, refused if it is wrong."""

import json

import numpy as np
import pytest

import isingprop as ip
from helpers.idx_files import refusal
from isingprop.util.checked_files import load_tensors, save_tensors
from isingprop.util.input_format import InputFormat, Scaling

RANGES = Scaling(np.array([0.1, -2.0, 3.0, 0.0]), np.array([1.0, 5e-324, 3.0, 1e300]))
COLUMNS = Scaling(np.array([0.0, 1, 2, 3]), np.array([4.0, 4, 4, 4]))
KNOWN = InputFormat(("cat", "Hündin"), (2, 2), RANGES, ("a", "b", "c,d", ""))


def bipartite():
    return ip.BipartiteNetwork.random(num_inputs=4, num_hidden=3, num_classes=2)


def layered():
    return ip.LayeredNetwork.random(num_inputs=4, hidden=(3, 2), num_classes=2)


@pytest.mark.parametrize("make", [bipartite, layered])
def test_a_network_keeps_what_it_knows(tmp_path, make):
    network = make()
    network.input_format = KNOWN
    network.save(tmp_path / "a")
    loaded = type(network).load(tmp_path / "a")
    assert loaded.class_names == KNOWN.class_names
    assert loaded.input_format.image_shape == (2, 2)
    assert loaded.input_format.column_names == KNOWN.column_names
    np.testing.assert_array_equal(loaded.input_format.scaling.lowest, RANGES.lowest, strict=True)
    np.testing.assert_array_equal(loaded.input_format.scaling.highest, RANGES.highest, strict=True)
    assert loaded.with_arrays(loaded.parameters()).input_format is loaded.input_format


def test_a_deep_network_with_one_layer_hands_it_on():
    network = ip.LayeredNetwork.random(num_inputs=4, hidden=(3,), num_classes=2)
    network.input_format = KNOWN
    assert network.shallow().input_format is KNOWN


@pytest.mark.parametrize("make", [bipartite, layered])
def test_files_that_say_nothing_are_those_of_before(tmp_path, make):
    network = make()
    network.save(tmp_path / "a")
    _, metadata = load_tensors(tmp_path / "a", network._kind, ())
    assert "input_format" not in metadata
    loaded = type(network).load(tmp_path / "a")
    assert loaded.input_format == InputFormat()
    assert loaded.class_names == ("0", "1")


def test_training_sets_it_and_averages_have_it():
    x = np.random.default_rng(0).random((20, 2, 2))
    images = ip.ImageSet.from_arrays(x, ["cat", "dog"] * 10)
    network = bipartite()
    trainer = ip.Trainer(network, ip.Annealing(num_sweeps=2), num_states=1, average_from=1)
    trainer.fit(images, epochs=2)
    assert network.input_format is images.input_format
    assert trainer.model is not network
    assert trainer.model.class_names == ("cat", "dog")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"class_names": ["a"]}, "class_names must be 2 different names"),
        ({"class_names": ["a", "a"]}, "class_names must be 2 different names"),
        ({"image_shape": [2, 3]}, "image_shape must have 4 pixels in all, got (2, 3)"),
        ({"scaling": [[0, 1], [1, 2]]}, "lowest must have shape (4,), got (2,)"),
        ({"scaling": [0, [1, 1, 1, 1]]}, "a scale with more lowest than highest values, or fewer"),
        ({"scaling": [0, 0]}, "a scale to 0"),
        ({"scaling": [0, float("nan")]}, "a scale that is not finite"),
        ({"column_names": ["a"]}, "column_names must be 4 names, got 1"),
    ],
)
def test_a_file_that_says_something_impossible(tmp_path, changes, message):
    path, network = tmp_path / "a", bipartite()
    network.input_format = KNOWN
    network.save(path)
    tensors, metadata = load_tensors(path, network._kind, ())
    content = json.loads(metadata.pop("input_format")) | changes
    kept = {"num_classes": metadata["num_classes"], "input_format": json.dumps(content)}
    save_tensors(path, network._kind, tensors, kept)
    whole = refusal(f"{path} must say what its inputs are, got {message}")
    with pytest.raises(ValueError, match=whole):
        ip.BipartiteNetwork.load(path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"class_names": 3}', "null"])
def test_a_file_whose_text_is_damaged(tmp_path, text):
    path, network = tmp_path / "a", bipartite()
    kept = {"num_classes": "2", "input_format": text}
    save_tensors(path, network._kind, network.parameters(), kept)
    with pytest.raises(ValueError, match=r"must say what its inputs are, got [^\n]+$"):
        ip.BipartiteNetwork.load(path)


@pytest.mark.parametrize("scaling", [Scaling.of_all(255), COLUMNS], ids=["all", "columns"])
def test_an_exchanged_scale_is_kept(tmp_path, scaling):
    network = bipartite()
    network.input_format = InputFormat(scaling=scaling.exchanged())
    network.save(tmp_path / "a")
    kept = ip.BipartiteNetwork.load(tmp_path / "a").input_format.scaling
    assert kept.is_exchanged
    values = np.arange(8.0).reshape(2, 4)
    np.testing.assert_allclose(kept.pixels(values), 1 - scaling.pixels(values), atol=1e-6)


def test_what_does_not_fit_is_not_saved(tmp_path):
    network = bipartite()
    network.input_format = InputFormat(image_shape=(3, 3))
    with pytest.raises(ValueError, match=r"^image_shape must have 4 pixels in all, got \(3, 3\)$"):
        network.save(tmp_path / "a")
    assert not list(tmp_path.iterdir())


def test_named_data_sets_say_their_shape():
    digits = ip.load_data("digits").input_format
    assert (digits.image_shape, digits.class_names, digits.scaling) == ((8, 8), None, None)
