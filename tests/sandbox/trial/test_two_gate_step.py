"""The two-gate guard in a run: what does not help on held-out play is taken back, to the bit."""

import copy
from dataclasses import dataclass

import pytest

from agents.architecture import cost
from agents.genome import Genome
from sandbox.catalogue import catalogue
from sandbox.record import events
from sandbox.record.lineage import lineages
from sandbox.trial import loop, two_gate_step
from tests.sandbox.trial.test_loop import SPEC, Notes, live, schedule

PLAN = schedule(
    {"update": 2, "edit": "widen", "layer": 0, "units": 2},
    {"update": 3, "edit": "widen", "layer": 1, "units": 2},
    {"update": 6, "edit": "deepen", "after": 0, "units": 2},
)


def guarded(**two_gate):
    rule = {"margin": 0.0, "capacity": None, "updates": 2, "episodes": 4, **two_gate}
    return live(editor=PLAN, gate={**SPEC["gate"], "two_gate": rule})


@pytest.fixture(scope="module")
def strict():
    """Nothing can gain so much."""
    return guarded(margin=1e6)


@pytest.fixture(scope="module")
def lenient():
    return guarded(margin=-1e6)


def kinds(notes):
    return [each["kind"] for each in notes.entries()]


def test_an_edit_that_gains_too_little_is_rolled_back_and_recorded(strict):
    first, second = strict.of(events.RolledBack)
    widened, refused, deepened = strict.of(events.Edited)
    lines = strict.entries()

    assert kinds(strict) == [
        "start", "proposal", "proposal", "rolled back", "proposal", "rolled back", "end",
    ]  # fmt: skip
    assert (first.update, first.undoes, second.update) == (4, widened.entry, 8)
    assert first.genome == strict.of(events.TrialStarted)[0].genomes["agent"]
    assert lines[3]["weights_after"] == lines[1]["weights_before"], "the same agent state as before"
    assert lines[3]["genome_after"] == lines[1]["genome_before"]
    assert lines[3]["parent"] == lines[1]["parent"] == 1
    assert "a gain of" in lines[3]["reason"]
    assert refused.reason == f"two-gate: the edit of entry {widened.entry} is on probation"
    assert lines[deepened.entry - 1]["parent"] == first.entry
    assert lines[1]["held_out"] == lines[3]["held_out_before"]


def test_an_edit_that_gains_enough_stays(lenient):
    assert not lenient.of(events.RolledBack)
    assert kinds(lenient) == [
        "start", "proposal", "proposal", "probation", "proposal", "probation", "end",
    ]  # fmt: skip
    assert [each["outcome"] for each in lenient.entries() if each["kind"] == "probation"] == [
        "kept",
        "kept",
    ]
    assert lenient.entries()[-1]["genome"]["architecture"]["layers"][0]["units"] == 10


def test_what_the_trial_leaves_open_is_said():
    notes = guarded(margin=1e6, updates=100)
    assert [each.get("outcome") for each in notes.entries()][-2] == "unsettled"
    assert not notes.of(events.RolledBack)


def test_its_play_is_charged_and_learning_goes_on_as_without_it(lenient):
    """The guard plays on streams of its own: it changes what is spent, never what is learned."""
    alone = schedule(*PLAN["schedule"]["plan"][::2])
    bare = live(editor=alone)
    spent = [each.spent for each in lenient.of(events.Updated)]

    assert lenient.tensors == bare.tensors
    assert "evaluation" not in spent[1]
    assert spent[2]["evaluation"] > 0
    assert {k: v for k, v in spent[-1].items() if k not in {"evaluation", "edits"}} == {
        k: v for k, v in bare.of(events.Updated)[-1].spent.items() if k != "edits"
    }


def test_every_step_of_a_measurement_is_charged(lenient):
    """The first measurement: so many steps, each a forward pass of the genome at the start."""
    trial = loop.begin(copy.deepcopy(SPEC), Notes())
    initial = Genome.from_json(lenient.of(events.TrialStarted)[0].genomes["agent"])
    one = cost.rollout_flops(initial, *trial.agent_runs["agent"].sizes(), 1)
    charged = lenient.of(events.Updated)[2].spent["evaluation"]

    assert charged % one == 0
    assert charged / one >= 4


def test_who_is_judged_by_a_probe_was_not_chosen_on_its_levels():
    """The same agent, as many episodes: only the levels differ, or the returns would be equal."""
    gate = {**SPEC["gate"], "two_gate": {"episodes": 32}}
    probes = {"held_out": {"episodes": 32, "every_updates": 1}}
    notes = Notes()
    trial = loop.begin(copy.deepcopy({**SPEC, "gate": gate, "probes": probes}), notes)
    loop._start(trial, "x", None)
    loop._probe(trial, last=False)
    probed = next(e for e in notes.of(events.Probed) if e.distribution == "in_distribution")

    first, again = (two_gate_step.held_out(trial, "agent") for _ in range(2))

    assert first == again, "every measurement plays the same levels with the same chance"
    assert first != pytest.approx(probed.values["reward"])


@dataclass
class Ear:
    """Notes what an editor receives."""

    received: list

    def receive(self, reply):
        self.received.append(reply)


def test_the_editor_is_informed():
    rule = {"margin": 1e6, "updates": 2, "episodes": 2}
    spec = copy.deepcopy({**SPEC, "editor": PLAN, "gate": {**SPEC["gate"], "two_gate": rule}})
    trial = loop.begin(spec, Notes())
    receiver = Ear([])
    trial.agent_runs["agent"].editor.receive = receiver.receive
    loop._start(trial, "x", None)
    while not trial.spent():
        loop._step(trial)

    done, refused, undone, *_ = receiver.received
    assert (done.applied, refused.applied, undone.applied) == (True, False, False)
    assert undone.reason.startswith("rolled back: two-gate: held-out return")
    assert undone.entry == done.entry
    assert undone.edit == done.edit


def test_growth_beyond_the_capacity_is_refused_before_it_is_made():
    notes = guarded(capacity=100)
    assert {each.applied for each in notes.of(events.Edited)} == {False}
    assert all("> capacity 100" in each.reason for each in notes.of(events.Edited))
    assert "evaluation" not in notes.of(events.Updated)[-1].spent


def test_the_lineage_holds_what_was_taken_back_on_a_branch(strict):
    (agent_run,) = lineages(strict.events)
    widened, _, deepened = strict.of(events.Edited)
    first, second = strict.of(events.RolledBack)
    by = {each.entry: each for each in agent_run.nodes}

    assert by[widened.entry].undone_by == first.entry
    assert by[deepened.entry].undone_by == second.entry
    assert by[second.entry].parent == first.entry
    assert agent_run.end.genome == strict.of(events.TrialStarted)[0].genomes["agent"]


def test_the_size_of_an_agent_is_the_one_it_has_after_a_rollback(strict, lenient):
    size = catalogue().load("metrics", "parameters")()
    initial = strict.of(events.Updated)[0].parameters

    assert size.compute(strict.events).value == initial
    assert size.compute(lenient.events).value > initial
