"""Training that diverges: what is raised, what it says, and what is left."""

import numpy as np
import pytest
from sklearn.datasets import load_iris

import isingprop as ip
from helpers.training.deep_runs import make_deep
from helpers.training.training_runs import DATA, SAMPLER, Noted, bits, make
from isingprop import LearningRates, States
from isingprop.training.divergence import DivergedError


class Careless:
    """States drawn without a look at the problem, so that nothing but the trainer can object."""

    def sample(self, problem, num_reads=1, seed=None, initial=None):
        random = np.random.default_rng(seed)
        shape = len(problem), num_reads, problem.num_spins
        return States(
            np.where(random.random(shape) < 0.5, -1, 1).astype(np.int8), np.zeros(shape[:2])
        )


MAKERS = {
    "dragon": lambda rate: make(learning_rate=rate),
    "equilibrium propagation": lambda rate: make(learning_rate=rate, num_states=1),
    "finite nudge": lambda rate: make(learning_rate=rate, num_states=1, nudge=1.0),
    "beta_effective": lambda rate: make(learning_rate=rate, beta_effective=True),
    "a careless sampler": lambda rate: make(Careless(), learning_rate=rate),
    "deep": lambda rate: make_deep(learning_rate=rate),
    "deep, all layers at once": lambda rate: make_deep(learning_rate=rate, active_layers=None),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("rate", [1e30, 8e37])  # parameters become too large, or infinite
def test_divergence_is_named_with_the_rate_and_undone(maker, rate):
    trainer = MAKERS[maker](rate)
    before = bits(trainer)
    with pytest.raises(DivergedError) as caught:
        trainer.fit(DATA, 1)
    message = str(caught.value)
    assert message.startswith("training diverged in epoch 1: ")
    assert f" with learning_rate = {trainer.learning_rates}, take a smaller one" in message
    assert f"{rate:g}" in message
    assert caught.value.__notes__ == [
        "isingprop: epoch 1 was undone, the network is as epoch 0 left it"
    ]
    assert (bits(trainer), trainer.history) == (before, [])


def test_an_epoch_without_a_test_leaves_no_network_that_has_diverged():
    trainer = make(Careless(), learning_rate=8e37)
    with pytest.raises(DivergedError, match=r"reached (inf|nan) with learning_rate = 8e\+37"):
        trainer.train_epoch(DATA.train_images, DATA.train_labels)
    assert trainer.history == []


def test_the_last_good_epoch_and_its_checkpoint_remain(tmp_path):
    trainer, one = make(), make()
    for _ in trainer.train(DATA, 1):
        trainer.save_checkpoint(tmp_path / "checkpoint")
    good = bits(trainer)
    trainer._set_rates(LearningRates(1e30, 2e30, 3e30, 0.5))
    message = (
        r"training diverged in epoch 2: \w+ reached .* with learning_rate = "
        r"\(input_weights 1e\+30, couplings 2e\+30, hidden_bias 3e\+30, output_bias 0.5\), take"
    )
    with pytest.raises(DivergedError, match=message):
        trainer.fit(DATA, 1)
    one.restore(tmp_path / "checkpoint")
    assert bits(trainer) == bits(one) == good
    assert len(trainer.history) == len(one.history) == 1


@pytest.mark.parametrize("error", [ValueError("no states"), RuntimeError("no machine")], ids=repr)
def test_an_error_at_parameters_of_a_usual_size_is_no_divergence(error):
    with pytest.raises(type(error)) as caught:
        make(Noted(5, error)).fit(DATA, 1)
    assert caught.value is error


def test_a_very_strong_nudge_is_no_divergence():
    """It decides the outputs, as the limit of Eq. (7) does."""
    trainer = make(nudge=1e35)
    assert len(trainer.fit(DATA, 2)) == 2
    assert all(abs(array).max() < 10 for array in trainer.network.parameters().values())


def test_large_parameters_of_a_usual_ratio_train():
    trainer = make(learning_rate=0.05e20)
    for array in trainer.network.parameters().values():
        array *= 1e20
    assert len(trainer.fit(DATA, 2)) == 2


def test_the_classifier_names_the_rate():
    X, y = load_iris(return_X_y=True)
    model = ip.IsingClassifier(8, epochs=2, learning_rate=1e30, sampler=SAMPLER, random_state=0)
    message = r"training diverged in epoch 1: .*learning_rate = 1e\+30"
    with pytest.raises(DivergedError, match=message):
        model.fit(X, y)


@pytest.mark.filterwarnings("error")
def test_a_rate_too_large_for_the_pixels_is_refused_without_a_warning(assert_refused):
    refusal = "ValueError: learning_rate['input_weights'] must be finite and at least 0, got inf"
    dim = np.full((3, 4), 0.01, np.float32)
    assert_refused(lambda: LearningRates.for_images(1e38, dim), refusal)
