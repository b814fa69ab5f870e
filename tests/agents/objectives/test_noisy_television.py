"""What is known stops giving reward, what is new gives it; and what becomes of noise."""

import numpy as np
import pytest

from agents.objectives.compression_progress import CompressionProgress
from agents.objectives.count import Count
from agents.objectives.disagreement import Disagreement
from agents.objectives.icm import Icm
from agents.objectives.learning_progress import LearningProgress
from agents.objectives.rnd import Rnd
from tests.agents.objectives.steps import at, batch, rng

# --- the known and the new (I16) ---------------------------------------------------------------


def corner(seed, low=0.0, high=1.0, steps=8, n=64):
    """Steps in a square of the plane: four actions, each a short way along an axis."""
    chance = rng(seed)
    before = chance.uniform(low, high, (steps, n, 2))
    action = chance.integers(4, size=(steps, n))
    ways = 0.2 * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])
    return batch(before, action, before + ways[action])


def rewards(live_objective, rollout):
    return np.mean(
        [live_objective.reward(at(rollout, t)).mean() for t in range(len(rollout.action))]
    )


@pytest.mark.parametrize("kind", [Rnd, Icm, Disagreement])
def test_familiar_steps_stop_giving_reward(kind):
    """Median over seeds: what is learned from again and again gives less at each look."""
    looks = []
    for seed in range(3):
        settings = kind(update_proportion=1.0, learning_rate=3e-3, normaliser="none")
        live_objective = settings.start(2, 4, rng(seed))
        rollout = corner(seed + 50)
        live_objective.update(rollout)
        mine = [rewards(live_objective, rollout)]
        for _ in range(4):
            for _ in range(20):
                live_objective.update(rollout)
            mine.append(rewards(live_objective, rollout))
        looks.append(mine)
    median = np.median(looks, axis=0)

    assert np.all(np.diff(median) < 0)
    assert median[-1] < 0.1 * median[0]


@pytest.mark.parametrize("kind", [Rnd, Icm, Disagreement])
def test_steps_never_made_give_far_more_than_those_made(kind):
    ratios = []
    for seed in range(3):
        live_objective = kind(normaliser="none").start(2, 4, rng(seed))
        rollout = corner(seed + 9)
        for _ in range(80):
            live_objective.update(rollout)
        ratios.append(
            rewards(live_objective, corner(seed, 3, 4, steps=4)) / rewards(live_objective, rollout)
        )

    assert np.median(ratios) > 10


# --- the noisy television (I17) ----------------------------------------------------------------

PLACES, CHANNELS = 3, 3
LEFT, RIGHT, WATCH = range(3)
FAST = {"learning_rate": 1e-2, "update_proportion": 1.0, "minibatch": 256}
THOROUGH = FAST | {"minibatch": 128}


def television(chance, steps=8, n=64):
    """Chance play on a chain; to watch draws another channel and changes nothing else."""
    place, channel = chance.integers(PLACES, size=n), chance.integers(CHANNELS, size=n)
    rows = []
    for _ in range(steps):
        action = chance.integers(3, size=n)
        moved = np.clip(place + (action == RIGHT) - (action == LEFT), 0, PLACES - 1)
        drawn = np.where(action == WATCH, chance.integers(CHANNELS, size=n), channel)
        rows.append((_picture(place, channel), action, _picture(moved, drawn)))
        place, channel = moved, drawn
    return batch(*(np.stack(each) for each in zip(*rows, strict=True)))


def _picture(place, channel):
    return np.concatenate([np.eye(PLACES)[place], np.eye(CHANNELS)[channel]], axis=1)


def watched(live_objective, rollout):
    """Mean reward of watching, and of walking, over a rollout."""
    returns = np.array([live_objective.reward(at(rollout, t)) for t in range(len(rollout.action))])
    return returns[rollout.action == WATCH].mean(), returns[rollout.action != WATCH].mean()


