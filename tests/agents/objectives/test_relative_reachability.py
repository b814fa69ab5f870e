"""Relative reachability keeps rows near what it watches only; nothing that counts is lost."""

import numpy as np
import pytest

from agents.contract import Batch
from agents.models.transitions import _highest
from agents.objectives.relative_reachability import RelativeReachability

ACTIONS, DISCOUNT = 3, 0.9


def wandered(states, steps, slip, seed):
    """Walks of 4 copies through a random graph: everything that happened, ``[steps, 4]``."""
    rng = np.random.default_rng(seed)
    leads, here, rows = rng.integers(0, states, (states, ACTIONS)), np.zeros(4, int), []
    for _ in range(steps):
        action = rng.integers(0, ACTIONS, 4)
        slipped = rng.random(4) < slip
        there = np.where(slipped, rng.integers(0, states, 4), leads[here, action])
        ended = rng.random(4) < 0.05
        died = ended & (rng.random(4) < 0.5) & (slip > 0)
        rows.append((here[:, None], action, there[:, None], died, ended))
        here = np.where(ended, rng.integers(0, states, 4), there)
    seen, action, following, died, ended = map(np.array, zip(*rows, strict=True))
    rewards = np.zeros(died.shape)
    return Batch(
        seen.astype(np.float32), action, following.astype(np.float32), rewards, died, ended
    )


def nearest(live_objective, watched):
    """``DISCOUNT ** steps`` of the shortest way, breadth first, over all that was counted."""
    plan, states = live_objective.world.plan(), len(live_objective.world)
    after = [set() for _ in range(states)]
    starts = (plan.cells // ACTIONS)[plan.ways.cell]
    for start, end in zip(starts.tolist(), plan.ways.end.tolist(), strict=True):
        after[start].add(end)
    found = np.zeros((states, watched))
    for start in range(1, states):
        front, steps, met = {start}, 0, {start}
        while front:
            for each in front & set(range(1, watched + 1)):
                found[start, each - 1] = DISCOUNT**steps
            front = {end for each in front for end in after[each]} - met
            met, steps = met | front, steps + 1
    return found


def test_without_a_discount_it_is_what_the_counts_say_and_nothing_older():
    """Staying costs nothing then, so what was once thought reachable would never be unlearned."""
    settings = RelativeReachability(discount=1.0)
    agent_runs = [wandered(4, 30, 0.3, seed) for seed in (0, 1)]
    live_objective, afresh = (
        settings.start(1, ACTIONS, np.random.default_rng(0)) for _ in range(2)
    )
    for each in agent_runs:
        live_objective.update(each)
    afresh.world.learn(agent_runs[0])
    afresh.update(agent_runs[1])
    assert np.array_equal(live_objective.state_dict()["reach"], afresh.state_dict()["reach"])


@pytest.mark.parametrize("watched", [5, 500])
def test_reachability_is_the_discount_to_the_power_of_the_shortest_way(watched):
    settings = RelativeReachability(discount=DISCOUNT, sweeps=200, most_states=watched)
    live_objective = settings.start(1, ACTIONS, np.random.default_rng(0))
    for part in range(3):
        live_objective.update(wandered(60, 30, 0.0, seed=4))
        live_objective.update(wandered(60, 10 * (part + 1), 0.0, seed=4))
    state = live_objective.state_dict()
    dense = state["reach"][state["slots"]]
    assert np.allclose(dense, nearest(live_objective, dense.shape[1]), rtol=1e-12, atol=0)


def plain_sweeps(live_objective, table, sweeps):
    """The same, over all states, one by one."""
    plan = live_objective.world.plan()
    for _ in range(sweeps):
        worth = {}
        for k, cell in enumerate(plan.cells.tolist()):
            ways = plan.ways.cell == k
            mean = plan.ways.chance[ways] @ table[plan.ways.end[ways]]
            worth.setdefault(cell // ACTIONS, []).append(mean)
        table = table.copy()
        for row, cells in worth.items():
            table[row] = DISCOUNT * np.max(cells, axis=0)
        own = np.arange(table.shape[1])
        table[own + 1, own] = 1.0
    return table


def test_where_chance_has_a_part_all_states_are_swept_as_if_kept_whole():
    settings = RelativeReachability(discount=DISCOUNT, sweeps=3, most_states=4)
    live_objective = settings.start(1, ACTIONS, np.random.default_rng(0))
    table = np.zeros((1, 0))
    for seed in range(4):
        live_objective.update(wandered(80, 15, 0.3, seed=9 if seed % 2 else 8))
        grown = np.zeros((len(live_objective.world), 4))
        grown[: len(table), : table.shape[1]] = table
        grown[np.arange(4) + 1, np.arange(4)] = 1.0
        table = plain_sweeps(live_objective, grown, 3)
        state = live_objective.state_dict()
        assert np.allclose(state["reach"][state["slots"]], table, atol=1e-12)


def test_states_that_lead_to_nothing_watched_cost_nothing():
    """Ever new states: what is kept does not grow, and the sweeps stop where nothing moves."""
    live_objective = RelativeReachability(most_states=10).start(
        1, ACTIONS, np.random.default_rng(0)
    )
    kept, charged = [], []
    for part in range(4):
        line = np.arange(50 * part, 50 * part + 51, dtype=np.float32)[:, None, None]
        none = np.zeros((50, 1), bool)
        acted = np.full((50, 1), 1)
        live_objective.update(Batch(line[:-1], acted, line[1:], none * 0.0, none, none))
        kept.append(len(live_objective.state_dict()["reach"]))
        charged.append(live_objective.flops(0))
    assert kept == [11] * 4
    assert charged[1] == charged[2] == charged[3]
    assert charged[3] <= 3 * 10 * 10 * 2


def test_a_state_whose_tables_do_not_fit_is_refused():
    live_objective = RelativeReachability().start(1, ACTIONS, np.random.default_rng(0))
    live_objective.update(wandered(20, 20, 0.0, seed=1))
    with pytest.raises(ValueError, match="reach and idle do not fit"):
        live_objective.load_state_dict({**live_objective.state_dict(), "reach": np.zeros((2, 3))})


def test_the_highest_of_each_group_is_reduceats():
    rng = np.random.default_rng(0)
    table = rng.random((12, 3))
    for first in (np.arange(0, 12, 4), np.arange(12)):
        assert np.array_equal(_highest(table, first), np.maximum.reduceat(table, first))
    for rows in (1, 5, 40):
        table = rng.random((rows, 3))
        for groups in range(1, min(rows, 9)):
            first = np.r_[0, np.sort(rng.choice(np.arange(1, rows), groups - 1, replace=False))]
            assert np.array_equal(_highest(table, first), np.maximum.reduceat(table, first))
