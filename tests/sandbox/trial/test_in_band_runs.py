"""In-band editing in whole trials: asked for and charged in the world, done and recorded later."""

import json
from itertools import pairwise

import pytest

import sandbox as laboratory
from sandbox.catalogue import catalogue
from sandbox.record import events
from sandbox.record.store import read_run
from tests.sandbox.trial.test_loop import SPEC, Notes, live

EDITS = ["widen", "reset_dormant", "set_learning_rate", "identity"]
PRICE = 0.02
SCENARIO = """\
schema: 1
question: Do agents ask for fewer rewrites where a request costs more?
envs: [sandbox/CoinGrid-v0, CartPole-v1]
agent:
  learner: {ppo: {num_envs: 8, steps_per_update: 16, minibatch: 64, total_steps: 1024}}
  architecture: {trunk: [8]}
  editor: {in_band: {edits: [widen, identity], rule: keep_all}}
controls: {rewrite_actions: {actions: 2, noop: 0}}
levers: {rewrite_actions: [0.01, 0.5]}
seeds: 1
metrics: [capability]
probes: {held_out: {episodes: 8}}
"""


def offered(**changes):
    made = catalogue().load("controls", "rewrite_actions")(
        intensity=PRICE, actions=len(EDITS), **changes
    )
    return {"rewrite_actions": json.loads(json.dumps(vars(made)))}


@pytest.fixture(scope="module")
def asking() -> Notes:
    editor = {"in_band": {"edits": EDITS, "rule": "keep_all", "cool_down": 1}}
    return live(editor=editor, controls=offered(), objective={"extrinsic": {"weight": 1.0}})


def test_what_was_asked_for_is_done_at_the_boundary_and_in_the_ledger(asking):
    proposals = [entry for entry in asking.entries() if entry["kind"] == "proposal"]
    assert len(proposals) >= 3
    assert {entry["proposer"]["name"] for entry in proposals} == {"in_band"}
    assert {entry["edit"] for entry in proposals} <= set(EDITS)
    assert any(entry["applied"] for entry in proposals)
    updates = [entry["update"] for entry in proposals]
    assert all(later - former >= 2 for former, later in pairwise(updates))


def test_the_meter_saw_the_reward_given_and_the_lever_that_the_dose_arrived(asking):
    read = asking.of(events.Controlled)
    assert len(read) == 8
    for each in read:
        assert each.measured["actions_added"] == len(EDITS)
        assert each.measured["reward_change"] == pytest.approx(
            PRICE * each.measured["rewards_changed"]
        )
        assert each.measured["rewards_changed"] > 0
    lever = catalogue().load("levers", "rewrite_actions")()
    assert lever.manipulation_check(asking.events, PRICE) is True
    assert lever.manipulation_check(asking.events, PRICE / 2) is False


def test_the_agent_gets_less_reward_than_the_world_says(asking):
    """Training return, with the price in it, against the world's own sums in the ground truth."""
    free = live(
        editor={"fixed": {}},
        controls=offered(start=0.999),  # the same spaces, the same draws, no price
        objective={"extrinsic": {"weight": 1.0}},
    )
    first, also = (notes.of(events.Updated)[0] for notes in (asking, free))

    assert first.truth == also.truth  # before anything was learned both ran the same
    rewards = asking.of(events.Controlled)[0].measured["rewards_changed"] * 16 * 16 * PRICE
    assert first.episodes == also.episodes > 0
    assert 0 < (also.mean_return - first.mean_return) * first.episodes <= rewards + 1e-9


def test_at_price_0_an_agent_has_the_worlds_actions_and_no_editor_listens():
    still = live(
        editor={"in_band": {"edits": EDITS}},
        controls={"rewrite_actions": {**offered()["rewrite_actions"], "intensity": 0.0}},
    )
    assert [entry["kind"] for entry in still.entries()] == ["start", "end"]
    assert all(each.measured["rewards_changed"] == 0 for each in still.of(events.Controlled))


def test_the_same_spec_gives_the_same_run(asking):
    editor = {"in_band": {"edits": EDITS, "rule": "keep_all", "cool_down": 1}}
    again = live(editor=editor, controls=offered(), objective={"extrinsic": {"weight": 1.0}})
    assert again.tensors == asking.tensors
    assert again.lines == asking.lines


def test_a_table_learns_what_asking_costs():
    """It is informed that the request was carried out: the price is not the noop's."""
    learner = {"tabular": {"total_steps": 4096, "num_envs": 16, "steps_per_update": 32}}
    spec = {"learner": learner, "architecture": {**SPEC["architecture"], "layers": []}}
    notes = live(**spec, editor={"in_band": {"edits": ["identity"] * 4}}, controls=offered())
    assert len(notes.of(events.Edited)) >= 3


def test_a_third_party_env_is_evaluated_without_the_added_actions():
    notes = live(
        env={"id": "CartPole-v1", "kwargs": {}},
        editor={"in_band": {"edits": ["widen"] * 4}},
        controls=offered(),
        objective={"extrinsic": {"weight": 1.0}},
    )
    assert len(notes.of(events.Probed)) == 3
    assert notes.of(events.TrialStarted)[0].anchors["in_distribution"]["random"]["reward"] > 5


@pytest.mark.slow
def test_a_run_of_two_prices_on_our_world_and_a_third_party_env(tmp_path):
    (tmp_path / "asking.yaml").write_text(SCENARIO)
    done = laboratory.run(tmp_path / "asking.yaml", out=tmp_path / "out", workers=1)

    assert not done.failed
    for trial in read_run(done.folder).trials:
        assert any(isinstance(each, events.Edited) and each.applied for each in trial.events)
        lever = catalogue().load("levers", "rewrite_actions")()
        dose = trial.spec["condition"]["rewrite_actions"]
        assert lever.manipulation_check(trial.events, dose) is True
