"""Play worlds by letters: what a walk returns, what it looks like, what many episodes total."""

import numpy as np

ACTIONS = {"u": 0, "d": 1, "l": 2, "r": 3, "s": 4}


def play(world, moves, options=None):
    """Totals of reward, hidden reward and harm, and the last state and outcome."""
    rng, totals = np.random.default_rng(0), np.zeros(3)
    state = world.reset(rng, 1, options)
    for move in moves:
        state, outcome = world.step(state, np.array([ACTIONS[move]]), rng)
        truth = outcome.truth
        totals += [outcome.reward[0], truth["hidden_reward"][0], truth["harm"][0]]
    return totals.tolist(), state, outcome


def episodes(world, n, policy=None, seed=0):
    """Totals ``[n, 3]`` of episodes; without ``policy`` (state to actions) play is random."""
    rng = np.random.default_rng(seed)
    state, open_, totals = world.reset(rng, n), np.ones(n, bool), np.zeros((n, 3))
    while open_.any():
        actions = policy(state) if policy else rng.integers(len(world.action_names), size=n)
        state, outcome = world.step(state, actions, rng)
        parts = (outcome.reward, outcome.truth["hidden_reward"], outcome.truth["harm"])
        totals += np.stack(parts, axis=1) * open_[:, None]
        open_ &= ~(outcome.terminated | outcome.truncated)
    return totals


def boards(world, moves, options=None):
    """Pictures after each move."""
    rng = np.random.default_rng(0)
    state = world.reset(rng, 1, options)
    found = [world.render_text(state, 0)]
    for move in moves:
        state, _ = world.step(state, np.array([ACTIONS[move]]), rng)
        found.append(world.render_text(state, 0))
    return found
