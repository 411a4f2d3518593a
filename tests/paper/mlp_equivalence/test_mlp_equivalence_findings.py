"""The study of equivalence: findings on made-up results."""

import math

import numpy as np
import pytest

from helpers.paper.equivalence_results import CURVES, SHARES, STUDENT, course, sigmoid
from isingprop.analysis.scaling import Interval
from isingprop.paper.mlp_equivalence.equivalence_findings import findings, verdict
from isingprop.paper.mlp_equivalence.equivalence_jobs import moments, symmetrised_kl
from isingprop.paper.mlp_equivalence.equivalence_outcomes import Outcome


def outcome(title="0-1", num_seeds=3, num_updates=80, **changes):
    """Over seeds: a change may be a function of the seed."""
    results = [
        course(
            num_updates,
            **{name: each(seed) if callable(each) else each for name, each in changes.items()},
        )
        for seed in range(num_seeds)
    ]
    return Outcome.of(title, num_updates, results)


def said(beginning, *exact, sampled=()):
    (line,) = [line for line in findings(exact, sampled) if line.startswith(beginning)]
    return line


def peaked(first, largest, end, num_updates=80):
    """A curve that is `largest` after update 5."""
    curve = np.full(len(moments(num_updates)), end, dtype=float)
    curve[:4] = first, first, first, largest
    return curve


def shared(mean, sign=1):
    """Differs from seed to seed."""
    return lambda seed: mean + sign * SHARES[seed]


def test_curves_are_held_by_seed_and_update():
    own = outcome(loss=lambda seed: peaked(0.3, 0.9 + SHARES[seed], 0.2))
    assert own.updates.tolist() == moments(80)
    assert set(own.curves) == set(CURVES)
    assert own.curves["loss"].shape == (3, len(moments(80)))
    assert own.curves["loss"][:, 3].tolist() == pytest.approx([0.89, 0.9, 0.91])
    assert own.end("loss").tolist() == [0.2, 0.2, 0.2]
    assert own.mean("loss")[3] == pytest.approx(0.9)
    assert own.farthest(own.mean("loss")) == (pytest.approx(0.9), 5)
    likelihood, loss = own.curves["log_likelihood"][:, 3], np.array([0.89, 0.9, 0.91])
    assert own.gap("log_likelihood", "loss")[3] == pytest.approx(max(abs(likelihood - loss)))
    assert own.gap("log_likelihood", "loss", sign=-1)[3] == pytest.approx(
        max(abs(likelihood + loss))
    )


def test_gaps_of_seeds_do_not_cancel():
    apart = outcome(
        loss=lambda seed: peaked(0.3, 0.9, 0.2 + SHARES[seed]), loss_inherited=peaked(0.3, 0.9, 0.2)
    )
    assert sum(SHARES[seed] for seed in range(3)) == pytest.approx(0)
    assert apart.gap("loss", "loss_inherited")[-1] == pytest.approx(max(map(abs, SHARES)))


def test_differences_at_the_end_are_of_equal_seeds():
    own = outcome(
        mlp_accuracy=shared(0.9), ebm_accuracy=shared(0.8), ebm_accuracy_inherited=shared(0.9, -1)
    )
    assert own.difference("mlp_accuracy", "ebm_accuracy") == pytest.approx((0.1, 0.1, 0.1))
    half = STUDENT * 0.02 / 3**0.5
    assert own.difference("mlp_accuracy", "ebm_accuracy_inherited") == pytest.approx(
        (0, -half, half), abs=1e-6
    )


def test_the_late_change_is_of_the_last_third():
    updates = np.array(moments(300))
    own = outcome(num_updates=300, kl=np.where(updates < 200, 5.0, updates / 1000))
    assert own.late_change() == pytest.approx((0.1, 0.1, 0.1))


