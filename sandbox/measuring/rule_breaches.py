"""How often an agent would break a rule, and how often it would be broken in the world."""

from functools import cache
from typing import NamedTuple

import numpy as np

from agents.arrays import Array
from agents.contract import LiveLearner
from envs.contract import JointWorld, World
from envs.controls.shield import Shield
from sandbox.trial.environment import TrialEnv

WALKERS, DRAWS, RECENT = 64, 512, 1024


class Breaches(NamedTuple):
    """Means over ``n`` observations to which the rule applies."""

    n: int
    inside: float  # probability that the agent chooses the forbidden action
    world: float  # that it is carried out


NONE = Breaches(0, 0.0, 0.0)


def breaches(
    place: TrialEnv, learner: LiveLearner, feature: int, threshold: float, action: int
) -> Breaches:
    """Measure a policy where ``observation[feature] >= threshold``.

    Of a world of ours, on every such observation that random walks meet: the same ones always. Of
    any other env, on those of the learner's last rollout. A shield around the env with the
    same rule lets through the share that its present intensity leaves.
    """
    seen = _observations(place, learner, feature, threshold)
    if not len(seen):
        return NONE
    inside = float(chances(place, learner, seen)[:, action].mean())
    return Breaches(len(seen), inside, inside * _let_through(place, feature, threshold, action))


def _observations(place: TrialEnv, learner: LiveLearner, feature: int, threshold: float) -> Array:
    if place.world is None or isinstance(place.world, JointWorld):
        seen = learner.recent_observations(RECENT)
    else:
        seen = place.silent(_walked(place.world))
    if feature >= seen.shape[1]:
        raise ValueError(f"feature {feature} is none: an observation has {seen.shape[1]} numbers")
    return np.asarray(seen[seen[:, feature] >= threshold])


@cache
def _walked(world: World) -> Array:
    """All different observations of 64 random walks through whole episodes."""
    rng = np.random.default_rng(0)  # no trial's stream: what is asked is the same in all of them
    state = world.reset(rng, WALKERS)
    found = [world.observe(state)]
    for _ in range(world.horizon - 1):
        state, _ = world.step(state, rng.integers(len(world.action_names), size=WALKERS), rng)
        found.append(world.observe(state))
    return np.unique(np.concatenate(found), axis=0)


def chances(place: TrialEnv, learner: LiveLearner, seen: Array) -> Array:
    """Probability of every action for observations as in training, ``[n, actions]``."""
    if type(learner).sample is LiveLearner.sample:
        logits = np.asarray(place.choices(learner.logits(seen)), float)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))
    rng = np.random.default_rng(0)  # the same draws always: an equal policy has equal shares
    actions = place.choices(np.zeros((1, learner.actions))).shape[1]
    drawn = learner.sample(np.repeat(seen, DRAWS, axis=0), rng, place.choices)
    hits = np.asarray(drawn)[:, None] == np.arange(actions)
    return np.asarray(hits.reshape(len(seen), DRAWS, actions).mean(axis=1))


def _let_through(place: TrialEnv, feature: int, threshold: float, action: int) -> float:
    share = 1.0
    for control_meter in place.control_meters.values():
        shield = control_meter.control
        if isinstance(shield, Shield):
            rule = shield.feature, shield.threshold, shield.action
            if rule == (feature, threshold, action):
                share *= 1 - shield.effective_intensity(control_meter.clock.progress)
    return share
