"""The room of energy-based models and perceptrons: probabilities, gradients, the equivalence, files, refusals."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

import oracle
import tolerances
from isingprop import MLP, EnergyModel
from isingprop.energy_model.mlp import PARAMETERS
from isingprop.util.files import save_tensors

SIZES = [(3, 1, 1), (1, 4, 1), (4, 10, 1), (3, 7, 2), (2, 5, 3), (3, 10, 3), (6, 2, 3)]
WIDTHS = [1, 7, 8, 9, 16, 17, 33]  # of blocks of 8, and about them


def inputs(num_inputs=4, count=5, *, seed=0):
    """Some of them zero, as dark pixels are."""
    return oracle.random_images(count, num_inputs, seed=seed).astype(np.float64)


def labels(num_outputs=2, count=5, *, seed=0):
    return np.random.default_rng([seed, num_outputs]).integers(0, 2, (count, num_outputs))


def rounding(model, x):
    """How far log P may be from the exact one, for each input: (B, 1)."""
    fields = np.abs(x) @ np.abs(model.input_weights).T + np.abs(model.hidden_bias)
    more = model.num_hidden + np.abs(model.output_weights).sum() + np.abs(model.output_bias).sum()
    return tolerances.LOG_PROB * (fields.sum(axis=1, keepdims=True) + more)


# P(y | x)


@pytest.mark.parametrize("size", SIZES)
def test_log_prob_is_that_of_enumeration(kernel, size):
    num_inputs, _, num_outputs = size
    for seed in range(3):
        model, x = oracle.random_energy_model(*size, seed=seed), inputs(num_inputs, seed=seed)
        exact = np.log(oracle.joint(model, x).sum(axis=2))
        log_prob = model.log_prob(x)
        assert (log_prob.shape, log_prob.dtype) == ((5, 2**num_outputs), np.float64)
        assert (np.abs(log_prob - exact) < rounding(model, x)).all()
        np.testing.assert_allclose(np.exp(log_prob).sum(axis=1), 1, rtol=tolerances.PROBABILITY)
        np.testing.assert_allclose(
            oracle.output_log_prob(model, x), exact, rtol=0, atol=1e-12
        )  # which is used below


@pytest.mark.parametrize("size", SIZES)
def test_the_sign_of_equations_1_and_2_is_not_the_models(size):
    model, x = oracle.random_energy_model(*size), inputs(size[0])
    other = oracle.joint(model, x, sign=-1).sum(axis=2)
    assert np.abs(np.exp(model.log_prob(x)) - other).max() > 0.1


def test_bit_k_of_an_outputs_number_is_unit_k():
    """Units 0, 1, 2 are 1 with chances of 0.9, 0.2 and 0.6, whatever the hidden unit does."""
    chances = np.array([0.9, 0.2, 0.6])
    model = EnergyModel([[1.0]], np.zeros((3, 1)), output_bias=np.log(chances / (1 - chances)))
    bits = [[number & 1, number >> 1 & 1, number >> 2] for number in range(8)]
    expected = np.where(bits, chances, 1 - chances).prod(axis=1)
    np.testing.assert_allclose(
        np.exp(model.log_prob([[2.0]]))[0], expected, rtol=tolerances.PROBABILITY
    )
    assert model.predict([[2.0]]).tolist() == [[1, 0, 1]]
    assert model.predict([[2.0]]).dtype == np.int8
    assert model.log_likelihood([[2.0]], [[1, 0, 0]]) == pytest.approx(np.log(0.9 * 0.8 * 0.4))
    np.testing.assert_array_equal(model.frequencies([[[1, 0, 0], [1, 0, 1], [1, 0, 1], [0, 1, 1]]]) * 4, [
        [0, 1, 0, 0, 0, 2, 1, 0]
    ])  # fmt: skip


def test_of_equally_likely_outputs_the_first_is_predicted():
    assert EnergyModel([[1.0]], np.zeros((2, 1))).predict([[2.0]]).tolist() == [[0, 0]]


@pytest.mark.parametrize("size", SIZES)
def test_log_likelihood_is_the_mean_over_inputs(size):
    model, x, y = oracle.random_energy_model(*size), inputs(size[0]), labels(size[2])
    assert model.log_likelihood(x, y) == pytest.approx(
        oracle.log_likelihood(model, x, y), rel=1e-12
    )
    assert model.log_likelihood(x, y.astype(bool)) == model.log_likelihood(x, y.astype(float))


@pytest.mark.parametrize("num_hidden", [1, 8, 31, 100])
@pytest.mark.parametrize("num_inputs", [1, 16, 45])
def test_log_prob_of_wider_models_is_that_of_a_sum_of_units(kernel, num_inputs, num_hidden):
    for num_outputs in (1, 2, 4):
        model = oracle.random_energy_model(num_inputs, num_hidden, num_outputs, scale=0.3)
        x = inputs(num_inputs, 20)
        assert (
            np.abs(model.log_prob(x) - oracle.output_log_prob(model, x)) < rounding(model, x)
        ).all()


@pytest.mark.parametrize(
    ("num_hidden", "num_outputs"), [(5000, 1), (5000, 3), (4, 16), (50_001, 1)]
)
def test_large_models(kernel, num_hidden, num_outputs):
    """Of 50,001 hidden units, each near 1/2, the product of all 1 + exp(field) has no place in a number."""
    model, x = oracle.random_energy_model(3, num_hidden, num_outputs, scale=0.01), inputs(3, 2)
    log_prob = model.log_prob(x)
    assert (np.abs(log_prob - oracle.output_log_prob(model, x)) < rounding(model, x)).all()
    np.testing.assert_allclose(np.exp(log_prob).sum(axis=1), 1, rtol=tolerances.PROBABILITY)
    gradient = model.gradient(x, labels(num_outputs, 2))
    assert all(np.isfinite(array).all() for array in gradient.parameters().values())


@pytest.mark.parametrize("size", [30.0, 50.0, 710.0, 1e3, 1e5, 1e15])
@pytest.mark.parametrize("num_outputs", [1, 3])
def test_extreme_weights_neither_overflow_nor_give_nan(kernel, num_outputs, size):
    signs = np.sign(oracle.random_spins(6, 1)).astype(float)
    for where in ("input_weights", "output_weights", "hidden_bias", "output_bias"):
        arrays = oracle.random_energy_model(1, 6, num_outputs).parameters()
        array = arrays[where]
        arrays[where] = (
            size * signs.ravel()[: array.size].reshape(array.shape)
            if array.size <= 6
            else size * array
        )
        model, x = EnergyModel(**arrays), np.array([[1.0], [-1.0], [0.0]])
        log_prob = model.log_prob(x)
        assert np.isfinite(log_prob).all()
        assert (log_prob <= 0).all()
        assert (np.abs(log_prob - oracle.output_log_prob(model, x)) <= rounding(model, x)).all()
        np.testing.assert_allclose(np.exp(log_prob).sum(axis=1), 1, rtol=tolerances.PROBABILITY)
        for array in model.gradient(x, labels(num_outputs, 3)).parameters().values():
            assert (np.abs(array) <= 1).all()  # means of differences of probabilities; all |x| <= 1
        perceptron = model.to_mlp()
        z = perceptron.predict_proba(x)
        assert ((z >= 0) & (z <= 1)).all()
        assert np.isfinite(perceptron.loss(x, labels(num_outputs, 3)))


def test_a_unit_far_from_zero_is_its_limit():
    """log P of a unit with a bias of c is -c where it is 0, to the last digits, and not log(1 - 1)."""
    for c in (40.0, 1e3, 1e5):
        model = EnergyModel([[0.0]], [[0.0]], output_bias=[c])
        assert model.log_prob([[0.0]])[0, 0] == pytest.approx(-c, rel=1e-15)
        assert MLP(**model.parameters()).loss([[0.0]], [[0]]) == pytest.approx(c, rel=1e-15)
        assert MLP(**model.parameters()).loss([[0.0]], [[1]]) == pytest.approx(
            np.exp(-c), rel=1e-12
        )


def test_sigmoid_and_softplus_are_good_to_the_last_bits(kernel):
    """As predict_proba and loss have them where hidden units do nothing; 3e-308 stands for what is smaller."""
    logits = np.concatenate(
        [np.linspace(-700, 700, 2001), np.linspace(-3, 3, 2001), [0.0, 1e-300, -1e-20, 1e90]]
    )
    for c in np.array_split(logits, len(logits) // 16 + 1):
        mlp = MLP([[0.0]], np.zeros((len(c), 1)), output_bias=c)
        np.testing.assert_allclose(mlp.predict_proba([[1.0]])[0], expit(c), rtol=1e-15)
        np.testing.assert_array_equal(mlp.logits([[1.0]])[0], c)
    for c in logits[::20]:
        mlp = MLP([[0.0]], [[0.0]], output_bias=[c])
        assert mlp.loss([[1.0]], [[0]]) == pytest.approx(np.logaddexp(0, c), rel=1e-15, abs=0)
    small = MLP([[0.0]], np.zeros((3, 1)), output_bias=[-745.0, -1e4, -1e90]).predict_proba([[1.0]])
    assert ((small >= 0) & (small < 1e-307)).all()


# Gradients


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("seed", range(4))
def test_gradients_are_the_slopes_of_the_enumerated_log_likelihood(size, seed):
    model, x, y = (
        oracle.random_energy_model(*size, seed=seed),
        inputs(size[0]),
        labels(size[2], seed=seed),
    )
    gradient = model.gradient(x, y)
    slopes = oracle.slopes(lambda other: oracle.log_likelihood(other, x, y), model)
    for name in PARAMETERS:
        given = getattr(gradient, name)
        assert given.shape == getattr(model, name).shape
        np.testing.assert_allclose(
            given, slopes[name], rtol=tolerances.GRADIENT, atol=tolerances.DIFFERENCE
        )


@pytest.mark.parametrize("size", [(40, 30, 2), (17, 100, 1), (3, 9, 4), (5, 33, 3)])
def test_gradients_of_wider_models_are_slopes_along_random_lines(kernel, size):
    """The oracle sums hidden units in closed form; each parameter alone, and inputs by the dozen."""
    model, x, y = (
        oracle.random_energy_model(*size, scale=0.3),
        inputs(size[0], 12),
        labels(size[2], 12),
    )
    gradient, random, step = model.gradient(x, y), np.random.default_rng(0), 2.0**-9
    rows = np.arange(12), (y << np.arange(size[2])).sum(axis=1)
    for name in PARAMETERS:
        for _ in range(3):
            line = random.normal(size=getattr(model, name).shape)
            line /= np.linalg.norm(line)

            def moved(t, name=name, line=line):
                arrays = {**model.parameters(), name: getattr(model, name) + t * line}
                return oracle.output_log_prob(EnergyModel(**arrays), x)[rows].mean()

            slope = (8 * (moved(step) - moved(-step)) - moved(2 * step) + moved(-2 * step)) / (
                12 * step
            )
            along = (getattr(gradient, name) * line).sum()
            assert along == pytest.approx(slope, rel=tolerances.GRADIENT, abs=1e-9)


def dyadic_model(*size):
    """Its P(y | x) is made of quarters, whatever x: each output alone, with a bias of log 3 or 0."""
    num_inputs, num_hidden, num_outputs = size
    biases = np.resize([np.log(3), 0.0, -np.log(3)], num_outputs)
    hidden = np.random.default_rng(0).normal(size=(num_hidden, num_inputs))
    return EnergyModel(hidden, np.zeros((num_outputs, num_hidden)), output_bias=biases)


@pytest.mark.parametrize("num_outputs", [1, 2, 3])
def test_outputs_in_exact_proportion_give_the_exact_gradient(num_outputs):
    model, x, y = dyadic_model(4, 5, num_outputs), inputs(), labels(num_outputs)
    counts = np.round(64 * np.exp(model.log_prob(x[:1])[0])).astype(int)
    assert counts.sum() == 64
    outputs = np.random.default_rng(0).permutation(
        np.repeat(oracle.bits(num_outputs), counts, axis=0)
    )
    exact, sampled = model.gradient(x, y), model.gradient(x, y, np.tile(outputs, (5, 1, 1)))
    for name in PARAMETERS:
        np.testing.assert_allclose(getattr(sampled, name), getattr(exact, name), rtol=0, atol=1e-14)
    assert not np.allclose(
        model.gradient(x, y, np.tile(outputs[1:], (5, 1, 1))).output_bias, exact.output_bias
    )


@pytest.mark.parametrize("size", SIZES)
def test_gradients_hold_the_conditional_means_of_hidden_units(size):
    """With x, y and one sample y': db = E[k | x, y] - E[k | x, y'], and the others are products of it."""
    model, x = oracle.random_energy_model(*size), inputs(size[0], 1)
    joint, bits, outputs = oracle.joint(model, x)[0], oracle.bits(size[1]), oracle.bits(size[2])
    means = joint @ bits / joint.sum(axis=1, keepdims=True)  # E[k | x, y], (2^M, K)
    sigma = 1 / (
        1
        + np.exp(-(model.input_weights @ x[0] + model.hidden_bias + outputs @ model.output_weights))
    )
    np.testing.assert_allclose(means, sigma, rtol=1e-10)
    for number, y in enumerate(outputs):
        for other, sample in enumerate(outputs):
            gradient = model.gradient(x, y[None], sample[None, None])
            change = means[number] - means[other]
            np.testing.assert_allclose(gradient.hidden_bias, change, rtol=0, atol=1e-12)
            np.testing.assert_allclose(
                gradient.input_weights, np.outer(change, x[0]), rtol=0, atol=1e-12
            )
            np.testing.assert_array_equal(gradient.output_bias, y - sample)
            second = np.outer(y, means[number]) - np.outer(sample, means[other])
            np.testing.assert_allclose(gradient.output_weights, second, rtol=0, atol=1e-12)


def test_the_gradient_of_a_batch_is_the_mean_over_its_inputs():
    model, x, y = oracle.random_energy_model(), inputs(), labels()
    outputs = np.random.default_rng(1).integers(0, 2, (5, 7, 2))
    for samples in (None, outputs):
        whole = model.gradient(x, y, samples)
        alone = [
            model.gradient(
                x[b : b + 1], y[b : b + 1], None if samples is None else samples[b : b + 1]
            )
            for b in range(5)
        ]
        for name in PARAMETERS:
            mean = np.mean([getattr(each, name) for each in alone], axis=0)
            np.testing.assert_allclose(getattr(whole, name), mean, rtol=0, atol=1e-14)


@pytest.mark.parametrize(("num_hidden", "num_outputs", "count"), [(64, 12, 40), (3000, 1, 1500)])
def test_gradients_of_large_batches_are_means_of_smaller_ones(
    kernel, num_hidden, num_outputs, count
):
    """Such that the sums are made in several parts."""
    model, x = oracle.random_energy_model(2, num_hidden, num_outputs, scale=0.2), inputs(2, count)
    y = labels(num_outputs, count)
    whole = model.gradient(x, y)
    parts = [model.gradient(x[rows], y[rows]) for rows in np.split(np.arange(count), 10)]
    for name in PARAMETERS:
        mean = np.mean([getattr(each, name) for each in parts], axis=0)
        np.testing.assert_allclose(getattr(whole, name), mean, rtol=0, atol=1e-14)


# The perceptron


@pytest.mark.parametrize("num_outputs", [1, 2, 3])
def test_the_perceptron_is_scikit_learns(kernel, num_outputs):
    random = np.random.default_rng(0)
    x, y = random.normal(size=(40, 6)), labels(num_outputs, 40)
    drawn = oracle.random_energy_model(6, 9, num_outputs)
    mlp = MLP(
        drawn.input_weights,
        drawn.output_weights,
        drawn.hidden_bias,
        -drawn.output_weights.sum(axis=1) / 2,
    )
    theirs = MLPClassifier((9,), activation="logistic", random_state=0)
    theirs.partial_fit(x, y if num_outputs > 1 else y.ravel(), classes=range(max(num_outputs, 2)))
    theirs.coefs_ = [mlp.input_weights.T, mlp.output_weights.T]
    theirs.intercepts_ = [mlp.hidden_bias, mlp.output_bias]
    z = mlp.predict_proba(x)
    expected = theirs.predict_proba(x) if num_outputs > 1 else theirs.predict_proba(x)[:, 1:]
    np.testing.assert_allclose(z, expected, rtol=1e-12)
    np.testing.assert_array_equal(mlp.predict(x), theirs.predict(x).reshape(40, -1))
    assert 0.05 < mlp.predict(x).mean() < 0.95
    losses = [
        log_loss(y[:, m], np.stack([1 - z[:, m], z[:, m]], axis=1)) for m in range(num_outputs)
    ]
    assert mlp.loss(x, y) == pytest.approx(sum(losses), rel=1e-12)
    np.testing.assert_allclose(mlp.logits(x), np.log(z / (1 - z)), rtol=1e-10, atol=1e-12)


def test_predict_of_an_even_chance_is_0():
    assert MLP([[1.0]], [[0.0]]).predict([[1.0]]).tolist() == [[0]]


def test_hidden_fields_are_w1_x_plus_b(kernel):
    for num_hidden in WIDTHS:
        for num_inputs in WIDTHS:
            model, x = oracle.random_energy_model(num_inputs, num_hidden, 1), inputs(num_inputs, 3)
            exact = x @ model.input_weights.T + model.hidden_bias
            np.testing.assert_allclose(
                model.hidden_fields(x), exact, rtol=0, atol=1e-13 * (num_inputs + 1)
            )


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.float16])
def test_inputs_of_other_types_are_those_numbers(dtype):
    model, x = oracle.random_energy_model(), (8 * inputs()).astype(dtype)
    same = x.astype(np.float64)
    assert tolerances.same_bits(model.log_prob(x), model.log_prob(same))
    assert tolerances.same_bits(model.to_mlp().predict_proba(x), model.to_mlp().predict_proba(same))
    assert tolerances.same_bits(model.log_prob(x), model.log_prob(np.asfortranarray(same)))
    assert tolerances.same_bits(
        model.log_prob(x[::-1]), np.ascontiguousarray(model.log_prob(x)[::-1])
    )


def test_twins_share_their_weights():
    model = oracle.random_energy_model()
    mlp = model.to_mlp()
    back = EnergyModel.from_mlp(mlp)
    assert (type(mlp), type(back)) == (MLP, EnergyModel)
    for name in PARAMETERS:
        assert tolerances.same_bits(getattr(model, name), getattr(mlp, name), getattr(back, name))
    assert tolerances.same_bits(model.log_prob(inputs()), back.log_prob(inputs()))


def test_weights_are_copies_that_cannot_be_changed():
    arrays = {
        name: np.array(array) for name, array in oracle.random_energy_model().parameters().items()
    }
    model = EnergyModel(**arrays)
    before = model.log_prob(inputs())
    for name, array in arrays.items():
        array += 1
        with pytest.raises(ValueError, match="read-only"):
            getattr(model, name)[0] = 0
    assert tolerances.same_bits(model.log_prob(inputs()), before)
    assert (model.num_inputs, model.num_hidden, model.num_outputs) == (4, 5, 2)
    assert repr(model) == "EnergyModel(4 inputs, 5 hidden, 2 outputs)"
    assert repr(model.to_mlp()) == "MLP(4 inputs, 5 hidden, 2 outputs)"


def test_biases_are_zero_if_not_given():
    model = oracle.random_energy_model()
    bare = EnergyModel(model.input_weights, model.output_weights)
    assert not bare.hidden_bias.any()
    assert not bare.output_bias.any()
    assert (bare.hidden_bias.shape, bare.output_bias.shape) == ((5,), (2,))


def test_random_models_are_normal_and_follow_their_seed():
    """10,000 and 100,000 weights: mean, standard deviation and fourth moment by z-score."""
    model = EnergyModel.random(num_inputs=1000, num_hidden=100, num_outputs=16, scale=0.02, seed=3)
    for array in (model.input_weights, model.output_weights):
        standard, n = array.ravel() / 0.02, array.size
        for power, mean, variance in ((1, 0, 1), (2, 1, 2), (4, 3, 96)):
            assert abs((standard**power).mean() - mean) < tolerances.SIGMAS * np.sqrt(variance / n)
    assert not model.hidden_bias.any()
    assert not model.output_bias.any()
    sizes = {"num_inputs": 3, "num_hidden": 2}
    again, other, default = (
        EnergyModel.random(**sizes, seed=seed).input_weights for seed in (3, 4, 0)
    )
    assert tolerances.same_bits(EnergyModel.random(**sizes, seed=3).input_weights, again)
    assert tolerances.same_bits(EnergyModel.random(**sizes).input_weights, default)
    assert not np.array_equal(again, other)
    assert not np.array_equal(
        *(EnergyModel.random(**sizes, seed=None).input_weights for _ in range(2))
    )
    assert EnergyModel.random(**sizes).num_outputs == 1
    np.testing.assert_allclose(
        EnergyModel.random(**sizes, scale=1.0).input_weights * 0.01, default, rtol=1e-15
    )


# The equivalence, Section 3.4


def distances(eps, num_outputs):
    """Of the model's gradient from that of minus the perceptron's loss, and the sizes of the latter, W1 then W2."""
    model = oracle.random_energy_model(4, 6, num_outputs)
    model = EnergyModel(eps * model.input_weights, eps * model.output_weights)
    x, y = inputs(), labels(num_outputs)
    ours = model.gradient(x, y)
    theirs = oracle.slopes(lambda mlp: -mlp.loss(x, y), model.to_mlp())
    pairs = [(getattr(ours, name), theirs[name]) for name in PARAMETERS[:2]]
    return np.array([[np.linalg.norm(a - b), np.linalg.norm(b)] for a, b in pairs])


@pytest.mark.parametrize("num_outputs", [1, 3])
def test_for_small_weights_the_gradient_is_that_of_backpropagation(num_outputs):
    """Of weights of order eps, W1's gradient is of order eps, and that of W2 of order 1; they differ by two orders and
    by one order less: y W2 sigma', the first order of sigma in Eq. (48), is left out of Eq. (50)."""
    near, far = distances(1 / 64, num_outputs), distances(1 / 32, num_outputs)
    orders = np.log2(far / near)
    np.testing.assert_allclose(orders, [[3, 1], [1, 0]], rtol=0, atol=0.05)


