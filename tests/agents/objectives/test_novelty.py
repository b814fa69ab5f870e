"""Counts, memories of the episode and nearest neighbours give what their formulas say."""

from dataclasses import fields, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.contract import Batch
from agents.models.ellipsoids import Ellipsoids
from agents.models.neighbours import Cloud, Trail
from agents.objectives.apt import Apt
from agents.objectives.count import Count
from agents.objectives.e3b import E3b
from agents.objectives.ngu import Ngu
from agents.objectives.noveld import Noveld
from agents.objectives.re3 import Re3
from agents.objectives.ride import Ride
from agents.objectives.simhash import Simhash
from agents.objectives.smirl import Smirl

RAW = {"features": "identity", "normaliser": "none"}


def rng(seed=0):
    return np.random.default_rng(seed)


def step(before, after, *, action=None, ended=False, present=None):
    """One step of ``n`` environments."""
    before, after = np.asarray(before, np.float32), np.asarray(after, np.float32)
    n = len(after)
    no, action = np.zeros(n, bool), np.zeros(n, int) if action is None else np.asarray(action)
    return Batch(before, action, after, np.zeros(n), no, no | np.asarray(ended), present)


def over(steps):
    """Steps as one rollout."""
    full = [replace(each, present=np.ones(len(each.action), bool)) for each in steps]
    return Batch(
        **{f.name: np.stack([getattr(each, f.name) for each in full]) for f in fields(Batch)}
    )


def warm(live_objective, size, n=1, steps=4):
    """Let the first, silent rollout pass; its episodes end with it."""
    looks = rng(99).standard_normal((steps, n, size)).astype(np.float32)
    live_objective.update(over([step(look, look, ended=True) for look in looks]))
    return live_objective


def walk(live_objective, places, *, ended=()):
    """Rewards of one environment that goes through ``places``."""
    rewards = []
    for t, (before, after) in enumerate(pairwise(places)):
        rewards.append(live_objective.reward(step([before], [after], ended=t in ended))[0])
    return np.array(rewards)


# --- counts ------------------------------------------------------------------------------------


def test_states_and_actions_are_counted_of_choices_only():
    live_objective = Count(key="state_action").start(2, 0, rng())
    seen, no = np.zeros((3, 2), np.float32), np.zeros(3, bool)
    with pytest.raises(ValueError, match="actions that are choices"):
        live_objective.reward(Batch(seen, np.zeros((3, 2), np.float32), seen, np.zeros(3), no, no))


def test_pairs_of_state_and_action_are_counted_where_one_acted():
    live_objective = Count(key="state_action").start(1, 2, rng())
    rewards = [
        live_objective.reward(step([[s]], [[9]], action=[a]))[0]
        for s, a in [(0, 0), (0, 1), (0, 0), (1, 0)]
    ]

    np.testing.assert_array_equal(rewards, [1, 1, 1 / np.sqrt(2), 1])


def test_counted_before_the_first_two_visits_give_alike():
    rewards = walk(Count(counted="before").start(1, 2, rng()), [[0]] * 5)

    np.testing.assert_array_equal(rewards, 1 / np.sqrt([1, 1, 2, 3]))


def test_counts_of_an_episode_are_each_environments_own_and_end_with_it():
    live_objective = Count(memory="episodic").start(1, 2, rng())
    here = [[5], [5]]
    first = live_objective.reward(step(here, here, ended=[False, True]))
    again = live_objective.reward(step(here, here))

    np.testing.assert_array_equal(first, [1, 1])
    np.testing.assert_array_equal(again, [1 / np.sqrt(2), 1])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 7), min_size=1, max_size=30), st.integers(0, 9))
def test_a_long_hash_counts_exactly(places, seed):
    """Collinear states too, which signs of directions through the origin cannot distinguish."""
    hashed, exact = Simhash(bits=4096).start(2, 4, rng(seed)), Count().start(2, 4, rng())
    for place in places:
        there = step([[0, 0]], [[place, place / 2]])

        np.testing.assert_array_equal(hashed.reward(there), exact.reward(there))


