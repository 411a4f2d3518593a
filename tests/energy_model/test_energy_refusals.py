"""Energy-based models: files, bits on every kernel, refusals."""

import numpy as np
import pytest

from helpers import energy_oracle, oracle, tolerances
from helpers.training.energy_cases import WIDTHS, inputs, labels
from isingprop import MLP, EnergyModel
from isingprop.energy_model.mlp import PARAMETERS
from isingprop.util.checked_files import save_tensors

# Files


def test_save_and_load(tmp_path):
    model, path = energy_oracle.random_energy_model(), tmp_path / "model.safetensors"
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
    without = dict(energy_oracle.random_energy_model().parameters())
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
        model = energy_oracle.random_energy_model(num_inputs, num_hidden, num_outputs)
        x, y = inputs(num_inputs, 9), labels(num_outputs, 9)
        outputs = np.random.default_rng(0).integers(0, 2, (9, 6, num_outputs))
        for arrays in zip(*on_every_kernel(lambda: results(model, x, y, outputs)), strict=True):  # noqa: B023
            assert tolerances.same_bits(*arrays)


@pytest.mark.parametrize("size", [(5, 9, 1), (40, 33, 3), (784, 548, 1)])
def test_rows_do_not_depend_on_the_rest_of_the_batch(kernel, size):
    model, x = energy_oracle.random_energy_model(*size, scale=0.1), inputs(size[0], 11)
    for function in (model.log_prob, model.hidden_fields, model.to_mlp().predict_proba):
        whole = function(x)
        for cut in (1, 4, 8):
            assert tolerances.same_bits(
                whole, np.concatenate([function(x[:cut]), function(x[cut:])])
            )


# Refusals

W1, W2, X, Y = np.ones((5, 4)), np.ones((2, 5)), inputs(), labels()

GOOD = energy_oracle.random_energy_model()

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
