"""A part as a spec names it: read, changed, and written again without a loss."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.contract import named

SETTINGS = st.dictionaries(st.sampled_from("abc"), st.integers())


@given(st.text(), SETTINGS, SETTINGS)
def test_a_part_that_is_changed_has_those_settings_and_its_others(name, settings, other):
    part = named({name: settings})
    assert (part.name, part.settings) == (name, settings)
    assert part.changed() == {name: settings}
    assert named(part.changed(**other)) == (name, {**settings, **other})


def test_steps_that_a_part_does_not_plan_are_none():
    assert named({"ppo": {"total_steps": 7}}).total_steps == 7
    assert named({"ppo": {}}).total_steps == 0


@pytest.mark.parametrize("setting", [{}, {"one": {}, "two": {}}])
def test_no_part_and_two_parts_are_not_one(setting):
    with pytest.raises(ValueError, match="values to unpack"):
        named(setting)
