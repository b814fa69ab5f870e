"""Real trials on a budget: one account, cut and raised during the run; worlds that age with it."""

import math

import pytest

from sandbox.catalogue import catalogue
from sandbox.record.events import Controlled, Edited, TrialFinished, Updated
from sandbox.trial import loop
from sandbox.trial.rehearsal import NullRecorder


class Ears(NullRecorder):
    """Keeps what is reported."""

    def __init__(self):
        self.events = []

    def event(self, event):
        self.events.append(event)


def spec(gate=None, **changes):
    learner = {"num_envs": 8, "steps_per_update": 16, "total_steps": 1280}
    return {
        "env": {"id": "sandbox/CoinGrid-v0", "kwargs": {"size": 5}},
        "learner": {"ppo": learner},
        "architecture": {"layers": [{"kind": "dense", "units": 8}], "activation": "tanh"},
        "objective": {"extrinsic": {"weight": 1.0}},
        "editor": {"fixed": {}},
        "gate": gate or {},
        "controls": {},
        "probes": {},
        "seed": 0,
        "salt": 0,
        "condition": {},
        **changes,
    }


def events_of(trial):
    ears = Ears()
    loop.run_trial(trial, "t", ears)
    return ears.events


def of(events, kind):
    return [each for each in events if isinstance(each, kind)]


@pytest.fixture(scope="module")
def plain():
    """Ten updates, all of them alike in price."""
    return events_of(spec())


@pytest.fixture(scope="module")
def whole(plain):
    return of(plain, TrialFinished)[0].flops


ENDLESS = {"ppo": {"num_envs": 8, "steps_per_update": 16, "total_steps": 10**9}}


def test_without_anything_else_all_compute_is_learning(plain, whole):
    updates = of(plain, Updated)

    assert [each.spent for each in updates] == [{"learning": each.flops} for each in updates]
    assert updates[-1].flops == whole
    assert all(each.flops_left is None for each in updates)


def test_a_trial_runs_by_flops_alone(whole):
    updates = of(events_of(spec({"max_flops": whole}, learner=ENDLESS)), Updated)

    assert len(updates) == 10
    assert [each.flops + each.flops_left for each in updates] == pytest.approx([whole] * 10)


@pytest.mark.parametrize(("factor", "updates"), [(0.2, 6), (1.0, 10), (2.0, 15), (0.0, 5)])
def test_a_shock_comes_when_half_is_spent_and_the_lever_reads_it_back(whole, factor, updates):
    lever = catalogue().load("levers", "compute_shock")()
    shocked = lever.apply(spec({"max_flops": whole}, learner=ENDLESS), factor)
    events = events_of(shocked)

    assert len(of(events, Updated)) == updates
    assert lever.manipulation_check(events, factor) is True
    assert lever.manipulation_check(events, 0.5) is False


def test_an_agent_that_is_not_shocked_runs_the_same_until_then(whole, plain):
    gate = {"max_flops": whole, "budget_shocks": [{"at": 0.5, "factor": 2.0}]}
    shocked = of(events_of(spec(gate, learner=ENDLESS)), Updated)

    for mine, theirs in zip(shocked[:10], of(plain, Updated), strict=True):
        assert mine.losses == theirs.losses


def test_upkeep_and_steps_are_charged_beside_learning(whole):
    events = events_of(spec({"upkeep": 7.0, "step_flops": 3.0}))
    last = of(events, Updated)[-1]
    lever = catalogue().load("levers", "upkeep")()

    assert last.spent == {
        "learning": whole,
        "upkeep": 7.0 * 10 * last.parameters,
        "environment": 3.0 * 1280,
    }
    assert last.flops == math.fsum(last.spent.values())
    assert lever.manipulation_check(events, 7.0) is True


def test_objectives_and_edits_have_accounts_of_their_own(whole):
    plan = [{"update": 2, "edit": "widen", "layer": 0, "units": 4}]
    changes = {
        "objective": {"extrinsic": {"weight": 1.0}, "rnd": {"weight": 0.1}},
        "editor": {"schedule": {"plan": plan}},
    }
    events = events_of(spec(**changes))
    last = of(events, Updated)[-1]

    assert [each.applied for each in of(events, Edited)] == [True]
    assert set(last.spent) == {"learning", "objectives", "edits"}
    assert last.spent["learning"] > whole  # it is larger from the third update on
    assert last.flops == pytest.approx(math.fsum(last.spent.values()))


def test_a_world_ages_with_the_budget_that_binds(whole):
    """A shift at half of the steps comes at half of the FLOPs where these end the trial."""
    shift = {"intensity": 1.0, "start": 0.5, "to": "shifted"}
    trial = spec({"max_flops": whole}, learner=ENDLESS, controls={"shift": shift})
    strengths = [each.effective_intensity for each in of(events_of(trial), Controlled)]
    by_steps = [
        each.effective_intensity
        for each in of(events_of(spec(controls={"shift": shift})), Controlled)
    ]

    assert strengths == by_steps == [0.0] * 5 + [1.0] * 5
