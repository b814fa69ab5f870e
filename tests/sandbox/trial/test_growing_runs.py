"""Growing, plastic and learned editors in whole trials, on what a real learner lets them see."""

import pytest

from sandbox.record import events
from tests.sandbox.trial.test_loop import live

RUN = {
    "env": {"id": "sandbox/CoinGrid-v0", "kwargs": {"size": 5}},
    "learner": {
        "ppo": {"num_envs": 8, "total_steps": 8 * 8 * 24, "steps_per_update": 8, "minibatch": 64}
    },
    "objective": {"extrinsic": {"weight": 1.0}},
    "probes": {},
}
GATE = {"max_parameters": None, "max_edits": None, "protect": []}


def proposals(notes):
    return [entry for entry in notes.entries() if entry["kind"] == "proposal"]


def test_it_grows_by_what_the_last_rollout_shows():
    growing = {"window": 4, "least_score": 0.0, "react": False}
    made = proposals(live(**RUN, editor={"growing": growing}))

    assert len(made) >= 2
    assert {entry["edit"] for entry in made} <= {"widen", "deepen"}
    assert {entry["audit"] for entry in made} == {"confirmed"}


def test_it_grows_while_there_is_compute_and_shrinks_towards_its_end():
    free = live(**RUN, editor={"fixed": {}}).of(events.TrialFinished)[0].flops
    growing = {"window": 4, "least_score": 0.0, "grow_above": 0.6, "shrink_below": 0.4}
    notes = live(
        **RUN, editor={"growing": growing | {"react": False}}, gate=GATE | {"max_flops": free}
    )
    done = [(entry["edit"] in {"widen", "deepen"}, entry["edit"]) for entry in proposals(notes)]

    assert done[0][0]
    assert done[-1] == (False, "prune")
    assert done == sorted(done, reverse=True, key=lambda each: each[0])  # first all growth


def test_a_plastic_agent_keeps_its_genome_to_the_end():
    plastic = {"every_updates": 3, "rest": 1, "dormancy": 0.0}
    lazy = {"layers": [{"kind": "dense", "units": 32}], "activation": "relu"}
    notes = live(**RUN, architecture=lazy, editor={"plastic": plastic})
    first, *_, end = notes.entries()

    assert {entry["edit"] for entry in proposals(notes)} == {"reset_dormant"}
    assert first["genome"] == end["genome"]


@pytest.mark.parametrize("editor", ["policy_network", "growing"])
def test_what_an_editor_thinks_is_charged(editor):
    """Its agent spends more than one that only learns, in the same number of updates."""
    settings = {"policy_network": {"edits": []}, "growing": {"least_score": 1e3, "window": 4}}
    thinking = live(**RUN, editor={editor: settings[editor]})
    resting = live(**RUN, editor={"fixed": {}})

    assert proposals(thinking) == []
    assert thinking.tensors == resting.tensors
    one, other = (notes.of(events.TrialFinished)[0] for notes in (thinking, resting))
    assert one.flops > other.flops
    assert one.steps == other.steps
