"""Dynamic programming against a game small enough to solve by hand, and rows of states."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs.contract import Outcome, World
from envs.planning import exact
from envs.world_kit import state as states


@dataclass(frozen=True)
class _Place:
    cell: np.ndarray
    time: np.ndarray


class Corridor:
    """Cells 0..4; left and right; each step costs 1, cell 4 gives 10 and ends, cell 0 harms."""

    action_names = ("left", "right")

    def step(self, state, actions, rng):
        cell = np.clip(state.cell + 2 * actions - 1, 0, 4)
        done, harm = cell == 4, (cell == 0).astype(float)
        reward = 10.0 * done - 1
        truth = {"hidden_reward": reward - harm, "harm": harm}
        outcome = Outcome(reward, done, np.zeros(len(done), bool), truth)
        return _Place(cell, state.time + 1), outcome

    branches = World.branches


class Ice(Corridor):
    """The same, but a step slips the other way with probability 1/4."""

    def branches(self, state, actions):
        ways = [self.step(state, move, None) for move in (actions, 1 - actions)]
        return [(np.full(len(actions), p), *way) for p, way in zip((0.75, 0.25), ways, strict=True)]


def start(cell=2):
    return _Place(np.array([cell]), np.zeros(1, int))


def anchors(horizon, slip=None):
    model = exact.explore(Corridor(), start())
    return exact.anchors(model, start(), np.ones(1), horizon, slip)


def test_only_reachable_states_are_found_and_ends_are_not_states():
    model = exact.explore(Corridor(), start())
    assert sorted(model.states.cell) == [0, 1, 2, 3]
    assert model.following.max() == 4


def test_optimal_values_by_hand():
    found = anchors(10)
    assert found["reward_optimal"].reward == 8
    assert found["performance_optimal"].hidden_reward == 8
    assert found["most_harmful"].harm == 9  # one step to cell 1, then nine times into cell 0
    assert found["most_harmful"].reward == -10


def test_a_short_horizon_changes_the_best_plan():
    assert anchors(1)["reward_optimal"].reward == -1


def test_random_value_by_enumeration_of_all_action_sequences():
    horizon, total = 6, np.zeros(3)
    for code in range(2**horizon):
        cell, alive = 2, True
        for step in range(horizon):
            if alive:
                cell = min(max(cell + 2 * (code >> step & 1) - 1, 0), 4)
                alive, harm = cell != 4, float(cell == 0)
                reward = 10.0 * (cell == 4) - 1
                total += np.array([reward, reward - harm, harm])
    found = anchors(horizon)["random"]
    mean = total / 2**horizon
    assert (found.reward, found.hidden_reward, found.harm) == pytest.approx(tuple(mean))


def test_full_slip_makes_every_policy_random():
    found = anchors(8, lambda s: np.ones(len(s.cell)))
    assert len({round(each.reward, 9) for each in found.values()}) == 1


def test_chance_by_enumeration_of_all_slips_and_actions():
    """The best of the 2^n plans per history is at least every fixed plan, and is one of them."""

    def best(cell, left):
        if left == 0 or cell == 4:
            return 0.0
        worth = []
        for action in (0, 1):
            ways = [(0.75, min(max(cell + d, 0), 4)) for d in (2 * action - 1,)]
            ways += [(0.25, min(max(cell + d, 0), 4)) for d in (1 - 2 * action,)]
            worth.append(sum(p * (10 * (c == 4) - 1 + best(c, left - 1)) for p, c in ways))
        return max(worth)

    model = exact.explore(Ice(), start())
    found = exact.anchors(model, start(), np.ones(1), 7)
    assert found["reward_optimal"].reward == pytest.approx(best(2, 7))


def test_a_planner_plays_what_its_values_say():
    world, horizon = Corridor(), 10
    planner = exact.Planner(exact.explore(world, start()), horizon)
    state, total, rng = start(), 0.0, np.random.default_rng(0)
    for _ in range(2):
        state, outcome = world.step(state, planner.act("reward_optimal", state, rng), rng)
        total += outcome.reward[0]
    assert outcome.terminated[0]
    assert total == 8
    with pytest.raises(LookupError, match="reward_optimal"):
        planner.act("clever", state, rng)


@dataclass(frozen=True)
class _Wide:
    cells: np.ndarray
    stock: np.ndarray
    time: np.ndarray


@given(st.integers(0, 2**32 - 1))
def test_keys_distinguish_all_states_and_only_those(seed):
    rng = np.random.default_rng(seed)
    cells = rng.integers(3, size=(50, 9))
    stock = rng.integers(3, size=50).astype(np.uint16) * 300
    rows = {(*c, s) for c, s in zip(cells.tolist(), stock.tolist(), strict=True)}
    found = exact.key(_Wide(cells, stock, np.arange(50)))
    assert len(np.unique(found)) == len({tuple(r) for r in rows})


def test_states_too_wide_for_a_key_are_refused():
    with pytest.raises(ValueError, match="uint16"):
        exact.key(_Place(np.array([256]), np.zeros(1, int)))


@given(st.integers(1, 30), st.data())
def test_take_then_put_gives_the_state_back(n, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 9)))
    state = _Place(rng.integers(9, size=n), rng.integers(9, size=n))
    rows = np.flatnonzero(rng.random(n) < 0.5)
    part = states.take(state, rows)
    assert states.equal(states.put(state, rows, part), state)
    other = _Place(np.full(len(rows), 50), np.full(len(rows), 60))
    changed = states.put(state, rows, other)
    assert states.equal(states.take(changed, rows), other)
    assert states.size(states.concatenate(state, part)) == n + len(rows)
    assert state.cell.max() < 50
