"""DQN: one gradient step is SB3's, memory is what was experienced, targets follow."""

import warnings
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
import stable_baselines3
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.type_aliases import ReplayBufferSamples

from agents.algorithms.buffers import Replay, StoredSteps
from agents.genome import Layer
from agents.learners.dqn import DQN
from tests.agents.learning_kinds import a_genome, after_updates, population
from tests.agents.small_worlds import CHOICES, SIZE, Signpost


class _Nowhere(gym.Env):
    observation_space = gym.spaces.Box(-9, 9, (SIZE,), np.float32)
    action_space = gym.spaces.Discrete(CHOICES)


def _stock(rule):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = stable_baselines3.DQN(
            "MlpPolicy",
            _Nowhere(),
            learning_rate=rule.learning_rate,
            gamma=rule.discount,
            max_grad_norm=rule.max_grad_norm,
            policy_kwargs={
                "net_arch": [9, 7],
                "activation_fn": torch.nn.Tanh,
                "optimizer_kwargs": {"eps": 1e-5},
            },
            device="cpu",
        )
    model.set_logger(Logger(None, []))
    return model


def test_a_gradient_step_is_sb3s_on_the_same_batch_and_weights(monkeypatch):
    genome = a_genome("dqn", Layer("dense", 9), Layer("dense", 7), target_every=1000)
    _, mine = after_updates("dqn", 6, genome)
    stock = _stock(replace(genome.learning_rule, max_grad_norm=10.0))
    pairs = []
    for theirs, tower in ((stock.q_net, "q"), (stock.q_net_target, "target_q")):
        pairs += zip(theirs.parameters(), mine.networks.tower(tower).parameters(), strict=True)
    with torch.no_grad():
        for theirs, ours in pairs:
            theirs.copy_(ours)
    mine.optimizer.state.clear()
    for _ in range(4):
        drawn = mine.replay.sample(32, 1, np.random.default_rng(3))
        minibatch = mine._minibatch(drawn)
        batch = ReplayBufferSamples(
            minibatch.inputs,
            minibatch.actions[:, None],
            minibatch.following,
            minibatch.terminated[:, None],
            minibatch.rewards[:, None],
        )
        monkeypatch.setattr(stock.replay_buffer, "sample", lambda *a, batch=batch, **k: batch)
        with mine._learning():
            mine._gradient_step(minibatch)
        stock.train(gradient_steps=1, batch_size=32)
        for theirs, ours in pairs:
            assert torch.allclose(theirs, ours, atol=1e-6)


@pytest.mark.parametrize(("every", "rate"), [(1, 1.0), (3, 0.7), (2, 0.1)])
def test_the_target_moves_every_so_many_updates_by_its_rate(every, rate):
    one, learner = after_updates("dqn", 2, a_genome("dqn", target_every=every, target_rate=rate))
    for _ in range(6):
        before = learner.agent_state().parameters
        one.update()
        after = learner.agent_state().parameters
        moves = rate if learner.updates % every == 0 else 0.0
        for name in (each for each in after if each.startswith("target_")):
            wanted = (1 - moves) * before[name] + moves * after[name.removeprefix("target_")]
            assert np.allclose(after[name], wanted, atol=1e-6)


def test_targets_and_frozen_parts_are_not_trained():
    _, learner = after_updates("dqn")
    assert all(not each.startswith("target_") for each in learner.agent_state().moments)


def test_a_cut_episode_goes_on_a_death_is_worth_nothing():
    genome = a_genome("dqn", discount=0.5, learning_rate=1e-9)
    _, learner = after_updates("dqn", 0, genome)
    seen, after = np.zeros((4, SIZE), np.float32), np.ones((4, SIZE), np.float32)
    learner.begin()
    learner.act(seen)
    ends = np.array([True, False, False, True]), np.array([False, True, False, True])
    learner.store(after, np.array([1.0, 1, 1, 1]), *ends)
    learner._remember(learner._diary.rollout())
    kept = learner.replay.newest(1, 4, 1)
    assert kept.terminated.tolist() == [1, 0, 0, 1]  # where both are set, death wins
    minibatch = learner._minibatch(kept)
    best = float(learner.logits(after)[0].max())
    taken = learner.logits(seen)[0][kept.actions]
    wanted = 1 + 0.5 * best * (1 - kept.terminated)
    gap = np.abs(wanted - taken)
    huber = np.where(gap < 1, gap**2 / 2, gap - 0.5).mean()
    assert learner._loss(minibatch)[1][0].item() == pytest.approx(huber, rel=1e-5)