def test_one_bit_knows_two_kinds_of_state():
    rewards = (
        Simhash(bits=1)
        .start(3, 4, rng(1))
        .reward(step(np.zeros((64, 3)), rng(2).normal(size=(64, 3))))
    )

    assert (rewards == 1).sum() == 2


def test_what_is_likely_hashed_alike_is_alike():
    """The share of bits that differ is the angle over pi (Charikar 2002)."""
    directions = rng(3).standard_normal((20_000, 3))
    live_objective = Simhash(bits=20_000).start(2, 4, rng(3))
    live_objective._directions = directions
    one, other = np.array([1.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0])
    differ = np.mean((directions @ one > 0) != (directions @ other > 0))

    assert differ == pytest.approx(np.arccos(0.5) / np.pi, abs=0.01)


# --- ellipsoids (E3B) --------------------------------------------------------------------------


def test_the_first_step_gives_the_squared_length_over_the_ridge():
    live_objective = warm(E3b(ridge=0.1, **RAW).start(3, 2, rng()), 3)
    (rewards,) = walk(live_objective, [[9, 9, 9], [1, 2, -2]])

    assert rewards == pytest.approx(9 / 0.1, rel=1e-12)


@pytest.mark.parametrize("ridge", [0.1, 1.0, 4.0])
def test_the_kth_visit_of_orthonormal_features_gives_one_over_the_ridge_and_the_visits_before(
    ridge,
):
    live_objective = warm(E3b(ridge=ridge, **RAW).start(3, 2, rng()), 3)
    rewards = np.array(
        [walk(live_objective, [np.zeros(3), e])[0] for _ in range(6) for e in np.eye(3)]
    )

    np.testing.assert_allclose(
        rewards.reshape(6, 3).T, [1 / (ridge + np.arange(6))] * 3, rtol=1e-12
    )


def test_batched_ellipsoids_are_those_of_a_loop_and_of_inverses():
    n, latent, ridge, chance = 8, 16, 0.1, rng(5)
    batched = Ellipsoids(latent, ridge)
    loop = [Ellipsoids(latent, ridge) for _ in range(n)]
    sums = np.tile(np.eye(latent) * ridge, (n, 1, 1))
    for _ in range(300):
        phi = chance.standard_normal((n, latent)).astype(np.float32)
        ended = chance.random(n) < 0.02
        rewards = batched.meet(phi, np.ones(n, bool))
        alone = [each.meet(phi[[i]], np.ones(1, bool))[0] for i, each in enumerate(loop)]
        inverses = np.linalg.inv(sums)
        np.testing.assert_allclose(rewards, alone, rtol=1e-10)
        np.testing.assert_allclose(
            rewards, np.einsum("ni,nij,nj->n", phi, inverses, phi), rtol=1e-4
        )
        np.testing.assert_allclose(batched.inverse, batched.inverse.transpose(0, 2, 1), rtol=0)
        sums += np.einsum("ni,nj->nij", phi, phi)
        batched.forget(ended)
        sums[ended] = np.eye(latent) * ridge
        for i in np.flatnonzero(ended):
            loop[i].forget(np.ones(1, bool))


def test_the_state_an_episode_ends_in_is_rewarded_by_that_episode():
    """Reset before the last step was scored, it would give 1 / ridge again."""
    live_objective = warm(E3b(ridge=1.0, **RAW).start(1, 2, rng()), 1)
    rewards = walk(live_objective, [[1.0]] * 5, ended={1})

    np.testing.assert_allclose(rewards, [1, 1 / 2, 1, 1 / 2], rtol=1e-12)


# --- NovelD and RIDE ---------------------------------------------------------------------------


def test_only_the_first_arrival_of_an_episode_gives_novelty_difference():
    live_objective = warm(Noveld(alpha=0.0, normaliser="none").start(2, 2, rng()), 2)
    a, b, c = [0, 1], [1, 0], [1, 1]
    rewards = walk(live_objective, [a, b, a, b, c, b, c, c, a, b, c], ended={5})
    # The episode starts in a: coming back to it is no first arrival. After the end it starts in c.

    np.testing.assert_array_equal(rewards > 0, [1, 0, 0, 1, 0, 0, 0, 1, 1, 0])


