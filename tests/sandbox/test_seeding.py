"""Streams: the same name the same numbers, whatever else was asked; another name, others."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sandbox.seeding import integer, stream

names = st.lists(st.text(max_size=8) | st.integers(0, 9), min_size=1, max_size=3)


@given(st.integers(0, 2**32 - 1), names)
def test_the_same_name_gives_the_same_stream(seed, name):
    stream(seed, "something else").random(3)

    assert np.array_equal(stream(seed, *name).random(4), stream(seed, *name).random(4))


def test_names_seeds_and_parts_are_distinguished():
    draws = [stream(0, "a"), stream(0, "b"), stream(1, "a"), stream(0, "a", "b"), stream(0, "ab")]
    assert len({each.random() for each in draws}) == len(draws)


def test_streams_do_not_look_alike():
    """Correlation of 1,000 streams' first draws: |r| < 4.5 / sqrt(n), one false alarm in 10^5."""
    first, second = np.array([stream(s, "a").random(2) for s in range(1000)]).T
    other = np.array([stream(s, "b").random() for s in range(1000)])
    assert abs(np.corrcoef(first, second)[0, 1]) < 4.5 / np.sqrt(1000)
    assert abs(np.corrcoef(first, other)[0, 1]) < 4.5 / np.sqrt(1000)


def test_an_integer_fits_a_library():
    assert 0 <= integer(7, "env") < 2**31
