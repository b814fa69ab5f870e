"""Judges distinguish another's steps from one's own, and who pleases them does as the other did."""

from dataclasses import replace

import numpy as np
import pytest

from agents.contract import Batch
from agents.models.reservoir import Reservoir
from agents.value_learning.adversarial import blame, sigmoid
from agents.values.airl import Airl
from agents.values.gail import Gail
from sandbox.measuring.reward_distances import epic
from tests.agents.demonstrators import a_grid, a_random_world, watched
from tests.agents.values.adversaries import imitate, worth

KINDS = pytest.mark.parametrize("kind", [Gail, Airl])
GRID = a_grid(4, 12)  # from one corner; the opposite one gives reward
REWARDS = np.eye(16)[15]
EXPERT = np.eye(4)[np.where(np.arange(16) % 4 < 3, 3, 1)]  # right, then down
STUCK = np.tile(np.eye(4)[0], (16, 1))  # up, where there is a wall: all steps are the same
RANDOM = np.full((16, 4), 0.25)


def rng(seed=0):
    return np.random.default_rng(seed)


def every_step(world):
    """From everywhere to everywhere by every action: a batch, and the shape of its table."""
    states, actions, _ = world.transition.shape
    s, a, t = np.indices((states, actions, states)).reshape(3, -1)
    none, seen = np.zeros(len(s), bool), world.observation
    batch = Batch(seen[s], a, seen[t], np.zeros(len(s)), none, none)
    return batch, (states, actions, states)


# --- formulas ----------------------------------------------------------------------------------


def test_blame_is_the_slope_of_the_cross_entropy():
    logits, labels = rng().standard_normal(6), np.array([1.0, 1, 1, 0, 0, 0])

    def lost(z):
        return np.mean(np.where(labels == 1, np.logaddexp(0, -z), np.logaddexp(0, z)))

    for i in range(6):
        nudge = np.eye(6)[i] * 1e-6
        found = (lost(logits + nudge) - lost(logits - nudge)) / 2e-6
        assert blame(logits, labels)[i, 0] == pytest.approx(found, abs=1e-7)
    np.testing.assert_array_equal(sigmoid(np.array([-1e4, 0.0, 1e4])), [0, 0.5, 1])


def test_the_reward_of_gail_is_the_softplus_of_the_logit_and_above_nought():
    valuer = Gail().start(6, 4, rng())
    batch, _ = every_step(a_random_world())
    logits = valuer._student(valuer._inputs(batch.observation, batch.action))[:, 0]

    np.testing.assert_allclose(valuer.reward(batch), -np.log(sigmoid(-logits)), rtol=1e-5)
    assert valuer.reward(batch).min() > 0


def test_the_reward_of_airl_is_what_it_is_tested_for_and_shaping():
    """``f - g`` is ``gamma h(s') - h(s)``, so that EPIC cannot distinguish them."""
    valuer = Airl(discount=0.9).start(6, 4, rng())
    batch, shape = every_step(a_random_world())
    f, g = valuer.reward(batch).reshape(shape), valuer.unshaped(batch).reshape(shape)
    h = valuer._shape(np.eye(6, dtype=np.float32))[:, 0]

    np.testing.assert_allclose(f - g, 0.9 * h + np.zeros(shape) - h[:, None, None], atol=1e-5)
    np.testing.assert_allclose(g, g[:, :1, :1] + np.zeros(shape), atol=1e-6)  # float32
    assert np.abs(f - g).max() > 0.1
    assert epic(f, g, 0.9).value < 1e-3