def agent_run(settings, seed, rollouts):
    """(watching, walking) of every rollout, ``[rollouts, 2]``."""
    live_objective = settings.start(PLACES + CHANNELS, 3, rng(seed))
    found = []
    for update in range(rollouts):
        rollout = television(rng(1000 * seed + update))
        found.append(watched(live_objective, rollout))
        live_objective.update(rollout)
    return np.array(found)


def test_curiosity_stays_with_the_television():
    """It gives as much late as at first, when all was new; walking has been learned by then."""
    settings = Icm(normaliser="none", **FAST)
    agent_runs = np.median([agent_run(settings, seed, 90) for seed in range(3)], axis=0)
    early, late = agent_runs[1:4].mean(axis=0), agent_runs[-10:].mean(axis=0)

    assert late[0] > 0.5 * early[0]
    assert late[0] > 10 * late[1]


@pytest.mark.slow
def test_features_that_the_forward_loss_shapes_become_easy_to_foresee_and_give_no_reward():
    """Why ``forward_shapes_features`` is not the default: everything gives less, noise and all."""
    settings = Icm(normaliser="none", forward_shapes_features=True, **FAST)
    agent_runs = np.median([agent_run(settings, seed, 40) for seed in range(3)], axis=0)

    assert np.all(agent_runs[-10:].mean(axis=0) < 0.1 * agent_runs[1])


@pytest.mark.parametrize(
    ("settings", "share"),
    [
        (Count(), 0.25),
        (Rnd(normaliser="none", **FAST), 0.01),
        (Disagreement(normaliser="none", **FAST), 0.2),
    ],
)
def test_others_tire_of_its_few_channels(settings, share):
    agent_runs = np.median([agent_run(settings, seed, 40) for seed in range(3)], axis=0)

    assert agent_runs[-10:, 0].mean() < share * agent_runs[1:3, 0].mean()


@pytest.mark.parametrize(
    "settings",
    [
        LearningProgress(normaliser="none", bits=1, **THOROUGH),
        CompressionProgress(normaliser="none", held=4096, **THOROUGH),
    ],
)
def test_noise_is_no_progress(settings):
    """After it has learned the world: mean of watching over runs, against its standard error."""
    agent_runs = np.array([agent_run(settings, seed, 110)[:, 0] for seed in range(8)])
    late = agent_runs[:, 75:].mean(axis=1)
    error = late.std(ddof=1) / np.sqrt(len(late))

    assert abs(late.mean()) < 2 * error
    assert error < 0.02 * agent_runs.mean(axis=0).max()  # no mean is near 0 within a huge error


@pytest.mark.slow
def test_noise_learned_by_heart_gets_a_little_reward_by_the_history():
    """The flaw of ``credit: history``: its steps have been learned from, a new step has not."""
    settings = CompressionProgress(normaliser="none", credit="history", **FAST)
    agent_runs = np.array([agent_run(settings, seed, 60)[:, 0] for seed in range(4)])
    late = agent_runs[:, 40:].mean(axis=1)

    assert late.mean() > 2 * late.std(ddof=1) / 2
    assert late.mean() < 0.05 * agent_runs.mean(axis=0).max()


@pytest.mark.parametrize("kind", [LearningProgress, CompressionProgress])
def test_what_is_being_learned_is_progress(kind):
    returns = np.array(
        [agent_run(kind(normaliser="none"), seed, 12).mean(axis=1) for seed in range(3)]
    )

    assert np.all(returns.sum(axis=1) > 0)


@pytest.mark.slow
def test_noise_is_rewarded_by_absolute_progress():
    """The known flaw, kept as a setting: its mean on noise is far from 0."""
    settings = LearningProgress(normaliser="none", bits=1, progress="absolute", **FAST)
    late = np.array([agent_run(settings, seed, 60)[40:, 0].mean() for seed in range(4)])

    assert late.mean() > 3 * late.std(ddof=1) / 2
