"""Learned values in live agents: the probe beside edits of every kind."""

import copy

import numpy as np
import pytest

import envs
from agents.edits.reset_values import ResetValues
from sandbox.catalogue import catalogue
from sandbox.measuring.reward_distances import epic_by_action
from sandbox.measuring.value_tables import asked, questions
from sandbox.record.events import Edited, Measured
from sandbox.trial import loop
from tests.sandbox.trial.test_loop import SPEC, Notes, schedule

GONE = 4  # updates after which the caregiver has left, of 8
UPDATES = 8
NURSERY = {
    **SPEC,
    "env": {"id": "sandbox/Nursery-v0", "kwargs": {}},
    "learner": {
        "ppo": {"num_envs": 16, "total_steps": 640 * UPDATES, "steps_per_update": 40}
        | {"minibatch": 320, "epochs": 1}
    },
    "objective": {
        "count": {"weight": 1.0, "memory": "episodic"},
        "learned_value": {"weight": 1.0, "handover": "none"},
    },
    "gate": {**SPEC["gate"], "first_updates_without_edits": GONE, "allow_objective": True},
    "controls": {"caregiver": {"intensity": 1, "end": 0.45, "says": "approval"}},
    "probes": {"values": {"baseline_update": GONE, "pursuit_every": UPDATES}},
}


def notes_of(*plan, **changes):
    notes = Notes()
    spec = {**copy.deepcopy(NURSERY), "editor": schedule(*plan), **changes}
    loop.run_trial(spec, "x", notes)
    return notes


def compute(name, notes):
    return catalogue().load("metrics", name)().compute(notes.events)


def moved(notes, moment, name="step"):
    found = [each for each in notes.of(Measured) if each.moment == moment and each.update > GONE]
    return [each.values[name] for each in found]


PRESERVING = (
    {"update": 5, "edit": "widen", "layer": 0, "units": 4},
    {"update": 6, "edit": "deepen"},
    {"update": 7, "edit": "copy_values", "error": 0.0},
)


def test_policy_rewrites_and_faithful_copies_move_no_value_to_the_bit():
    notes = notes_of(*PRESERVING)
    edits = notes.of(Edited)
    proposals = [each for each in notes.entries() if each["kind"] == "proposal"]

    assert [each.edit for each in edits] == ["widen", "deepen", "copy_values"]
    assert all(each.applied for each in edits), [each.reason for each in edits]
    assert max(each["behaviour"]["mean_kl"] for each in proposals) < 1e-10
    assert proposals[2]["behaviour"]["max_logit_change"] == 0
    assert moved(notes, "after edit") == [0.0] * 3
    assert set(moved(notes, "update", "net")) == {0.0}, "and without a caregiver nothing is learned"
    assert compute("value_drift_step", notes).value == compute("value_drift_net", notes).value == 0
    assert compute("value_path_ratio", notes).value is None
    assert compute("value_half_life", notes).value == 1
    assert compute("value_fidelity", notes).value > 0.5, "it had learned something"


def test_an_unfaithful_copy_is_charged_to_the_edit_and_a_reset_forgets():
    notes = notes_of(
        {"update": 5, "edit": "copy_values", "error": 0.1},
        {"update": 7, "edit": "reset_values"},
    )
    copied, forgot = moved(notes, "after edit")
    last = notes.of(Measured)[-1].values

    assert moved(notes, "before edit") == [0.0, 0.0]
    assert 0 < copied < 0.5 < forgot
    assert compute("value_drift_step", notes).value == pytest.approx((copied + forgot) / 2)
    assert last["fidelity"] < 0.6
    assert last["regret"] > 0.5
    assert 0 < compute("value_path_ratio", notes).value <= 1


def test_before_any_feedback_a_belief_is_at_no_distance_from_anything():
    first, *later = notes_of().of(Measured)

    assert first.update == 0
    measured = dict(first.values)
    assert 0 <= measured.pop("pursuit") < 0.1
    assert measured.pop("pursuit_of_belief") == 0.0, (
        "no agent pursues what is worth the same everywhere"
    )
    assert measured == {"regret": 1.0}, "all is worth nothing, so whatever is done is chance"
    assert "pursuit" in later[-1].values
    assert "pursuit" not in later[-2].values
    assert "step" not in later[0].values
    assert "step" in later[1].values
    assert [each.values.get("net") for each in later[: GONE - 1]] == [None] * (GONE - 1)
    assert later[GONE - 1].values["net"] == 0.0


def test_pursuit_is_measured_at_the_end_however_rarely_else():
    """It was left at update 0, and reported as that of the trained agent."""
    rarely = {"values": {"baseline_update": 0, "pursuit_every": 10 * UPDATES}}
    notes = notes_of(probes=rarely)
    first, *between, last = [each for each in notes.of(Measured) if each.moment == "update"]

    assert "pursuit" in first.values
    assert not any("pursuit" in each.values for each in between)
    assert compute("value_pursuit", notes).value == last.values["pursuit"]


def test_watching_changes_nothing_in_the_agents_run():
    plan = {"update": 5, "edit": "copy_values", "error": 0.1}
    watched, alone = notes_of(plan), notes_of(plan, probes={})

    assert watched.tensors == alone.tensors


def test_forgetting_leaves_epic_at_chance():
    """rho of a fresh belief with the old one is 0 on average: EPIC is sqrt(1/2)."""
    spec = {**copy.deepcopy(NURSERY), "probes": {}}
    trial = loop.begin(spec, Notes())
    for _ in range(GONE):
        trial.population.update()
    learner = trial.agent_runs["agent"].learner
    known, live_objective = asked(trial.place, 4096), learner.live_objectives()["learned_value"]
    before, was = learner.agent_state(), known.answered(live_objective)

    found = []
    for seed in range(60):
        learner.install(ResetValues().apply(before, np.random.default_rng(seed)))
        found.append(epic_by_action(known.answered(live_objective), was, 0.9).value)

    error = np.std(found, ddof=1) / np.sqrt(len(found))
    assert abs(np.mean(found) - 0.5**0.5) < 4 * error
    assert error < 0.02


@pytest.mark.parametrize("rooms", [2, 4])
def test_a_sample_of_a_large_world_shows_where_reward_is(rooms):
    """Chance alone never gets behind its doors, and then no belief differs from another."""
    world = envs.make_world("key_door_rooms", rooms=rooms, horizon=15 * rooms)
    found = questions(world, 300)

    assert found.lasting is None, "it is too large to be asked about whole"
    assert len(found.truth) == 300
    assert len(np.unique(found.truth)) > 1
