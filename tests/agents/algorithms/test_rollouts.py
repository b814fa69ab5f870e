"""What a rollout becomes: advantages by hand, ends distinguished, rewards mixed before them."""

import copy
from dataclasses import replace

import numpy as np
import pytest

from agents.behaviour import drawn
from agents.contract import AgentState
from tests.agents.small_worlds import (
    CHOICES,
    EXTRINSIC,
    SIZE,
    SMALL,
    Flat,
    Signpost,
    learner,
    linear,
    solo,
)

RULE = {"discount": 0.9, "gae_lambda": 0.8}
HERE, THERE = np.eye(SIZE, dtype=np.float32)[:2]
NO, YES = np.array([False]), np.array([True])


def valued(steps, here=2.0, there=5.0, **settings):
    """A learner of one environment whose values are ``here`` and ``there`` in the two states."""
    live = learner(linear(**RULE), steps=steps, num_envs=1, **settings)
    agent_state = live.agent_state()
    weights = np.zeros((1, SIZE), np.float32)
    weights[0, :2] = here, there
    live.install(
        AgentState(agent_state.genome, {**agent_state.parameters, "value.head.weight": weights}, {})
    )
    return live


def live_through(live, steps):
    """``steps``: (observation, where it led, reward, terminated, truncated); returns advantages."""
    live.begin()
    for seen, following, reward, terminated, truncated in steps:
        live.act(seen[None])
        live.store(following[None], np.array([reward]), terminated, truncated)
    report = live.finish(HERE[None])
    return live.rollout_buffer.advantages[:, 0], report


def test_advantages_by_hand():
    live = valued(3)
    advantages, _ = live_through(
        live, [(HERE, THERE, 1.0, NO, NO), (THERE, HERE, 0.0, NO, NO), (HERE, HERE, 3.0, NO, NO)]
    )
    deltas = [1 + 0.9 * 5 - 2, 0 + 0.9 * 2 - 5, 3 + 0.9 * 2 - 2]
    last = deltas[2]
    middle = deltas[1] + 0.72 * last
    assert advantages.tolist() == pytest.approx([deltas[0] + 0.72 * middle, middle, last])
    returns = live.rollout_buffer.returns[:, 0]
    assert returns.tolist() == pytest.approx((advantages + np.array([2, 5, 2])).tolist())


def test_a_cut_episode_is_worth_what_it_was_cut_at_a_death_nothing():
    cut, _ = live_through(valued(2), [(HERE, THERE, 1, NO, YES), (HERE, HERE, 0, NO, NO)])
    death, _ = live_through(valued(2), [(HERE, THERE, 1, YES, NO), (HERE, HERE, 0, NO, NO)])
    both, _ = live_through(valued(2), [(HERE, THERE, 1, YES, YES), (HERE, HERE, 0, NO, NO)])
    assert cut[0] == pytest.approx(1 + 0.9 * 5 - 2)
    assert death[0] == both[0] == pytest.approx(1 - 2)
    assert cut[1] == death[1]  # and nothing leaks from the next episode


def test_an_end_on_the_last_step_of_the_rollout():
    cut, _ = live_through(valued(2), [(HERE, HERE, 0, NO, NO), (HERE, THERE, 1, NO, YES)])
    death, _ = live_through(valued(2), [(HERE, HERE, 0, NO, NO), (HERE, THERE, 1, YES, NO)])
    assert cut[1] == pytest.approx(1 + 0.9 * 5 - 2)
    assert death[1] == pytest.approx(1 - 2)


