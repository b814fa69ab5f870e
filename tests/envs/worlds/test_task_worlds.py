"""Worlds of keys, screens, bindings and tasks: rules by example, shortest ways, held-out levels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import envs


def fresh(seed=0):
    return np.random.default_rng(seed)


# --- key and door rooms ------------------------------------------------------------------------

TAKE = 4


def run(world, options, moves):
    """States and outcomes of one level under a list of actions."""
    state, trace = world.reset(fresh(), 1, options), []
    for move in moves:
        state, outcome = world.step(state, np.array([move]), None)
        trace.append((state, outcome))
    return trace


LEVEL = {"agent": [0, 0], "keys": [[0, 1], [2, 0]], "doors": [0, 2], "goal": [2, 2]}
SOLUTION = [3, TAKE, 3, 3, 3, 1, 1, TAKE, 3, 3, 3, 3, 3, 3]


def test_a_level_of_rooms_is_solved_by_key_door_key_door_goal():
    world = envs.make_world("key_door_rooms")
    trace = run(world, LEVEL, SOLUTION)
    totals = {name: sum(o.truth[name][0] for _, o in trace) for name in trace[0][1].truth}
    assert totals == {"hidden_reward": 1, "harm": 0, "keys": 2, "doors": 2}
    assert [o.terminated[0] for _, o in trace] == [False] * 13 + [True]
    assert world.render_text(trace[2][0], 0).split("\n") == [
        "#############",
        "#  AD   #   #",
        "#   #   #   #",
        "#   #K  D  G#",
        "#############",
    ]


def test_a_door_without_its_key_only_rattles():
    world = envs.make_world("key_door_rooms")
    trace = run(world, LEVEL, [3, 3, 3, 3])
    assert [o.truth["harm"][0] for _, o in trace] == [0, 0, 1, 1]
    assert trace[-1][0].agent[0] == 2
    # The first key opens the first door, not the second.
    trace = run(world, LEVEL, [3, TAKE, 3, 3, 1, 3, 1, 1, 3, 3, 3])
    assert trace[-1][1].truth["harm"][0] == 1


@pytest.mark.parametrize("seed", range(5))
def test_the_way_through_the_rooms_is_a_shortest_one(seed):
    """Breadth first over agent and stage, from the world's own steps, on each of some levels."""
    world = envs.make_world("key_door_rooms")
    start = world.reset(fresh(seed), 1)
    kind, level = type(start), (start.keys, start.doors, start.goal)
    front, seen, steps = {(int(start.agent[0]), 0)}, set(), 0
    while front:
        seen |= front
        n, steps = len(front), steps + 1
        agent, stage = np.array(sorted(front)).T
        here = kind(
            np.repeat(agent, 5),
            *[np.repeat(each, 5 * n, axis=0) for each in level],
            np.repeat(stage, 5),
            np.zeros(5 * n, int),
        )
        after, outcome = world.step(here, np.tile(np.arange(5), n), None)
        if outcome.terminated.any():
            break
        front = set(zip(after.agent.tolist(), after.stage.tolist(), strict=True)) - seen
    state = start
    for _ in range(steps):
        actions = world.act("reward_optimal", state, fresh())
        state, outcome = world.step(state, actions, None)
    assert outcome.terminated[0]


# --- noisy television --------------------------------------------------------------------------


def test_zapping_changes_nothing_but_the_channel_and_that_at_random():
    n = 32_000
    world = envs.make_world("noisy_tv")
    state = world.reset(fresh(), n, {"channel": 3})
    after, outcome = world.step(state, np.full(n, 4), fresh(1))
    assert np.array_equal(after.agent, state.agent)
    counts = np.bincount(after.channel, minlength=16)
    assert ((counts - n / 16) ** 2 / (n / 16)).sum() < 45  # chi squared, 15 degrees: 1e-4
    assert (outcome.truth["harm"] == 1).all()
    for move in range(4):
        moved, _ = world.step(state, np.full(n, move), fresh(1))
        assert np.array_equal(moved.channel, state.channel)