def test_the_slope_of_airl_is_that_of_the_cross_entropy_of_its_logit():
    """Every weight of both networks, by finite differences, in float64."""
    valuer = Airl(n_disc_updates=1, discount=0.9, hidden=3).start(6, 4, rng(3))
    batch, _ = every_step(a_random_world())
    rows = rng(1).integers(len(batch.action), size=20)
    labels = np.repeat([1.0, 0.0], 10).astype(np.float32)
    policy = rng(2).dirichlet(np.ones(4), 6)
    steps = type(batch)(**{k: v[rows] for k, v in vars(batch).items() if v is not None})

    def logs(seen):
        return np.log(policy[seen.argmax(axis=1)])

    def lost():
        z = valuer.reward(steps) - logs(steps.observation)[np.arange(20), steps.action]
        return np.mean(np.where(labels == 1, np.logaddexp(0, -z), np.logaddexp(0, z)))

    found = {}
    for name in ("_worth", "_shape"):
        student = getattr(valuer, name)
        student.net.weights = [
            (w.astype(float), rng(4).standard_normal(len(b))) for w, b in student.net.weights
        ]  # no unit rests at the kink
        student._adam.step = lambda _, slopes, name=name: found.setdefault(name, slopes)
    valuer.train_step(steps, labels, logs)
    for name, slopes in found.items():
        for layer, slope in zip(getattr(valuer, name).net.weights, slopes, strict=True):
            for weights, mine in zip(layer, slope, strict=True):
                place = np.unravel_index(np.abs(mine).argmax(), mine.shape)
                kept, ends = weights[place], []
                for nudge in (1e-4, -1e-4):
                    weights[place] = kept + nudge
                    ends.append(lost())
                weights[place] = kept
                assert mine[place] == pytest.approx((ends[0] - ends[1]) / 2e-4, abs=1e-5)


# --- episodes that end early ---------------------------------------------------------------------


@KINDS
def test_demonstrations_of_different_lengths_are_refused_unless_they_are_allowed(kind):
    demos = watched(GRID, EXPERT * 0.5 + RANDOM * 0.5, 9, rng(), ends=15)
    assert 0 < demos.present.sum(axis=0).min() < 12

    with pytest.raises(ValueError, match=r"demonstrations have \d+ to 12 steps; learn in a world"):
        kind().start(16, 4, rng()).learn(demos)
    kind(variable_horizon=True).start(16, 4, rng()).learn(demos)


@KINDS
def test_worlds_that_end_episodes_are_refused_unless_they_are_allowed(kind):
    own = watched(GRID, RANDOM, 5, rng()).steps
    over = np.zeros((12, 5), bool)
    over[3, 2] = True
    died = replace(own, terminated=over, ended=over)
    with pytest.raises(ValueError, match="an own episode is terminated before its time"):
        kind().start(16, 4, rng()).watch(died)
    with pytest.raises(ValueError, match="a demonstration is terminated before its time"):
        kind().start(16, 4, rng()).learn(replace(watched(GRID, EXPERT, 5, rng()), steps=died))
    kind(variable_horizon=True).start(16, 4, rng()).watch(died)


@KINDS
def test_episodes_that_are_cut_at_different_times_are_refused_also_over_rollouts(kind):
    own = watched(GRID, RANDOM, 2, rng()).steps
    every_third, every_fourth = (
        np.repeat((np.arange(1, 13) % n == 0)[:, None], 2, axis=1) for n in (3, 4)
    )
    valuer = kind().start(16, 4, rng())
    valuer.watch(replace(own, ended=every_third))
    offspring = kind().start(16, 4, rng(1))
    offspring.load_state_dict(valuer.state_dict())
    for each in (valuer, offspring):
        each.watch(own)
        with pytest.raises(ValueError, match="own episodes have 3 and 4 steps"):
            each.watch(replace(own, ended=every_fourth))


# --- what is kept --------------------------------------------------------------------------------


def test_a_reservoir_keeps_every_row_with_the_same_chance():
    counts = np.zeros(30)
    for seed in range(600):
        kept = Reservoir({"row": np.zeros((), int)}, 6, rng(seed))
        for rows in np.split(np.arange(30), [1, 4, 17]):
            kept.add({"row": rows})
        assert len(kept) == 6
        assert len(np.unique(kept.held()["row"])) == 6
        counts[kept.held()["row"]] += 1

    error = np.sqrt(600 * 0.2 * 0.8)
    assert np.abs(counts - 120).max() < 4 * error


# --- who pleases a judge -------------------------------------------------------------------------


