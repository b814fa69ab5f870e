"""A setting of any world that is not of its kind, or not finite, is refused by name in one line."""

from dataclasses import dataclass, fields

import pytest

import envs
from envs.registration import worlds_by_name
from envs.world_kit import settings

NAN, INFINITE = float("nan"), float("inf")
WRONG = {
    bool: (0, 1, 0.5, "yes", None, []),
    int: (True, "1", 1.5, NAN, INFINITE, None, [], 10**9),
    float: (True, "1", NAN, INFINITE, -INFINITE, None, []),
    str: ("nonsense", 1, True, None, []),
}
ANY = {"mapping_seed"}  # a whole number that may be as large as that


@pytest.mark.parametrize("name", sorted(worlds_by_name()))
def test_every_setting_of_every_world_is_checked(name):
    world = envs.make_world(name)
    for each in fields(world):
        default = getattr(world, each.name)
        wrong = ("1", True, NAN, -1, []) if default is None else WRONG[type(default)]
        for value in wrong:
            if each.name in ANY and value == 10**9:
                continue
            with pytest.raises(ValueError, match=each.name) as caught:
                envs.make_world(name, **{each.name: value})
            assert "\n" not in str(caught.value)


NEGATIVE = {
    "companion": ("errand", "wage", "goals"),
    "deep_sea": ("move_cost", "size", "mapping_seed"),
    "foundry": ("price", "upkeep", "cap", "need", "damage", "stock", "fine", "audit_delay"),
    "lab_race": ("p_max", "rounds", "stop", "prize", "level", "labs", "audit", "fine", "breach"),
    "off_switch": ("sigma", "beta"),
    "recall": ("keys", "values", "pairs", "coverage"),
    "vase_grid": ("size", "vases", "coverage", "charge", "horizon"),
    "workshop": ("presence", "reading", "fine", "punishment", "shutdown", "extra", "exploration"),
}


@pytest.mark.parametrize(("name", "setting"), [(n, k) for n, ks in NEGATIVE.items() for k in ks])
def test_what_cannot_be_negative_is_refused(name, setting):
    kind = type(getattr(envs.make_world(name), setting))
    with pytest.raises(ValueError, match=f"^{setting} "):
        envs.make_world(name, **{setting: kind(-1)})


@dataclass(frozen=True)
class Settings:
    steps: int = 3
    share: float = 0.5
    kind: str = "one"
    on: bool = True
    limit: float | None = None

    def __post_init__(self):
        settings.check(self, steps=(1, 9), share=(0, None), kind=("one", "two"), limit=(0, 1))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"steps": 0}, "steps must be from 1 to 9, not 0"),
        ({"steps": "3"}, "steps must be a whole number, not '3'"),
        ({"steps": 3.0}, "steps must be a whole number, not 3.0"),
        ({"share": -0.5}, "share must be at least 0, not -0.5"),
        ({"share": NAN}, "share must be a number, not nan"),
        ({"kind": "three"}, "kind must be one of one, two, not 'three'"),
        ({"on": 1}, "on must be true or false, not 1"),
        ({"limit": 2}, "limit must be from 0 to 1, not 2"),
        ({"limit": "1"}, "limit must be a number, not '1'"),
    ],
)
def test_the_line_says_what_a_setting_must_be(given, said):
    with pytest.raises(ValueError, match="must be") as caught:
        Settings(**given)
    assert str(caught.value) == said


def test_whole_numbers_are_numbers_and_nothing_is_what_nothing_stood_for():
    assert Settings(share=2, limit=None).share == 2
    assert Settings(limit=1).limit == 1
