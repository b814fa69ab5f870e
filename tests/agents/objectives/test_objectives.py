"""Objectives give what their formulas say."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.contract import Batch
from agents.models.perceptron import Adam, Perceptron, loss
from agents.models.running_moments import ReturnScale, Running
from agents.objectives.count import Count
from agents.objectives.extrinsic import Extrinsic
from agents.objectives.rnd import Rnd

FAST = Rnd(latent=8, hidden=16)


def rng(seed=0):
    return np.random.default_rng(seed)


def arriving_in(observations):
    """A rollout that arrived in ``observations [steps, n, size]``."""
    shape = observations.shape[:2]
    none = np.zeros(shape, bool)
    action, reward = np.zeros(shape, np.int64), np.zeros(shape)
    return Batch(observations, action, observations, reward, none, none)


def arriving(observations, reward=None):
    """A step into ``observations``, from anywhere."""
    observations = np.asarray(observations, np.float32)
    n = len(observations)
    no = np.zeros(n, bool)
    rewards = np.zeros(n) if reward is None else np.asarray(reward, np.float64)
    return Batch(np.zeros_like(observations), np.zeros(n, int), observations, rewards, no, no)


# --- extrinsic and count -----------------------------------------------------------------------


def test_extrinsic_is_the_environments_reward_and_a_copy_of_it():
    batch = arriving(np.zeros((3, 2)), [1.0, -2.5, 0.0])
    found = Extrinsic().start(2, 4, rng()).reward(batch)
    found += 1

    np.testing.assert_array_equal(batch.reward, [1.0, -2.5, 0.0])


@given(st.lists(st.integers(0, 3), min_size=1, max_size=40))
def test_the_nth_visit_gives_one_over_the_root_of_n(states):
    live_objective = Count().start(2, 4, rng())
    seen = dict.fromkeys(range(4), 0)
    for state in states:
        seen[state] += 1
        (rewards,) = live_objective.reward(arriving([[state, 0.5]]))

        assert rewards == 1 / np.sqrt(seen[state])


def test_environments_arrive_in_the_order_of_their_index():
    rewards = Count().start(1, 4, rng()).reward(arriving([[7], [3], [7], [7]]))

    np.testing.assert_array_equal(rewards, [1, 1, 1 / np.sqrt(2), 1 / np.sqrt(3)])


def test_who_has_left_visits_nothing():
    """A row carried along shows its last place at every step; that once counted as visits."""
    live_objective = Count().start(1, 4, rng())
    batch = replace(arriving([[7], [7], [3]]), present=np.array([True, False, True]))

    live_objective.reward(batch)

    np.testing.assert_array_equal(live_objective.reward(arriving([[7], [3]])), [1 / np.sqrt(2)] * 2)


def test_a_negative_zero_is_no_other_place():
    live_objective = Count().start(1, 4, rng())
    live_objective.reward(arriving([[0.0]]))

    assert live_objective.reward(arriving([[-0.0]])) == 1 / np.sqrt(2)


def test_counting_finds_the_way_that_chance_does_not():
    """Deep sea, 10 x 10: chance needs about 2^10 episodes; I14 allows the bonus 60.

    The agent plans exactly in what it has seen; what it never tried is worth the treasure.
    """
    size = 10
    live_objective = Count().start(3, 2, rng())
    right = rng(0).integers(2, size=(size, size))  # the action that goes right, place by place
    bonus = np.full((size, size, 2), np.nan)
    for _ in range(60):
        plan = _plan(right, bonus)
        column, moves = 0, 0
        for row in range(size):
            action = plan[row, column]
            bonus[row, column, action] = live_objective.reward(arriving([[row, column, action]]))[0]
            goes_right = action == right[row, column]
            moves += goes_right
            column = _column(column, goes_right, size)
        if moves == size:
            break
    assert moves == size, "never reached the treasure"


def _plan(right, bonus):
    """Best action in every place; NaN in ``bonus`` marks what was never tried."""
    size = len(right)
    value, plan = np.zeros((size + 1, size)), np.zeros((size, size), int)
    for row, column in [(r, c) for r in reversed(range(size)) for c in range(r + 1)]:
        q = np.ones(2)
        for action in np.flatnonzero(~np.isnan(bonus[row, column])):
            goes_right = action == right[row, column]
            q[action] = 0.05 * bonus[row, column, action] - 0.01 / size * goes_right
            q[action] += value[row + 1, _column(column, goes_right, size)]
        plan[row, column], value[row, column] = int(np.argmax(q)), q.max()
    return plan


def _column(column, is_right, size):
    return min(column + 1, size - 1) if is_right else max(column - 1, 0)


# --- the numpy network -------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [(3, 4), (3, 5, 2), (4, 6, 5, 3)])
def test_gradients_are_those_of_finite_differences(sizes):
    net = Perceptron(sizes, rng(1))
    net.weights = [(w.astype(np.float64), rng(2).standard_normal(b.shape)) for w, b in net.weights]
    inputs, targets = rng(3).standard_normal((9, sizes[0])), rng(4).standard_normal((9, sizes[-1]))
    step = 1e-6
    for layer, gradient in zip(net.weights, net.gradients(inputs, targets), strict=True):
        for value, slope in zip(layer, gradient, strict=True):
            for place in np.ndindex(value.shape):
                kept = value[place]
                sides = []
                for moved in (kept + step, kept - step):
                    value[place] = moved
                    sides.append(loss(net(inputs), targets).mean())
                value[place] = kept

                assert slope[place] == pytest.approx(
                    (sides[0] - sides[1]) / (2 * step), rel=1e-4, abs=1e-8
                )


def test_adam_takes_the_steps_of_the_paper():
    """Algorithm 1 by hand, float64, for three gradients of one weight."""
    weights = [(np.array([[1.0]], np.float32), np.array([0.0], np.float32))]
    adam = Adam(weights, 0.1)
    m = v = 0.0
    theta = 1.0
    for t, g in enumerate((0.5, -2.0, 0.25), 1):
        adam.step(weights, [(np.array([[g]], np.float32), np.array([0.0], np.float32))])
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        theta -= 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)

        assert weights[0][0][0, 0] == pytest.approx(theta, rel=1e-5)


# --- running statistics ------------------------------------------------------------------------


@given(st.lists(st.integers(0, 6), min_size=1, max_size=8), st.integers(0, 99))
def test_statistics_of_batches_are_those_of_all_rows(lengths, seed):
    batches = [rng(seed + i).standard_normal((n, 3)) * 5 + 100 for i, n in enumerate(lengths)]
    running = Running((3,))
    for batch in batches:
        running.add(batch)
    rows = np.concatenate(batches)

    assert running.count == len(rows)
    if len(rows):
        np.testing.assert_allclose(running.mean, rows.mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(running.deviation(), rows.std(axis=0), rtol=1e-9, atol=1e-9)


def test_scale_of_a_constant_reward_has_a_closed_form():
    """``R_t = c (1 - d^t) / (1 - d)``: its deviation over T steps from sums of geometric series."""
    c, d, steps = 3.0, 0.9, 50
    scale = ReturnScale(d)
    for _ in range(steps):
        scale.add(np.full(4, c))  # four environments alike
    mean_of_power = d * (1 - d**steps) / (1 - d) / steps
    mean_of_square = d**2 * (1 - d ** (2 * steps)) / (1 - d**2) / steps
    expected = c / (1 - d) * np.sqrt(mean_of_square - mean_of_power**2)

    assert scale.scale == 1.0  # not before it is committed
    scale.commit()
    assert scale.scale == pytest.approx(expected, rel=1e-12)


def test_the_scale_filters_through_time_each_environment_by_itself():
    """Two environments: one always gives 1, the other -1; a filter across them would cancel."""
    scale = ReturnScale(0.5)
    for _ in range(20):
        scale.add(np.array([1.0, -1.0]))
    returns = np.array([2 * (1 - 0.5**t) for t in range(1, 21)])
    scale.commit()

    assert scale.scale == pytest.approx(np.sqrt(np.mean(returns**2)), rel=1e-12)


def test_rewards_that_never_vary_are_not_divided_by_zero():
    scale = ReturnScale(0.0)
    scale.add(np.zeros(3))
    scale.commit()

    assert scale.scale == 1.0


# --- random network distillation ---------------------------------------------------------------


def test_the_first_rollout_sets_the_statistics_and_gets_no_reward():
    live_objective = FAST.start(4, 3, rng())
    rollout = rng(1).standard_normal((32, 8, 4)).astype(np.float32)

    np.testing.assert_array_equal(live_objective.reward(arriving(rollout[0])), np.zeros(8))
    live_objective.update(arriving_in(rollout))
    assert np.all(live_objective.reward(arriving(rollout[0])) > 0)


def error(live_objective, observations):
    return live_objective._distiller.error(live_objective._whiten(observations))


def test_familiar_places_stop_giving_reward():
    """Median over seeds: the error on the same observations falls at every look, to almost zero."""
    rewards = []
    for seed in range(5):
        live_objective = Rnd(update_proportion=1.0).start(2, 4, rng(seed))
        rollout = rng(seed + 50).standard_normal((64, 8, 2)).astype(np.float32)
        live_objective.update(arriving_in(rollout))
        looks = [error(live_objective, rollout).mean()]
        for _ in range(8):
            for _ in range(25):
                live_objective.update(arriving_in(rollout))
            looks.append(error(live_objective, rollout).mean())
        rewards.append(looks)
    median = np.median(rewards, axis=0)

    assert np.all(np.diff(median) < 0)
    assert median[-1] < 0.01 * median[0]


def test_a_place_never_seen_gives_far_more_than_those_visited():
    """A 2-D toy: everything happened in one corner of the square."""
    ratios = []
    for seed in range(5):
        live_objective = Rnd().start(2, 4, rng(seed))
        rollout = rng(seed + 9).uniform(0, 1, (64, 16, 2)).astype(np.float32)
        for _ in range(60):
            live_objective.update(arriving_in(rollout))
        visited = live_objective.reward(arriving(rollout[0])).mean()
        unseen = live_objective.reward(arriving(rng(seed).uniform(3, 4, (16, 2)))).mean()
        ratios.append(unseen / visited)

    assert np.median(ratios) > 10


def test_the_reward_is_the_mean_squared_error_over_the_scale_of_the_rollouts_before():
    live_objective = FAST.start(4, 3, rng())
    rollout = rng(1).standard_normal((32, 8, 4)).astype(np.float32)
    live_objective.update(arriving_in(rollout))
    live_objective.update(arriving_in(rollout))
    white = (rollout[3] - rollout.mean(axis=(0, 1))) / rollout.std(axis=(0, 1))
    error = (
        live_objective._distiller.predictor(white) - live_objective._distiller.target(white)
    ) ** 2

    first = live_objective.reward(arriving(rollout[3]))
    again = live_objective.reward(arriving(rollout[3]))

    np.testing.assert_allclose(first, error.mean(axis=1) / live_objective._returns.scale, rtol=1e-4)
    np.testing.assert_array_equal(first, again)


def test_intrinsic_rewards_have_a_return_of_unit_deviation():
    """What the normaliser is for, whatever the observations' scale and the networks' sizes."""
    for scale in (1e-3, 1.0, 1e4):
        live_objective = Rnd(hidden=32, learning_rate=1e-6).start(6, 3, rng())
        returns, filtered = [], np.zeros(16)
        for update in range(6):
            rollout = (scale * rng(update).standard_normal((64, 16, 6))).astype(np.float32)
            for step in rollout:
                filtered = 0.99 * filtered + live_objective.reward(arriving(step))
                returns.append(filtered)
            live_objective.update(arriving_in(rollout))

        # Rewards began with the second rollout, so this deviation includes the filter's warm-up,
        # as the normaliser's own does.
        assert 0.5 < np.std(returns[64:]) < 2


def test_observations_are_clipped_so_that_no_reward_explodes():
    live_objective = FAST.start(2, 3, rng())
    rollout = rng(1).standard_normal((32, 8, 2)).astype(np.float32)
    live_objective.update(arriving_in(rollout))

    far, further = error(live_objective, np.array([[1e3, -1e3], [1e30, -1e30]], np.float32))
    assert far == further
    assert np.isfinite(far)


def test_a_feature_that_never_varied_is_silent_until_it_does():
    live_objective = FAST.start(2, 3, rng())
    rollout = rng(1).standard_normal((32, 8, 2)).astype(np.float32)
    rollout[:, :, 1] = 0.1
    live_objective.update(arriving_in(rollout))

    np.testing.assert_array_equal(live_objective._whiten(rollout)[:, :, 1], 0.0)
    np.testing.assert_array_equal(live_objective._whiten(np.array([[0.0, 0.2]]))[0, 1], 5.0)


def test_the_target_is_frozen_and_the_predictor_has_the_capacity_for_it():
    live_objective = FAST.start(4, 3, rng())
    before = live_objective._distiller.target.state("")
    for seed in range(3):
        live_objective.update(arriving_in(rng(seed).standard_normal((16, 4, 4)).astype(np.float32)))

    assert all(
        np.array_equal(live_objective._distiller.target.state("")[name], each)
        for name, each in before.items()
    )
    assert live_objective._distiller.predictor.flops() > live_objective._distiller.target.flops()


def test_looking_at_rewards_changes_neither_networks_nor_statistics():
    live_objective = FAST.start(4, 3, rng())
    live_objective.update(arriving_in(rng(1).standard_normal((16, 4, 4)).astype(np.float32)))
    before = live_objective.state_dict()
    live_objective.reward(arriving(rng(2).standard_normal((4, 4))))
    changed = {
        n for n, each in live_objective.state_dict().items() if not np.array_equal(each, before[n])
    }

    assert changed == {
        "returns.filter",
        "returns.seen.count",
        "returns.seen.mean",
        "returns.seen.squares",
    }


def test_every_update_learns_from_another_sample():
    initial = FAST.start(4, 3, rng()).state_dict()
    rollout = rng(1).standard_normal((64, 4, 4)).astype(np.float32)
    learned = []
    for updates in (1, 2):
        live_objective = FAST.start(4, 3, rng())
        live_objective.load_state_dict({**initial, "updates": np.array(updates)})
        live_objective.update(arriving_in(rollout))
        learned.append(live_objective.state_dict()["predictor.0.weight"])

    assert not np.array_equal(*learned)


def test_work_is_bounded_however_long_the_rollout():
    live_objective = Rnd(most_samples=512, minibatch=128).start(4, 3, rng())
    live_objective.update(arriving_in(np.zeros((4096, 1, 4), np.float32)))

    assert live_objective._distiller.adam.steps == 4
    shares = live_objective.flops(20_000) - live_objective.flops(10_000)
    assert shares == 10_000 * (
        live_objective._distiller.target.flops() + live_objective._distiller.predictor.flops()
    )


def test_flops_are_two_a_weight_and_three_forward_passes_a_sample():
    live_objective = Rnd(hidden=5, latent=2, update_proportion=0.5).start(3, 1, rng())
    target, predictor = 2 * (3 * 5 + 5 * 2), 2 * (3 * 5 + 5 * 5 + 5 * 2)

    assert live_objective.flops(10) == 10 * (target + predictor) + 5 * (target + 3 * predictor)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"latent": 0}, "latent is at least 1"),
        ({"minibatch": 0}, "minibatch is at least 1"),
        ({"learning_rate": 0.0}, "learning_rate is a finite number above 0"),
        ({"clip": float("inf")}, "clip is a finite number above 0"),
        ({"update_proportion": 1.5}, "update_proportion is above 0, at most 1"),
        ({"discount": 1.0}, "discount is at least 0 and below 1"),
    ],
)
def test_settings_out_of_range_are_refused(settings, reason):
    with pytest.raises(ValueError, match=reason):
        Rnd(**settings)


def test_a_state_of_other_networks_is_refused_and_changes_nothing():
    mine, other = FAST.start(4, 3, rng()), FAST.start(5, 3, rng())
    before = mine.state_dict()

    with pytest.raises(ValueError, match=r"'target.0.weight' does not fit"):
        mine.load_state_dict(other.state_dict())
    assert all(np.array_equal(mine.state_dict()[name], each) for name, each in before.items())
    with pytest.raises(ValueError, match="do not fit keys of 2"):
        Count().start(2, 3, rng()).load_state_dict(Count().start(5, 3, rng()).state_dict())
