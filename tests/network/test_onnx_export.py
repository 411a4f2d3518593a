"""The ONNX model of a network, as ONNX Runtime computes it, against the network itself."""

import sys
from functools import partial

import numpy as np
import pytest

import isingprop as ip
from helpers import oracle, tolerances


@pytest.fixture
def onnx():
    return pytest.importorskip("onnx", reason="onnx is not installed (test extra)")


@pytest.fixture
def outputs(onnx, tmp_path):
    """Computes the outputs of images in ONNX Runtime by name, in batches of a size if given."""
    reason = "ONNX Runtime is not installed (test extra)"
    onnxruntime = pytest.importorskip("onnxruntime", reason=reason)

    def compute(network, images, size=None):
        path = tmp_path / "model.onnx"
        network.to_onnx(path)
        onnx.checker.check_model(str(path), full_check=True)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        size = len(images) if size is None else size
        parts = [images[k : k + size] for k in range(0, len(images), size)]
        found = [session.run(names, {"images": part}) for part in parts]
        return {name: np.concatenate(each) for name, *each in zip(names, *found, strict=True)}

    return compute


def untrained(images):
    network = ip.BipartiteNetwork.random(
        num_inputs=images.train_images.shape[1], num_hidden=120, num_classes=10, seed=0
    )
    network.beta = 1.0
    return network


def trained(images, epochs, num_states):
    network = untrained(images)
    ip.Trainer(network, ip.Annealing(10), num_states=num_states, seed=0).fit(images, epochs)
    network.fit_beta(images.test_images, images.test_labels)
    return network


def coarse(num_hidden, num_classes, redundancy, quantum=2.0**-6):
    """A network and 20 images for which all sums are exact in float32, in any order."""
    network = ip.BipartiteNetwork.random(
        num_inputs=20, num_hidden=num_hidden, num_classes=num_classes, redundancy=redundancy, seed=1
    )
    random = np.random.default_rng(2)
    for name, array in network.parameters().items():
        if name.endswith("bias"):
            array[:] = random.uniform(-1, 1, array.shape)
        array[:] = oracle.on_grid(array, quantum)
    network.beta = 1.5
    return network, oracle.on_grid(oracle.random_images(20, 20), quantum)


def assert_same(found, network, images):
    """Same classes, and energies and probabilities within rounding."""
    assert {name: array.dtype.name for name, array in found.items()} == {
        "energies": "float32",
        "classes": "int64",
        "probabilities": "float32",
    }
    np.testing.assert_array_equal(found["classes"], network.predict(images))
    near = {"rtol": 0, "atol": tolerances.ONNX_ENERGY}
    np.testing.assert_allclose(found["energies"], network.class_energies(images), **near)
    # P changes by at most beta / 2 times the change of a gap, which is twice that of an energy.
    near = {"rtol": 0, "atol": network.beta * tolerances.ONNX_ENERGY + tolerances.FLOAT32}
    np.testing.assert_allclose(found["probabilities"], network.predict_proba(images), **near)


@pytest.mark.parametrize("make", [untrained, partial(trained, epochs=2, num_states=3)])
def test_digits_have_the_same_classes(outputs, make):
    images = ip.load_data("digits")
    network = make(images)
    assert_same(outputs(network, images.test_images), network, images.test_images)


@pytest.mark.slow
def test_mnist_has_the_same_classes(outputs, shared_data):
    images = ip.load_data("mnist", data_dir=shared_data, num_train=1000)
    network = trained(images, epochs=5, num_states=10)
    assert len(images.test_images) >= 5000
    found = outputs(network, images.test_images, size=1000)
    assert_same(found, network, images.test_images)


@pytest.mark.parametrize("sizes", [(1, 2, 1), (17, 2, 4), (300, 1000, 1)])
@pytest.mark.parametrize("size", [1, 7, None])
def test_any_sizes_and_any_batch(outputs, sizes, size):
    network, images = coarse(*sizes)
    found = outputs(network, images, size)
    np.testing.assert_array_equal(found["energies"], network.class_energies(images))
    assert_same(found, network, images)
    np.testing.assert_allclose(
        found["probabilities"].sum(axis=1), 1, rtol=tolerances.FLOAT32 * sizes[1]
    )


def test_the_first_of_equal_energies_is_the_class(outputs):
    network, images = coarse(5, 10, 1)
    network.couplings[:, 5] = network.couplings[:, 2]
    network.output_bias[:] = 8
    network.output_bias[[2, 5]] = -8
    energies = network.class_energies(images)
    assert (energies[:, 2] == energies[:, 5]).all()

    found = outputs(network, images)
    assert_same(found, network, images)
    assert set(found["classes"]) == {2}
    np.testing.assert_array_equal(found["probabilities"][:, 2], found["probabilities"][:, 5])


