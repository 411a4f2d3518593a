"""Tests of coherent training: updates by hand from the state vector, shots against them,
accounts, resuming.
"""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from helpers import oracle, tolerances
from helpers.training.training_runs import DATA, bits, make, without_seconds
from isingprop import (
    Amplified,
    Annealing,
    BipartiteNetwork,
    Coherent,
    ImageSet,
    LayeredNetwork,
    LearningRates,
    Trainer,
    coherent,
    load_data,
)
from isingprop.network.bipartite import PARAMETERS
from isingprop.quantum.amplification import applications, best_iterations

TIME, STEPS = 8.0, 40

PLAIN = Coherent(TIME, STEPS)

GROVER = Amplified(TIME, STEPS)

FIXED = Amplified(TIME, STEPS, method="fixed-point", failure=0.2)

HIDDEN, OUTPUT = 4, 6  # 3 classes, redundancy 2

RATE = 0.5

IMAGES, LABELS = DATA.train_images[:5].astype(np.float32), DATA.train_labels[:5]

STATES = oracle.up_states(HIDDEN + OUTPUT).astype(np.float64)


def small_network():
    return oracle.random_network(7, HIDDEN, 3, 2)


def settled_network():
    """Sure of class 0, so that wrong states of its images are rare."""
    network = small_network()
    network.couplings /= 8
    network.output_bias[:] = [-2, -2, 2, 2, 2, 2]
    return network


def trainer_of(sampler, num_states=None, **options):
    options = {"learning_rate": RATE, "batch_size": len(IMAGES), **options}
    return make(sampler, small_network(), num_states=num_states, **options)


def is_wrong(label):
    """Which of STATES do not have more spins up for the label than for any other class."""
    up = (STATES[:, HIDDEN:].reshape(-1, 3, 2) > 0).sum(axis=2)
    return up[:, label] <= np.delete(up, label, axis=1).max(axis=1)


def final_probabilities(network, pixels):
    """Of all states, after an anneal of H over its largest local field."""
    problem = network.problem(pixels[None])
    largest = np.abs(oracle.local_fields(problem, STATES.astype(np.int8)[None])).max()
    arrays = problem.couplings, problem.hidden_fields, problem.output_fields
    divided = type(problem)(*(each.astype(np.float64) / largest for each in arrays))
    return np.abs(coherent.anneal(divided, total_time=TIME, num_steps=STEPS)) ** 2


def update_by_hand(network, images, labels, *, amplified=False, exponent=0.0):
    """Eq. (10), or (13), minus the nudged state of Eq. (7), in float64: the mean over images, by
    parameter.
    """
    change = dict.fromkeys(PARAMETERS, 0.0)
    for pixels, label in zip(images.astype(np.float64), labels, strict=True):
        weights = final_probabilities(network, pixels)
        if amplified:
            weights = np.where(is_wrong(label), weights, 0)
            weights *= weights.sum() ** (exponent / 2 - 1)
        target = np.repeat(np.where(np.arange(3) == label, 1, -1), 2)
        fields = network.hidden_bias + pixels @ network.input_weights.T + network.couplings @ target
        nudged = np.concatenate([np.where(fields > 0, -1, 1), target])[None]
        for share, states in ((weights, STATES), (np.array([-weights.sum()]), nudged)):
            hidden, output = np.split(states, [HIDDEN], axis=1)
            s = share @ hidden
            slopes = np.outer(s, pixels), (share[:, None] * hidden).T @ output, s, share @ output
            for name, slope in zip(PARAMETERS, slopes, strict=True):
                change[name] = change[name] + slope / len(images)
    return change


def changes(trainer):
    before = small_network().parameters()
    return {
        name: (array - before[name]) / RATE for name, array in trainer.network.parameters().items()
    }


@pytest.mark.parametrize(
    ("sampler", "amplified"),
    [
        (PLAIN, {}),
        (GROVER, {"amplified": True}),
        (FIXED, {"amplified": True}),
        (replace(GROVER, exponent=1.0), {"amplified": True, "exponent": 1.0}),
    ],
)
@pytest.mark.parametrize("batch_size", [1, 5])
def test_an_update_from_all_states_is_eq_10_or_13_by_hand(sampler, amplified, batch_size):
    trainer = trainer_of(sampler, batch_size=batch_size)
    count = len(IMAGES) if batch_size > 1 else 1
    record = trainer.train_epoch(IMAGES[:count], LABELS[:count])
    expected = update_by_hand(small_network(), IMAGES[:count], LABELS[:count], **amplified)
    for name, change in changes(trainer).items():
        np.testing.assert_allclose(
            change, expected[name], rtol=0, atol=10 * tolerances.FLOAT32, err_msg=name
        )
        assert np.abs(expected[name]).max() > 0.1
        norm = getattr(record, f"update_norm_{name}") / RATE
        assert norm == pytest.approx(np.linalg.norm(expected[name]), rel=1e-4)
    assert record.applications is None, "nothing was run on a device"