# Files


def test_save_and_load(tmp_path):
    model, path = oracle.random_energy_model(), tmp_path / "model.safetensors"
    model.save(path)
    loaded = EnergyModel.load(path)
    for name in PARAMETERS:
        assert tolerances.same_bits(getattr(model, name), getattr(loaded, name))
    assert tolerances.same_bits(model.log_prob(inputs()), loaded.log_prob(inputs()))
    content = path.read_bytes()
    loaded.save(str(path))
    assert path.read_bytes() == content
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_other_files_are_refused(tmp_path, assert_refused):
    other, none = tmp_path / "network.safetensors", tmp_path / "none.safetensors"
    oracle.random_network().save(other)
    refusal = f"ValueError: {other} must be an isingprop-energy-model file, got 'isingprop-network'"
    assert_refused(lambda: EnergyModel.load(other), refusal)
    assert_refused(
        lambda: EnergyModel.load(none), f"FileNotFoundError: no energy-model file at {none}"
    )
    without = dict(oracle.random_energy_model().parameters())
    del without["hidden_bias"]
    save_tensors(other, "energy-model", without, {})
    names = "input_weights, output_weights, hidden_bias, output_bias"
    assert_refused(
        lambda: EnergyModel.load(other),
        f"ValueError: {other} must hold {names}, got no hidden_bias",
    )
    save_tensors(other, "energy-model", without | {"hidden_bias": np.ones(4)}, {})
    assert_refused(
        lambda: EnergyModel.load(other), "ValueError: hidden_bias must have shape (5,), got (4,)"
    )
    none.write_bytes(b"text")
    assert_refused(
        lambda: EnergyModel.load(none),
        f"ValueError: {none} must be a safetensors file, got one that",
    )


