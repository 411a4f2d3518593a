"""The study of coherent training: verdicts and findings on made-up results."""

import math

import numpy as np
import pytest

from helpers.paper.coherent_results import SHARES, STUDENT, reproduced, search_result
from helpers.paper.findings import finding, text_of
from isingprop.analysis.scaling import Interval
from isingprop.paper.coherent_training.coherent_curves import Comparison, ratio
from isingprop.paper.coherent_training.coherent_findings import (
    answer,
    better_or_worse,
    floor_words,
    scale_words,
    verdict,
)
from isingprop.paper.coherent_training.coherent_jobs import (
    Sizes,
    methods_of,
)
from isingprop.paper.coherent_training.coherent_search import Searches

# Verdicts

ABOVE, ACROSS, BELOW = (Interval(mean, mean - 0.5, mean + 0.5) for mean in (1.0, 0.0, -1.0))

NOTHING = Interval(math.nan, math.nan, math.nan)

ALONE = Interval(1.0, math.nan, math.nan)


@pytest.mark.parametrize(
    ("to_plain", "to_double", "told"),
    [
        (ABOVE, ABOVE, "more than twice as large"),
        (ABOVE, ACROSS, "larger, and twice as large is not ruled out"),
        (ABOVE, BELOW, "larger, but less than twice as large"),
        (ACROSS, ACROSS, "neither equal nor twice as large is ruled out"),
        (ACROSS, BELOW, "no larger to be seen, and less than twice as large"),
        (BELOW, BELOW, "smaller"),
        (BELOW, ACROSS, "smaller"),
        (ALONE, ALONE, "one seed, so no verdict"),
        (NOTHING, NOTHING, "no exponent in every seed, so no verdict"),
    ],
)
def test_a_verdict_is_of_both_differences(to_plain, to_double, told):
    assert verdict(Comparison(to_plain, to_double)) == told


@pytest.mark.parametrize(
    ("verdicts", "told"),
    [
        (
            ["smaller", "larger, but less than twice as large"],
            "No: in no amplified training is it twice",
        ),
        (
            ["smaller", "no larger to be seen, and less than twice as large"],
            "No: in no amplified training is it twice",
        ),
        (
            ["more than twice as large", "smaller"],
            "double not ruled out: “0”; less than double: “1”.",
        ),
        (
            ["larger, and twice as large is not ruled out", "more than twice as large"],
            "double not ruled out: “0”, “1”.",
        ),
        (
            ["neither equal nor twice as large is ruled out", "smaller"],
            "less than double: “1”; neither equal nor double ruled out: “0”.",
        ),
    ],
)
def test_the_answer_follows_from_all_verdicts(verdicts, told):
    assert answer({str(k): each for k, each in enumerate(verdicts)}).startswith(told)


def test_without_a_verdict_there_is_no_answer():
    assert answer({"0": "one seed, so no verdict", "1": "smaller"}) is None


SMALLER, EQUAL, LARGER = (Interval(mean, mean / 1.5, mean * 1.5) for mean in (0.5, 1.0, 2.0))


def test_better_is_a_smaller_error():
    told = [better_or_worse(each) for each in (SMALLER, LARGER, EQUAL, ALONE)]
    assert told == ["better", "worse", "no difference to be seen", "one seed, so no verdict"]


def test_ratios_are_of_equal_seeds():
    found = ratio(np.array([0.1, 0.2, 0.4]), np.array([0.2, 0.4, 0.8]))
    assert found == pytest.approx((0.5, 0.5, 0.5))
    spread = np.exp(np.array([-1.0, 0.0, 1.0]))
    half = STUDENT / 3**0.5
    assert ratio(spread, np.ones(3)) == pytest.approx(
        (1.0, math.exp(-half), math.exp(half)), rel=1e-6
    )


def test_what_is_left_is_diabatic_where_ground_states_are_right():
    assert floor_words(0.2, 0.05).startswith("Most of it, 75.0 %, is diabatic")
    assert floor_words(0.2, 0.15).startswith("A part of it, 25.0 %, is diabatic")
    assert floor_words(0.2, 0.2) == "Nothing of it need be the anneal's."


def test_words_of_scales_follow_from_the_ratio():
    told = [scale_words(each).split(":")[0] for each in (SMALLER, LARGER, EQUAL, ALONE)]
    assert told == ["Better", "Worse", "(no difference to be seen)", "(one seed, so no verdict)"]


def test_findings_on_searches_hold_the_exponents_against_what_is_expected(tmp_path, undrawn):
    def search(noise):
        return search_result(
            {"repetition": -1.8, "grover": -1.08, "fixed_point": -1.2}, noise=noise
        )

    reproduced(tmp_path, search=search)
    text = text_of(tmp_path, "coherent")
    told = (
        "- repetition: applications grow as A to the power -1.80 [-1.85, -1.75], where -2 is "
        "expected"
    )
    assert finding(text, "repetition: ") == f"{told}: less steep than that."
    line = finding(text, "Grover, A known: ")
    told = (
        "-1.08 [-1.13, -1.03], where -1 is expected: near it, the rest being of higher order in A."
    )
    assert line.endswith(told)
    assert finding(text, "fixed point, A unknown: ").endswith(
        "where -1 is expected: steeper than that."
    )
    assert "closed form within 1e-07." in finding(text, "U and U† run step by step")
    assert "36 instances, A: 0.01 to 0.65." in text


@pytest.mark.slow
def test_a_seed_with_too_few_instances_is_left_out_and_told(tmp_path, undrawn):
    def search(noise):
        return search_result(smallest=0.25 if noise < 0 else 0.01, noise=noise)

    numbers = reproduced(tmp_path, search=search)
    assert numbers["search"]["exponents"]["repetition"][0] == pytest.approx(-1.99)
    assert "Seeds left out for fewer than 5 of them below A = 0.3: 1." in text_of(
        tmp_path, "coherent"
    )


