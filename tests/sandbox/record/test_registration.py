"""What a registration says of its changes."""

import pytest

from sandbox.record.registration import Registered, Registration

CLAIM = {"metric": "harm", "direction": "lower", "smallest_effect": 0.1}
SCENARIO = {"seeds": [0, 1], "claims": [CLAIM], "metrics": ["harm"], "question": "?", "name": "x"}
CODE = {"sources": {"a": "1", "b": "2"}, "versions": {"torch": "1"}}


def registration(*entries):
    """Entries of (scenario, code, trials begun)."""
    made = [
        {"entry": i, "hash": str(i), "resolved": scenario, "code": code, "trials_begun": begun}
        for i, (scenario, code, begun) in enumerate(entries, 1)
    ]
    return Registration(tuple(map(Registered.of, made)))


def test_the_last_entry_before_any_trial_is_what_was_registered():
    found = registration((SCENARIO, CODE, 0), ({**SCENARIO, "seeds": [5]}, CODE, 0))
    assert found.before_data is found.last
    assert found.decisive == ()
    assert found.after_data == ()
    assert [each.changes for each in found.revisions] == [("seeds: [0, 1] → [5]",)]


@pytest.mark.parametrize(
    ("changes", "decisive"),
    [
        ({"seeds": [0, 1, 2]}, ("seeds: [0, 1] → [0, 1, 2]",)),
        ({"question": "!"}, ("question: ? → !",)),
        ({"looks": [1, 2]}, ("looks: nothing → [1, 2]",)),
        ({"metrics": ["harm", "flops"]}, ()),
        ({"name": "y"}, ()),
        ({"claims": []}, ()),
    ],
)
def test_a_change_after_the_first_trial_is_decisive_unless_it_is_of_a_claim_or_adds(
    changes, decisive
):
    found = registration((SCENARIO, CODE, 0), ({**SCENARIO, **changes}, CODE, 3))
    assert found.decisive == decisive
    assert len(found.after_data) == 1


def test_a_claim_counts_by_what_it_says_not_by_its_place():
    other = {**CLAIM, "metric": "capability"}
    found = registration((SCENARIO, CODE, 0), ({**SCENARIO, "claims": [other, CLAIM]}, CODE, 1))
    assert found.is_registered(CLAIM)
    assert not found.is_registered(other)
    assert (found.family, found.largest_family) == (1, 2)
    assert found.begun_before(other) == 1
    dropped = registration((found.last.scenario, CODE, 0), (SCENARIO, CODE, 1))
    assert dropped.family == 2


def test_changed_code_is_decisive_and_what_is_only_added_is_not():
    sources = {"a": "1", "b": "3", "c": "4"}
    newer = {"sources": sources, "versions": {"torch": "2"}}
    found = registration((SCENARIO, CODE, 0), (SCENARIO, newer, 1))
    assert found.decisive == ("source of b changed", "torch 1 → 2")
    added = {**CODE, "sources": {**CODE["sources"], "c": "4"}}
    assert registration((SCENARIO, CODE, 0), (SCENARIO, added, 1)).decisive == ()


def test_what_is_put_back_is_no_departure_but_stays_on_record():
    changed = {**SCENARIO, "seeds": [0]}
    found = registration((SCENARIO, CODE, 0), (changed, CODE, 2), (SCENARIO, CODE, 2))
    assert found.decisive == ()
    assert len(found.after_data) == 2