# Same bits


def results(model, x, y, outputs):
    gradients = [
        *model.gradient(x, y).parameters().values(),
        *model.gradient(x, y, outputs).parameters().values(),
    ]
    mlp = model.to_mlp()
    numbers = np.array([model.log_likelihood(x, y), mlp.loss(x, y)])
    problem = model.problem(x, beta_effective=3.0)
    arrays = problem.couplings, problem.hidden_fields, problem.output_fields
    return [model.log_prob(x), mlp.predict_proba(x), mlp.logits(x), numbers, *gradients, *arrays]


@pytest.mark.parametrize("num_hidden", WIDTHS)
@pytest.mark.parametrize("num_inputs", [1, 8, 17])
def test_same_bits_on_every_kernel(on_every_kernel, num_inputs, num_hidden):
    for num_outputs in (1, 2, 5):
        model = oracle.random_energy_model(num_inputs, num_hidden, num_outputs)
        x, y = inputs(num_inputs, 9), labels(num_outputs, 9)
        outputs = np.random.default_rng(0).integers(0, 2, (9, 6, num_outputs))
        for arrays in zip(*on_every_kernel(lambda: results(model, x, y, outputs)), strict=True):  # noqa: B023
            assert tolerances.same_bits(*arrays)


@pytest.mark.parametrize("size", [(5, 9, 1), (40, 33, 3), (784, 548, 1)])
def test_rows_do_not_depend_on_the_rest_of_the_batch(kernel, size):
    model, x = oracle.random_energy_model(*size, scale=0.1), inputs(size[0], 11)
    for function in (model.log_prob, model.hidden_fields, model.to_mlp().predict_proba):
        whole = function(x)
        for cut in (1, 4, 8):
            assert tolerances.same_bits(
                whole, np.concatenate([function(x[:cut]), function(x[cut:])])
            )


