"""Another agent to learn from: small worlds written down, and what others did in them."""

import numpy as np

from agents.contract import Batch
from agents.values_contract import Dynamics, Evidence

MOVES = ((-1, 0), (1, 0), (0, -1), (0, 1))


def a_grid(size=3, horizon=12, goal=None):
    """Four moves; walls stop them; nothing leads away from ``goal``. One-hot observations."""
    states = size * size
    transition = np.zeros((states, 4, states))
    for state in range(states):
        row, column = divmod(state, size)
        for action, (down, right) in enumerate(MOVES):
            to = [min(max(row + down, 0), size - 1), min(max(column + right, 0), size - 1)]
            transition[state, action, state if state == goal else to[0] * size + to[1]] = 1
    return Dynamics(np.eye(states, dtype=np.float32), transition, np.eye(states)[0], horizon)


def a_random_world(states=6, actions=4, horizon=8, seed=0):
    """Nothing leads away from the last state."""
    rng = np.random.default_rng(seed)
    transition = rng.dirichlet(np.ones(states), (states, actions))
    transition[-1] = np.eye(states)[-1]
    return Dynamics(np.eye(states, dtype=np.float32), transition, np.eye(states)[0], horizon)


def draw(chances, rng):
    """One index for each row of probabilities."""
    return (rng.random(len(chances))[:, None] > np.cumsum(chances, axis=1)).sum(axis=1)


def watched(world, policy, episodes, rng, ends=None):
    """Episodes of ``policy``, ``[states, actions]`` or one table a step; over in state ``ends``.

    Past an episode's end there is rubbish that belongs to no state.
    """
    steps, size = world.horizon, world.observation.shape[1]
    tables = np.broadcast_to(policy, (steps, *world.transition.shape[:2]))
    seen = np.full((steps + 1, episodes, size), 7.0, np.float32)
    actions, there = np.zeros((2, steps, episodes), int)
    states = draw(np.tile(world.start, (episodes, 1)), rng)
    on = np.ones(episodes, bool)
    arrived = seen[1:].copy()
    for t in range(steps):
        there[t] = on
        seen[t, on] = world.observation[states[on]]
        actions[t] = draw(tables[t, states], rng)
        states = draw(world.transition[states, actions[t]], rng)
        arrived[t, on] = world.observation[states[on]]
        if ends is not None:
            on = on & (states != ends)
    none = np.zeros((steps, episodes), bool)
    rollout = Batch(
        seen[:-1], actions, arrived, np.zeros((steps, episodes)), none, none, there.astype(bool)
    )
    return Evidence(rollout)


def compared(evidence, worth, pairs, rng, noise=0.0):
    """The evidence with answers: a coin's with chance ``noise``, else Bradley-Terry's, drawn.

    ``worth`` is ``[states, states]``, by one-hot observations of before and after.
    """
    rollout = evidence.steps
    step = np.einsum("tns,sk,tnk->tn", rollout.observation, worth, rollout.next_observation)
    returns = np.sum(step * evidence.present, axis=0)
    chosen = rng.integers(returns.size, size=(pairs, 2))
    gap = returns[chosen[:, 0]] - returns[chosen[:, 1]]
    chance = noise / 2 + (1 - noise) / (1 + np.exp(-gap))
    return Evidence(rollout, chosen, (rng.random(pairs) < chance).astype(float))
