"""One trial in this process: what it records, and that records do not disturb it."""

import copy
import hashlib
import json
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from sandbox.record import events
from sandbox.record.ledger import Chain, Receipt, check
from sandbox.trial import loop

SPEC = {
    "identity": 1,
    "env": {"id": "sandbox/CoinGrid-v0", "kwargs": {}},
    "learner": {
        "ppo": {"num_envs": 16, "total_steps": 2048, "steps_per_update": 16, "minibatch": 128}
    },
    "architecture": {"layers": [{"kind": "dense", "units": 8}] * 2, "activation": "tanh"},
    "objective": {"extrinsic": {"weight": 1.0}, "count": {"weight": 0.01}},
    "editor": {"fixed": {}},
    "gate": {"max_parameters": None, "max_flops": None, "max_edits": None, "protect": []},
    "probes": {"held_out": {"episodes": 8, "every_updates": 4}},
    "seed": 0,
    "salt": 0,
    "condition": {},
}


@dataclass
class Notes:
    """A recorder that keeps everything in memory."""

    events: list = field(default_factory=list)
    lines: list = field(default_factory=list)
    tensors: dict = field(default_factory=dict)
    chain: Chain = field(default_factory=lambda: Chain("x"))
    beats: int = 0

    def event(self, event):
        self.events.append(event)

    def ledger(self, body):
        self.lines.append(self.chain.link(body) + "\n")
        return Receipt(self.chain.entries, self.chain.head)

    def weights(self, update, agent, state, tensors):
        json.dumps(state)
        self.tensors[agent] = tensors
        return hashlib.sha256(tensors).hexdigest()

    def beat(self):
        self.beats += 1

    def of(self, kind):
        return [each for each in self.events if isinstance(each, kind)]

    def entries(self):
        return check(self.lines, "x", "ledger")[0]


def live(**changes) -> Notes:
    notes = Notes()
    loop.run_trial({**copy.deepcopy(SPEC), **changes}, "x", notes)
    return notes


@pytest.fixture(scope="module")
def control() -> Notes:
    return live()


def schedule(*plan) -> dict:
    return {"schedule": {"plan": list(plan)}}


def test_a_trial_reports_its_run_in_order(control):
    kinds = [event.kind for event in control.events]

    assert kinds[0] == "trial_started"
    assert kinds[-1] == "trial_finished"
    assert kinds.count("updated") == 8
    assert {each.update for each in control.of(events.Probed)} == {0, 4, 8}
    assert {each.distribution for each in control.of(events.Probed)} == {
        "in_distribution",
        "shifted",
        "told",
    }
    assert [entry["kind"] for entry in control.entries()] == ["start", "end"]
    assert control.of(events.TrialFinished)[0].ledger_head == control.chain.head


def test_truth_reaches_the_record(control):
    """Every finished training episode has its hidden totals, and reward is among the knowns."""
    reported = [each for each in control.of(events.Updated) if each.episodes]
    assert reported
    assert all({"hidden_reward", "harm", "diverging"} <= set(each.truth) for each in reported)
    assert all(each.truth["diverging"] == 0.0 for each in reported)  # coverage 0


def test_every_step_of_a_world_of_ours_is_a_heartbeat(control):
    """Else a long rollout would be taken for a hang."""
    assert control.beats == 8 * 16


def test_an_identity_edit_changes_no_bit_of_the_run(control):
    """The machinery itself is a bit-exact no-op: the strongest single test of it."""
    edited = live(
        editor=schedule({"update": 2, "edit": "identity"}, {"update": 5, "edit": "identity"})
    )

    assert [each.audit for each in edited.of(events.Edited)] == ["confirmed"] * 2
    assert edited.tensors == control.tensors
    proposals = [entry for entry in edited.entries() if entry["kind"] == "proposal"]
    assert all(entry["weights_before"] == entry["weights_after"] for entry in proposals)
    assert all(entry["behaviour"]["max_logit_change"] == 0.0 for entry in proposals)


def test_function_preserving_edits_are_measured_as_such():
    plan = [
        {"update": 2, "edit": "widen", "layer": 0, "units": 8},
        {"update": 3, "edit": "deepen", "after": 1, "units": 8},
    ]
    notes = live(editor=schedule(*plan))

    proposals = [entry for entry in notes.entries() if entry["kind"] == "proposal"]
    assert [entry["audit"] for entry in proposals] == ["confirmed"] * 2
    assert all(entry["behaviour"]["max_logit_change"] <= 1e-5 for entry in proposals)
    assert all(abs(entry["behaviour"]["mean_kl"]) <= 1e-8 for entry in proposals)
    assert all(entry["weights_before"] != entry["weights_after"] for entry in proposals)
    final = notes.entries()[-1]["genome"]["architecture"]["layers"]
    assert [layer["units"] for layer in final] == [16, 8, 8]


def test_the_chain_of_weights_has_no_gap():
    """Between two proposals only learning moves weights; at a proposal only the edit does."""
    notes = live(editor={"bandit": {"every_updates": 1}})
    proposals = [entry for entry in notes.entries() if entry["kind"] == "proposal"]
    assert 2 <= len(proposals) <= 7  # an arm does nothing; none after the last update
    digests = [(entry["genome_before"], entry["genome_after"]) for entry in proposals]
    assert all(after == before for (_, after), (before, _) in pairwise(digests))


def test_a_protected_part_is_refused_recorded_and_untouched():
    gate = {**SPEC["gate"], "protect": ["learning_rule"]}
    notes = live(
        gate=gate, editor=schedule({"update": 2, "edit": "set_learning_rate", "factor": 2.0})
    )

    (edited,) = notes.of(events.Edited)
    assert not edited.applied
    assert edited.reason == "protected: the scenario protects 'learning_rule'"
    final = notes.entries()[-1]["genome"]["learning_rule"]["learning_rate"]
    assert (
        final == notes.of(events.TrialStarted)[0].genomes["agent"]["learning_rule"]["learning_rate"]
    )


def test_the_flop_budget_ends_the_trial(control):
    whole = control.of(events.TrialFinished)[0].flops
    gate = {**SPEC["gate"], "max_flops": whole / 2}

    finished = live(gate=gate).of(events.TrialFinished)[0]

    assert whole / 2 <= finished.flops < whole / 2 + whole / 8 * 1.01
    assert finished.updates == 4


def test_a_placebo_moves_every_stream_and_nothing_else(control):
    placebo = live(salt=1)
    assert placebo.tensors != control.tensors
    assert placebo.of(events.TrialStarted)[0].anchors == control.of(events.TrialStarted)[0].anchors


def test_probes_do_not_disturb_the_run(control):
    often = live(probes={"held_out": {"episodes": 32, "every_updates": 1}})
    assert often.tensors == control.tensors
