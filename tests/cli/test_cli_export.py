"""The command `isingprop export`, in this process."""

import sys

import numpy as np
import pytest

import isingprop as ip

QUICK = ("--num-train", "20", "--num-test", "10", "--num-states", "2", "--epochs", "1")


@pytest.fixture
def train(isingprop):
    """Makes the run folder `run`."""

    def train(hidden):
        done = isingprop("train", *QUICK, "--num-sweeps", "5", "--hidden", hidden, "--out", "run")
        assert done.code == 0, done.err

    return train


def test_the_model_of_a_run_is_that_of_its_network(isingprop, train, tmp_path):
    pytest.importorskip("onnx", reason="onnx is not installed (test extra)")
    onnxruntime = pytest.importorskip(
        "onnxruntime", reason="ONNX Runtime is not installed (test extra)"
    )
    train("20")
    (tmp_path / "model.onnx").write_bytes(b"old")
    done = isingprop("export", "run", "model.onnx")
    assert done == (0, "ONNX model      model.onnx\n", "")

    images = ip.load_data("digits").test_images
    network = ip.BipartiteNetwork.load(tmp_path / "run" / "model.safetensors")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    (classes,) = session.run(["classes"], {"images": images})
    np.testing.assert_array_equal(classes, network.predict(images))


@pytest.mark.parametrize(
    ("file", "refusal"),
    [
        ("model.safetensors", "FILE must end in .onnx, got model.safetensors"),
        ("gone/a.onnx", "FILE must be a file in a folder that is there, got gone/a.onnx"),
        ("folder.onnx", "FILE must be a file in a folder that is there, got folder.onnx"),
    ],
)
def test_a_file_that_cannot_be_is_refused(isingprop, train, tmp_path, file, refusal):
    train("20")
    (tmp_path / "folder.onnx").mkdir()
    assert isingprop("export", "run", file) == (1, "", f"Error: {refusal}\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.onnx", "run"]


def test_what_is_no_run_is_refused(isingprop, tmp_path):
    refusal = "Error: nowhere must be the folder of a run, got one without config.json\n"
    assert isingprop("export", "nowhere", "model.onnx") == (1, "", refusal)
    assert list(tmp_path.iterdir()) == []


def test_a_run_without_a_model_is_refused(isingprop, train, tmp_path):
    train("20")
    (tmp_path / "run" / "model.safetensors").unlink()
    refusal = "Error: no network file at run/model.safetensors\n"
    assert isingprop("export", "run", "model.onnx") == (1, "", refusal)


def test_a_deep_network_is_refused(isingprop, train, tmp_path):
    train("20,10")
    refusal = (
        "Error: network must have one hidden layer, since the class energies of deep networks "
        "have no closed form, got 2\n"
    )
    assert isingprop("export", "run", "model.onnx") == (1, "", refusal)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_without_onnx_the_command_says_what_to_install(isingprop, train, monkeypatch):
    train("20")
    monkeypatch.setitem(sys.modules, "onnx", None)
    refusal = 'Error: an ONNX model needs onnx: pip install "isingprop[onnx]"\n'
    assert isingprop("export", "run", "model.onnx") == (1, "", refusal)
