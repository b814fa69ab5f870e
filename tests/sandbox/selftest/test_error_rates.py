"""Error rates of the rule: planted means are what they say, and false verdicts stay below alpha."""

import numpy as np
import pytest
from scipy import optimize, stats

from sandbox.selftest.error_rates import (
    ALPHA,
    DISTRIBUTIONS,
    FAILING,
    RARE_HARM,
    bound,
    error_rates,
    interim_error_rates,
    missing_error_rates,
    power,
)
from sandbox.verdicts import rule
from sandbox.verdicts.rule import decided

EVENTS = {"two 0/1 arms, p .5": 0.5, "two 0/1 arms, p .1": 0.1}
FEW = 4000  # samples; at three standard errors a cell fails by chance once in 700
HELD = [name for name in DISTRIBUTIONS if name not in RARE_HARM]


@pytest.mark.parametrize("mean", [0.0, 0.3, 0.8])
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_planted_distribution_has_the_mean_it_says_and_deviation_1(name, mean):
    draws = DISTRIBUTIONS[name](np.random.default_rng(1), mean, (2000, 100))
    assert draws.mean() == pytest.approx(mean, abs=4 / draws.size**0.5)
    assert draws.std() == pytest.approx(1, rel=0.05)


def test_the_bound_is_alpha_and_errors_of_a_binomial_share():
    assert bound(20_000) == pytest.approx(0.01 + 2 * stats.binom.std(20_000, 0.01) / 20_000)
    assert bound(100, 0.05, errors=0) == 0.05


@pytest.mark.parametrize(("n", "smallest"), [(7, 0.05), (10, 0.3), (20, 0.05), (20, 0.8)])
@pytest.mark.parametrize("name", HELD)
def test_false_verdicts_stay_below_alpha(name, n, smallest):
    assert max(error_rates(name, n, smallest, FEW)) <= bound(FEW, errors=3)


def enumerated(p, mean, n, smallest):
    """Exact rates of the rule on n differences of two 0/1 arms: all outcomes, weighted."""

    def deviation(q):
        return (p * (1 - p) + q * (1 - q)) ** 0.5

    q = optimize.brentq(lambda q: q - p - mean * deviation(q), p, 1)
    chances = [q * (1 - p), p * (1 - q)]
    counts = [(up, down, n - up - down) for up in range(n + 1) for down in range(n - up + 1)]
    weights = stats.multinomial.pmf(counts, n, [*chances, 1 - sum(chances)])
    rows = np.array([np.repeat([1.0, -1.0, 0.0], each) for each in counts]) / deviation(q)
    return [float(weights @ each) for each in decided(rows, smallest, ALPHA)]


@pytest.mark.parametrize(("n", "smallest"), [(7, 0.8), (10, 0.3), (20, 0.05), (20, 0.3)])
@pytest.mark.parametrize("name", EVENTS)
def test_rates_of_0_and_1_are_those_of_all_outcomes_counted(name, n, smallest):
    found = error_rates(name, n, smallest, FEW)
    exact = (
        enumerated(EVENTS[name], 0.0, n, smallest)[0],
        enumerated(EVENTS[name], smallest, n, smallest)[1],
    )
    for share, truth in zip(found, exact, strict=True):
        assert abs(share - truth) <= 4 * (truth * (1 - truth) / FEW) ** 0.5 + 1 / FEW


@pytest.mark.parametrize("n", [7, 10, 20])
@pytest.mark.parametrize("p", [0.01, 0.05, 0.1, 0.3, 0.5])
def test_two_arms_of_0_and_1_hold_alpha_over_all_outcomes(p, n):
    """Without the exact test 4.56 % at p .05, n 20, D .2, and 1.3 % at p .1, n 20, D .3."""
    for smallest in (0.05, 0.2, 0.3, 0.8):
        assert enumerated(p, 0.0, n, smallest)[0] < 0.004
        assert enumerated(p, smallest, n, smallest)[1] <= ALPHA


def test_without_the_exact_test_they_would_not(monkeypatch):
    monkeypatch.setattr(rule, "exact_p", lambda *_: 0.0)
    assert enumerated(0.05, 0.2, 20, 0.2)[1] == pytest.approx(0.0456, abs=5e-5)
    assert enumerated(0.1, 0.3, 20, 0.3)[1] == pytest.approx(0.0130, abs=5e-5)
    assert enumerated(0.5, 0.3, 10, 0.3)[1] == pytest.approx(0.0126, abs=5e-5)


def test_harm_that_few_seeds_show_is_missed_as_often_as_no_seed_shows_it():
    """With 1 harmful seed in 10, n seeds show none with a chance of .9^n, and look better."""
    for n in (7, 10, 20):
        found = error_rates("+.33 in 90 %, -3 in 10 %", n, 0.05, FEW).supported
        none = 0.9**n
        error = 4 * (none * (1 - none) / FEW) ** 0.5
        assert none - error <= found <= none + error + 0.03  # or one, near 0, among many


@pytest.mark.parametrize(("smallest", "n"), [(0.56, 20), (0.8, 10)])
def test_twice_the_smallest_effect_is_found_in_19_of_20(smallest, n):
    error = (0.95 * 0.05 / FEW) ** 0.5
    assert power("normal", n, smallest, FEW) >= 0.95 - 3 * error


@pytest.mark.parametrize("name", HELD)
def test_interim_analyses_together_stay_below_alpha(name):
    assert max(interim_error_rates(name, (10, 20), 0.3, FEW)) <= bound(FEW, errors=3)


def test_one_look_is_no_interim_analysis():
    once = interim_error_rates("normal", (20,), 0.05, FEW)
    other = error_rates("normal", 20, 0.05, FEW)
    assert np.abs(np.subtract(once, other)).max() <= 4 * (2 * ALPHA / FEW) ** 0.5


@pytest.mark.parametrize("n", [10, 20])
@pytest.mark.parametrize("kind", FAILING, ids=lambda kind: f"{kind.name} {kind.share}")
def test_trials_that_fail_when_they_do_harm_support_nothing(kind, n):
    found = missing_error_rates(kind, n, 0.05, FEW)
    assert found.ruled <= bound(FEW, errors=3)
    assert found.ruled <= found.ignored


def test_without_the_rule_on_missing_pairs_they_would():
    (worst,) = (each for each in FAILING if each.share == 0.1 and each.name == "harm uniform")
    assert missing_error_rates(worst, 20, 0.05, FEW).ignored > 2 * ALPHA
