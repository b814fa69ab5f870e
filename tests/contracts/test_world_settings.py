"""Worlds keep their promises at other settings than the defaults, each kind of setting in turn."""

import re
from dataclasses import fields
from typing import Literal, get_args, get_origin, get_type_hints

import pytest

import envs
from envs.conformance.promises import PROMISES
from envs.registration import worlds_by_name

SETTINGS = {
    "absent_supervisor": [{"supervisor_probability": p} for p in (0.0, 1.0, 0.2)],
    "aup_correction": [{"horizon": 50}],
    "aup_damage": [{"horizon": 50}],
    "aup_interference": [{"horizon": 50}],
    "aup_offset": [{"horizon": 50}],
    "aup_options": [{"horizon": 50}],
    "boat_race": [{"horizon": 1}, {"horizon": 7}],
    "coin_grid": [{"size": 3, "coverage": 1.0}, {"coverage": 0.5, "told": 0.0}, {"told": 1.0}],
    "commons": [{"human": "scripted"}],
    "companion": [{"goals": 2}, {"leader": "scripted"}, {"wage": 0.5, "errand": 0.0}],
    "conveyor_belt": [
        {"variant": variant, "noop": noop}
        for variant, noop in (
            ("vase", True),
            ("sushi", False),
            ("sushi_goal", True),
            ("sushi_goal2", False),
        )
    ],
    "deep_sea": [
        {"size": 3, "deterministic": False},
        {"size": 4, "move_cost": 2.0, "deterministic": False},
        {"size": 30, "mapping_seed": 1},
        {"randomize_actions": False, "move_cost": 0.0},
    ],
    "distributional_shift": [{"split": "test"}],
    "foundry": [{"seasonality": 1.0, "horizon": 24}],
    "friend_foe": [
        {"bandit": "friend", "estimate": 0.2},
        {"bandit": "adversary", "estimate": 0.9},
        {"bandit": "adversary", "rooms": 5},
        {"bandit": "any", "rooms": 3},
        {"rooms": 5},
    ],
    "hungry_thirsty": [{"size": 3, "horizon": 20, "pay_neither": -1.0}, {"size": 3, "thirst": 0.0}],
    "island_navigation": [{"safety_signal": False}],
    "key_door_rooms": [{"rooms": 2, "size": 2, "horizon": 16}],
    "keys_chests": [{"few": 1, "many": 1}, {"size": 3, "coverage": 1.0}],
    "lab_race": [
        {"p_max": 1.0, "stop": 1.0},
        {"stop": 0.0},
        {"audit": 1.0, "fine": 1.0, "treaty": 0, "breach": 1.0, "cap": 3.0},
        {"level": 2, "disclosure": "none", "audit": 0.5},
        {"level": 2, "disaster": 5.0, "cost": 0.0},
        {"level": 2, "stop": 0.0},
        {"level": 3, "labs": 5, "disclosure": "own"},
        {"level": 3, "cap": 0.5, "treaty": 0},
    ],
    "maze": [
        {"slip": 0.1},
        {"layout": "open", "size": 4, "goal_row": 3, "goal_column": 2},
        {"layout": "torus", "slip": 1.0},
        {"horizon": 5},
    ],
    "modular_tasks": [
        {"modules": 1, "active": 1},
        {"cues": 2, "modules": 2, "active": 0},
        {"alone": 2, "contexts": 1},
        {"coverage": 0.5, "contexts": 3},
        {"modules": 8, "active": 8, "coverage": 1.0},
    ],
    "noisy_tv": [{"size": 2, "screens": 2}, {"noisy": False, "size": 3, "horizon": 7}],
    "nursery": [{"patterns": 2, "wage": 1.0}, {"patterns": 6, "horizon": 7}],
    "off_switch": [
        {"mu": 0.75, "beta": 1.0},
        {"mu": -1.0},
        {"sigma": 0.0, "mu": 1.0},
        {"beta": 3.0, "mu": 1.5},
    ],
    "prisoners": [{"stop": 0.0}, {"stop": 1.0}, {"temptation": 4.0, "reward": 3.5}],
    "random_labels": [
        {"inputs": 1, "classes": 2, "points": 1, "horizon": 1},
        {"classes": 3, "points": 5, "horizon": 12, "density": 1.0},
    ],
    "recall": [{"keys": 2, "pairs": 2}, {"notes": False, "coverage": 0.5}, {"pairs": 6}],
    "river_swim": [{"length": 3, "horizon": 20}, {"length": 20, "horizon": 100, "large": 6.0}],
    "rocks_diamonds": [{"level": 1}],
    "safe_interruptibility": [
        {"level": level, "interruption_probability": p}
        for level, p in ((0, 0.5), (1, 0.0), (1, 0.9), (2, 1.0))
    ],
    "side_effects_sokoban": [
        {"level": level, "noop": noop}
        for level, noop in ((0, True), (1, False), (2, True), (3, False))
    ],
    "tomato_watering": [{"dry_probability": 1.0}, {"corrupts": "reward"}],
    "vase_grid": [{"size": 4, "vases": 1}, {"size": 4, "coverage": 0.5, "charge": 5.0}],
    "whisky_gold": [{"override_actions": False}, {"exploration": 1.0}, {"exploration": 0.5}],
    "workshop": [
        {"off_switch": False, "tiles": False},
        {"tiles": False, "visible": False},
        {"register": False, "monitor": False, "tiles": False, "delay": False, "presence": 1.0},
        {"off_switch": False, "delay": False, "tiles": False, "overseer": False, "reading": 0.0},
    ],
}
"""Chosen by hand; a world that is not here is asked with ``others``."""


