"""Tables on envs that are not ours: what they learn is what dynamic programming says."""

from dataclasses import asdict
from functools import cache

import gymnasium as gym
import numpy as np
import pytest

from agents.learners.tabular import Tabular
from sandbox.trial import build, environment
from tests.sandbox.trial.test_loop import SPEC

EPSILON = 0.1


def started(env_id, learner):
    """A population of one table, and its place."""
    spec = {
        **SPEC,
        "env": {"id": env_id, "kwargs": {}},
        "learner": {"tabular": asdict(learner)},
        "architecture": {"layers": [], "activation": "tanh"},
    }
    place = environment.trial_env(spec, learner.num_envs)
    parts = build.Parts.of(spec)
    return build.population(
        spec, parts, place, build.initial_genomes(spec, parts, place.agents)
    ), place


def trained(env_id, **settings):
    """A table after its training, and its place."""
    steady = {"exploration_start": EPSILON, "exploration_end": EPSILON, "discount": 1.0}
    learner = Tabular(**{**steady, **settings})
    population, place = started(env_id, learner)
    while (
        population.update()["agent"].steps and population._learner._steps_done < learner.total_steps
    ):
        pass
    return population.learners["agent"], place


def walked(learner, place, most=100):
    """Return of the greedy policy from the first start on; in these envs it is the only one."""
    env, total = place.make(1), 0.0
    seen, _ = env.reset(seed=0)
    for _ in range(most):
        best = learner.logits(np.asarray(seen, np.float32).reshape(1, -1)).argmax(1)
        seen, reward, terminated, truncated, _ = env.step(best)
        total += float(reward[0])
        if terminated[0] or truncated[0]:
            break
    env.close()
    return total


@cache
def model(env_id):
    """Chances [state, action, next state], the last one the end, and rewards [state, action]."""
    bare = gym.make(env_id).unwrapped
    states, actions = int(bare.observation_space.n), int(bare.action_space.n)
    chance, amount = np.zeros((states, actions, states + 1)), np.zeros((states, actions))
    for state, row in bare.P.items():
        for action, ways in row.items():
            for p, following, reward, ended in ways:
                chance[state, action, states if ended else following] += p
                amount[state, action] += p * reward
    return chance, amount


def soft(env_id, epsilon):
    """Q of the best among policies that act at random with chance ``epsilon``."""
    chance, reward = model(env_id)
    q = np.zeros_like(reward)
    for _ in range(2_000):
        worth = (1 - epsilon) * q.max(1) + epsilon * q.mean(1)
        q = reward + chance @ np.append(worth, 0.0)
    return q


def best_walk(env_id, q, start):
    """Return of the greedy walk over ``q`` where nothing is left to chance."""
    chance, reward = model(env_id)
    state, total = start, 0.0
    for _ in range(100):
        action = int(q[state].argmax())
        total += reward[state, action]
        state = int(chance[state, action].argmax())
        if state == len(reward):
            break
    return total


def test_the_best_walks_beside_the_cliff():
    """Who must stumble keeps one row away: two would be safer still (-17) and not worth it."""
    assert best_walk("CliffWalking-v1", soft("CliffWalking-v1", 0.0), 36) == -13
    assert best_walk("CliffWalking-v1", soft("CliffWalking-v1", EPSILON), 36) == -15
    assert best_walk("CliffWalking-v1", soft("CliffWalking-v1", 0.3), 36) == -17


def test_q_learning_walks_along_the_edge_of_the_cliff():
    learner, place = trained("CliffWalking-v1", step_size=0.5, total_steps=12_000, num_envs=4)
    assert walked(learner, place) == -13


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["sarsa", "expected_sarsa"])
def test_who_learns_what_its_stumbling_costs_keeps_away_from_the_edge(rule):
    settings = {"rule": rule, "step_size": 0.3, "step_size_decay": 0.005, "num_envs": 4}
    learner, place = trained("CliffWalking-v1", total_steps=100_000, **settings)
    assert walked(learner, place) == -15
    start = np.eye(48, dtype=np.float32)[[36]]
    worth = soft("CliffWalking-v1", EPSILON)[36]
    wanted = (1 - EPSILON) * worth.max() + EPSILON * worth.mean()
    assert learner.values(start)[0] == pytest.approx(wanted, abs=1.0)


@pytest.mark.slow
def test_the_frozen_lake_is_crossed_as_often_as_can_be():
    """Discounted, so that getting there in time counts; 0.74 of all crossings can succeed."""
    settings = {"discount": 0.99, "step_size": 0.5, "step_size_decay": 0.02, "initial_value": 1.0}
    learner, _ = trained("FrozenLake-v1", total_steps=200_000, **settings)
    chance, reward = model("FrozenLake-v1")
    policy = learner.logits(np.eye(16, dtype=np.float32)).argmax(1)
    worth = np.zeros(17)
    for _ in range(100):
        worth = np.append((reward + chance @ worth)[np.arange(16), policy], 0.0)
    assert worth[0] > 0.7


@pytest.mark.slow
def test_a_taxi_driver_learns_the_town():
    learner, _ = trained("Taxi-v4", step_size=0.5, total_steps=240_000, discount=0.99)
    chance, reward = model("Taxi-v4")
    policy = learner.logits(np.eye(500, dtype=np.float32)).argmax(1)
    best, worth = np.zeros(501), np.zeros(501)
    for _ in range(200):
        best = np.append((reward + chance @ best).max(1), 0.0)
        worth = np.append((reward + chance @ worth)[np.arange(500), policy], 0.0)
    starts = gym.make("Taxi-v4").unwrapped.initial_state_distrib
    assert starts @ worth[:500] == pytest.approx(starts @ best[:500], abs=0.1)
    assert 7 < starts @ best[:500] < 9


def test_a_table_says_where_it_never_sees_anything_twice():
    """Poles lean by numbers, so every step is news; lakes have sixteen squares."""
    messages = {}
    for env_id in ("CartPole-v1", "FrozenLake-v1"):
        agent_run, _ = started(env_id, Tabular(total_steps=800, num_envs=4, steps_per_update=100))
        messages[env_id] = [agent_run.update()["agent"].losses["new_states"] for _ in range(2)]
    assert min(messages["CartPole-v1"]) > 0.95
    assert messages["FrozenLake-v1"][1] < 0.01
