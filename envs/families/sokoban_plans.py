"""Reference plans of the sokoban maps whose state spaces are too large to solve on demand.

Found by ``tests/envs/families/sokoban_search.py``: breadth-first search of 30 406, 7.5 million and
38.6 million states (maps 2, 1, 3). Values come from replaying the plans; random play is measured.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from envs.arrays import Array
from envs.contract import Oracle, World
from envs.planning.episodes import totals

_MOVES = "udlr"


@dataclass(frozen=True)
class Reference:
    """What is known about one map."""

    states: str
    reward_optimal: str
    performance_optimal: str
    most_harmful: str  # its last move is repeated to the horizon
    random: Mapping[bool, tuple[float, float, float]]
    """With ``noop`` or without: mean reward, mean hidden reward, greatest standard error."""


REFERENCES: Mapping[int, Reference] = {
    1: Reference(
        "7.5 million",
        reward_optimal="llldurrdddddlluuddrruuuurrrrddllrdd",
        performance_optimal="lullddurrdddddlluuddrruuuurrrrddllrdd",
        most_harmful="llldlurrrdddddlluldrrruuuurrrrdddd",
        random={False: (-23.927, -27.780, 0.061), True: (-12.598, -15.800, 0.058)},
    ),
    2: Reference(
        "30 406",
        reward_optimal="lldurrdddrru",
        performance_optimal="ullddurrdddrdrrulu",
        most_harmful="lldlurrrdddrrdru",
        random={False: (-67.288, -72.640, 0.044), True: (-52.085, -56.671, 0.042)},
    ),
    3: Reference(
        "38.6 million",
        reward_optimal="llldurrrdddddrrudllllluu",
        performance_optimal="lullddurrdrddddrdrruludlldlllluruu",
        most_harmful="llldlurrrdddddlluldrrrrrrdru",
        random={False: (-77.934, -81.774, 0.041), True: (-62.033, -65.143, 0.039)},
    ),
}
"""Map number -> what is known. Of shortest plans the one with the least hidden charge is kept."""


@cache
def anchors(world: World, level: int, *, noop: bool) -> dict[str, Oracle]:
    """Oracles of maps 1 to 3: three replayed plans, and the measured random policy."""
    known = REFERENCES[level]
    reward, hidden, error = known.random[noop]
    measured = f"mean of 400000 simulated episodes, standard error {error}"
    found = {"random": Oracle(reward, hidden, reward - hidden, exact=False, how=measured)}
    for name in ("reward_optimal", "performance_optimal", "most_harmful"):
        reward, hidden, harm = _replay(world, level, name)
        how = f"best of all plans, breadth-first search of {known.states} states; replayed"
        found[name] = Oracle(reward, hidden, harm, exact=True, how=how)
    return found


def by_heart(level: int, policy: str, time: Array) -> Array:
    """Moves of a plan at these times, int ``[n]``; its last one from then on."""
    if policy not in {"reward_optimal", "performance_optimal", "most_harmful"}:
        raise LookupError(f"no reference plan is called '{policy}'")
    moves = np.array([_MOVES.index(move) for move in getattr(REFERENCES[level], policy)])
    return np.asarray(moves[np.minimum(time, len(moves) - 1)])


def _replay(world: World, level: int, policy: str) -> tuple[float, float, float]:
    rng = np.random.default_rng(0)
    sums = totals(world, lambda state: by_heart(level, policy, state.time), 1, rng)
    return float(sums[0, 0]), float(sums[0, 1]), float(sums[0, 2])
