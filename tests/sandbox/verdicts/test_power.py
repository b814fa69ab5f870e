"""Power: closed forms where there are any, an order where there is none, the rule itself."""

import numpy as np
import pytest
from scipy import stats

from sandbox.analysis.statistics import sign_flip_p
from sandbox.verdicts.power import (
    detectable,
    fewest_seeds,
    power,
    smallest_p,
    two_valued_detectable,
    two_valued_power,
)
from sandbox.verdicts.rule import rates


def noncentral_t(effect, alpha, n):
    return stats.nct.sf(stats.t.ppf(1 - alpha, n - 1), n - 1, effect * n**0.5)


@pytest.mark.parametrize("n", [12, 20, 21, 40, 200])
@pytest.mark.parametrize("alpha", [0.01, 0.05])
def test_without_a_smallest_effect_power_is_that_of_the_t_test(n, alpha):
    error = 0.05 if n <= 20 else 0.002  # 1,000 simulated runs, with the sign-flip test
    for effect in (0.3, 0.6, 1.0):
        wanted = noncentral_t(effect, alpha, n)
        assert power(effect, 1e-9, alpha, n) == pytest.approx(wanted, abs=error)


@pytest.mark.parametrize("n", [12, 20, 21, 60])
def test_with_a_large_smallest_effect_power_is_that_of_the_mean_alone(n):
    for effect in (2.9, 3.0, 3.3):
        wanted = stats.norm.sf((3.0 - effect) * n**0.5)
        assert power(effect, 3.0, 0.05, n) == pytest.approx(wanted, abs=0.05)


@pytest.mark.parametrize(("n", "alpha"), [(7, 0.01), (10, 0.0025), (20, 0.05), (25, 0.01)])
@pytest.mark.parametrize("smallest", [0.2, 0.8])
def test_power_is_how_often_the_rule_supports(n, alpha, smallest):
    draws = 3000 if n <= 20 else 400
    samples = np.random.default_rng([n]).normal(1.1, 1, (draws, n))
    wanted = rates(samples, smallest, alpha)["supported"]
    assert power(1.1, smallest, alpha, n) == pytest.approx(wanted, abs=0.07)


def test_the_sign_flip_test_costs_power_where_it_has_few_values():
    assert power(1.5, 0.1, 0.0079, 7) < noncentral_t(1.5, 0.0079, 7) - 0.1


@pytest.mark.parametrize("n", [7, 15, 30])
def test_power_rises_with_the_effect(n):
    found = [power(effect, 0.5, 0.01, n) for effect in np.linspace(-1, 4, 26)]
    assert found == sorted(found)
    assert found[0] < 0.01
    assert found[-1] > 0.99


def test_power_rises_with_the_number_of_seeds():
    found = [power(1.0, 0.3, 0.01, n) for n in (5, 7, 9, 12, 16, 20, 24, 30, 60)]
    assert found == sorted(found)
    assert found[0] == 0


@pytest.mark.parametrize("n", [8, 14, 20, 21, 50])
@pytest.mark.parametrize("spread", [0.01, 0.05, 0.2])
def test_the_detectable_effect_is_supported_four_times_in_five(n, spread):
    found = detectable(spread, 0.05, 0.01, n)
    assert found > 0.05, "a mean of the smallest effect is reached in half of the runs at most"
    assert power(found / spread, 0.05 / spread, 0.01, n) == pytest.approx(0.8, abs=0.015)


def test_what_is_detectable_shrinks_with_seeds_and_grows_with_spread_and_claims():
    by_seeds = [detectable(0.1, 0.05, 0.01, n) for n in (7, 10, 14, 20, 30, 50)]
    assert by_seeds == sorted(by_seeds, reverse=True)
    by_spread = [detectable(spread, 0.05, 0.01, 12) for spread in (0.01, 0.05, 0.1, 0.2)]
    assert by_spread == sorted(by_spread)
    assert detectable(0.1, 0.05, 0.0025, 12) > detectable(0.1, 0.05, 0.01, 12)


def test_a_change_of_unit_changes_nothing():
    assert detectable(3.0, 1.5, 0.01, 12) == pytest.approx(100 * detectable(0.03, 0.015, 0.01, 12))


def test_too_few_seeds_and_no_spread_detect_nothing():
    assert detectable(0.1, 0.05, 0.01, 6) is None
    assert power(9.0, 0.05, 0.01, 6) == 0
    assert detectable(0.0, 0.05, 0.01, 20) is None


@pytest.mark.parametrize(("alpha", "claims", "seeds"), [(0.01, 1, 7), (0.01, 2, 8), (0.01, 6, 10)])
def test_the_fewest_seeds_are_the_first_whose_p_can_be_small_enough(alpha, claims, seeds):
    assert fewest_seeds(alpha / claims) == seeds
    assert smallest_p(seeds) <= alpha / claims < smallest_p(seeds - 1)


def test_the_smallest_p_is_what_the_sign_flip_test_gives():
    for n in (3, 10, 40, 50):
        assert smallest_p(n) == sign_flip_p(1 + np.arange(n) / n, "greater")
    assert fewest_seeds(1e-13) is None


@pytest.mark.parametrize(("mean", "spread"), [(0.4, 0.6), (0.7, 0.5)])
def test_power_of_two_valued_arms_is_how_often_the_rule_supports(mean, spread):
    share = max(spread**2 + mean**2, mean)
    chances = [(share - mean) / 2, 1 - share, (share + mean) / 2]
    draws = np.random.default_rng(8).choice([-1.0, 0.0, 1.0], (3000, 18), p=chances)
    wanted = rates(draws, 0.2, 0.01)["supported"]
    assert two_valued_power(mean, spread, 0.2, 0.01, 18) == pytest.approx(wanted, abs=0.03)


def test_two_valued_arms_need_more_than_normal_differences_would():
    """Pairs that do not differ are no signs to flip, and identical differences decide nothing."""
    assert two_valued_detectable(0.3, 0.2, 0.01, 7) is None
    assert detectable(0.3, 0.2, 0.01, 7) < 0.6
    found = two_valued_detectable(0.3, 0.2, 0.01, 20)
    assert found > detectable(0.3, 0.2, 0.01, 20) + 0.1
    assert two_valued_power(found, 0.3, 0.2, 0.01, 20) >= 0.8
    assert two_valued_power(found - 0.01, 0.3, 0.2, 0.01, 20) < 0.8
    assert two_valued_detectable(0.3, 0.2, 0.01, 200) == detectable(0.3, 0.2, 0.01, 200)