def test_novelty_difference_is_the_gain_in_error_above_alpha_of_where_one_was():
    size, alpha = 3, 0.5
    live_objective = warm(Noveld(alpha=alpha, normaliser="none").start(size, 2, rng()), size, n=4)
    chance = rng(2)
    before, after = chance.standard_normal((2, 64, size)).astype(np.float32)
    rewards = live_objective.reward(step(before, after))
    was, is_now = (
        live_objective._distiller.error(live_objective._whiten(each)) for each in (before, after)
    )

    np.testing.assert_allclose(rewards, np.maximum(is_now - alpha * was, 0), rtol=1e-4, atol=1e-6)
    assert (rewards == 0).any()
    assert (rewards > 0).any()


def test_impact_is_the_way_in_features_over_the_root_of_the_episodes_visits():
    live_objective = warm(Ride(**RAW).start(2, 2, rng()), 2)
    a, b = [0.0, 0.0], [3.0, 4.0]
    rewards = walk(live_objective, [a, b, a, b, b, a, b], ended={3})
    # Visits: b 1; a 2, for it started there; b 2; b 3 | starts in b: a 1, b 2.

    np.testing.assert_allclose(rewards, 5 / np.sqrt([1, 2, 2, np.inf, 1, 2]), rtol=1e-12)


def test_impact_counts_each_environment_for_itself():
    live_objective = warm(Ride(**RAW).start(1, 2, rng()), 1, n=2)
    live_objective.reward(step([[0], [5]], [[1], [6]]))

    np.testing.assert_allclose(
        live_objective.reward(step([[0], [0]], [[1], [1]])), 1 / np.sqrt([2, 1])
    )


# --- never give up -----------------------------------------------------------------------------


def test_exact_repeats_give_one_over_the_root_of_their_number():
    live_objective = warm(Ngu(k=10, constant=1e-3, **RAW).start(2, 2, rng()), 2)
    live_objective._errors.deviation = 0.0  # novelty over the run is another factor
    rewards = walk(live_objective, [[1, 0]] * 14)
    repeats = np.minimum(np.arange(1, 14), 10)  # the start is remembered; no more than k are asked

    np.testing.assert_allclose(rewards, 1 / (np.sqrt(repeats) + 1e-3), rtol=1e-12)


def test_kernel_and_mean_distance_by_hand():
    """Start 0, go to 1, then to 3: squared distances 1; then 4 and 9; the mean is 14/3."""
    live_objective = Ngu(k=10, cluster=0.1, epsilon=0.01, constant=0.5, **RAW).start(1, 2, rng())
    live_objective._updates = 1
    rewards = walk(live_objective, [[0], [1], [3]])
    first = 0.01 / (1 - 0.1 + 0.01)
    near, far = (0.01 / (d / (14 / 3) - 0.1 + 0.01) for d in (4, 9))

    np.testing.assert_allclose(
        rewards, [1 / (np.sqrt(first) + 0.5), 1 / (np.sqrt(near + far) + 0.5)], rtol=1e-12
    )


def test_too_much_similarity_gives_no_reward():
    live_objective = Ngu(k=10, most_similarity=2.5, **RAW).start(1, 2, rng())
    live_objective._updates = 1
    rewards = walk(live_objective, [[1]] * 9)

    np.testing.assert_array_equal(rewards > 0, np.sqrt(np.arange(1, 9)) + 1e-3 <= 2.5)


def test_novelty_over_the_run_is_a_factor_from_one_to_its_most():
    live_objective = warm(Ngu(most_alpha=5.0, **RAW).start(2, 2, rng()), 2)
    live_objective._errors.mean, live_objective._errors.deviation = 1.0, 0.5

    np.testing.assert_allclose(
        live_objective._alpha(np.array([0.0, 1.0, 1.5, 2.5, 9.0])), [1, 1, 2, 4, 5]
    )


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 4), st.integers(2, 9), st.integers(0, 99))
def test_a_trail_finds_the_nearest_of_the_last_in_its_episode(k, most, seed):
    chance, trail, known = rng(seed), Trail(2, most), [[], [], []]
    for _ in range(25):
        rows = chance.integers(-3, 4, (3, 2)).astype(np.float32)
        here, ended = chance.random(3) < 0.8, chance.random(3) < 0.1
        trail.begin(rows, here)
        for i in np.flatnonzero(here):
            known[i] = known[i] or [rows[i]]
        query = chance.standard_normal((3, 2)).astype(np.float32)
        found = trail.nearest(query, k)
        for i in range(3):
            expected = sorted(((each - query[i]) ** 2).sum() for each in known[i][-most:])[:k]
            mine = np.sort(found[i])[np.isfinite(np.sort(found[i]))]
            np.testing.assert_allclose(mine, expected, rtol=1e-5)
        trail.add(query, here)
        trail.forget(ended)
        for i in range(3):
            known[i] = [] if ended[i] else known[i] + [query[i]] * bool(here[i])