def test_the_final_observation_of_a_vector_env_is_the_one_valued():
    env = Signpost(num_envs=8, horizon=4)
    population = solo(linear(), steps=8, env=env, objectives={**EXTRINSIC, "flat": Flat()})
    population.update()
    batches = population.learners["agent"].live_objectives()["flat"].batches
    assert batches == []  # an objective the genome does not name rests
    genome = replace(linear(), objective=(("extrinsic", 1.0), ("flat", 0.0)))
    population = solo(genome, steps=8, env=Signpost(8, 4), objectives={**EXTRINSIC, "flat": Flat()})
    population.update()
    live_objective = population.learners["agent"].live_objectives()["flat"]
    for before, after in zip(live_objective.batches, live_objective.batches[1:], strict=False):
        goes_on = np.array_equal(before.next_observation, after.observation)
        assert goes_on != before.ended.any()
    assert np.array_equal(
        live_objective.learned[0], [each.next_observation for each in live_objective.batches]
    )


def test_objectives_are_mixed_step_by_step_before_the_advantage():
    def advantages(genome, reward):
        objectives = {**EXTRINSIC, "flat": Flat(reward)}
        live = valued(3, objectives=objectives)
        live.install(replace(live.agent_state(), genome=genome))
        path = [(HERE, THERE, 1.0, NO, NO), (THERE, HERE, 0.0, NO, NO), (HERE, HERE, 3.0, NO, NO)]
        return live_through(live, path)

    one = replace(linear(**RULE), objective=(("extrinsic", 1.0),))
    two = replace(linear(**RULE), objective=(("extrinsic", 0.5), ("flat", -2.0)))
    plain, _ = advantages(one, 0.25)
    mixed, report = advantages(two, 0.25)
    # rewards change by -r/2 - 1/2: 1, 0, 3 -> 0, -.5, 1; the change is discounted along the path
    change = np.array([-1.0, -0.5, -2.0])
    carried = [change[0] + 0.72 * (change[1] + 0.72 * change[2]), change[1] + 0.72 * change[2]]
    assert (mixed - plain).tolist() == pytest.approx([*carried, change[2]], abs=1e-5)
    assert dict(report.rewards) == pytest.approx({"extrinsic": 2 / 3, "flat": -0.5})


@pytest.mark.parametrize("reported", [YES, NO])  # an agent may also vanish without a word
def test_an_absent_agent_learns_nothing_and_starts_anew(reported):
    live = valued(3)
    live.begin()
    gone = np.array([True]), NO, np.array([True])
    for reward, terminated, present in zip((1.0, 9.0, 1.0), (reported, NO, NO), gone, strict=True):
        live.act(HERE[None], present)
        live.store(THERE[None], np.array([reward]), terminated, NO)
    report = live.finish(HERE[None])
    assert report.steps == 2
    advantages = live.rollout_buffer.advantages[:, 0]
    assert advantages[0] == pytest.approx(1 - 2)
    assert advantages[2] == pytest.approx(1 + 0.9 * 2 - 2)
    batch = next(iter(live.rollout_buffer.get()))
    assert sorted(batch.advantages.tolist()) == sorted(advantages[[0, 2]].tolist())
    assert live.recent_observations(9).tolist() == [HERE.tolist(), HERE.tolist()]


def test_an_agent_absent_throughout_reports_nothing():
    live = valued(2)
    before = live.agent_state().parameters["value.head.weight"]
    live.begin()
    for _ in range(2):
        live.act(HERE[None], NO)
        live.store(HERE[None], np.ones(1), NO, NO)
    report = live.finish(HERE[None])
    assert (report.steps, report.flops, report.episodes, report.mean_return) == (0, 0, 0, None)
    assert np.array_equal(before, live.agent_state().parameters["value.head.weight"])


def test_the_report_counts_episodes_by_the_environments_reward():
    genome = replace(SMALL, objective=(("extrinsic", 3.0), ("flat", 1.0)))
    population = solo(
        genome, steps=10, env=Signpost(8, 5), objectives={**EXTRINSIC, "flat": Flat()}
    )
    report = population.update()["agent"]
    assert (report.steps, report.episodes) == (80, 16)
    assert 0 <= report.mean_return <= 5
    reward = report.mean_return * 16 / 80
    assert dict(report.rewards) == pytest.approx({"extrinsic": 3 * reward, "flat": 1.0})
    alone = solo(SMALL, steps=10, env=Signpost(8, 5)).update()["agent"]
    assert report.flops == alone.flops + 7 * 80


