"""Beliefs in goals are Bayes', and are as sure as they may be."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from agents.contract import Batch
from agents.values.goal_inference import GoalInference, _plans
from agents.values_contract import Dynamics, Evidence
from tests.agents.demonstrators import a_grid, draw, watched


def rng(seed=0):
    return np.random.default_rng(seed)


def corridor():
    """Five cells; left and right."""
    transition = np.zeros((5, 2, 5))
    for state in range(5):
        transition[state, 0, max(state - 1, 0)] = transition[state, 1, min(state + 1, 4)] = 1
    return Dynamics(np.eye(5, dtype=np.float32), transition, np.eye(5)[2], 4)


def walk(world, actions):
    """One episode of these actions, from the start."""
    states = [int(world.start.argmax())]
    for action in actions:
        states.append(int(world.transition[states[-1], action].argmax()))
    seen = world.observation[states][:, None]
    none = np.zeros((len(actions), 1), bool)
    acted = np.array(actions).reshape(-1, 1)
    return Evidence(Batch(seen[:-1], acted, seen[1:], np.zeros((len(actions), 1)), none, none))


def belief(valuer):
    return np.exp(valuer.state_dict()["belief"])


def test_plans_cost_one_a_step_discounted():
    """``-(1 - g^d) / (1 - g)`` at ``d`` steps from the goal; 0 there."""
    world, goal = a_grid(4), 10
    q = _plans(world.transition, np.array([goal]), 0.9)[0]
    rows, columns = np.divmod(np.arange(16), 4)
    distance = np.abs(rows - 2) + np.abs(columns - 2)

    np.testing.assert_allclose(q.max(axis=1), -(1 - 0.9**distance) / 0.1, atol=1e-10)
    np.testing.assert_array_equal(q[goal], 0)


def test_a_goal_that_cannot_be_reached_costs_for_ever():
    q = _plans(a_grid(3, goal=8).transition, np.array([0]), 0.9)[0]

    np.testing.assert_allclose(q[8], -10, rtol=1e-10)


def test_one_step_to_the_right_by_hand():
    """Two goals, at the ends; from the middle, each way is one step nearer to one of them."""
    valuer = GoalInference(beta=1.5, discount=0.9, goals=(0, 4)).start(5, 2, rng(), corridor())
    valuer.learn(walk(corridor(), [1]))
    nearer, further = -1 - 0.9, -1 - 0.9 - 0.81 - 0.729
    odds = math.exp(1.5 * (nearer - further))  # P(right | right end) = odds / (1 + odds)

    np.testing.assert_allclose(belief(valuer), [1 / (1 + odds), odds / (1 + odds)], rtol=1e-10)


def test_beliefs_are_the_prior_on_average_over_all_that_could_be_seen():
    """Every walk of four steps, weighed by how likely it is under the prior."""
    world, settings = corridor(), GoalInference(beta=1.0, goals=(0, 1, 4))
    total, mass = np.zeros(3), 0.0
    logs = settings.start(5, 2, rng(), world)._logs
    for actions in itertools.product(range(2), repeat=4):
        rollout = walk(world, actions)
        states = rollout.steps.observation[:, 0].argmax(axis=1)
        chance = np.exp(logs[:, states, list(actions)].sum(axis=1)).mean()
        valuer = settings.start(5, 2, rng(), world)
        valuer.learn(rollout)
        total, mass = total + chance * belief(valuer), mass + chance

    assert mass == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(total, 1 / 3, rtol=1e-12)


def test_who_walks_straight_somewhere_is_believed_to_want_it():
    world = a_grid(5, 8)
    valuer = GoalInference().start(25, 4, rng(), world)
    doubts = [valuer.doubt()]
    for actions in ([1, 1], [1, 1, 3, 3], [1, 1, 3, 3, 3, 3, 1, 1]):
        valuer.learn(walk(world, actions))
        doubts.append(valuer.doubt())

    assert doubts[0] == pytest.approx(math.log(25))
    assert np.all(np.diff(doubts) < 0)
    assert belief(valuer).argmax() == 24


def test_rewards_and_foretelling_are_those_of_the_belief():
    world = corridor()
    valuer = GoalInference(goals=(0, 4)).start(5, 2, rng(), world)
    valuer.learn(walk(world, [1]))
    none, seen = np.zeros(5, bool), world.observation
    rewards = valuer.reward(Batch(seen[::-1], np.zeros(5, int), seen, np.zeros(5), none, none))
    chances = valuer.predict(seen, np.zeros(5, int))

    left, right = belief(valuer)
    np.testing.assert_allclose(rewards, [left, 0, 0, 0, right], rtol=1e-12)
    assert chances[2, 1] > 0.5 > left


def test_who_acts_at_random_is_not_read():
    valuer = GoalInference(beta=0.0).start(5, 2, rng(), corridor())
    valuer.learn(walk(corridor(), [1, 1, 1]))

    np.testing.assert_allclose(belief(valuer), 0.2, rtol=1e-12)


def test_doubt_is_honest_if_the_others_reason_is_known_and_not_if_it_is_overrated():
    """Mean surprise at the true goal is the mean doubt; a beta six times too high is too sure."""
    world = replace(a_grid(3, 4), start=np.full(9, 1 / 9))
    gaps = {}
    for beta in (0.5, 3.0):
        surprise, doubt = [], []
        actor = GoalInference(beta=0.5).start(9, 4, rng(), world)
        chance = rng(11)
        for goal in draw(np.full((400, 9), 1 / 9), chance):
            valuer = GoalInference(beta=beta).start(9, 4, rng(), world)
            valuer.learn(watched(world, np.exp(actor._logs[goal]), 1, chance))
            surprise.append(-valuer.state_dict()["belief"][goal])
            doubt.append(valuer.doubt())
        error = np.std(np.subtract(surprise, doubt)) / math.sqrt(400)
        gaps[beta] = (np.mean(surprise) - np.mean(doubt)) / error

    assert abs(gaps[0.5]) < 3
    assert gaps[3.0] > 5


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"beta": -1.0}, "beta is finite and at least 0"),
        ({"discount": 1.0}, "discount is at least 0 and below 1"),
    ],
)
def test_settings_of_goal_inference_out_of_range_are_refused(settings, reason):
    with pytest.raises(ValueError, match=reason):
        GoalInference(**settings)


def test_a_goal_that_is_no_state_is_refused():
    with pytest.raises(ValueError, match="goals are states 0 to 4"):
        GoalInference(goals=(5,)).start(5, 2, rng(), corridor())
