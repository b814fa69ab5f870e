"""Every draw a world hides can be forced through its faces, for all copies or one by one."""

import numpy as np
import pytest

import envs
from envs.faces.gymnasium import BatchFace, SingleFace
from envs.faces.joint_batch import JointBatchFace
from envs.faces.pettingzoo import ParallelFace
from envs.registration import worlds_by_name
from envs.world_kit import state as states

SETTINGS = {"distributional_shift": {"split": "test"}, "lab_race": {"level": 3}}
LAYOUT = {"keys": ([[0, 0], [1, 1]], [[2, 2], [0, 1]]), "doors": ([0, 1], [2, 2])}
FLAG, CELL = (True, False), ([0, 1], [2, 3])
VALUES = {
    "absent_supervisor": {"supervisor": FLAG},
    "coin_grid": {
        "agent": CELL,
        "coin": ([4, 4], [3, 0]),
        "told": FLAG,
        "beacon": ([4, 4], [1, 0]),
    },
    "companion": {"goal": (0, 2)},
    "distributional_shift": {"level": (1, 2)},
    "foundry": {"commons": (0, 3), "phase": (1, 5)},
    "friend_foe": {"bandit": (0, 2), "policy_estimate": ([0.7, 0.3], [0.2, 0.8]), "room": (0, 1)},
    "hungry_thirsty": {
        "agent": ([1, 1], [2, 3]),
        "food": ([0, 0], [5, 5]),
        "water": ([0, 5], [5, 0]),
    },
    "key_door_rooms": {"agent": ([0, 0], [1, 2]), "goal": ([2, 2], [0, 1]), **LAYOUT},
    "keys_chests": {"many_keys": FLAG},
    "lab_race": {"ability": ([0.25, 0.75], [0.5, 0.5])},
    "maze": {"agent": ([1, 1], [5, 7])},
    "modular_tasks": {
        "cues": ([0, 1, 2, 3], [3, 3, 0, 0]),
        "contexts": ([0, 1, 0, 1], [1, 1, 0, 0]),
    },
    "noisy_tv": {"agent": ([1, 1], [5, 2]), "channel": (0, 15)},
    "nursery": {"mess": (0, 2), "pattern": (1, 3)},
    "off_switch": {"utility": (-0.5, 1.25)},
    "random_labels": {
        "points": ([[0] * 64] * 4, [[k % 2] * 64 for k in range(4)]),
        "labels": ([0, 1, 2, 3], [9, 9, 0, 0]),
    },
    "recall": {"keys": ([0, 1, 2], [5, 3, 1]), "values": ([0, 1, 2], [4, 4, 5]), "asked": (0, 2)},
    "river_swim": {"agent": (0, 5)},
    "safe_interruptibility": {"interrupt": FLAG},
    "vase_grid": {"in_way": FLAG, "side": (0, 3), "level": (0, 1), "others": FLAG},
    "workshop": {"overseer": FLAG},
}
"""Two values of each hidden draw; of one that is not here, two are found by trying ``USUAL``."""
USUAL = (FLAG, (0, 1), (0.25, 0.75), ([0, 0], [1, 1]), CELL, ([0.25, 0.75], [0.5, 0.5]))


class Even:
    """A generator that draws the same for all copies."""

    def random(self, size):
        return np.full(size, 0.5)

    def integers(self, *_, size):
        return np.zeros(size, int)


def world_of(name):
    return envs.make_world(name, **SETTINGS.get(name, {}))


def begin(face, **options):
    face.rng = Even()
    face.reset(options=options)
    return face


CASES = [
    (name, option) for name in sorted(worlds_by_name()) for option in world_of(name).option_names
]


def values_of(name, option):
    return VALUES.get(name, {}).get(option) or found(world_of(name), option)


def found(world, option):
    """The first two of the usual values that lead to two different levels, or ``None``."""
    for one, other in USUAL:
        try:
            levels = [world.reset(Even(), 1, {option: value}) for value in (one, other)]
        except ValueError:
            continue
        if states.differing(*levels)[0]:
            return one, other
    return None


def test_every_value_here_is_of_an_option_that_is_there():
    assert {(name, option) for name, of in VALUES.items() for option in of} <= set(CASES)


def test_values_of_most_options_are_found_without_being_named():
    missing = {case for case in CASES if found(world_of(case[0]), case[1]) is None}
    assert len(missing) < len(CASES) / 2
    assert found(world_of("river_swim"), "agent") == (0, 1)
    assert found(world_of("absent_supervisor"), "supervisor") == FLAG


@pytest.mark.parametrize(("name", "option"), CASES)
def test_an_option_holds_for_all_copies_or_for_each_its_own(name, option):
    world, values = world_of(name), values_of(name, option)
    if values is None:
        assert name not in VALUES
        pytest.skip(f"no two values are known of {option}: name them in VALUES")
    one, other = values
    joint = len(world.agents) > 1
    batch = (JointBatchFace if joint else BatchFace)(world, 3)
    alone = (ParallelFace if joint else SingleFace)(world)
    settings = {"told": True} if option == "beacon" else {}  # it matters there alone
    each = begin(batch, **{option: np.array([one, other, one])}, **settings).state
    for rows, value in (([0, 2], one), ([1], other)):
        whole = begin(batch, **{option: value}, **settings).state
        single = begin(alone, **{option: value}, **settings)._state
        for row in rows:
            wanted = states.take(each, np.array([row]))
            assert states.equal(states.take(whole, np.array([row])), wanted)
            assert states.equal(single, wanted)
    assert states.differing(states.take(each, np.array([0])), states.take(each, np.array([1])))[0]


@pytest.mark.parametrize(("name", "option"), CASES)
def test_what_is_no_such_value_is_refused_by_name_in_one_line(name, option):
    world = world_of(name)
    for wrong in ("nonsense", None, -7, 10**9, float("nan"), [1, 2, 3, 4, 5], {"a": 1}, True, 1.5):
        if (wrong is True and values_of(name, option) == FLAG) or (
            name == "off_switch" and wrong in (-7, 10**9, 1.5)
        ):
            continue
        if name not in VALUES and isinstance(wrong, int | float) and np.isfinite(wrong):
            continue  # a number may be a value of a world that is not known here
        with pytest.raises(ValueError, match=option) as caught:
            world.reset(np.random.default_rng(0), 3, {option: wrong})
        assert "\n" not in str(caught.value)