# --- nearest neighbours of a run (RE3, APT) ---------------------------------------------------


def on_a_line(live_objective, places):
    """Lay out the states that are remembered, on the integers."""
    live_objective._updates = 1
    places = np.asarray(places, np.float32)[:, None]
    live_objective._cloud.add(places, places)
    return live_objective


@pytest.mark.parametrize("k", [1, 2, 5])
def test_on_a_line_the_kth_neighbour_is_known(k):
    """Among 0..99, from 50 the k-th nearest other is at ceil((k - 1) / 2); from 0 at k - 1."""
    live_objective = on_a_line(Re3(k=k, **RAW).start(1, 2, rng()), range(100))
    rewards = live_objective.reward(step([[0], [0]], [[50], [0]]))

    np.testing.assert_allclose(rewards, np.log1p([np.ceil((k - 1) / 2), k - 1]), rtol=1e-12)


def test_itself_counted_the_kth_is_one_nearer():
    alone, within = (
        on_a_line(Re3(k=5 - 1 + own, include_self=bool(own), **RAW).start(1, 2, rng()), range(9))
        for own in (0, 1)
    )
    there = step([[0]], [[4.25]])

    assert alone.reward(there) == within.reward(there) == pytest.approx(np.log1p(1.75))


def test_it_is_the_mean_over_k_that_apt_gives():
    """From 0 among 0..99, excluded: 0, 1, ... 11; included, itself is one of the twelve."""
    excluded = on_a_line(Apt(k=12, **RAW).start(1, 2, rng()), range(100))
    included = on_a_line(Apt(k=12, include_self=True, **RAW).start(1, 2, rng()), range(100))
    there = step([[0]], [[0]])

    assert excluded.reward(there)[0] == pytest.approx(np.log1p(np.mean(range(12))), rel=1e-12)
    assert included.reward(there)[0] == pytest.approx(np.log1p(sum(range(11)) / 12), rel=1e-12)


def test_a_state_is_no_neighbour_of_itself_until_it_comes_again():
    live_objective = on_a_line(Re3(k=1, **RAW).start(1, 2, rng()), [0.0])

    np.testing.assert_allclose(walk(live_objective, [[0], [3], [3]]), [np.log(4), 0])


def test_too_few_neighbours_are_those_there_are():
    live_objective = Re3(k=5, **RAW).start(1, 2, rng())
    live_objective._updates = 1

    np.testing.assert_allclose(
        walk(live_objective, [[0], [1], [3], [7]]), np.log1p([0, 2, 6]), rtol=1e-12
    )


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.integers(1, 7))
def test_a_cloud_keeps_the_last(lengths, most):
    cloud, places = Cloud(1, 1, most), []
    for length in lengths:
        rows = np.arange(len(places), len(places) + length, dtype=np.float32)[:, None]
        cloud.add(rows, rows)
        places += rows[:, 0].tolist()

    assert sorted(cloud.features[:, 0]) == places[-most:]
    np.testing.assert_array_equal(cloud.features, cloud.observations)


def test_neighbours_far_from_the_origin_are_measured_without_rounding():
    cloud = Cloud(1, 1, 50)
    rows = np.arange(30, dtype=np.float32)[:, None] + 4096
    cloud.add(rows, rows)

    np.testing.assert_array_equal(cloud.nearest(rows[[10]], 3), [[0, 1, 1]])


# --- surprise minimisation ---------------------------------------------------------------------