@pytest.mark.parametrize("beta", [1e-38, 1e38])
def test_probabilities_at_extreme_betas_are_numbers(outputs, beta):
    network, images = coarse(17, 3, 4)
    network.beta = beta
    found, wanted = outputs(network, images)["probabilities"], network.predict_proba(images)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerances.FLOAT32)


def test_without_a_beta_there_are_no_probabilities(onnx, outputs, tmp_path):
    network, images = coarse(17, 3, 4)
    network.beta = None
    found = outputs(network, images)
    assert list(found) == ["energies", "classes"]
    np.testing.assert_array_equal(found["energies"], network.class_energies(images))
    metadata = onnx.load(tmp_path / "model.onnx").metadata_props
    assert {entry.key: entry.value for entry in metadata} == {"num_classes": "3", "redundancy": "4"}


def test_the_file_says_what_it_is_and_needs_plain_operators_only(onnx, tmp_path):
    network, _ = coarse(17, 3, 4)
    network.to_onnx(tmp_path / "model.onnx")
    model = onnx.load(tmp_path / "model.onnx")
    assert (model.producer_name, model.producer_version) == ("isingprop", ip.__version__)
    assert {entry.key: entry.value for entry in model.metadata_props} == {
        "num_classes": "3",
        "redundancy": "4",
        "beta": "1.5",
    }
    assert model.ir_version == 8
    assert [(each.domain, each.version) for each in model.opset_import] == [("", 17)]
    assert {node.domain for node in model.graph.node} == {""}
    values = [*model.graph.input, *model.graph.output]
    shapes = {
        each.name: [dim.dim_param or dim.dim_value for dim in each.type.tensor_type.shape.dim]
        for each in values
    }
    assert shapes == {
        "images": ["batch", 20],
        "energies": ["batch", 3],
        "classes": ["batch"],
        "probabilities": ["batch", 3],
    }


def test_equal_networks_give_equal_files_whole_or_not_at_all(onnx, tmp_path):
    network, _ = coarse(17, 3, 4)
    path = tmp_path / "model.onnx"
    network.to_onnx(path)
    content = path.read_bytes()
    network.save(tmp_path / "model.safetensors")
    path.write_bytes(b"old")
    ip.BipartiteNetwork.load(tmp_path / "model.safetensors").to_onnx(str(path))
    assert path.read_bytes() == content
    with pytest.raises(FileNotFoundError):
        network.to_onnx(tmp_path / "nowhere" / "model.onnx")
    path.unlink()
    assert [each.name for each in tmp_path.iterdir()] == ["model.safetensors"]


def test_a_layered_network_with_one_hidden_layer_is_the_same(onnx, tmp_path):
    sizes = {"num_inputs": 4, "num_classes": 2, "seed": 3}
    ip.LayeredNetwork.random(hidden=[6], **sizes).to_onnx(tmp_path / "layered.onnx")
    ip.BipartiteNetwork.random(num_hidden=6, **sizes).to_onnx(tmp_path / "bipartite.onnx")
    contents = [(tmp_path / f"{name}.onnx").read_bytes() for name in ("layered", "bipartite")]
    assert contents[0] == contents[1]


def test_refusals(tmp_path, monkeypatch, assert_refused):
    path = tmp_path / "model.onnx"
    deep = ip.LayeredNetwork.random(num_inputs=4, hidden=(3, 2), num_classes=2)
    refusal = (
        "ValueError: network must have one hidden layer, since the class energies of deep networks "
        "have no closed form, got 2"
    )
    assert_refused(lambda: deep.to_onnx(path), refusal)

    monkeypatch.setitem(sys.modules, "onnx", None)
    network, _ = coarse(17, 3, 4)
    refusal = 'ImportError: an ONNX model needs onnx: pip install "isingprop[onnx]"'
    assert_refused(lambda: network.to_onnx(path), refusal)
    assert list(tmp_path.iterdir()) == []


def test_a_negative_beta_is_refused(onnx, tmp_path, assert_refused):
    network, _ = coarse(17, 3, 4)
    network.beta = -1.0
    refusal = "ValueError: beta must be finite and above 0, got -1.0"
    assert_refused(lambda: network.to_onnx(tmp_path / "model.onnx"), refusal)
    assert list(tmp_path.iterdir()) == []