def test_a_literal_amplification_gives_the_amplified_update():
    """Of a fixed point whose failure is next to nothing, <ZZ> is that of Eq. (13)."""
    pixels, label = IMAGES[:1], int(LABELS[0])
    problem = small_network().problem(pixels, marked=small_network().readout.wrong_outputs([label]))
    options = {"total_time": TIME, "num_steps": STEPS}
    done = coherent.amplify(problem, method="fixed-point", failure=1e-8, **options)
    weights = np.abs(done.state) ** 2
    states = replace(GROVER, rescale=False).weighted_states(problem)
    for k in range(HIDDEN):
        for a in range(HIDDEN, HIDDEN + OUTPUT):
            product = STATES[:, k] * STATES[:, a]
            assert states.weights[0] @ product == pytest.approx(weights @ product, abs=1e-6)


@pytest.mark.parametrize("sampler", [PLAIN, FIXED])
def test_shots_tend_to_all_states(sampler):
    """<Z> and <ZZ> of 20,000 shots: z-scores of some 60 sums of +1 and -1; a right one fails at
    1e-6 each.
    """
    num_states = 20_000
    trainers = [trainer_of(sampler, number) for number in (num_states, None)]
    for trainer in trainers:
        trainer.train_epoch(IMAGES[:1], LABELS[:1])
    shots, exact = (changes(trainer) for trainer in trainers)
    label, network = int(LABELS[0]), small_network()
    weights = final_probabilities(network, IMAGES[0])
    if sampler is FIXED:
        weights = np.where(is_wrong(label), weights, 0)
    weights = weights / weights.sum()
    hidden, output = np.split(STATES, [HIDDEN], axis=1)
    means = {"couplings": (weights[:, None] * hidden).T @ output, "hidden_bias": weights @ hidden}
    means["output_bias"] = weights @ output
    for name, mean in means.items():
        sigma = np.sqrt((1 - mean**2) / num_states)
        away = np.abs(shots[name] - exact[name])
        assert (away < tolerances.SIGMAS * sigma + 10 * tolerances.FLOAT32).all(), name
        assert (away > 0.05 * sigma).any(), "they are shots"


@pytest.mark.parametrize("num_states", [None, 6])
@pytest.mark.parametrize("margin", [0.0, 1.0])
def test_training_errors_of_an_amplified_run_are_those_of_the_plain_state(num_states, margin):
    """Also with a margin, which the energies are without."""
    options = {"learning_rate": 0.0, "margin": margin, "batch_size": 4}
    records = [
        trainer_of(sampler, num_states, **options).train_epoch(DATA.train_images, DATA.train_labels)
        for sampler in (PLAIN, GROVER, FIXED)
    ]
    for record in records[1:]:
        assert record.train_error_reads == records[0].train_error_reads
        assert record.train_error_lowest == records[0].train_error_lowest
    if num_states is None and not margin:
        pairs = zip(DATA.train_images, DATA.train_labels, strict=True)
        wrong = [final_probabilities(small_network(), x) @ is_wrong(y) for x, y in pairs]
        assert records[0].train_error_reads == pytest.approx(
            np.mean(wrong), abs=10 * tolerances.FLOAT32
        )


def test_the_weighted_error_is_counted_whatever_the_portions():
    many, few = (trainer_of(PLAIN, learning_rate=0.0, batch_size=size) for size in (23, 2))
    errors = [
        each.train_epoch(DATA.train_images, DATA.train_labels).train_error_reads
        for each in (many, few)
    ]
    assert errors[0] == pytest.approx(errors[1], rel=1e-12)
    assert 0 < errors[0] < 1


def test_applications_add_up():
    num_states, epochs = 3, 2
    for sampler, per_image in ((PLAIN, 3), (replace(PLAIN, total_time=3.0), 3)):
        trainer = trainer_of(sampler, num_states)
        trainer.fit(DATA, epochs)
        assert [record.applications for record in trainer.history] == [
            per_image * len(DATA.train_images)
        ] * epochs
    nudged = trainer_of(PLAIN, num_states, nudge=1.0)
    assert nudged.train_epoch(IMAGES, LABELS).applications == len(IMAGES) * (num_states + 1)
    network = settled_network()
    trainer = make(GROVER, network, num_states=num_states, learning_rate=0.0)
    record = trainer.train_epoch(IMAGES, LABELS)
    sizes = [
        final_probabilities(network, x) @ is_wrong(y) for x, y in zip(IMAGES, LABELS, strict=True)
    ]
    counts = [applications(best_iterations(size**0.5)) for size in sizes]
    assert min(counts) == 1
    assert max(counts) >= 5
    assert record.applications == num_states * sum(counts)
    assert make(num_states=2).train_epoch(DATA.train_images, DATA.train_labels).applications is None