@pytest.mark.parametrize("place", [0.0, 0.3, 1.0])
def test_staying_gives_ever_more_up_to_the_code_of_a_certainty(place):
    size, least = 3, 0.2
    live_objective = Smirl(least_deviation=least).start(size, 2, rng())
    rewards = walk(live_objective, [[place] * size] * 3000)
    bound = -size * np.log(least * np.sqrt(2 * np.pi))

    assert np.all(np.diff(rewards) >= -1e-12)
    assert rewards[0] < rewards[-1]
    assert rewards[-1] == pytest.approx(bound, abs=1e-3)
    assert np.all(rewards <= bound + 1e-12)


def test_a_certain_bit_gives_up_to_its_bound_exactly():
    """After t like it, ``log((t + 1) / (t + 2))`` a feature; no more than ``log(1 - 1e-5)``."""
    live_objective = Smirl(model="bernoulli").start(2, 2, rng())
    rewards = walk(live_objective, [[1, 0]] * 101)
    t = np.arange(1, 101)

    np.testing.assert_allclose(rewards, 2 * np.log((t + 1) / (t + 2)), rtol=1e-12)
    live_objective._met[:], live_objective._sums[:] = 10**7, [[10**7, 0]]
    assert walk(live_objective, [[1, 0], [1, 0]])[0] == pytest.approx(
        2 * np.log(1 - 1e-5), rel=1e-12
    )


def test_theta_is_of_the_episode_before_the_step_its_seeds_and_its_start():
    live_objective = Smirl(least_deviation=1e-3).start(1, 2, rng())
    rewards = walk(live_objective, [[0.5], [0.25], [2.0], [0.5]], ended={1})
    expected = []
    for seen, arrived in [([0.5], 0.25), ([0.5, 0.25], 2.0), ([2.0], 0.5)]:
        states = np.array([0.0, 1.0, -1.0, *seen])
        mean, variance = states.mean(), states.var()
        expected.append(-0.5 * (np.log(2 * np.pi * variance) + (arrived - mean) ** 2 / variance))

    np.testing.assert_allclose(rewards, expected, rtol=1e-12)


def test_a_shock_is_clipped():
    live_objective = Smirl(clip=300.0).start(4, 2, rng())

    assert walk(live_objective, [[0] * 4, [1e3] * 4])[0] == -300


def test_bits_that_are_none_are_refused():
    with pytest.raises(ValueError, match="observations from 0 to 1"):
        walk(Smirl(model="bernoulli").start(1, 2, rng()), [[0.0], [2.0]])


def test_it_is_the_opposite_of_a_count():
    rewards = walk(Smirl().start(2, 2, rng()), [[0, 1]] * 20)
    counted = walk(Count().start(2, 2, rng()), [[0, 1]] * 20)

    assert np.all(np.diff(rewards) > 0)
    assert np.all(np.diff(counted) < 0)


# --- settings ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Simhash(bits=0), "bits is at least 1"),
        (lambda: E3b(ridge=0.0), "ridge is a finite number above 0"),
        (lambda: Noveld(alpha=1.5), "alpha is from 0 to 1"),
        (lambda: Ngu(k=0), "k is at least 1"),
        (lambda: Ngu(constant=0.0), "constant is a finite number above 0"),
        (lambda: Re3(stored=0), "stored is at least 1"),
        (lambda: Smirl(clip=-1.0), "clip is a finite number above 0"),
        (lambda: Smirl(discount=1.0), "discount is at least 0 and below 1"),
    ],
)
def test_settings_out_of_range_are_refused(make, reason):
    with pytest.raises(ValueError, match=reason):
        make()


@pytest.mark.parametrize(
    "kind",
    [Count(memory="episodic"), Simhash(bits=64), E3b(), Ngu(), Noveld(), Ride(), Re3(), Smirl()],
)
def test_a_state_of_other_sizes_is_refused(kind):
    mine, other = kind.start(3, 2, rng()), kind.start(70, 2, rng())
    for live_objective, size in ((mine, 3), (other, 70)):
        for _ in range(2):
            look = rng().standard_normal((4, 2, size)).astype(np.float32)
            live_objective.update(over([step(each, each) for each in look]))
            live_objective.reward(step(look[0], look[1]))

    with pytest.raises(ValueError, match=r"fit|size"):
        mine.load_state_dict(other.state_dict())
