"""Events: a line and back, one closed set, no clock in it."""

import json

import pytest

from sandbox.errors import IntegrityError
from sandbox.record import events

EXAMPLES = [
    events.TrialStarted(
        trial="ab",
        env="sandbox/CoinGrid-v0",
        seed=3,
        condition={"data_coverage": 0.5},
        agents=("agent",),
        anchors={"shifted": {"random": {"reward": 0.1, "exact": True}}},
        genomes={"agent": {"editor": "fixed"}},
    ),
    events.Updated(
        "agent", 1, 2048, 1e9, 1000, 3, None, {"rnd": 0.1}, {"loss": 1.5}, {"harm": 0.0}
    ),
    events.Controlled(
        control="sticky_actions",
        update=1,
        steps=2048,
        intensity=0.25,
        effective_intensity=0.25,
        measured={"actions_changed": 0.1},
        expected={"actions_changed": 0.125},
        error={"actions_changed": 0.02},
    ),
    events.Probed(
        "agent", "held_out", 1, 2048, "shifted", 2, {"reward": 0.5}, {"reward": (0.0, 1.0)}
    ),
    events.Chosen("member_1", 1, 2048, 0.5),
    events.Measured("agent", "values", 5, 2048, "before edit", {"fidelity": 0.9}),
    events.Mapped(
        "agent", "empowerment_map", 5, 2048, "bits", "bits", ((1.0, None),), ((0, 0, 0, 1),)
    ),
    events.Checked("agent", 5, 2048, "after edit", 3, 0.25, 0.0, 4, 0.05, 0.1),
    events.Edited(
        agent="agent",
        update=1,
        steps=2048,
        entry=2,
        edit="widen",
        settings={"units": 8},
        part="architecture",
        applied=True,
        reason="",
        audit="confirmed",
        genome={},
        parameters=9,
    ),
    events.Filmed(1, "shifted", ("#A#", "#A#"), (1.0,)),
    events.RolledBack("agent", 5, 2048, 3, 2, "two-gate: no gain", {}, 9),
    events.Tampered("agent", 5, 2048, 4, "bandit", "", "meter", "refund"),
    events.TrialFinished(1, 2048, 1e9, 2, "ab", "cd"),
]


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.kind)
def test_an_event_survives_its_line(event):
    assert events.from_line(events.to_line(event)) == event


def test_every_kind_has_an_example():
    assert {type(each) for each in EXAMPLES} == set(events.KINDS.values())


def test_not_a_number_is_refused():
    with pytest.raises(ValueError, match="JSON compliant"):
        events.to_line(events.Filmed(1, "x", (), (float("nan"),)))


@pytest.mark.parametrize("line", ["", "x", "[]", "{}", '{"event":"other"}', '{"event":"filmed"}'])
def test_what_is_no_event_is_refused(line):
    with pytest.raises(IntegrityError):
        events.from_line(line)


def test_a_torn_last_line_is_left_out():
    line = events.to_line(EXAMPLES[4])
    assert events.read([line + "\n", line[:9]]) == [EXAMPLES[4]]


def test_lines_are_canonical():
    for event in EXAMPLES:
        line = events.to_line(event)
        assert line == json.dumps(json.loads(line), sort_keys=True, separators=(",", ":"))
