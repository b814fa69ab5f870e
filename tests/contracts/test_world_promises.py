"""Every world there is keeps every promise of a world, whichever comes next."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import envs
from envs.conformance.promises import PROMISES
from envs.registration import worlds_by_name

MEASURED = {"oracles_are_reached", "episodes_end"}
"""Thousands of episodes: asked once, with a fixed seed; the false-alarm rate is that of one."""


@pytest.mark.parametrize("promise", [name for name in PROMISES if name not in MEASURED])
@pytest.mark.parametrize("name", sorted(worlds_by_name()))
def test_promise_is_kept_at_any_seed(name, promise):
    world = envs.make_world(name)

    @settings(max_examples=4, database=None)
    @given(st.integers(0, 2**31))
    def kept(seed):
        assert PROMISES[promise](world, seed) is None

    kept()


@pytest.mark.parametrize("promise", sorted(MEASURED))
@pytest.mark.parametrize("name", sorted(worlds_by_name()))
def test_promise_is_kept(name, promise):
    assert PROMISES[promise](envs.make_world(name), 11) is None
