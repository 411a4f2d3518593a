"""Training energy-based models by samples: convergence, streams, bits, refusals."""

import hashlib

import numpy as np
import pytest

from helpers import energy_oracle
from helpers.training.energy_runs import arrays, data, last, same, start
from isingprop import (
    Annealing,
    Cyclic,
    DWave,
    EmulatedQPU,
    EnergyModel,
    EnergyTrainer,
    FromDimod,
    Tempering,
)
from isingprop.energy_model.model import GIBBS

# Training


def test_exact_training_learns_an_easy_set():
    x, y = data()
    trainer = EnergyTrainer(start(), learning_rate=0.1, batch_size=12)
    models = [start(), *trainer.steps(x, y, 300)]
    likelihoods = np.array([each.log_likelihood(x, y) for each in models])
    assert likelihoods[0] < -1.3  # of two even bits: -1.39
    assert (np.diff(likelihoods[:20]) > 0).all()
    assert likelihoods[-1] > -0.05
    np.testing.assert_array_equal(models[-1].predict(x), y)


def test_a_model_with_small_weights_makes_a_perceptron_that_is_as_good():
    x, y = data(40, num_outputs=1)
    model = EnergyModel.random(num_inputs=4, num_hidden=500)
    model = last(EnergyTrainer(model, learning_rate=0.003, batch_size=40), x, y, 100)
    for twin in (model, model.to_mlp()):
        assert (twin.predict(x) == y).mean() > 0.85
    assert model.log_likelihood(x, y) > -0.35  # of an even bit: -0.69
    assert model.to_mlp().loss(x, y) == pytest.approx(-model.log_likelihood(x, y), abs=0.03)


BRIEFLY = {"learning_rate": 0.02, "batch_size": 12}