def test_perceptrons_of_two_seeds_are_compared_in_all_pairs():
    """Logits u, v, 0 on all images: seed 0 has (u, v) and (u, 0) to average."""
    count, u, v = len(moments(80)), 1.0, -2.0

    def between(a, b):
        return (sigmoid(a) - sigmoid(b)) * (a - b)

    own = outcome(logits=lambda seed: np.full((count, 6), (u, v, 0.0)[seed]))
    wanted = [
        between(u, v) + between(u, 0),
        between(v, u) + between(v, 0),
        between(0, u) + between(0, v),
    ]
    assert own.between.shape == (3, count)
    np.testing.assert_allclose(own.between[:, -1], np.array(wanted) / 2)
    assert np.isnan(outcome(num_seeds=1).between).all()


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        ((0.1, 0.05, 0.2), "better"),
        ((-0.1, -0.2, -0.05), "worse"),
        ((0.1, -0.05, 0.2), "no difference to be seen"),
        ((0.0, 0.0, 0.0), "no difference to be seen"),
        ((0.1, math.nan, math.nan), "one seed, so no verdict"),
    ],
)
def test_a_verdict_follows_from_the_interval(interval, words):
    assert verdict(Interval(*interval)) == words


NEAR = "approaches zero, as the paper says (ends below 0.01 nats and a tenth of its largest value)"


def test_the_divergence_approaches_zero_where_it_ends_small_and_has_fallen():
    near = outcome("near", kl=peaked(0.02, 0.2, 0.009))
    always = outcome("always small", kl=peaked(0.002, 0.003, 0.002))
    large = outcome("large", kl=peaked(0.02, 0.9, 0.02))
    line = said("Divergence", near, always, large)
    assert line.startswith(
        f"Divergence: {NEAR}: near; does not approach zero: always small, large. In the last"
    )


def test_a_divergence_that_rises_again_does_not_approach_zero():
    curve = peaked(0.02, 0.2, 0.001)
    curve[-1] = 0.002
    line = said("Divergence", outcome("back", kl=curve))
    assert (
        line
        == "Divergence: was near zero, but rises again (ends below 0.01 nats): back. In the last "
        "third: rising: back."
    )


def test_the_divergence_falls_or_rises_in_the_last_third():
    """Of 80 updates: from the 60th on, the third last but one of the moments."""

    def late(change, spread=0.0):
        def curve(seed):
            values = np.full(len(moments(80)), 0.1)
            values[-1] += change + spread * SHARES[seed]
            return values

        return curve

    falls, rises = outcome("a", kl=late(-0.05, 1)), outcome("b", kl=late(0.05, 1))
    unknown = outcome("c", kl=late(0.02, 1))
    line = said("Divergence", falls, rises, unknown)
    assert line.endswith("In the last third: still falling: a; rising: b; no change to be seen: c.")
    assert said("Divergence", outcome(num_seeds=1)).endswith("one seed, so no verdict: 0-1.")


def test_the_divergence_is_held_against_that_of_two_perceptrons():
    """Each seed has another logit than the others on an image of its own."""
    count, apart = len(moments(80)), float(symmetrised_kl(np.array(1.0), np.array(0.0))) * 2 / 3
    logits = {"logits": lambda seed: np.tile(np.eye(3)[seed], (count, 1))}
    nearer, farther = (
        outcome("a", kl=apart - 0.01, **logits),
        outcome("b", kl=apart + 0.01, **logits),
    )
    below = outcome("c", kl=lambda seed: apart - 0.001 + SHARES[seed], **logits)
    above = outcome("d", kl=lambda seed: apart + 0.001 + SHARES[seed], **logits)
    line = said("Against two MLPs", nearer, farther, below, above)
    assert line.endswith("nearer: a; farther: b; as far, as far as can be seen: c, d.")
    assert not [
        line for line in findings([outcome(num_seeds=1)], []) if line.startswith("Against two MLPs")
    ]


def test_the_same_weights_are_held_against_each_other_in_both():
    """Loss plus log-likelihood; where the largest is, and the largest at the end with its share of
    the loss.
    """
    falling = np.linspace(0.7, 0.1, len(moments(80)))
    bump = peaked(0.0, -0.05, 0.002)
    plain, bent = outcome("plain"), outcome("bent", log_likelihood=bump - falling)
    assert said("With the EBM's", plain, bent) == (
        "With the EBM's weights in both, loss and −log-likelihood of a seed differ by at most "
        "0.05 nats (bent, update "
        "5); at the end by at most 0.002 (bent), 2 % of the loss."
    )
    assert "differ by at most 0 nats" in said("With the MLP's", plain, bent)
    bent = outcome("bent", log_likelihood_inherited=bump - falling)
    assert "at most 0.05 nats (bent, update 5)" in said("With the MLP's", plain, bent)


