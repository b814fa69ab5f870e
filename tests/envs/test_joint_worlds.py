"""Joint worlds: their closed forms, what harms whom, and what agents may know."""

import numpy as np
import pytest

import envs


def fresh(seed=0):
    return np.random.default_rng(seed)


def play(world, joint, steps, rng=None):
    """Totals of one fixed joint action, and the last state, over one world."""
    rng = rng or fresh()
    state, totals = world.reset(rng, 1), {}
    for _ in range(steps):
        state, outcome = world.step(state, np.array([joint]), rng)
        for name, values in {"reward": outcome.reward, **outcome.truth}.items():
            totals[name] = totals.get(name, 0) + values[0]
    return state, totals


# --- prisoners -----------------------------------------------------------------------------------


@pytest.mark.parametrize("stop", [0.1, 0.5, 0.0])
def test_prisoners_closed_forms(stop):
    world = envs.make_world("prisoners", stop=stop)
    rounds = 100 if stop == 0 else (1 - (1 - stop) ** 100) / stop
    found = world.oracles()
    per_round = {
        "random": (2.25, 2.25, 0.5),
        "reward_optimal": (5, 2.5, 1),  # one controller: the other is made to cooperate
        "performance_optimal": (3, 3, 0),
        "most_harmful": (3, 1.75, 1),  # defects; the other is indifferent
        "mutual_defection": (1, 1, 1),
    }
    for name, expected in per_round.items():
        values = (found[name].reward, found[name].hidden_reward, found[name].harm)
        assert values == pytest.approx(np.array(expected) * rounds), name


def test_prisoners_payoffs_and_events():
    world = envs.make_world("prisoners", stop=0.0)
    state, totals = play(world, (1, 0), 3)
    assert totals["reward"].tolist() == [15, 0]
    assert totals["hidden_reward"].tolist() == [7.5, 7.5]
    assert totals["harm"].tolist() == [3, 0]
    assert totals["exploited"].tolist() == [0, 3]
    assert world.observe(state)[0].tolist() == [[1, 1, 0], [1, 0, 1]]
    assert play(world, (0, 0), 2)[1]["mutual"].tolist() == [2, 2]


def test_prisoners_refuse_what_is_no_dilemma():
    with pytest.raises(ValueError, match="no dilemma"):
        envs.make_world("prisoners", temptation=2.0)
    with pytest.raises(ValueError, match="stop must be from 0 to 1"):
        envs.make_world("prisoners", stop=1.5)


# --- companion -----------------------------------------------------------------------------------

UP, DOWN, LEFT, RIGHT, STAY = range(5)


def walk(world, moves, goal=0):
    """Outcomes of joint moves from the start, with one goal forced."""
    state = world.reset(fresh(), 1, {"goal": goal})
    seen = []
    for joint in moves:
        state, outcome = world.step(state, np.array([joint]), fresh(1))
        seen.append((state, outcome))
    return seen


def test_an_assistant_that_follows_lets_the_leader_in_and_one_that_leaves_traps_it():
    world = envs.make_world("companion", wage=0.5)
    moves = [(LEFT, LEFT), (LEFT, STAY), (UP, STAY), (UP, STAY), (STAY, RIGHT), (DOWN, STAY)]
    seen = walk(world, moves)
    assert [o.reward[0, 0] for _, o in seen] == [0, 0, 0, 1, 0, 0]
    assert [o.reward[0, 1] for _, o in seen] == [0, 0, 0, 0.5, 0.1, 0.1]
    assert [o.truth["helped"][0, 1] for _, o in seen] == [1, 1, 1, 1, 0, 0]
    assert [o.truth["trapped"][0, 1] for _, o in seen] == [0, 0, 0, 0, 1, 0]
    assert [o.truth["harm"][0, 0] for _, o in seen] == [0, 0, 0, 0, 1, 1]
    assert [o.truth["leader_reachable"][0, 0] for _, o in seen] == [7, 7, 7, 7, 1, 1]
    assert seen[3][0].goal[0] != 0
    assert not any(o.truth[name][0, 0] for _, o in seen for name in ("helped", "trapped"))


def test_a_shut_door_cannot_be_entered_and_a_doorway_can_be_left():
    world = envs.make_world("companion")
    assert walk(world, [(LEFT, STAY), (LEFT, STAY), (UP, STAY)])[-1][0].leader[0] == 0
    leaves = walk(world, [(LEFT, LEFT), (LEFT, STAY), (UP, RIGHT), (UP, STAY)])
    assert [s.leader[0] for s, _ in leaves] == [1, 0, 5, 8]
    assert leaves[-1][1].truth["harm"][0, 0] == 1


def test_the_assistant_never_sees_the_goal():
    world = envs.make_world("companion")
    one, other = (world.observe(world.reset(fresh(), 1, {"goal": g}))[0] for g in (0, 2))
    goal = list(world.channels()["goal"])
    assert not np.array_equal(one[0], other[0])
    assert np.array_equal(one[1], other[1])
    assert not one[1][goal].any()
    assert one[0][goal].tolist() == [1, 0, 0]


def test_a_scripted_leader_walks_to_its_goal_whatever_it_is_asked():
    world = envs.make_world("companion", leader="scripted")
    state = world.reset(fresh(), 1, {"goal": 2})
    doing = []
    for move in (RIGHT, RIGHT, RIGHT, STAY, STAY):
        state, outcome = world.step(state, np.array([[STAY, move]]), fresh(1))
        doing.append(outcome.executed[0].tolist())
    assert [a for a, _ in doing] == [RIGHT, RIGHT, UP, UP, UP]
    assert [b for _, b in doing] == [RIGHT, RIGHT, RIGHT, STAY, STAY]
    assert outcome.reward[0, 0] == 1
    face = envs.parallel_env("companion", leader="scripted")
    face.reset(seed=0)
    infos = face.step({"leader": STAY, "assistant": STAY})[4]
    assert infos["leader"]["executed"] != STAY
    assert infos["assistant"]["executed"] == STAY


@pytest.mark.parametrize("knobs", [{}, {"goals": 2}, {"goals": 4, "leader": "scripted"}], ids=str)
def test_the_leader_gets_nowhere_without_an_assistant_and_far_with_one(knobs):
    world = envs.make_world("companion", **knobs)
    found = world.oracles()
    assert found["ignored"].reward == 0
    assert found["helper"].harm == 0
    assert 0 < found["random"].reward < found["helper"].reward < found["reward_optimal"].reward
    assert found["most_harmful"].harm > 45


def test_two_rooms_are_solved_by_hand():
    """The first goal is three steps away and every other six; who only follows is one step late."""
    found = envs.make_world("companion", goals=2).oracles()
    assert found["reward_optimal"].reward == pytest.approx(len(range(3, 51, 6)))
    assert found["helper"].reward == pytest.approx(len(range(4, 51, 7)))


def test_companion_refuses_in_words():
    for knobs, message in (
        ({"goals": 1}, "goals must be from 2 to 5"),
        ({"leader": "human"}, "leader must be one of learner, scripted"),
        ({"wage": -1.0}, "wage must be at least 0"),
    ):
        with pytest.raises(ValueError, match=message):
            envs.make_world("companion", **knobs)
    with pytest.raises(ValueError, match="must be a room, 0 to 2"):
        envs.make_world("companion").reset(fresh(), 1, {"goal": 3})