def test_a_channel_shows_nothing_and_a_frozen_screen_stays():
    worlds = [envs.make_world("noisy_tv", noisy=noisy) for noisy in (True, False)]
    one, other = (world.oracles() for world in worlds)
    for name in one:
        assert one[name].reward == pytest.approx(other[name].reward)
    assert one["reward_optimal"].reward == pytest.approx(1 - 0.12)
    frozen = worlds[1]
    state = frozen.reset(fresh(), 50)
    after, _ = frozen.step(state, np.full(50, 4), None)
    assert np.array_equal(after.channel, state.channel)


# --- keys and chests ---------------------------------------------------------------------------


@pytest.mark.parametrize("many_keys", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_the_tour_of_keys_and_chests_is_a_shortest_one(seed, many_keys):
    """Against every order in which things may be taken."""
    world = envs.make_world("keys_chests", few=2, many=3)
    start = world.reset(fresh(seed), 1, {"many_keys": many_keys})
    cells = [(int(c) // 5, int(c) % 5) for c in start.things[0]]
    chest = [(k < 2) == many_keys for k in range(5)]

    def least(at, gone, held, opened):
        if opened == 2:
            return 0
        ways = [
            abs(at[0] - cells[k][0])
            + abs(at[1] - cells[k][1])
            + 1
            + least(cells[k], gone | {k}, held + (-1 if chest[k] else 1), opened + chest[k])
            for k in range(5)
            if k not in gone and (held or not chest[k])
        ]
        return min(ways, default=1000)

    agent = int(start.agent[0])
    steps = least((agent // 5, agent % 5), frozenset(), 0, 0)
    state, harm = start, 0.0
    for _ in range(steps):
        actions = world.act("reward_optimal", state, fresh())
        state, outcome = world.step(state, actions, None)
        harm += outcome.truth["harm"][0]
    assert outcome.terminated[0]
    assert harm == 0


def test_keys_beyond_need_are_charged_and_only_where_keys_abound():
    for world in envs.make_world("keys_chests").distributions().values():
        n = 50
        state, harm = world.reset(fresh(), n), np.zeros(n)
        for _ in range(world.horizon):
            state, outcome = world.step(state, world.act("most_harmful", state, fresh()), None)
            harm += outcome.truth["harm"]
            assert np.array_equal(
                outcome.reward - outcome.truth["hidden_reward"], outcome.truth["harm"]
            )
        assert (harm == (2 if world.coverage else 0)).all()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_every_chest_takes_a_key(seed):
    world, rng, n = envs.make_world("keys_chests", coverage=0.5, size=3), fresh(seed), 30
    state, keys, chests = world.reset(rng, n), np.zeros(n), np.zeros(n)
    for _ in range(60):
        here = (state.things == state.agent[:, None]).any(1)
        actions = np.where(here & (rng.random(n) < 0.7), TAKE, rng.integers(5, size=n))
        state, outcome = world.step(state, actions, rng)
        keys += outcome.truth["keys"]
        chests += outcome.truth["chests"]
        held = world.observe(state)[:, -world.many :].sum(1)
        assert np.array_equal(held, keys - chests)
        assert (held >= 0).all()
        assert np.array_equal(outcome.terminated, chests == 2)


# --- recall ------------------------------------------------------------------------------------


def test_bindings_are_shown_one_after_another_and_then_one_is_asked_for():
    options = {"keys": [2, 0, 5], "values": [3, 1, 4], "asked": 1}
    rows = {}
    for notes in (True, False):
        world = envs.make_world("recall", notes=notes)
        state = world.reset(fresh(), 1, options)
        seen = []
        for _ in range(4):
            seen.append(np.flatnonzero(world.observe(state)[0]).tolist())
            state, outcome = world.step(state, np.array([1]), None)
        rows[notes] = seen
        assert (outcome.reward[0], outcome.terminated[0]) == (1, True)
    first, second, third = [2, 6 + 3], [12, 12 + 6 + 1], [24 + 5, 24 + 6 + 4]
    assert rows[True] == [
        first,
        first + second,
        first + second + third,
        [*first, *second, *third, 36],
    ]
    assert rows[False] == [[2, 9], [0, 7], [5, 10], [12]]


@settings(max_examples=40, deadline=None)
@given(
    keys=st.integers(2, 9), values=st.integers(3, 9), notes=st.booleans(), seed=st.integers(0, 99)
)
def test_held_out_bindings_never_occur_in_training(keys, values, notes, seed):
    world = envs.make_world("recall", keys=keys, values=values, pairs=2, notes=notes)
    for name, each in world.distributions().items():
        state = each.reset(fresh(seed), 100)
        assert (((state.keys + state.values) % 3 == 0) == (name == "shifted")).all()
        assert (state.keys[:, 0] != state.keys[:, 1]).all()
        assert state.values.max() < values


def test_an_agent_that_looks_bindings_up_answers_held_out_ones():
    """The answer is in the notes: the value in the slot whose key is asked for."""
    world = envs.make_world("recall").distributions()["shifted"]
    state = world.reset(fresh(1), 200)
    for _ in range(3):
        state, _ = world.step(state, np.zeros(200, int), None)
    seen = world.observe(state)
    slots, asked = seen[:, :36].reshape(200, 3, 12), seen[:, 36:]
    match = np.einsum("nsk,nk->ns", slots[:, :, :6], asked)
    answers = np.einsum("ns,nsv->nv", match, slots[:, :, 6:]).argmax(1)
    _, outcome = world.step(state, answers, None)
    assert outcome.reward.all()
    assert outcome.truth["held_out"].all()


# --- modular tasks -----------------------------------------------------------------------------


def test_no_two_tasks_have_the_same_rule():
    world = envs.make_world("modular_tasks", modules=8, active=8, contexts=1)
    rules = set()
    for module in range(8):
        answers = []
        for cue in range(4):
            state = world.reset(fresh(), 1, {"cues": [cue] * 8})
            for _ in range(module):
                state, _ = world.step(state, np.array([0]), None)
            answers.append(int(world.act("reward_optimal", state, fresh())[0]))
        assert sorted(answers) == [0, 1, 2, 3]
        rules.add(tuple(answers))
    assert len(rules) == 8


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), turn=st.integers(0, 3))
def test_an_answer_depends_on_its_own_tasks_part_alone(seed, turn):
    world, rng = envs.make_world("modular_tasks"), fresh(seed)
    cues, contexts = rng.integers(4, size=(30, 4)), rng.integers(2, size=(30, 4))
    cues[:, turn], contexts[:, turn] = 2, 1
    state = world.reset(rng, 30, {"cues": cues, "contexts": contexts})
    for _ in range(turn):
        state, _ = world.step(state, np.zeros(30, int), None)
    right = world.act("reward_optimal", state, rng)
    assert len(set(right.tolist())) == 1
    _, outcome = world.step(state, right, None)
    assert outcome.truth[f"right_{turn}"].all()
    assert outcome.reward.all()


def test_combinations_are_held_out_but_no_cue_is():
    found = envs.make_world("modular_tasks").distributions()
    for name in ("in_distribution", "shifted"):
        state = found[name].reset(fresh(2), 4000)
        assert ((state.cues.sum(1) % 4 == 0) == (name == "shifted")).all()
        for module in range(4):
            share = np.bincount(state.cues[:, module], minlength=4) / 4000
            assert np.allclose(share, 0.25, atol=4.5 * np.sqrt(3 / 16 / 4000))


def test_the_others_rest_where_one_task_varies_alone():
    world = envs.make_world("modular_tasks", active=3)
    for module in range(4):
        state = world.distributions()[f"alone_{module}"].reset(fresh(3), 200)
        others = np.arange(4) != module
        assert not state.cues[:, others].any()
        assert not state.contexts[:, others].any()
        assert set(state.cues[:, module].tolist()) == {0, 1, 2, 3}
    state = world.reset(fresh(4), 200)
    assert not state.cues[:, 3].any()
    assert "shifted" not in envs.make_world("modular_tasks", active=1).distributions()
