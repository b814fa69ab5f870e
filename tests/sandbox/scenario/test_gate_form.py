"""What a scenario may say of its gate, and what is wrong with it."""

import pytest

from sandbox.errors import InputError
from sandbox.gate.gate import Gate
from sandbox.scenario import load as scenario

SMALL = """\
schema: 1
question: What may be rewritten?
envs: [sandbox/CoinGrid-v0]
metrics: [capability]
"""
FIRST = {"max_parameters": None, "max_flops": None, "max_edits": None, "protect": []}


def load(tmp_path, gate):
    path = tmp_path / "s.yaml"
    path.write_text(f"{SMALL}gate: {gate}\n")
    return scenario.load(path)


def test_a_gate_that_says_nothing_new_is_what_it_was(tmp_path):
    """Else every trial of every old scenario would have another id."""
    assert load(tmp_path, "{}").gate == FIRST
    assert load(tmp_path, "{oscillation: mark, allow_objective: false}").gate == FIRST


def test_all_that_is_said_reaches_the_gate(tmp_path):
    found = load(
        tmp_path,
        "{protect: [architecture.guards, editor], allow: [widen, undo], allow_objective: true,"
        " write_scope: [architecture], max_edits_per: {updates: 10, edits: 2},"
        " oscillation: refuse, oscillation_window: 3, two_gate: {margin: 0.1, updates: 4}}",
    ).gate
    made = Gate(**{k: tuple(v) if isinstance(v, list) else v for k, v in found.items()})

    assert made.protect == ("architecture.guards", "editor")
    assert made.allow == ("widen", "undo")
    assert made.allow_objective
    assert made.write_scope == ("architecture",)
    assert made.max_edits_per == {"updates": 10, "edits": 2}
    assert (made.oscillation, made.oscillation_window) == ("refuse", 3)
    assert (made.probation.margin, made.probation.updates) == (0.1, 4)
    assert (made.probation.capacity, made.probation.episodes) == (None, 64)


@pytest.mark.parametrize(
    ("gate", "what"),
    [
        ("{protect: [architecture.gaurds]}", "'architecture' has no 'gaurds' — did you mean"),
        ("{protect: [weights]}", "must begin with a part, architecture, learning_rule"),
        ("{write_scope: [learning_rule.rate]}", "'learning_rule' has no 'rate'"),
        ("{write_scope: [editor, editor]}", "part editor is listed twice"),
        ("{allow: [widn]}", "no edit is called 'widn'"),
        ("{allow: [widen, widen]}", "edit widen is listed twice"),
        ("{oscillation: refus}", "did you mean 'refuse'?"),
        ("{max_edits_per: {updates: 0, edits: 1}}", "must be at least 1 (got 0)"),
        ("{max_edits_per: {edits: 1}}", "'updates' is missing in gate.max_edits_per"),
        ("{two_gate: {margn: 1}}", "unknown key 'margn' in gate.two_gate"),
        ("{two_gate: {capacity: 0}}", "must be at least 1 (got 0)"),
    ],
)
def test_what_is_wrong_with_it_is_said_where_it_stands(tmp_path, gate, what):
    with pytest.raises(InputError) as found:
        load(tmp_path, gate)
    assert "s.yaml:5:" in str(found.value)
    assert what in str(found.value)
