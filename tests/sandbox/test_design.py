"""Interim analyses share alpha, and over all of them a true null is rejected at most so often."""

import numpy as np
import pytest
from scipy import stats

from sandbox.design import level, looks_of


def test_without_any_it_is_judged_once_at_the_end():
    assert looks_of({"seeds": [3, 1, 4], "looks": []}) == [3]
    assert looks_of({"seeds": [3, 1, 4], "looks": [2, 3]}) == [2, 3]
    assert level(0.05, [3], 3) == 0.05


@pytest.mark.parametrize("looks", [[20], [10, 20], [8, 12, 16, 20]])
def test_levels_add_up_to_alpha(looks):
    levels = [level(0.05, looks, n) for n in looks]
    assert sum(levels) == pytest.approx(0.05)
    assert levels[:-1] == [pytest.approx(0.005)] * (len(looks) - 1)


def test_a_null_is_rejected_at_most_alpha_over_all_looks_and_seldom_less():
    """20,000 draws: the error of the rate is 0.0015; without splitting alpha it would be 0.083."""
    looks, alpha, draws = [10, 15, 20], 0.05, 20_000
    found = np.random.default_rng(14).normal(size=(draws, 20))
    p = {n: stats.ttest_1samp(found[:, :n], 0, axis=1, alternative="greater").pvalue for n in looks}
    split = np.any([p[n] <= level(alpha, looks, n) for n in looks], axis=0).mean()
    naive = np.any([p[n] <= alpha for n in looks], axis=0).mean()
    error = 2 * np.sqrt(alpha * (1 - alpha) / draws)
    assert 0.04 - error < split <= alpha + error
    assert naive > 0.07
