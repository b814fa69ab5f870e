"""The shipped scenarios of plasticity and growth, shortened: every dose arrives, in its own arm."""

import json
from functools import cache

import pytest

from sandbox.record import events
from sandbox.scenario import trials
from sandbox.scenario.load import load
from sandbox.scenario.source import locate
from sandbox.trial import loop
from tests.sandbox.trial.test_loop import Notes

SHORT = {
    "plasticity": (
        "agent.learner.supervised.total_steps=2048",  # two tasks
        "agent.learner.supervised.epochs=3",
        "agent.architecture.trunk=[16,16]",
        "envs.0.kwargs.inputs=32",
        "probes.held_out.episodes=2",
    ),
    "growth": (
        "agent.learner.ppo.total_steps=4096",
        "agent.learner.ppo.epochs=1",
        "agent.learner.ppo.minibatch=256",
        "probes.held_out.episodes=2",
    ),
}
OTHERS = {"compute": 1, "placebo": 0}  # levers of these scenarios that are no arm
ARMS = ["base", "continual_backprop", "redo", "pull_to_birth", "layer_norm"]


@cache
def agent_runs(name):
    """Arm -> (its condition, all that was recorded of it), one seed."""
    scenario = load(locate(name), overrides=SHORT[name], seeds=1)
    found = {}
    for trial in trials.expand(scenario):
        notes, spec = Notes(), trial.spec
        if any(spec["condition"][name] != dose for name, dose in OTHERS.items()):
            continue
        if name == "growth":  # grow after the second update already
            spec = json.loads(json.dumps(spec).replace('"update": 20', '"update": 2'))
        loop.run_trial(spec, trial.id, notes)
        condition = {k: dose for k, dose in spec["condition"].items() if k not in OTHERS}
        turned = [k for k, dose in condition.items() if dose] or ["base"]
        found[condition.get("arm", turned[0])] = condition, notes
    return found


def test_every_dose_against_loss_of_plasticity_arrives():
    assert list(agent_runs("plasticity")) == ARMS
    for condition, notes in agent_runs("plasticity").values():
        for name, dose in condition.items():
            check = trials.lever(name).manipulation_check(notes.events, dose)
            assert check is True or (name == "redo" and dose == 0 and check is None)


@pytest.mark.parametrize("arm", ARMS)
def test_tasks_end_together_and_are_learned_in_every_arm(arm):
    _, notes = agent_runs("plasticity")[arm]
    updates = notes.of(events.Updated)
    assert [each.episodes for each in updates] == [0, 0, 0, 64] * 2
    assert all(0 <= each.losses["accuracy"] <= 1 for each in updates)
    assert updates[3].losses["accuracy"] > updates[0].losses["accuracy"]
    assert updates[0].losses.keys() >= {"loss", "gradient_norm", "dormant_share"}


def test_arms_of_plasticity_are_runs_of_their_own():
    ends = {
        name: notes.entries()[-1]["weights"]
        for name, (_, notes) in agent_runs("plasticity").items()
    }
    resets = [
        each for each in agent_runs("plasticity")["redo"][1].of(events.Edited) if each.applied
    ]
    assert len({v for k, v in ends.items() if k != "redo"}) == 4
    assert (ends["redo"] != ends["base"]) == bool(resets)


def test_all_ways_to_grow_start_from_one_run_and_keep_what_they_claim():
    arms = {name: notes for name, (_, notes) in agent_runs("growth").items()}
    assert list(arms) == ["none", "zero_outgoing", "net2net", "naive"]
    assert arms["none"].of(events.Edited) == []
    grown = {k: v.of(events.Edited) for k, v in arms.items() if k != "none"}
    assert {k: v[0].edit for k, v in grown.items()} == {
        "zero_outgoing": "widen",
        "net2net": "widen_net2net",
        "naive": "widen_naive",
    }
    for (only,) in grown.values():
        assert (only.update, only.applied, only.audit) == (2, True, "confirmed")
        assert only.genome["architecture"]["layers"] == [{"kind": "dense", "units": 64}]
    proposals = {k: arms[k].entries()[1] for k in grown}
    assert len({each["weights_before"] for each in proposals.values()}) == 1
    assert proposals["zero_outgoing"]["behaviour"]["max_logit_change"] < 1e-5
    assert proposals["net2net"]["behaviour"]["max_logit_change"] < 1e-5
    assert proposals["naive"]["behaviour"]["max_logit_change"] > 1e-4