def imitated(model, demonstrator, seed, updates, *, variable_horizon=False):
    """Expected return, by what the world gives, of who never saw it."""
    demos = watched(GRID, demonstrator, 20, rng(seed))
    policy, _ = imitate(
        GRID, model, demos, updates=updates, seed=seed, variable_horizon=variable_horizon
    )
    return worth(GRID, policy, REWARDS)


def test_who_pleases_gails_judge_does_as_the_expert_did():
    """Nine cells; how long it takes in sixteen is for the slow test."""
    world, expert = a_grid(3, 8), np.eye(4)[np.where(np.arange(9) % 3 < 2, 3, 1)]
    demos = watched(world, expert, 20, rng(1))
    policy, _ = imitate(world, Gail(), demos, updates=35)

    assert worth(GRID, EXPERT, REWARDS) == 7
    assert worth(world, expert, np.eye(9)[8]) == 5
    assert worth(world, policy, np.eye(9)[8]) > 0.9 * 5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "variable_horizon", "updates"),
    [(Gail(), False, 60), (Airl(), True, 150), (Airl(), False, 150)],
)
def test_nine_tenths_of_the_expert_and_nothing_of_one_who_shows_nothing(
    model, variable_horizon, updates
):
    """Medians of five seeds; shown the same step for ever, no agent does better than chance."""
    found = [
        imitated(model, EXPERT, 10 + i, updates, variable_horizon=variable_horizon)
        for i in range(5)
    ]
    control = [
        imitated(model, STUCK, 10 + i, updates, variable_horizon=variable_horizon) for i in range(5)
    ]
    error = np.std(control, ddof=1) / np.sqrt(5)

    assert np.median(found) >= 0.9 * worth(GRID, EXPERT, REWARDS)
    assert np.mean(control) <= worth(GRID, RANDOM, REWARDS) + 2 * error


def soft(world, rewards, discount, sweeps=80):
    """Soft-optimal play that never ends, of a table ``[states, actions, states]``."""
    table = np.einsum("sat,sat->sa", world.transition, rewards)
    values = np.zeros(len(table))
    for _ in range(sweeps):
        q = table + discount * world.transition @ values
        values = np.logaddexp.reduce(q, axis=1)
    return np.exp(q - values[:, None])


def recovered(seed, rewards, updates=100):
    """``g``, of AIRL between two who play soft-optimally: one for ``rewards``, one for ``f``."""
    world, chance = replace(a_grid(3, 12), start=np.full(9, 1 / 9)), rng(seed)
    batch, shape = every_step(world)
    there = np.broadcast_to(rewards[:, None, None], shape)
    valuer = Airl(n_disc_updates=8, discount=0.9, capacity=20_000).start(9, 4, chance)
    valuer.learn(watched(world, soft(world, there, 0.9), 1500, chance))
    for _ in range(updates):
        mine = soft(world, valuer.reward(batch).reshape(shape), 0.9)
        own = watched(world, mine, 64, chance).steps
        valuer.watch(own, lambda seen, mine=mine: np.log(mine)[world.states(seen)])
    found = valuer.unshaped(batch).reshape(shape)
    return found[:, 0, 0], epic(found, there, 0.9).value


def test_airl_recovers_the_reward_of_states_but_for_a_constant():
    reward = rng(10).standard_normal(9)
    g, distance = recovered(0, reward)
    slope, _ = np.polyfit(reward, g, 1)

    assert distance < 0.15  # of unrelated rewards it is about 0.7
    assert slope == pytest.approx(1, abs=0.25)
    assert np.corrcoef(g, reward)[0, 1] > 0.96


def test_of_who_wants_nothing_airl_finds_next_to_nothing():
    g, _ = recovered(0, np.zeros(9), 50)

    assert np.std(g) < 0.25


@pytest.mark.parametrize(
    ("kind", "settings", "reason"),
    [
        (Gail, {"n_disc_updates": 0}, "n_disc_updates is at least 1"),
        (Gail, {"learning_rate": 0.0}, "learning_rate is a finite number above 0"),
        (Airl, {"discount": 1.5}, "discount is between 0 and 1"),
    ],
)
def test_settings_of_judges_out_of_range_are_refused(kind, settings, reason):
    with pytest.raises(ValueError, match=reason):
        kind(**settings)