@pytest.mark.slow
def test_of_one_seed_without_enough_instances_all_is_drawn_and_there_is_no_exponent(tmp_path):
    numbers = reproduced(
        tmp_path, num_seeds=1, quick=False, search=lambda noise: search_result(smallest=0.32)
    )
    assert numbers["search"]["exponents"]["grover"] == [None, None, None]
    text = text_of(tmp_path, "coherent")
    assert finding(text, "Grover, A known: ").endswith(
        "no seed has 5 instances with A below 0.3, so no exponent."
    )
    assert (tmp_path / "coherent.png").is_file()


def test_findings_compare_equal_seeds(tmp_path, undrawn):
    """Exponents of a seed all move together, so differences to plain have no width, but those to
    twice it do.
    """
    reproduced(tmp_path)
    text = text_of(tmp_path, "coherent")
    during, after = [
        line for line in text.splitlines() if "| amplified, m = 20, against plain, m = 20 |" in line
    ]
    half = STUDENT * 0.02 / 3**0.5
    assert after.split(" | ")[2:] == [
        "0.20 [0.20, 0.20]",
        f"-0.20 [{-0.2 - half:.2f}, {-0.2 + half:.2f}] |",
    ]
    assert during.split(" | ")[2:] == [
        "0.20 [0.20, 0.20]",
        f"-0.30 [{-0.3 - half:.2f}, {-0.3 + half:.2f}] |",
    ]
    line = finding(text, "z of errors after it, epochs 1 to 6, against plain training: ")
    told = (
        "amplified, exact: more than twice as large; amplified, exact, rate ∝ A: larger, but "
        "less than twice as large"
    )
    assert f": {told}; amplified, m = 20: larger, but" in line
    told = "amplified, m = 20, rate ∝ A: no larger to be seen, and less than twice as large"
    assert line.endswith(f"; {told}; amplified, m = 3, rate ∝ A: more than twice as large.")
    line = finding(text, "Does z of errors after it double? ")
    assert (
        "out: “amplified, exact”, “amplified, m = 3, rate ∝ A”; less than double: “amplified, "
        "exact, rate ∝ A”," in line
    )
    line = finding(text, "amplified, m = 20, over plain, m = 20, ratio of errors: ")
    ends = np.exp(np.mean([np.log(end(0.6 + share) / end(0.4 + share)) for share in SHARES]))
    assert (
        "after 1 epoch 1.00 [1.00, 1.00] (no difference to be seen), after 3 0.80 [0.80, 0.80] "
        "(better)" in line
    )
    assert f"at the end {ends:.2f} [" in line
    assert finding(text, "z against applications, amplified, m = 20, minus").endswith(
        "0.20 [0.20, 0.20] (larger)."
    )
    line = finding(text, "amplified, m = 20, rate ∝ A, takes ")
    assert (
        "takes 4 times the applications of plain, m = 20, in the first epoch and 4 times in the "
        "last" in line
    )


def end(z):
    return (0.4 * np.arange(2.0, 7) ** -z).mean()


def test_the_floor_is_told_by_ground_states_and_by_a_longer_anneal(tmp_path, undrawn):
    reproduced(tmp_path)
    line = finding(text_of(tmp_path, "coherent"), "The floor, in plain training after 6 epochs: ")
    assert (
        "the error is 20.0 %, and 5.00 % of the ground states are wrong. Most of it, 75.0 %, is "
        "diabatic" in line
    )
    assert line.endswith(
        "With time 60 in place of 30, and nothing else changed, the error is 5.00 % (better)."
    )
    line = finding(
        text_of(tmp_path, "coherent"),
        "H as it is, not divided by its largest local field (5.0), after 6 ",
    )
    assert "error 2.00 % against 20.0 %. Better: " in line


@pytest.mark.slow
def test_one_seed_gives_no_verdict(tmp_path, undrawn):
    numbers = reproduced(tmp_path, num_seeds=1)
    assert numbers["methods"]["plain-exact"]["z"]["error"]["all"][1:] == [None, None]
    text = text_of(tmp_path, "coherent").split("## Choices")[0]
    assert "- Does z of" not in text
    assert text.count("one seed, so no verdict") >= 4
    for word in ("(better", "(worse", "Better", "Worse", "±", "(larger", "(smaller"):
        assert word not in text


@pytest.mark.slow
@pytest.mark.parametrize("best", [0, 2, 4])
def test_a_rate_at_the_end_of_the_grid_is_told(tmp_path, undrawn, best):
    reproduced(tmp_path, quick=False, best=best)
    text = text_of(tmp_path, "coherent")
    titles = [method.title for method in methods_of(Sizes()).values()]
    if best == 2:
        assert "- At the end of the grid" not in text
    else:
        assert finding(text, "At the end of the grid of rates").endswith(f": {'; '.join(titles)}.")


@pytest.mark.slow
def test_it_is_drawn_to_the_same_bytes(tmp_path):
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        reproduced(tmp_path / folder)
    names = (
        "coherent.png",
        "coherent.svg",
        "coherent.csv",
        "coherent_search.csv",
        "coherent_times.csv",
        "coherent.md",
    )
    for name in names:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
    assert (tmp_path / "first" / "coherent.svg").read_text().rstrip().endswith("</svg>")


def test_exponents_of_searches_are_of_small_amplitudes_alone():
    """Counts that do not fall any further from A = 0.3 on."""
    amplitude = np.geomspace(0.01, 0.7, 20)
    own = {"amplitude": amplitude, "grover": np.minimum(amplitude, 0.31) ** -1.0}
    assert Searches([own, own]).exponent("grover") == pytest.approx((-1, -1, -1))
