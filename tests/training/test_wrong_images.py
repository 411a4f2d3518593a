"""Images of the wrong shape or type: every public name that takes images says what to do."""

import numpy as np
import pytest

import isingprop as ip

LABELS = np.arange(5)
NETWORK = ip.BipartiteNetwork.random(num_inputs=64, num_hidden=6, num_classes=10, seed=0)
DEEP = ip.LayeredNetwork.random(num_inputs=64, hidden=(6, 4), num_classes=10, seed=0)

CALLS = {
    "problem": NETWORK.problem,
    "hidden_fields": NETWORK.hidden_fields,
    "hidden_fields of a deep network": DEEP.hidden_fields,
    "predict": NETWORK.predict,
    "predict_proba": NETWORK.predict_proba,
    "fit_beta": lambda images: NETWORK.fit_beta(images, LABELS),
    "predict by states": lambda images: ip.predict(NETWORK, ip.Annealing(), images),
    "sample_states": lambda images: ip.sample_states(DEEP, ip.Annealing(), images),
    "train_epoch": lambda images: ip.Trainer(NETWORK).train_epoch(images, LABELS),
    "evaluate": lambda images: ip.Trainer(NETWORK).evaluate(images, LABELS),
    "rates": lambda images: ip.LearningRates.for_images(0.001, images),
    "rates of Adam": lambda images: ip.LearningRates.for_adam(0.001, images),
}


@pytest.mark.parametrize("call", CALLS)
def test_squares_and_bytes_are_refused_with_what_to_do(call):
    with pytest.raises(ValueError, match=r"images\.reshape\(5, -1\) has them$"):
        CALLS[call](np.zeros((5, 8, 8)))
    with pytest.raises(TypeError, match=r"got dtype uint8: divide by 255, \w*images / 255$"):
        CALLS[call](np.zeros((5, 64), np.uint8))


def test_arrays_in_the_place_of_an_image_set_are_refused_with_what_to_do():
    message = r"^images must be an ImageSet, got ndarray: ImageSet\.from_arrays\(x, y\) makes one"
    with pytest.raises(TypeError, match=message):
        ip.Trainer(NETWORK).fit(np.zeros((5, 64)), epochs=1)