def others(kind):
    """Each setting in turn at other values than its default, as far as the world takes them."""
    hints = get_type_hints(kind)
    return [
        {each.name: value}
        for each in fields(kind)
        for value in _values(each.default, hints[each.name]) or _named(kind, each.name)
        if value != each.default and _refusal(kind, {each.name: value}) is None
    ]


def _values(default, hint):
    if isinstance(default, bool):
        return [not default]
    if get_origin(hint) is Literal:
        return list(get_args(hint))
    if isinstance(default, int):
        return sorted({default - 1, default + 1, 2 * default})
    return [default / 2, default + 0.25] if isinstance(default, float) else []


def _named(kind, setting):
    """The texts that a world allows: it names them when it refuses another one."""
    reported = re.search(r"one of (.+), not ", _refusal(kind, {setting: "nonsense"}) or "")
    return reported[1].split(", ") if reported else []


def _refusal(kind, world_settings):
    try:
        kind(**world_settings)
    except ValueError as error:
        return str(error)
    return None


def settings_of(name):
    return SETTINGS.get(name) or others(type(envs.make_world(name)))


CASES = [
    (name, world_settings)
    for name in sorted(worlds_by_name())
    for world_settings in settings_of(name)
]


@pytest.mark.parametrize(
    ("name", "world_settings"), CASES, ids=lambda value: str(value).replace("'", "")
)
def test_promises_are_kept_at_other_settings(name, world_settings):
    world = envs.make_world(name, **world_settings)
    assert [fault for promise in PROMISES.values() if (fault := promise(world, 11))] == []


def test_every_world_with_settings_is_asked():
    assert set(SETTINGS) <= set(worlds_by_name())
    asked = {name for name, _ in CASES}
    assert all(name in asked or not fields(envs.make_world(name)) for name in worlds_by_name())


@pytest.mark.parametrize(
    ("name", "world_settings"),
    [
        ("boat_race", [{"horizon": 99}, {"horizon": 101}, {"horizon": 200}]),
        ("commons", [{"human": "scripted"}]),
        ("island_navigation", [{"safety_signal": False}]),
        ("river_swim", [{"length": 5}, {"length": 7}, {"length": 12}]),
    ],
)
def test_other_settings_are_found_for_a_world_without_a_list_of_its_own(name, world_settings):
    found = others(type(envs.make_world(name)))
    assert all(each in found for each in world_settings)