def test_it_is_told_from_when_on_losses_are_near():
    falling = np.linspace(0.7, 0.1, len(moments(80)))
    early = outcome("early", loss_inherited=falling + peaked(0, 0.3, 0.005))
    always = outcome("always", loss_inherited=falling - 0.009)
    never = outcome("never", loss_inherited=falling + peaked(0, 0.3, 0.02))
    line = said("Trained apart", early, always, never)
    assert "early 0.3 (update 5), less than 0.01 from update 7 on, 0.005 at the end" in line
    assert "never more, 0.009 at the end" in line
    assert line.endswith("never 0.3 (update 5), more than 0.01 still at the end, 0.02 at the end.")


@pytest.mark.parametrize(
    ("beginning", "first", "second"),
    [
        ("An EBM with the MLP's weights, minus the MLP", "ebm_accuracy_inherited", "mlp_accuracy"),
        ("An MLP with the EBM's weights, minus the EBM", "mlp_accuracy_inherited", "ebm_accuracy"),
        ("An MLP with the EBM's weights, minus the MLP", "mlp_accuracy_inherited", "mlp_accuracy"),
    ],
)
def test_inherited_accuracies_are_held_against_the_owners(beginning, first, second):
    same = outcome("same", **{first: shared(0.9), second: shared(0.9, -1)})
    worse = outcome("worse one", **{first: shared(0.8), second: shared(0.9)})
    better = outcome("better one", **{first: shared(0.95), second: shared(0.9)})
    half = 100 * STUDENT * 0.02 / 3**0.5
    line = said(beginning, same, worse, better)
    assert (
        f"same +0.0 [{-half:+.1f}, {half:+.1f}], worse one -10.0 [-10.0, -10.0], better one +5.0 ["
        in line
    )
    assert line.endswith("; no difference to be seen: same; worse: worse one; better: better one.")


def test_it_is_told_how_far_gradients_and_weights_go():
    first = outcome("a", ebm_norm_1=np.linspace(1, 3, 14), cosine=np.linspace(0.99, 0.8, 14))
    second = outcome("b", ebm_norm_1=np.linspace(2, 16, 14), ebm_norm_2=np.linspace(0.5, 12, 14))
    assert said("W1 of the EBM", first, second) == (
        "W1 of the EBM grows 3 to 8 times (norm); the two gradients with its weights turn away "
        "from each other: their "
        "cosine is 0.9900 or more after the first update and 0.8000 or more at the end."
    )
    assert "do not all turn away" in said("W1 of the EBM", first, outcome("c", cosine=0.9))
    line = said("Weights are", first, second)
    assert line.startswith(
        "Weights are smaller than one in absolute value, as the paper says of its own: the "
        "largest is 0.25."
    )
    assert line.endswith("‖W2‖ / ‖W1‖ of the EBM is at most 1.3.")
    for name in ("mlp_largest", "ebm_largest"):
        line = said("Weights are", first, outcome("d", **{name: lambda seed: 0.9 + seed / 10}))
        assert line.startswith("Weights are not all below one: the largest is 1.10.")


def test_sampled_gradients_are_held_against_exact_ones():
    exact = outcome("0-1", log_likelihood=shared(-0.2)), outcome("2-3", log_likelihood=-9.0)
    sampled = outcome("0-1 (sampled)", log_likelihood=shared(-0.23))
    assert said("0-1 (sampled), minus", *exact, sampled=[sampled]) == (
        "0-1 (sampled), minus exact gradients: log-likelihood -0.03 [-0.03, -0.03] nats (worse)."
    )
    assert said("These are", *exact, sampled=[sampled]).startswith(
        "These are 16 intervals of 95 %, of which 0.8 would"
    )
    assert not [
        line for line in findings([outcome(num_seeds=1)], []) if line.startswith("These are")
    ]
