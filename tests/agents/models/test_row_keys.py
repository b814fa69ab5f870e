"""Rows are distinguished to the bit, in the order in which they stand."""

from itertools import repeat

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from agents.models.row_keys import earlier, exact, look_up, row_keys, write_down

KEYS = st.lists(st.sampled_from([b"a", b"b\0", b"b", b"\0\0"]), max_size=12)


@given(hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2)))
def test_a_key_is_the_bytes_of_its_row(rows):
    assert row_keys(rows) == [row.tobytes() for row in rows]


def test_keys_that_end_in_nothing_keep_their_length_and_minus_zero_is_zero():
    assert row_keys(exact([[1.0, 0.0], [-0.0, 0.0]]))[1] == bytes(8)


@given(KEYS)
def test_earlier_counts_equal_keys_before(keys):
    assert earlier(keys).tolist() == [keys[:i].count(key) for i, key in enumerate(keys)]


@given(KEYS)
def test_what_was_written_down_is_found_and_the_last_word_stays(keys):
    table: dict[bytes, int] = {}
    write_down(repeat(table), keys, np.arange(len(keys)))
    last = {key: i for i, key in enumerate(keys)}
    assert look_up(repeat(table), keys, -1).tolist() == [last[key] for key in keys]
    assert look_up(repeat(table), [b"new"], -1).tolist() == [-1]


@pytest.mark.parametrize("episodic", [False, True])
def test_each_key_asks_its_own_table(episodic):
    tables = [{b"a": 3}, {}] if episodic else [{b"a": 3}] * 2
    assert look_up(tables, [b"a", b"a"], 0).tolist() == [3, 0 if episodic else 3]
