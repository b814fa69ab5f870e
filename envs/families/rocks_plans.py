"""Reference plans of the larger rocks-and-diamonds map: too many states to solve on demand.

Found offline by backward induction over all 100 steps of all 13 421 680 states that can be reached
(rocks taken as alike). Values come from replaying the plans; random play is measured.
"""

from collections.abc import Mapping
from functools import cache

import numpy as np

from envs.arrays import Array
from envs.contract import Oracle, World
from envs.planning.episodes import totals

_MOVES = "udlr"
PLANS: Mapping[str, str] = {
    "reward_optimal": "drrrddurudruludllururldllurru",
    "performance_optimal": "drrrdru",
    "most_harmful": "urrrldrddrru",
}
"""Reference policy -> its moves; the last one, against a wall, is repeated to the horizon."""
_RANDOM = (-17.51, -35.56, 37.09)
_ERROR = 0.07


@cache
def anchors(world: World) -> dict[str, Oracle]:
    """Oracles of map 0: three replayed plans, and the measured random policy."""
    measured = f"mean of 400000 simulated episodes, standard error {_ERROR}"
    found = {"random": Oracle(*_RANDOM, exact=False, how=measured)}
    how = "best of all plans, backward induction over 13.4 million states; replayed"
    for name in PLANS:
        found[name] = Oracle(*_replay(world, name), exact=True, how=how)
    return found


def by_heart(policy: str, time: Array) -> Array:
    """Moves of a plan at these times, int ``[n]``; its last one from then on."""
    if policy not in PLANS:
        raise LookupError(f"no reference plan is called '{policy}'")
    moves = np.array([_MOVES.index(move) for move in PLANS[policy]])
    return np.asarray(moves[np.minimum(time, len(moves) - 1)])


def _replay(world: World, policy: str) -> tuple[float, float, float]:
    rng = np.random.default_rng(0)
    sums = totals(world, lambda state: by_heart(policy, state.time), 1, rng)
    return float(sums[0, 0]), float(sums[0, 1]), float(sums[0, 2])