def test_exploration_falls_linearly_in_updates_and_probes_see_its_end():
    genome = a_genome("dqn", exploration=0.1, exploration_start=0.9, exploration_updates=4)
    one, learner = after_updates("dqn", 0, genome)
    found = []
    for _ in range(6):
        found.append(learner.exploration())
        one.update()
    assert found == pytest.approx([0.9, 0.7, 0.5, 0.3, 0.1, 0.1])
    assert learner.effective().learning_rule.exploration == 0.1
    seen = np.tile(learner.recent_observations(1), (20_000, 1))
    best = learner.logits(seen[:1]).argmax()
    share = float((learner.sample(seen, np.random.default_rng(0)) == best).mean())
    assert share == pytest.approx(0.9 + 0.1 / CHOICES, abs=0.01)


def test_new_weights_of_objectives_hold_for_the_whole_memory():
    _, learner = after_updates("dqn", 3)
    drawn = learner.replay.newest(8, 32, 1)
    before = learner._minibatch(drawn).rewards
    genome = replace(learner.genome, objective=(("extrinsic", -2.0),))
    learner.install(replace(learner.agent_state(), genome=genome))
    assert torch.equal(learner._minibatch(drawn).rewards, -2.0 * before)


def test_nothing_is_learned_before_the_warm_up_nor_charged():
    one, learner = after_updates("dqn", 0)
    before = learner.agent_state().parameters
    report = one.update()["agent"]  # 32 of 40 steps
    assert report.losses == {}
    after = learner.agent_state().parameters
    assert all(np.array_equal(after[name], before[name]) for name in before)
    assert one.update()["agent"].flops > report.flops


def test_it_learns():
    more = {"num_envs": 16, "memory": 10_000, "minibatch": 64, "gradient_steps": 10}
    genome = a_genome("dqn", exploration_updates=20, discount=0.5, minibatch=64, gradient_steps=10)
    one = population("dqn", genome, env=Signpost(16), **more)
    returns = [one.update()["agent"].mean_return for _ in range(60)]
    assert np.mean(returns[:5]) < 2.4  # chance: 5/3
    assert np.mean(returns[-10:]) > 3.5


@pytest.mark.parametrize("name", ["clip_range", "gae_lambda", "epochs", "target_kl"])
def test_numbers_of_ppo_alone_rest(name):
    with pytest.raises(ValueError, match=f"dqn has no use for {name}"):
        DQN(**{name: 3})


def test_a_memory_that_never_warms_up_is_refused():
    with pytest.raises(ValueError, match="warmup must not exceed memory"):
        DQN(memory=10, warmup=11)


# --- memory --------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.lists(st.booleans(), min_size=2, max_size=2), min_size=1, max_size=20),
    st.integers(1, 7),
    st.integers(1, 4),
)
def test_a_history_is_what_was_seen_since_the_episode_began(starts, rows, history):
    replay, lines = Replay(rows, 2, 1, 1), []
    for t in range(len(starts)):
        seen = np.array([[10.0 * t + 1], [10.0 * t + 2]], np.float32)
        lines.append(seen)
    shape, seen = (len(starts), 2), np.array(lines)
    rest = np.zeros((*shape, 1)), np.zeros(shape, bool), np.array(starts)
    steps = StoredSteps(seen, np.zeros(shape, int), seen + 5, *rest)
    for first in range(0, len(starts), rows):  # a rollout has no more steps than there are rows
        part = slice(first, first + rows)
        replay.add(StoredSteps(**{name: each[part] for name, each in vars(steps).items()}))
    kept = range(max(0, len(starts) - rows), len(starts))
    for t in kept:
        for copy in range(2):
            got = replay.steps(np.array([t % rows]), np.array([copy]), history)
            wanted, back = [lines[t][copy, 0]], t
            while len(wanted) < history:
                known = back > kept[0] and not starts[back][copy]
                back -= 1
                wanted.append(lines[back][copy, 0] if known and back >= 0 else 0.0)
                if not known:
                    wanted += [0.0] * (history - len(wanted))
            assert got.inputs[0].tolist() == wanted
            assert got.following[0].tolist() == [lines[t][copy, 0] + 5, *wanted][:history]


def test_the_newest_steps_are_the_last_written():
    replay = Replay(5, 2, 1, 1)
    for t in (0, 4):  # the second time over the end of the memory
        seen = np.repeat(np.arange(t, t + 4, dtype=np.float32), 2).reshape(4, 2, 1)
        rest = np.zeros((4, 2, 1)), np.zeros((4, 2), bool), np.ones((4, 2), bool)
        replay.add(StoredSteps(seen, np.zeros((4, 2), int), seen, *rest))
    assert replay.newest(3, 100, 1).inputs[:, 0].tolist() == [5, 5, 6, 6, 7, 7]
    assert len(replay) == 10
