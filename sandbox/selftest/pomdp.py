"""Planning where the state is not seen: point-based, with a lower bound. Float64.

A belief is a distribution over states ``[states]``. The best return from any of them is the upper
envelope of finitely many linear functions; backed up at chosen beliefs only (Pineau, Gordon and
Thrun 2003) they are returns of plans that exist, so the envelope is a lower bound everywhere.
"""

from dataclasses import dataclass

import numpy as np

from agents.arrays import Array


@dataclass(frozen=True)
class Pomdp:
    """``sensor`` says of what is observed in each state; ``reward`` is for acting in it."""

    transition: Array  # [actions, states, states]: probabilities
    sensor: Array  # [observations, states]: probability of each, given the state arrived in
    reward: Array  # [actions, states]
    start: Array  # [states]: probabilities

    def __post_init__(self) -> None:
        actions, states, _ = self.transition.shape
        shapes = {
            "transition": (actions, states, states),
            "sensor": (len(self.sensor), states),
            "reward": (actions, states),
            "start": (states,),
        }
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} is {list(shape)}, not {list(getattr(self, name).shape)}")
        for name, sums in (("transition", -1), ("sensor", 0), ("start", 0)):
            table = getattr(self, name)
            if table.min() < 0 or not np.allclose(table.sum(axis=sums), 1):
                raise ValueError(f"{name} holds probabilities, which add up to 1")


def wandered(problem: Pomdp, horizon: int, walks: int, rng: np.random.Generator) -> Array:
    """Different beliefs that random play meets within ``horizon`` steps, ``[beliefs, states]``."""
    found = [problem.start]
    for _ in range(walks):
        belief = problem.start
        for _ in range(horizon):
            ahead = belief @ problem.transition[rng.integers(len(problem.transition))]
            chances = problem.sensor @ ahead
            seen = rng.choice(len(chances), p=chances / chances.sum())
            belief = ahead * problem.sensor[seen] / chances[seen]
            found.append(belief)
    return np.unique(np.round(found, 12), axis=0)


def at_least(problem: Pomdp, horizon: int, beliefs: Array, discount: float = 1.0) -> float:
    """Return from the start of the best plan that looks no further than these ``beliefs``.

    Sum of ``horizon`` rewards. Exact where all beliefs that can be met are among them.
    """
    worth = np.zeros((1, len(problem.start)))  # [functions, states]
    points = np.vstack([problem.start, beliefs])
    seen = range(len(problem.sensor))
    for _ in range(horizon):
        onwards = np.einsum("ast,ot,kt->aoks", problem.transition, problem.sensor, worth)
        best = np.einsum("bs,aoks->baok", points, onwards).argmax(axis=-1)
        after = [
            sum(onwards[a, o, best[:, a, o]] for o in seen) for a in range(len(problem.reward))
        ]  # of each action [points, states]
        plans = problem.reward[:, None] + discount * np.stack(after)
        chosen = np.einsum("bs,abs->ba", points, plans).argmax(axis=1)
        worth = np.unique(plans[chosen, np.arange(len(points))], axis=0)
    return float((worth @ problem.start).max())


def four_three() -> Pomdp:
    """Russell and Norvig's 4 x 3 maze, of which only walls to the left and right are observed.

    The goal gives a reward of 1, the pit -1, any other place -0.04; from goal and pit the next
    place is random. A step deviates to either side in 1 of 10 cases each, and stays where a wall
    is. Seen: a wall to the left, to the right, neither, both, goal, pit. It starts anywhere but in
    goal and pit.
    """
    places = [divmod(i, 4) for i in range(12) if i != 5]  # noqa: PLR2004  (the pillar)
    goal, pit = places.index((0, 3)), places.index((1, 3))
    anywhere = np.full(11, 1 / 9)
    anywhere[[goal, pit]] = 0.0
    ways = [(-1, 0), (0, 1), (1, 0), (0, -1)]  # clockwise from north
    transition, sensor = np.zeros((4, 11, 11)), np.zeros((6, 11))
    for i, (row, column) in enumerate(places):
        left, right = ((row, column + side) not in places for side in (-1, 1))
        sensor[4 if i == goal else 5 if i == pit else left + 2 * right, i] = 1.0
        for action in range(4):
            for turn, chance in ((0, 0.8), (1, 0.1), (3, 0.1)):
                down, along = ways[(action + turn) % 4]
                there = (row + down, column + along)
                end = places.index(there) if there in places else i
                transition[action, i, end] += chance
    transition[:, [goal, pit]] = anywhere
    reward = np.full((4, 11), -0.04)
    reward[:, goal], reward[:, pit] = 1.0, -1.0
    return Pomdp(transition, sensor, reward, anywhere)
