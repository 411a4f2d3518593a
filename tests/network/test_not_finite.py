"""Parameters that become NaN or infinite in place, also under pixels that are dark in all images.

The weights of dark pixels enter no sum, so that no state and no energy shows them.
"""

import numpy as np
import pytest

import isingprop as ip
from helpers.training.training_runs import DATA, SAMPLER

DARK = 6  # a pixel
IMAGES = np.where(np.arange(7) == DARK, 0.0, DATA.test_images).astype(np.float32)
LABELS = DATA.test_labels
SIZES = {"num_inputs": 7, "num_classes": 3}
MAKERS = {
    "bipartite": lambda: ip.BipartiteNetwork.random(num_hidden=6, **SIZES),
    "deep": lambda: ip.LayeredNetwork.random(hidden=(6, 4), **SIZES),
}
USES = {
    "problem": lambda network, path: network.problem(IMAGES),
    "energies": lambda network, path: network.energies(
        IMAGES, np.ones((len(IMAGES), 1, sum(network.sizes)), np.int8)
    ),
    "save": lambda network, path: network.save(path),
    "predict by states": lambda network, path: ip.predict(network, SAMPLER, IMAGES),
    "sample_states": lambda network, path: ip.sample_states(network, SAMPLER, IMAGES, 1, 0),
    "Trainer": lambda network, path: ip.Trainer(network, SAMPLER),
}
BIPARTITE_USES = {
    "class_energies": lambda network, path: network.class_energies(IMAGES),
    "predict": lambda network, path: network.predict(IMAGES),
    "predict_proba": lambda network, path: network.predict_proba(IMAGES, 1.0),
    "fit_beta": lambda network, path: network.fit_beta(IMAGES, LABELS),
    "to_onnx": lambda network, path: network.to_onnx(path),
}
CASES = [
    *((kind, use) for kind in MAKERS for use in USES),
    *(("bipartite", use) for use in BIPARTITE_USES),
]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("kind", "use"), CASES)
def test_a_weight_of_a_dark_pixel_is_refused_where_a_network_is_used(
    assert_refused, tmp_path, kind, use, value
):
    network, path = MAKERS[kind](), tmp_path / "file"
    if use == "to_onnx":
        pytest.importorskip("onnx")
    call = (USES | BIPARTITE_USES)[use]
    call(network, path)
    path.unlink(missing_ok=True)
    network.input_weights[2, DARK] = value
    refusal = f"ValueError: input_weights must be finite, got {value} at index (2, {DARK})"
    assert_refused(lambda: call(network, path), refusal)
    assert not path.exists()


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("kind", MAKERS)
def test_each_parameter_is_looked_at(kind, value):
    for name in MAKERS[kind]().parameters():
        network = MAKERS[kind]()
        network.parameters()[name].flat[-1] = value
        with pytest.raises(ValueError, match=f"{name} must be finite, got {value} at index"):
            network.check_finite()


def test_a_test_of_a_trainer_looks_again():
    trainer = ip.Trainer(MAKERS["bipartite"](), SAMPLER)
    trainer.network.input_weights[0, DARK] = np.inf
    with pytest.raises(ValueError, match="input_weights must be finite, got inf"):
        trainer.evaluate(IMAGES, LABELS)
    class_states = ip.Trainer(
        MAKERS["bipartite"](), ip.ClassStates(trainer.network.readout), num_states=1
    )
    class_states.network.input_weights[0, DARK] = np.inf
    with pytest.raises(ValueError, match="input_weights must be finite, got inf"):
        class_states.evaluate(IMAGES, LABELS)
