"""What the command line and the report say alike."""

import pytest

from sandbox.verdicts.judged import JudgedClaim
from sandbox.verdicts.verdict import judge
from sandbox.words import counted


def judged(differences, direction, alpha=0.05):
    verdict = judge(differences, 0.05, alpha)
    return JudgedClaim("harm", "audit", direction, 0.05, None, verdict, "", 5)


@pytest.mark.parametrize(
    ("differences", "direction", "words"),
    [
        ([0.8, 0.82], "higher", "+0.81 [+0.747, +0.873]"),
        ([0.8, 0.82], "lower", "-0.81 [-0.873, -0.747]"),  # the claim holds: the metric fell
        ([-0.25], "lower", "+0.25"),
        ([0.0, 0.0], "lower", "0 [0, 0]"),
        ([], "lower", "not measured"),
    ],
)
def test_a_change_is_reported_with_the_sign_of_the_metric(differences, direction, words):
    assert judged(differences, direction).change == words


def test_an_interval_is_reported_with_the_confidence_it_was_judged_by():
    assert judged([0.8, 0.82], "lower").confidence == "90 % interval"
    assert judged([0.8, 0.82], "lower", 0.025).confidence == "95 % interval"
    assert judged([0.8, 0.82], "lower", 0.05 / 3).confidence == "96.67 % interval"


def test_one_is_singular():
    assert [counted(n, "paired seed") for n in (0, 1, 1000)] == [
        "0 paired seeds",
        "1 paired seed",
        "1,000 paired seeds",
    ]
