"""The differences of two JSON values: all of them, each once, and nothing else."""

import copy

from hypothesis import given
from hypothesis import strategies as st

from sandbox.record.differences import MISSING, Difference, differences, leaves, meet

NAMES = st.sampled_from("abc")
LEAVES = st.none() | st.booleans() | st.integers(0, 2) | st.lists(st.integers(0, 1), max_size=2)
TREES = st.dictionaries(
    NAMES,
    st.recursive(LEAVES, lambda inner: st.dictionaries(NAMES, inner, max_size=3), max_leaves=6),
)


def patched(tree, found):
    """The tree with what comes after at every place that differs."""
    tree = copy.deepcopy(tree)
    for path, _, after in found:
        *outer, last = path
        inside = tree
        for name in outer:
            inside = inside[name]
        if after is MISSING:
            del inside[last]
        else:
            inside[last] = after
    return tree


def test_a_place_is_listed_with_both_values_and_what_is_nowhere_is_not_none():
    before = {"kept": 1, "gone": None, "in": {"list": [1], "same": 0}}
    after = {"in": {"same": 0, "list": [2]}, "kept": 1, "new": {}}
    assert list(differences(before, after)) == [
        Difference(("gone",), None, MISSING),
        Difference(("in", "list"), [1], [2]),
        Difference(("new",), MISSING, {}),
    ]
    assert list(differences(1, 2)) == [Difference((), 1, 2)]


@given(TREES, TREES)
def test_one_tree_with_its_differences_is_the_other(one, other):
    assert patched(one, differences(one, other)) == other


@given(TREES, TREES)
def test_no_difference_lies_in_another_and_they_are_the_same_both_ways(one, other):
    found = list(differences(one, other))
    paths = [each.path for each in found]
    assert not any(meet(a, b) for i, a in enumerate(paths) for b in paths[:i])
    back = {each.path: (each.after, each.before) for each in differences(other, one)}
    assert back == {each.path: (each.before, each.after) for each in found}


@given(TREES)
def test_the_leaves_of_a_tree_are_what_differs_from_nothing_in_it(tree):
    by_path = dict(leaves(tree))
    assert not any(isinstance(each, dict) and each for each in by_path.values())
    hollow = {path: each for path, _, each in differences(_hollow(tree), tree)}
    assert hollow == {path: each for path, each in by_path.items() if each != {}}


def _hollow(tree):
    """Its mappings alone."""
    return {key: _hollow(each) for key, each in tree.items() if isinstance(each, dict)}
