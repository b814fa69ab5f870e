"""The handover's scenario, and its limits as whole trials: recorded, probed, gated."""

from pathlib import Path

import pytest

from sandbox.record import events
from sandbox.scenario import load
from tests.sandbox.trial.test_loop import live

SCENARIO = Path(__file__).parents[3] / "scenarios" / "handover.yaml"
CARE = {"caregiver": {"intensity": 1.0, "says": "approval", "end": 0.5}}
RUN = {
    "env": {"id": "sandbox/Nursery-v0", "kwargs": {}},
    "learner": {
        "ppo": {"num_envs": 16, "total_steps": 16 * 10 * 6, "steps_per_update": 10}
    },
    "probes": {"held_out": {"episodes": 8, "every_updates": 3}},
    "controls": CARE,
}  # fmt: skip
DRIVE = {"weight": 0.5, "memory": "episodic"}


def reported(notes):
    """What a trial says of its agent's learning and doings, but for what the objectives report."""
    updated = [
        {k: v for k, v in each.losses.items() if " " not in k} for each in notes.of(events.Updated)
    ]
    return updated, [each.values for each in notes.of(events.Probed)]


@pytest.mark.parametrize(
    ("handover", "alone"), [("never", "count"), ("always", "learned_value")]
)  # fmt: skip
def test_all_or_nothing_of_the_say_is_the_trial_of_the_pure_agent(handover, alone):
    """S5: the same losses in every update and the same actions in every probe, to the bit."""
    parts = {"count": DRIVE, "learned_value": {"weight": 2.0, "handover": handover}}
    mixed = live(**RUN, objective=parts)
    pure = live(**RUN, objective={alone: {**parts[alone], **_without(alone)}})
    summed = live(**RUN, objective={**parts, "learned_value": {"weight": 2.0}})

    assert reported(mixed) == reported(pure)
    assert reported(mixed) != reported(summed)


def test_a_trial_says_how_the_handover_stands():
    """Alpha, and how well the caregiver was foretold, are numbers of every update."""
    parts = {
        "count": DRIVE,
        "learned_value": {"weight": 1.0, "handover": "fidelity", "least_fidelity": 0.0},
    }
    notes = live(**RUN, objective=parts)
    alphas = [each.losses["learned_value alpha"] for each in notes.of(events.Updated)]

    assert alphas == sorted(alphas)
    assert set(alphas) == {0.0, 1.0}
    assert notes.of(events.Updated)[-1].losses["learned_value lessons"] > 0


def test_the_scenario_compares_agents_that_differ_in_what_they_want():
    found = load.load(SCENARIO)
    first, *others = found.arms

    assert first == "never"
    assert {"fidelity", "entropy", "isr", "genome", "alone", "shown", "paid"} < set(others)
    doses = {}
    for each in found.claims:
        doses.setdefault(each["role"], []).append(each["dose"])
    assert doses["claim"] == ["fidelity", "fidelity"]
    assert (doses["positive_control"], doses["negative_control"]) == (["paid"], ["alone"])
    assert len(found.seeds) == 20


def _without(alone):
    return {} if alone == "count" else {"handover": "none"}