# Refusals

W1, W2, X, Y = np.ones((5, 4)), np.ones((2, 5)), inputs(), labels()
GOOD = oracle.random_energy_model()
WITH_NAN = np.where(np.arange(20).reshape(5, 4) == 6, np.nan, 0.5)


@pytest.mark.parametrize("kind", [MLP, EnergyModel])
@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        ((W1[0], W2), "ValueError: input_weights must have shape (n, n), got (4,)"),
        ((W1[:0], W2), "ValueError: input_weights must have shape (n, n), got (0, 4)"),
        ((W1[:, :0], W2), "ValueError: input_weights must have shape (n, n), got (5, 0)"),
        ((W1, W2[:, :4]), "ValueError: output_weights must have shape (n, 5), got (2, 4)"),
        ((W1, W2[0]), "ValueError: output_weights must have shape (n, 5), got (5,)"),
        ((W1, W2[:0]), "ValueError: output_weights must have shape (n, 5), got (0, 5)"),
        ((W1, np.ones((17, 5))), "ValueError: num_outputs must be at most 16, got 17"),
        ((W1, W2, np.ones(4)), "ValueError: hidden_bias must have shape (5,), got (4,)"),
        ((W1, W2, None, np.ones(3)), "ValueError: output_bias must have shape (2,), got (3,)"),
        ((WITH_NAN, W2), "ValueError: input_weights must be finite, got nan at index (1, 2)"),
        ((W1, W2 * np.inf), "ValueError: output_weights must be finite, got inf at index (0, 0)"),
        (
            (W1, W2, np.full(5, np.nan)),
            "ValueError: hidden_bias must be finite, got nan at index (0,)",
        ),
        (
            (W1, W2, None, [0, -np.inf]),
            "ValueError: output_bias must be finite, got -inf at index (1,)",
        ),
        ((W1, W2 * 1e101), "ValueError: output_weights must be within 1e+100 of 0, got "),
        (([["a"]], W2), "TypeError: input_weights must be an array of real numbers, got dtype <U1"),
        (
            (W1, W2 * 1j),
            "TypeError: output_weights must be an array of real numbers, got dtype complex128",
        ),
    ],
)
def test_refusals_of_weights(assert_refused, kind, arguments, refusal):
    assert_refused(lambda: kind(*arguments), refusal)


