"""Steps and rollouts for the tests of objectives."""

from dataclasses import fields

import numpy as np

from agents.contract import Batch


def rng(seed=0):
    return np.random.default_rng(seed)


def batch(before, action, after, ended=None):
    """Steps ``[n]`` or rollouts ``[steps, n]``."""
    none = np.zeros(action.shape, bool)
    ended = none if ended is None else ended
    before, after = before.astype(np.float32), after.astype(np.float32)
    return Batch(before, action, after, np.zeros(action.shape), none, ended, ~none)


def at(rollout, t):
    values = {each.name: getattr(rollout, each.name) for each in fields(Batch)}
    return Batch(**{name: value[t] for name, value in values.items() if value is not None})


def some(chance, steps=16, n=4, size=5, actions=3):
    """Any rollout: the next observation is the old one moved by the action, and by chance."""
    seen = chance.standard_normal((steps, n, size))
    action = chance.integers(actions, size=(steps, n))
    after = seen + np.eye(actions, size)[action] + 0.1 * chance.standard_normal(seen.shape)
    return batch(seen, action, after, chance.random((steps, n)) < 0.1)