RESUMED = {
    "all states": (PLAIN, None, {}),
    "shots": (PLAIN, 3, {}),
    "amplified, with a schedule": (replace(GROVER, schedule=lambda t: (t / TIME) ** 2), None, {}),
    "amplified shots": (
        replace(FIXED, schedule=[(0, 0), (2, 0.5), (TIME, 1)], exponent=1.0),
        3,
        {"nudge": 1.0},
    ),
    "margin": (GROVER, None, {"margin": 1.0, "beta_effective": True}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", RESUMED)
def test_a_resumed_run_is_the_same_to_the_bit(tmp_path, name):
    sampler, num_states, options = RESUMED[name]
    options = {"learning_rate": 0.05, "batch_size": 3, **options}
    whole, first, second = (trainer_of(sampler, num_states, **options) for _ in range(3))
    whole.fit(DATA, 3)
    first.fit(DATA, 1)
    first.save_checkpoint(tmp_path / "run.json")
    second.restore(tmp_path / "run.json")
    second.fit(DATA, 2)
    assert bits(second) == bits(whole) != bits(first)
    assert without_seconds(second.history) == without_seconds(whole.history)


@pytest.mark.parametrize(
    ("other", "num_states"),
    [
        (replace(GROVER, schedule=lambda t: (t / TIME) ** 3), None),
        (replace(GROVER, exponent=1.0), None),
        (replace(GROVER, method="fixed-point"), None),
        (PLAIN, None),
        (GROVER, 3),
    ],
)
def test_a_run_is_not_resumed_with_another_sampler(tmp_path, other, num_states):
    trainer = trainer_of(GROVER)
    trainer.train_epoch(IMAGES, LABELS)
    trainer.save_checkpoint(tmp_path / "run.json")
    trainer_of(replace(GROVER, num_threads=2)).restore(tmp_path / "run.json")
    with pytest.raises(ValueError, match="num_states must be" if num_states else "sampler must be"):
        trainer_of(other, num_states).restore(tmp_path / "run.json")


def test_bits_of_other_samplers_are_those_of_before():
    """Changed only together with a line in CHANGELOG.md."""
    trainer = make(Annealing(num_sweeps=5), num_states=3, batch_size=4, seed=11)
    trainer.fit(DATA, 2)
    joined = b"".join(array.tobytes("K") for array in trainer.network.parameters().values())
    assert (
        hashlib.sha256(joined).hexdigest()
        == "80e477373fd4233884196bcee097dd06017dd4fd5559990624afa748e38be4d8"
    )


@pytest.mark.slow
def test_three_classes_of_digits_are_learned():
    """By chance, as for one and the same answer to all, two of three would be wrong."""
    digits = load_data("digits")
    rows, tests = (
        np.flatnonzero(np.isin(labels, (0, 1, 2)))[:count]
        for labels, count in ((digits.train_labels, 60), (digits.test_labels, 30))
    )
    parts = (
        digits.train_images[rows],
        digits.train_labels[rows],
        digits.test_images[tests],
        digits.test_labels[tests],
    )
    three = ImageSet("digits", *parts, num_classes=3)
    for sampler in (Coherent(), Amplified(exponent=1.0)):
        network = BipartiteNetwork.random(num_inputs=64, num_hidden=8, num_classes=3, redundancy=2)
        options = {"num_states": None, "num_test_reads": 5}
        rates = LearningRates.of(0.02)
        history = Trainer(network, sampler, learning_rate=rates, **options).fit(three, epochs=3)
        assert history[0].train_error_reads > 0.25
        assert history[-1].train_error_reads < 0.15
        assert history[-1].train_error_lowest < 0.1
        assert history[-1].test_accuracy > tolerances.DIGITS_ACCURACY


DEEP = LayeredNetwork.random(num_inputs=7, hidden=(3, 2), num_classes=2, redundancy=1)

WIDE = BipartiteNetwork.random(num_inputs=7, num_hidden=4, num_classes=9, redundancy=3)


@pytest.mark.parametrize(
    ("call", "refusal"),
    [
        (
            lambda: make(Annealing(), num_states=None),
            "ValueError: num_states must be a number for Annealing(",
        ),
        (
            lambda: make(PLAIN, DEEP, num_states=None),
            "ValueError: num_states must be a number for Coherent(",
        ),
        (
            lambda: make(GROVER, DEEP),
            "ValueError: sampler must not look for marked states for LayeredNetwork(",
        ),
        (
            lambda: trainer_of(PLAIN, None, references="wrong-classes"),
            "ValueError: references must be None for Coherent(",
        ),
        (
            lambda: trainer_of(PLAIN, None, skip_correct=True, nudge=1.0),
            "ValueError: skip_correct must be False for Coherent(",
        ),
        (
            lambda: trainer_of(GROVER, 2, skip_correct=True, nudge=1.0),
            "ValueError: skip_correct must be False for Amplified(",
        ),
        (
            lambda: make(GROVER, WIDE).train_epoch(IMAGES, LABELS),
            "ValueError: num_classes * redundancy must be at most 20, got 27",
        ),
        (
            lambda: make(PLAIN, WIDE).train_epoch(IMAGES, LABELS),
            "ValueError: problem must have at most 26 spins, got 31",
        ),
    ],
)
def test_refusals(assert_refused, call, refusal):
    assert_refused(call, refusal)


def test_coherent_shots_train_deep_networks_without_marks():
    trainer = make(
        PLAIN,
        LayeredNetwork.random(num_inputs=7, hidden=(3, 2), num_classes=3, redundancy=1),
        num_states=2,
    )
    record = trainer.train_epoch(DATA.train_images, DATA.train_labels)
    assert record.applications > 0