@pytest.mark.parametrize(
    ("call", "refusal"),
    [
        *(
            (lambda call=call, x=x: call(x), f"ValueError: x must {refusal}")
            for call in (
                GOOD.log_prob,
                GOOD.predict,
                GOOD.hidden_fields,
                GOOD.to_mlp().predict_proba,
                GOOD.to_mlp().predict,
                GOOD.to_mlp().logits,
                lambda x: GOOD.gradient(x, Y),
                lambda x: GOOD.log_likelihood(x, Y),
                lambda x: GOOD.to_mlp().loss(x, Y),
            )
            for x, refusal in (
                (X[0], "have shape (n, 4), got (4,)"),
                (X[:, :3], "have shape (n, 4), got (5, 3)"),
                (X[:0], "have shape (n, 4), got (0, 4)"),
                (WITH_NAN, "be finite, got nan at index (1, 2)"),
                (np.full((1, 4), -1e101), "be within 1e+100 of 0, got 1e+101"),
            )
        ),
        *(
            (lambda call=call, y=y: call(X, y), refusal)
            for call in (GOOD.gradient, GOOD.log_likelihood, GOOD.to_mlp().loss)
            for y, refusal in (
                (Y[:, 0], "ValueError: y must have shape (5, 2), got (5,)"),
                (Y[:4], "ValueError: y must have shape (5, 2), got (4, 2)"),
                (Y[:, :1], "ValueError: y must have shape (5, 2), got (5, 1)"),
                (
                    np.where(np.eye(5, 2) > 0, 2, 0),
                    "ValueError: y must be 0 or 1, got 2 at index (0, 0)",
                ),
                (np.eye(5, 2) / 2, "ValueError: y must be 0 or 1, got 0.5 at index (0, 0)"),
                (2 * Y - 1, "ValueError: y must be 0 or 1, got -1 at index "),
                (np.full((5, 2), np.nan), "ValueError: y must be 0 or 1, got nan at index (0, 0)"),
                ([["0", "1"]] * 5, "TypeError: y must be an array of 0 and 1, got dtype <U1"),
            )
        ),
        *(
            (lambda outputs=outputs: GOOD.gradient(X, Y, outputs), refusal)
            for outputs, refusal in (
                (np.ones((5, 3)), "ValueError: outputs must have shape (5, n, 2), got (5, 3)"),
                (
                    np.ones((5, 3, 1)),
                    "ValueError: outputs must have shape (5, n, 2), got (5, 3, 1)",
                ),
                (
                    np.ones((5, 0, 2)),
                    "ValueError: outputs must have shape (5, n, 2), got (5, 0, 2)",
                ),
                (
                    np.full((5, 3, 2), 2),
                    "ValueError: outputs must be 0 or 1, got 2 at index (0, 0, 0)",
                ),
                (
                    np.full((5, 3, 2), -1.0),
                    "ValueError: outputs must be 0 or 1, got -1.0 at index (0, 0, 0)",
                ),
            )
        ),
        (lambda: EnergyModel.from_mlp(GOOD), "TypeError: mlp must be an MLP, got EnergyModel"),
        (
            lambda: EnergyModel.random(num_inputs=0, num_hidden=1),
            "ValueError: num_inputs must be at least 1, got 0",
        ),
        (
            lambda: EnergyModel.random(num_inputs=1, num_hidden=0),
            "ValueError: num_hidden must be at least 1, got 0",
        ),
        (
            lambda: EnergyModel.random(num_inputs=1, num_hidden=1, num_outputs=17),
            "ValueError: num_outputs must be at most 16, got 17",
        ),
        (
            lambda: EnergyModel.random(num_inputs=1, num_hidden=1, num_outputs=0),
            "ValueError: num_outputs must be at least 1, got 0",
        ),
        (
            lambda: EnergyModel.random(num_inputs=1, num_hidden=1, scale=0),
            "ValueError: scale must be finite and above 0, got 0.0",
        ),
        (
            lambda: EnergyModel.random(num_inputs=1, num_hidden=1, scale="1"),
            "TypeError: scale must be a number, got '1'",
        ),
        (
            lambda: EnergyModel.random(num_inputs=1, num_hidden=1.5),
            "TypeError: num_hidden must be an integer, got 1.5",
        ),
        (
            lambda: EnergyModel.random(num_inputs=1, num_hidden=1, seed=-1),
            "ValueError: seed must be at least 0, got",
        ),
    ],
)
def test_refusals(assert_refused, call, refusal):
    assert_refused(call, refusal)


def test_outputs_of_another_number_of_inputs_are_refused_in_their_own_shape(assert_refused):
    call = lambda: GOOD.gradient(X, Y, np.ones((4, 3, 2)))  # noqa: E731
    assert_refused(call, "ValueError: outputs must have shape (5, n, 2), got (4, 3, 2)")


def test_booleans_are_inputs():
    x = np.random.default_rng(1).random((5, 4)) > 0.5
    assert np.array_equal(GOOD.log_prob(x), GOOD.log_prob(x.astype(float)))


def test_fields_far_larger_than_weights_cancel():
    """exp(2) (1 + ...) against 1: the unit is 1 in both outputs, and only W2 tells them apart."""
    assert np.exp(EnergyModel([[1e17]], [[2.0]]).log_prob([[1.0]]))[0, 1] == pytest.approx(
        1 / (1 + np.exp(-2)), rel=1e-14
    )