def test_actions_are_drawn_from_the_policy():
    live = learner(num_envs=4000, steps=1)
    seen = np.tile(np.float32([0.3, -0.2, 0.9, 0.1]), (4000, 1))
    live.begin()
    counts = np.bincount(live.act(seen), minlength=CHOICES) / 4000
    logits = live.logits(seen)[0].astype(float)
    wanted = np.exp(logits) / np.exp(logits).sum()
    assert np.abs(counts - wanted).max() < 0.03
    assert live.rollout_buffer.log_probs[0, 0] in np.float32(np.log(wanted))


def test_unit_scores_and_dormancy_follow_redo():
    live = learner(linear())
    assert live.view() == {"dormancy": (), "unit_scores": (), "gradient_norm": 0.0}
    population = solo()
    live = population.learners["agent"]
    assert live.view()["dormancy"] == (0.0, 0.0, 0.0)  # nothing was seen yet
    agent_state = live.agent_state()
    weights = dict(agent_state.parameters)
    for name in ("policy.0.weight", "policy.0.bias"):
        weights[name] = weights[name].copy()
        weights[name][:2] = 0
    live.install(replace(agent_state, parameters=weights))
    live.policy.optimizer.param_groups[0]["lr"] = live.lr_schedule(1)
    live.begin()
    rng = np.random.default_rng(0)
    never = np.zeros(8, bool)
    for _ in range(8):
        live.act(rng.uniform(-1, 1, (8, SIZE)).astype(np.float32))
        live.store(np.zeros((8, SIZE), np.float32), np.zeros(8), never, never)
    live._recent = live.rollout_buffer.observations.reshape(-1, SIZE)
    view = live.view()
    assert view["dormancy"][0] == 0.25
    assert [len(each) for each in view["unit_scores"]] == [8, 5, 6]
    assert all(each.mean() == pytest.approx(1) for each in view["unit_scores"])


def test_recent_observations_are_of_the_last_rollout():
    population = solo(steps=8, num_envs=8)
    live = population.learners["agent"]
    assert live.recent_observations(5).shape == (0, SIZE)
    population.update()
    seen = live.rollout_buffer.observations.reshape(-1, SIZE)
    assert np.array_equal(live.recent_observations(1000), seen)
    assert live.recent_observations(5).shape == (5, SIZE)
    assert live.recent_observations(5).dtype == np.float32


def test_a_rollout_draws_what_its_steps_would_draw_one_by_one():
    live = learner(steps=4)
    stream, seen = copy.deepcopy(live._action_stream), np.ones((8, SIZE), np.float32)
    never = np.zeros(8, bool)
    live.begin()
    for _ in range(4):
        wanted = drawn(live.logits(seen), stream.random((8, 1)))[0]
        assert np.array_equal(live.act(seen), wanted)
        live.store(seen, np.zeros(8), never, never)
    assert live._action_stream.bit_generator.state == stream.bit_generator.state


def test_objectives_are_asked_for_all_steps_in_order_when_the_last_is_made():
    genome = replace(SMALL, objective=(("flat", 1.0),))
    live = learner(genome, steps=3, objectives={**EXTRINSIC, "flat": Flat()})
    asked, never = live.live_objectives()["flat"].batches, np.zeros(8, bool)
    live.begin()
    for t in range(3):
        live.act(np.zeros((8, SIZE), np.float32))
        live.store(np.zeros((8, SIZE), np.float32), np.full(8, float(t)), never, never)
        assert not asked
    live.finish(np.zeros((8, SIZE), np.float32))
    assert [each.reward[0] for each in asked] == [0, 1, 2]
