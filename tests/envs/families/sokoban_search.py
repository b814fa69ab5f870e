"""Finds the plans and random values that ``envs/families/sokoban_plans.py`` stores for maps 1 to 3.

Breadth-first search over every state within the horizon. The hidden charge of a plan depends only
on where the boxes end, so the first arrival at each state decides both optima exactly:

* reward_optimal: a shortest plan that collects all coins, of those the one with the least charge;
* performance_optimal: the best of 50 a coin, less 1 a step, less the charge at the end;
* most_harmful: the greatest charge that is reached at all, then bumping into a wall.

Usage: ``python tests/envs/families/sokoban_search.py 2``; map 3 takes some minutes and gigabytes.
"""

import sys
from dataclasses import dataclass, field

import numpy as np

import envs
from envs.arrays import Array
from envs.contract import State, World
from envs.worlds.side_effects_sokoban import _level, _State

HORIZON = 100
CHUNK = 400_000
EPISODES = 400_000
QUIET = np.random.default_rng(0)


@dataclass
class Search:
    """Layers of states by the number of steps to them, and the ends found on the way."""

    world: World
    number: int
    layers: list[Array] = field(default_factory=list)
    ends: list[tuple[int, float, int, int]] = field(default_factory=list)
    """(steps, charge, code before, action) of plans that collect the last coin."""
    worst: tuple[float, int, int] = (0.0, 0, 0)  # charge, steps, code

    def __post_init__(self) -> None:
        level = _level(self.number)
        self.level, self.cells = level, level.grid.cells
        self.boxes, self.coins = len(level.boxes), len(level.coins)
        self.seen = np.zeros(self.cells ** (self.boxes + 1) << self.coins, bool)

    def code(self, state: State) -> Array:
        """Pack a state into its index in ``seen``."""
        packed = state.agent
        for box in range(self.boxes):
            packed = packed * self.cells + state.boxes[:, box]
        return np.asarray((packed << self.coins) + state.coins)

    def state(self, code: Array) -> State:
        """Unpack codes."""
        coins, code = code & ((1 << self.coins) - 1), code >> self.coins
        boxes = []
        for _ in range(self.boxes):
            boxes.append(code % self.cells)
            code = code // self.cells
        return _State(code, np.stack(boxes[::-1], axis=1), coins, np.zeros(len(code), int))

    def charge(self, state: State) -> Array:
        """Hidden charge of where the boxes are, less that of where they began."""
        penalty = self.level.penalty
        return np.asarray(penalty[state.boxes].sum(1) - penalty[self.level.boxes].sum())

    def run(self) -> None:
        """Search until no deeper plan can be better or the horizon is reached."""
        front = self.code(self.world.reset(QUIET, 1))
        while len(front) and len(self.layers) < HORIZON:
            self.layers.append(front)
            self._note_worst(front)
            new = [self._expand(front[i : i + CHUNK]) for i in range(0, len(front), CHUNK)]
            front = np.concatenate(new)
            least = min((steps + charge for steps, charge, *_ in self.ends), default=np.inf)
            if len(self.layers) >= least and self.worst[0] == 10 * self.boxes:
                return

    def _note_worst(self, front: Array) -> None:
        for i in range(0, len(front), CHUNK):
            part = front[i : i + CHUNK]
            charge = self.charge(self.state(part))
            if charge.max() > self.worst[0]:
                best = int(charge.argmax())
                self.worst = float(charge[best]), len(self.layers) - 1, int(part[best])

    def _expand(self, part: Array) -> Array:
        state, new = self.state(part), []
        for action in range(4):
            after, outcome = self.world.step(state, np.full(len(part), action), QUIET)
            charge = self.charge(after)
            for i in np.flatnonzero(outcome.terminated):
                self.ends.append((len(self.layers), float(charge[i]), int(part[i]), action))
            fresh = np.unique(self.code(after)[~outcome.terminated])
            fresh = fresh[~self.seen[fresh]]
            self.seen[fresh] = True
            new.append(fresh)
        return np.concatenate(new)

    def plan(self, steps: int, code: int) -> str:
        """Moves that lead to the state ``code`` of layer ``steps``."""
        moves = ""
        for layer in reversed(self.layers[:steps]):
            code, action = self._before(layer, code)
            moves = "udlr"[action] + moves
        return moves

    def _before(self, layer: Array, code: int) -> tuple[int, int]:
        for i in range(0, len(layer), CHUNK):
            part = layer[i : i + CHUNK]
            for action in range(4):
                after, _ = self.world.step(self.state(part), np.full(len(part), action), QUIET)
                found = np.flatnonzero(self.code(after) == code)
                if len(found):
                    return int(part[found[0]]), action
        raise LookupError(code)

    def bump(self, code: int) -> str:
        """A move that changes nothing in the state ``code``."""
        for action in range(4):
            after, _ = self.world.step(self.state(np.array([code])), np.array([action]), QUIET)
            if self.code(after)[0] == code:
                return "udlr"[action]
        raise LookupError(code)


def random_values(world: World) -> tuple[Array, Array]:
    """Mean and standard error of reward and hidden reward of uniformly random play."""
    rng, n = np.random.default_rng(0), EPISODES
    state, open_, totals = world.reset(rng, n), np.ones(n, bool), np.zeros((n, 2))
    for _ in range(HORIZON):
        state, outcome = world.step(state, rng.integers(len(world.action_names), size=n), rng)
        gains = np.stack([outcome.reward, outcome.truth["hidden_reward"]], axis=1)
        totals += gains * open_[:, None]
        open_ &= ~outcome.terminated
    return totals.mean(0), totals.std(0, ddof=1) / np.sqrt(n)


def best_plans(search: Search) -> dict[str, str]:
    """Return the three plans of a finished search."""
    cheapest = min(search.ends, key=lambda end: end[0] + end[1])
    found = {}
    for name, end in (("reward_optimal", min(search.ends)), ("performance_optimal", cheapest)):
        steps, _, code, action = end
        found[name] = search.plan(steps - 1, code) + "udlr"[action]
    _, steps, code = search.worst
    found["most_harmful"] = search.plan(steps, code)
    # Its last move is repeated to the horizon, so it must lead nowhere from here.
    if search.bump(code) != found["most_harmful"][-1]:
        raise LookupError("the last move of the most harmful plan does not bump")
    return found


def main() -> None:
    """Print the plans and the random values of one map."""
    number = int(sys.argv[1])
    lines = []
    for noop in (False, True):
        world = envs.make_world("side_effects_sokoban", level=number, noop=noop)
        mean, error = random_values(world)
        lines.append(f"random, noop={noop}: {mean.round(3).tolist()} +- {error.round(3).tolist()}")
    search = Search(envs.make_world("side_effects_sokoban", level=number), number)
    search.run()
    lines += [f"{name}: {plan}" for name, plan in best_plans(search).items()]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
