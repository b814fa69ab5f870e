"""Evolution of genomes: children inherit, mutate, and carry their step size with them."""

import math

import numpy as np
import pytest

from agents.contract import RefusedEditError, Reply
from agents.editors.evolution import Evolution
from agents.edits.copy_peer import CopyPeer
from agents.genome import EditorGene, Genome, LearningRule
from sandbox.catalogue import catalogue
from sandbox.record import events
from tests.agents.agent_states import a_view
from tests.agents.learners.test_population import agent_run

EDITS = {name: part.load() for name, part in catalogue().parts("edits").items()}
PARENT = Genome(
    learning_rule=LearningRule(learning_rate=0.01),
    editor=EditorGene.of("evolution", {"step": 0.5}),
)


def view(own=0.0, update=10, **peers):
    peers = peers or {"a": 1.0}
    return a_view(
        Genome(),
        update=update,
        returns=(own,) * update,
        peers={name: (each,) * update for name, each in peers.items()},
        peer_genomes=dict.fromkeys(peers, PARENT),
    )


def editor(seed=0, **settings):
    return Evolution(**settings).start(EDITS, np.random.default_rng(seed))


def test_a_child_inherits_the_parents_step_and_mutates_it_and_its_numbers():
    """``log(step'/step)`` is tau times normal, ``log(x'/x)`` is step' times normal: 500 draws."""
    live = editor(structural=0.0)
    children = [live.propose(view()).rewrite(Genome()) for _ in range(500)]
    steps = np.array([each.editor.settings["step"] for each in children])
    rates = np.array([each.learning_rule.learning_rate for each in children])
    moved = np.log(steps / 0.5) / 0.4
    unclamped = steps < 2.0

    assert abs(moved[unclamped].mean()) < 4 / math.sqrt(500)
    assert abs(moved.std() - 1) < 0.15
    scaled = np.log(rates / 0.01) / steps
    assert abs(scaled.mean()) < 4 / math.sqrt(500)
    assert abs(scaled.std() - 1) < 0.15


def test_the_best_and_the_middle_rest():
    assert editor().propose(view(2.0)) is None
    assert editor().propose(view(1.5, a=1.0, b=2.0)) is None
    assert editor().propose(view(0.0, update=9)) is None


def test_a_structural_child_is_copied_first_and_mutates_at_the_next_update():
    live = editor(structural=1.0)
    copy = live.propose(view())
    live.receive(Reply(copy, True, ""))

    assert isinstance(copy, CopyPeer)
    assert copy.numbers == ()
    assert live.state() == {"unborn": True}
    change = live.propose(view(update=11))
    assert type(change) in {EDITS[name] for name in ("widen", "deepen", "prune")}
    assert live.propose(view(update=12)) is None


def test_a_refused_copy_does_not_mutate():
    live = editor(structural=1.0)
    live.receive(Reply(live.propose(view()), False, "budget"))

    assert live.propose(view(update=11)) is None


def test_half_of_the_children_are_structural():
    """400 of them: 200, standard deviation 10."""
    live = editor()
    numbers = []
    for _ in range(400):
        edit = live.propose(view())
        numbers.append(bool(edit.numbers))
        live.receive(Reply(edit, False, ""))

    assert abs(sum(numbers) - 200) < 40


def test_it_may_be_edited_itself():
    live = editor()
    live.adopt(Evolution(step=1.0, tau=0.1))
    assert live.settings() == Evolution(step=1.0, tau=0.1)
    with pytest.raises(RefusedEditError, match="only every_updates, step and tau"):
        live.adopt(Evolution(structural=0.0))


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"every_updates": 1}, "every_updates is at least 2"),
        ({"share": 0.0}, "share is"),
        ({"structural": 1.5}, "structural is 0 to 1"),
        ({"step": 0.0}, "step is 0.001 to 2"),
        ({"tau": 3.0}, "tau is 0 to 2"),
        ({"numbers": ()}, "numbers names at least one"),
    ],
)
def test_settings_that_mean_nothing_are_named(settings, reason):
    with pytest.raises(ValueError, match=reason):
        Evolution(**settings)


def test_an_unknown_edit_is_named():
    with pytest.raises(ValueError, match="no edit is called 'grow'"):
        editor(edits=("grow",))


# --- in the laboratory -------------------------------------------------------------------------


def evolving(**changes):
    return agent_run(
        editor={"evolution": {"every_updates": 2}},
        settings={"members": 4, "total_steps": 3000},
        probes={"held_out": {"episodes": 2, "every_updates": 100}},
        **changes,
    )


@pytest.fixture(scope="module")
def notes():
    return evolving()


def test_a_trial_evolves_structure_numbers_and_steps_and_all_is_confirmed(notes):
    made = notes.of(events.Edited)

    assert {"copy_peer"} < {each.edit for each in made}
    assert all(each.audit == "confirmed" for each in made if each.applied)
    assert sum(each.applied for each in made) > len(made) / 2
    copies = [each for each in made if each.edit == "copy_peer" and each.applied]
    steps = [each.genome["editor"]["settings"]["step"] for each in copies]
    assert len({*steps}) == len(steps)
    assert len({each.parameters for each in made}) > 1


def test_steps_are_handed_down_through_the_genome(notes):
    """A child's step is its parent's of that moment, times the exponential of tau and a normal."""
    steps = dict.fromkeys(notes.of(events.TrialStarted)[0].agents, 0.2)
    for each in notes.of(events.Edited):
        if each.edit == "copy_peer" and each.applied:
            step = each.genome["editor"]["settings"]["step"]
            assert abs(math.log(step / steps[each.settings["peer"]])) < 0.4 * 4.5
            steps[each.agent] = step
    assert len({*steps.values()}) > 1


def test_the_same_spec_gives_the_same_bytes(notes):
    again = evolving()

    assert again.lines == notes.lines
    assert again.tensors == notes.tensors


def test_a_protected_editor_cannot_be_evolved():
    gate = {"max_parameters": None, "max_flops": None, "max_edits": None, "protect": ["editor"]}
    made = evolving(gate=gate).of(events.Edited)

    assert made
    assert {each.reason for each in made} == {"protected: the scenario protects 'editor'"}