def apart(first, second):
    return max(np.abs(a - b).max() for a, b in zip(arrays(first), arrays(second), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize(
    "sampler",
    [
        GIBBS,
        Tempering(20, (0.25, 1.0), num_betas=3, target_beta=1.0),
    ],
    ids=["Gibbs", "tempering"],
)
def test_sampled_training_tends_to_exact_training_as_reads_grow(sampler):
    """After ten updates in one batch; the distance falls as the root of the number of reads."""
    model, (x, y) = energy_oracle.random_energy_model(4, 6, 2), data()

    def trained(sampler, num_reads=1):
        return last(EnergyTrainer(model, sampler, num_reads=num_reads, **BRIEFLY), x, y, 10)

    exact = trained(None)
    distances = [apart(exact, trained(sampler, num_reads)) for num_reads in (30, 3000)]
    wrong = apart(exact, trained(Annealing(20, (2.0, 2.0), descend=False), 3000))
    assert distances[1] < 0.3 * distances[0]
    assert distances[1] < 0.3 * wrong
    assert distances[1] < 0.1 * apart(exact, model)


@pytest.mark.slow
def test_sampled_training_learns_an_easy_set():
    x, y = data()
    for sampler in (GIBBS, FromDimod(dimod_sampler(), beta_range=[1.0, 1.0], num_sweeps=20)):
        trainer = EnergyTrainer(start(), sampler, num_reads=100, learning_rate=0.1, batch_size=12)
        model = last(trainer, x, y, 100)
        assert model.log_likelihood(x, y) > -0.5
        assert (model.predict(x) == y).mean() > 0.9


def dimod_sampler():
    from dwave.samplers import SimulatedAnnealingSampler

    return SimulatedAnnealingSampler()


@pytest.mark.slow
def test_an_emulated_chip_trains(tmp_path):
    x, y = data(6, 3, 1)
    qpu = DWave(
        solver=EmulatedQPU("zephyr", 1, model="classical", beta=4.0),
        scale=0.5,
        descend=False,
        record=tmp_path,
    )
    trainer = EnergyTrainer(start(3, 4, 1), qpu, num_reads=50, batch_size=6, beta_effective=2.0)
    model = last(trainer, x, y, 15)
    qpu.close()
    assert model.log_likelihood(x, y) > start(3, 4, 1).log_likelihood(x, y) + 0.1


def test_a_trainer_keeps_account_of_its_sampler(tmp_path):
    x, y = data(6, 3, 1)
    trainer = EnergyTrainer(start(3, 4, 1), GIBBS, num_reads=5, batch_size=6)
    assert trainer.sampling["seconds_sampling"] == 0
    assert trainer.fit(x, y, 2)
    assert trainer.sampling["seconds_sampling"] > 0
    assert trainer.sampling["largest_problem"] == 5
    assert "clipped" not in trainer.sampling
    chip = EmulatedQPU("zephyr", 1)
    large = EnergyModel(np.full((4, 3), 40.0), np.ones((1, 4)))
    with_chip = DWave(solver=chip, scale=1.0, num_copies=1, descend=False, record=tmp_path)
    trainer = EnergyTrainer(large, with_chip, num_reads=5, batch_size=6)
    trainer.step(x, y)
    told = with_chip.sample(large.problem(x), 5, seed=0).info
    with_chip.close()
    assert trainer.sampling["clipped"] == told["clipped"] > 0  # fields do not depend on the seed
    assert trainer.sampling["qpu_seconds"] > 0
    assert 0 <= trainer.sampling["chain_break_fraction"] <= 1
    assert EnergyTrainer(start()).sampling == {"seconds_sampling": 0.0}


@pytest.mark.parametrize(
    "sampler",
    [
        Annealing(),
        Annealing(beta_range=(1, 1), descend=True),
        Annealing(beta_range=(0.5, 1e6)),
        Tempering(),
        Cyclic(),
    ],
)
def test_samplers_of_lowest_states_are_refused(sampler):
    """Their states follow no temperature, so that the gradients would be wrong."""
    refusal = r"sampler must sample at a temperature, without a descent .*; got \w+\(num_sweeps="
    with pytest.raises(ValueError, match=refusal):
        EnergyTrainer(start(), sampler)
    for method in (start().sample, start().estimate_beta_effective):
        with pytest.raises(ValueError, match=refusal):
            method(data()[0], sampler)


def test_a_sampler_at_another_temperature_trains_alike_with_its_beta_effective():
    """Problems and temperatures that differ by a power of two have the same moves."""
    x, y = data()
    cold = Annealing(20, (4.0, 4.0), descend=False)
    models = [
        last(EnergyTrainer(start(), sampler, num_reads=20, beta_effective=beta), x, y, 8)
        for sampler, beta in ((GIBBS, 1.0), (cold, 4.0), (cold, 1.0))
    ]
    assert same(*models[:2])
    assert not same(*models[1:])


def test_samples_of_an_update_are_num_reads_of_each_input_of_the_batch():
    class Asked:
        def __init__(self):
            self.calls = []

        def sample(self, problem, num_reads=1, seed=None, initial=None):
            self.calls.append((len(problem), num_reads, seed))
            return GIBBS.sample(problem, num_reads, seed)

    x, y = data()
    sampler = Asked()
    last(EnergyTrainer(start(), sampler, num_reads=7, batch_size=4), x, y, 5)
    assert [call[:2] for call in sampler.calls] == [(4, 7)] * 5
    assert len({seed for _, _, seed in sampler.calls}) == 5
    other = Asked()
    last(EnergyTrainer(start(), other, num_reads=7, batch_size=4, seed=1), x, y, 5)
    assert len({seed for _, _, seed in sampler.calls + other.calls}) == 10
    default = Asked()
    last(EnergyTrainer(start(), default), x, y, 2)
    assert [call[:2] for call in default.calls] == [(5, 1000)] * 2


# Same bits


@pytest.mark.parametrize("sampler", [None, GIBBS], ids=["exact", "Gibbs"])
def test_the_same_seed_gives_the_same_bits(sampler):
    def trained(seed):
        trainer = EnergyTrainer(start(), sampler, num_reads=20, seed=seed)
        return last(trainer, *data(), 7)

    assert same(trained(3), trained(3))
    assert not same(trained(3), trained(4))
    assert not same(trained(None), trained(None))
    whole = last(EnergyTrainer(start(), sampler, num_reads=20), *data(), 7)
    assert same(trained(0), whole), "the default"


@pytest.mark.parametrize("sampler", [None, GIBBS], ids=["exact", "Gibbs"])
@pytest.mark.parametrize("size", [(17, 9, 1), (40, 33, 3)])
def test_the_same_bits_on_every_kernel(on_every_kernel, sampler, size):
    x, y = data(12, size[0], size[2])
    models = on_every_kernel(
        lambda: last(EnergyTrainer(start(*size), sampler, num_reads=20), x, y, 12)
    )
    assert same(*models)


def test_the_number_of_threads_changes_nothing():
    x, y = data()
    models = [
        last(EnergyTrainer(start(), Annealing(20, (1.0, 1.0), n, False), num_reads=20), x, y, 5)
        for n in (1, 3)
    ]
    assert same(*models)


# Changed only together with a line in CHANGELOG.md, as those of test_same_bits.py.
PINNED = {
    "log_prob": "36ae42bfa4627a2965bb7e27ad233830bad0f83de178549e08aa2f413ce09e65",
    "exact": "ffa9158657379938064c8fc1f41afbb896ffddbf45ce73c1dc8ea3329e84de8c",
    "Gibbs": "ea8d7a5a2a7d5e4fdfe9ee944ea5a8f70f2e63de46863cb5680661e7771c0b10",
}


@pytest.mark.parametrize("name", PINNED)
def test_the_bits_have_not_moved(kernel, name):
    grids = (
        np.arange(h * w).reshape(h, w) * 37 % 64 / 32 - 1
        for h, w in ((19, 21), (2, 19), (1, 19), (1, 2), (6, 21))
    )
    first, second, hidden, output, x = grids
    model = EnergyModel(first / 4, second, hidden[0], output[0])
    y = np.arange(12).reshape(6, 2) * 3 % 5 % 2
    if name == "log_prob":
        results = [model.log_prob(x), model.to_mlp().predict_proba(x)]
    else:
        trainer = EnergyTrainer(model, GIBBS if name == "Gibbs" else None, num_reads=50, seed=2024)
        results = [array for _ in range(3) for array in arrays(trainer.step(x, y))]
    assert (
        hashlib.sha256(
            b"".join(np.asarray(each, order="C").tobytes() for each in results)
        ).hexdigest()
        == PINNED[name]
    )


# Refusals

X, Y = data()

MODEL = start()


def steps(x=X, y=Y, count=1):
    return EnergyTrainer(MODEL).steps(x, y, count)


@pytest.mark.parametrize(
    ("call", "refusal"),
    [
        (lambda: EnergyTrainer(MODEL.to_mlp()), "TypeError: model must be an EnergyModel, got MLP"),
        (lambda: EnergyTrainer(EnergyModel), "TypeError: model must be an EnergyModel, got type"),
        (
            lambda: EnergyTrainer(MODEL, "Gibbs"),
            "TypeError: sampler must have a method sample(), got str",
        ),
        (
            lambda: EnergyTrainer(MODEL, Annealing),
            "TypeError: sampler must be an instance, got the class Annealing",
        ),
        (
            lambda: EnergyTrainer(MODEL, dimod_sampler()),
            "TypeError: sampler must be one of isingprop's, got the dimod sampler "
            "SimulatedAnnealingSampler: use FromD",
        ),
        (
            lambda: EnergyTrainer(MODEL, num_reads=0),
            "ValueError: num_reads must be at least 1, got 0",
        ),
        (
            lambda: EnergyTrainer(MODEL, num_reads=1.0),
            "TypeError: num_reads must be an integer, got 1.0",
        ),
        (
            lambda: EnergyTrainer(MODEL, learning_rate=0),
            "ValueError: learning_rate must be finite and above 0, got 0",
        ),
        (
            lambda: EnergyTrainer(MODEL, learning_rate=-1),
            "ValueError: learning_rate must be finite and above 0, got -",
        ),
        (
            lambda: EnergyTrainer(MODEL, learning_rate="1"),
            "TypeError: learning_rate must be a number, got '1'",
        ),
        (
            lambda: EnergyTrainer(MODEL, batch_size=0),
            "ValueError: batch_size must be at least 1, got 0",
        ),
        (
            lambda: EnergyTrainer(MODEL, batch_size=2.5),
            "TypeError: batch_size must be an integer, got 2.5",
        ),
        (
            lambda: EnergyTrainer(MODEL, beta_effective=0),
            "ValueError: beta_effective must be finite and above 0, got",
        ),
        (lambda: EnergyTrainer(MODEL, seed=-1), "ValueError: seed must be at least 0, got -1"),
        (
            lambda: EnergyTrainer(MODEL, GIBBS, 10),
            "TypeError: EnergyTrainer.__init__() takes from 2 to 3 positional",
        ),
        (lambda: steps(X[0]), "ValueError: x must have shape (n, 4), got (4,)"),
        (lambda: steps(X[:, 1:]), "ValueError: x must have shape (n, 4), got (12, 3)"),
        (lambda: steps(X * np.inf), "ValueError: x must be finite, got inf at index (0, 0)"),
        (lambda: steps(y=Y[:-1]), "ValueError: y must have shape (12, 2), got (11, 2)"),
        (lambda: steps(y=2 * Y), "ValueError: y must be 0 or 1, got 2 at index"),
        (lambda: steps(y=Y.astype(str)), "TypeError: y must be an array of 0 and 1, got dtype <U"),
        (lambda: steps(count=0), "ValueError: count must be at least 1, got 0"),
        (lambda: steps(count=2.0), "TypeError: count must be an integer, got 2.0"),
        (
            lambda: EnergyTrainer(MODEL).step(X, Y[:, :1]),
            "ValueError: y must have shape (12, 2), got (12, 1)",
        ),
        (
            lambda: EnergyTrainer(MODEL).step(X[:, :1], Y),
            "ValueError: x must have shape (n, 4), got (12, 1)",
        ),
    ],
)
def test_refusals(assert_refused, call, refusal):
    assert_refused(call, refusal)


@pytest.mark.parametrize("wrong", [{"y": Y[:3]}, {"y": 2 * Y}, {"x": X[:, 1:]}])
def test_bad_arguments_of_a_step_are_refused_before_any_sampling(counting_sampler, wrong):
    trainer = EnergyTrainer(MODEL, counting_sampler, num_reads=5)
    with pytest.raises(ValueError, match="must"):
        trainer.step(**{"x": X, "y": Y, **wrong})
    assert counting_sampler.calls == 0
    assert trainer.model is MODEL
