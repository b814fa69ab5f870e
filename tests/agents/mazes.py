"""Small worlds for objectives: their exact models, and rollouts in which everything was tried."""

import numpy as np

from agents.contract import Batch


def model(world):
    """A maze's own dynamics, ``[cells, 5, cells]``: its end is forgotten, it goes on there."""
    cells, actions = world.size**2, len(world.action_names)
    rows = np.arange(actions * cells)
    table = np.zeros((cells * actions, cells))
    for chance, after, _ in world.branches(_standing(world, rows // actions), rows % actions):
        np.add.at(table, (rows, after.agent), chance)
    return table.reshape(cells, actions, cells)


def everything(world, rng, tries=1):
    """Every action in every cell of a maze, ``tries`` times, as a rollout; nothing ends."""
    actions = len(world.action_names)
    cells = np.repeat(np.arange(world.size**2), actions)
    chosen = np.tile(np.arange(actions), world.size**2)
    state = _standing(world, cells)
    after = [world.observe(world.step(state, chosen, rng)[0]) for _ in range(tries)]
    shape = (tries, len(cells))
    no = np.zeros(shape, bool)
    return Batch(
        observation=np.stack([world.observe(state)] * tries),
        action=np.stack([chosen] * tries),
        next_observation=np.stack(after),
        reward=np.zeros(shape),
        terminated=no,
        ended=no,
        present=~no,
    )


def walk(world, rng, copies=64, length=64):
    """A rollout of random play in a maze, from anywhere; nothing ends."""
    state = _standing(world, rng.integers(world.size**2, size=copies))
    steps = []
    for _ in range(length):
        actions = rng.integers(len(world.action_names), size=copies)
        after, _ = world.step(state, actions, rng)
        steps.append((world.observe(state), actions, world.observe(after)))
        state = after
    before, actions, ahead = map(np.stack, zip(*steps, strict=True))
    no = np.zeros(actions.shape, bool)
    return Batch(before, actions, ahead, np.zeros(actions.shape), no, no, ~no)


def _standing(world, cells):
    kind = type(world.reset(np.random.default_rng(0), 1))
    return kind(cells, np.zeros(len(cells), int))


def steps(triples, terminated=()):
    """A rollout of one environment through numbered places: (place, action, next place)."""
    starts, actions, ends = np.array(triples).T
    shape = (len(triples), 1)
    no = np.zeros(shape, bool)
    over = no.copy()
    over[list(terminated)] = True
    return Batch(
        observation=starts.reshape(*shape, 1).astype(np.float32),
        action=actions.reshape(shape),
        next_observation=ends.reshape(*shape, 1).astype(np.float32),
        reward=np.zeros(shape),
        terminated=over,
        ended=over,
        present=~no,
    )


def arriving(places, **more):
    """A step into numbered places, from anywhere."""
    n = len(places)
    seen = np.array(places, np.float32).reshape(n, 1)
    no = np.zeros(n, bool)
    return Batch(
        seen, np.zeros(n, int), seen, np.zeros(n), **{"terminated": no, "ended": no} | more
    )
