"""The rows of a table: one for every distinct observation, however many there are."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.algorithms.q_table import UNSEEN, QTable


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([0.0, -0.0, 1.0]), st.sampled_from([0.0, 0.5]))))
def test_equal_observations_share_a_row(rows):
    table, seen = QTable(2, 3, 0.0), np.array(rows, np.float32).reshape(-1, 2)
    found = table.enter(seen)

    assert len(table) == len({(a + 0.0, b + 0.0) for a, b in rows})
    for i, j in itertools.combinations(range(len(rows)), 2):
        assert (found[i] == found[j]) == bool((seen[i] == seen[j]).all())
    assert table.find(np.full((1, 2), 7.0)).tolist() == [UNSEEN]


def test_it_survives_many_states_and_remembers_them_all():
    table, rng = QTable(2, 4, 0.5), np.random.default_rng(0)
    states = np.stack([np.arange(100_000) / 1000, np.zeros(100_000)], 1).astype(np.float32)
    for part in np.array_split(rng.permutation(states), 50):
        rows = table.enter(part)  # first: it may move the values to a larger array
        table.values[rows, 1] = part[:, 0]

    assert len(table) == 100_000
    assert np.array_equal(table.values[table.find(states), 1], states[:, 0])
    assert (table.values[UNSEEN] == 0.5).all()
    assert (table.values[: len(table), 0] == 0.5).all()


def test_a_table_with_a_row_twice_is_refused():
    table = QTable(1, 1, 0.0).parameters()
    table |= {name: np.zeros((2, 1), np.float32) for name in table}
    with pytest.raises(ValueError, match="an observation twice"):
        QTable(1, 1, 0.0).load(table)
