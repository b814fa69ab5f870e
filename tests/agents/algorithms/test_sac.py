"""SAC: one gradient step is SB3's, the temperature is in the agent state, actions fill the box."""

import warnings
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
import stable_baselines3
import torch
from scipy import stats
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.type_aliases import ReplayBufferSamples

from agents.algorithms.sac import TEMPERATURE, tune_temperature
from agents.architecture import checkpoint
from agents.architecture.validity import state_problems
from agents.genome import Layer
from agents.learners.sac import SAC
from agents.objectives.extrinsic import Extrinsic
from agents.objectives.icm import Icm
from agents.objectives.rnd import Rnd
from tests.agents.learning_kinds import DIMENSIONS, Pointer, a_genome, after_updates, population
from tests.agents.small_worlds import SIZE, Signpost

TUNED = TEMPERATURE


class _Nowhere(gym.Env):
    observation_space = gym.spaces.Box(-9, 9, (SIZE,), np.float32)
    action_space = gym.spaces.Box(-1, 1, (DIMENSIONS,), np.float32)


def _stock(rule):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = stable_baselines3.SAC(
            "MlpPolicy",
            _Nowhere(),
            learning_rate=rule.learning_rate,
            gamma=rule.discount,
            tau=rule.target_rate,
            ent_coef=rule.temperature or "auto",
            policy_kwargs={
                "net_arch": [9, 7],
                "activation_fn": torch.nn.Tanh,
                "optimizer_kwargs": {"eps": 1e-5},
            },
            device="cpu",
        )
    model.set_logger(Logger(None, []))
    return model


def _pairs(stock, mine):
    """Their parameters with ours; their policy's two heads are the two halves of ours."""
    found = []
    for i in range(2):
        for theirs, target in ((stock.critic, ""), (stock.critic_target, "target_")):
            tower = mine.networks.tower(f"{target}q{i}")
            found += zip(theirs.q_networks[i].parameters(), tower.parameters(), strict=True)
    tower = mine.networks.tower("policy")
    ours = [each for name, each in tower.named_parameters() if not name.startswith("head")]
    found += zip(stock.actor.latent_pi.parameters(), ours, strict=True)
    for k, head in enumerate((stock.actor.mu, stock.actor.log_std)):
        part = slice(k * DIMENSIONS, (k + 1) * DIMENSIONS)
        found += [(head.weight, tower.get_parameter("head.weight")[part])]
        found += [(head.bias, tower.get_parameter("head.bias")[part])]
    return found


@pytest.mark.parametrize("fixed", [0.0, 0.3])
def test_a_gradient_step_is_sb3s_on_the_same_batch_weights_and_noise(monkeypatch, fixed):
    layers = Layer("dense", 9), Layer("dense", 7)
    _, mine = after_updates("sac", 2, a_genome("sac", *layers, temperature=fixed))
    stock = _stock(mine.genome.learning_rule)
    with torch.no_grad():
        for theirs, ours in _pairs(stock, mine):
            theirs.copy_(ours)
    mine.optimizer.state.clear()
    mine._tuned().zero_()
    chance = np.random.default_rng(5)
    noise = []
    monkeypatch.setattr(
        torch.distributions.Normal, "rsample", lambda self, *_: self.loc + self.scale * noise.pop(0)
    )
    for _ in range(5):
        minibatch = mine._minibatch(mine.replay.sample(32, 1, chance))
        drawn = mine._noise(32, chance)
        monkeypatch.setattr(mine, "_noise", lambda *_, drawn=drawn: drawn)
        noise += [*drawn]
        batch = ReplayBufferSamples(
            minibatch.inputs,
            minibatch.actions,
            minibatch.following,
            minibatch.terminated[:, None],
            minibatch.rewards[:, None],
        )
        monkeypatch.setattr(stock.replay_buffer, "sample", lambda *a, batch=batch, **k: batch)
        mine._gradient_step(minibatch)
        stock.train(gradient_steps=1, batch_size=32)
        for theirs, ours in _pairs(stock, mine):
            assert torch.allclose(theirs, ours, atol=1e-6)
        if not fixed:
            assert float(mine._tuned()[0]) == pytest.approx(
                float(stock.log_ent_coef.detach()), abs=1e-6
            )
    assert not fixed or not mine._tuned().any()


# --- the temperature -----------------------------------------------------------------------------


def test_the_temperature_is_a_part_of_the_agent_state():
    _, learner = after_updates("sac", 4)
    agent_state = learner.agent_state()
    assert agent_state.buffers[TUNED].shape == (4,)
    assert agent_state.buffers[TUNED][3] == 9  # three updates of three steps; the first was warm-up
    again = checkpoint.from_bytes(*checkpoint.to_bytes(agent_state))
    assert np.array_equal(again.buffers[TUNED], agent_state.buffers[TUNED])
    assert learner.temperature() == pytest.approx(np.exp(agent_state.buffers[TUNED][0]))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (np.zeros(3, np.float32), "has shape 3"),
        (np.array([0, 0, -1, 0], np.float32), "negative"),
        (np.array([np.nan, 0, 0, 0], np.float32), "non-finite"),
    ],
)
def test_a_wrong_temperature_is_refused(wrong, message):
    _, learner = after_updates("sac", 2)
    agent_state = learner.agent_state()
    broken = replace(agent_state, buffers={TUNED: wrong})
    assert any(message in each for each in state_problems(broken, SIZE, DIMENSIONS))
    with pytest.raises(ValueError, match=message):
        learner.install(broken)


def test_only_sac_has_a_temperature():
    _, learner = after_updates("dqn", 1)
    buffers = {TUNED: np.zeros(4, np.float32)}
    with pytest.raises(ValueError, match="unknown buffer"):
        learner.install(replace(learner.agent_state(), buffers=buffers))


def test_the_temperature_rises_where_the_policy_is_too_sure_and_falls_where_it_is_not():
    for log_probability, way in ((5.0, 1), (-5.0, -1)):
        kept = torch.zeros(4)
        tune_temperature(kept, torch.tensor(log_probability), -2.0, 0.01)
        assert float(kept[0]) == pytest.approx(way * 0.01, rel=1e-5)  # Adam's first step


# --- actions -------------------------------------------------------------------------------------


def test_log_densities_are_those_of_a_squashed_gaussian():
    _, learner = after_updates("sac", 2)
    seen = torch.from_numpy(learner.recent_observations(7))
    noise = learner._noise(7, np.random.default_rng(0))[0]
    with torch.no_grad():
        actions, log_p = learner._act(seen, noise)
    mean, log_deviation = np.split(learner.logits(seen.numpy()).astype(float), 2, axis=1)
    raw = np.arctanh(actions.numpy().astype(float))
    density = stats.norm.logpdf(raw, mean, np.exp(log_deviation)) - np.log(1 - np.tanh(raw) ** 2)
    assert log_p.numpy() == pytest.approx(density.sum(1), abs=1e-3)


def test_actions_fill_the_box_and_stay_within_it():
    _, learner = after_updates("sac", 3)
    edges = learner._outward(np.array([[-1, -1], [0, 0], [1, 1]], np.float32))
    assert edges.tolist() == [[-2, 0], [0, 0.5], [2, 1]]
    drawn = learner.sample(np.zeros((500, SIZE), np.float32), np.random.default_rng(0))
    assert drawn.dtype == np.float32
    assert all(map(learner._box.contains, drawn))


def test_kl_is_that_of_the_gaussians():
    _, learner = after_updates("sac", 0)
    rng = np.random.default_rng(0)
    before, after = rng.normal(size=(2, 6, 2 * DIMENSIONS))
    assert learner.divergence(before, before) == pytest.approx(np.zeros(6))
    (m0, s0), (m1, s1) = (np.split(each, 2, axis=1) for each in (before, after))
    drawn = m0[0] + np.exp(s0[0]) * rng.standard_normal((400_000, DIMENSIONS))
    logs = [stats.norm.logpdf(drawn, m[0], np.exp(s[0])).sum(1) for m, s in ((m0, s0), (m1, s1))]
    assert learner.divergence(before, after)[0] == pytest.approx(
        (logs[0] - logs[1]).mean(), rel=0.02
    )


def test_it_learns():
    more = {"num_envs": 8, "memory": 20_000, "minibatch": 64, "gradient_steps": 10, "warmup": 64}
    genome = a_genome("sac", discount=0.5, minibatch=64, gradient_steps=10)
    one = population("sac", genome, env=Pointer(8), **more)
    returns = [one.update()["agent"].rewards["extrinsic"] for _ in range(60)]
    assert np.mean(returns[:2]) < -0.3
    assert np.mean(returns[-10:]) > 0.3  # the best is 5/6: half of the second targets are below 0


@pytest.mark.parametrize(
    ("env", "message"),
    [
        (Signpost(4), "needs actions in a Box of floats"),
        (None, "needs actions between bounds"),
    ],
)
def test_other_actions_are_refused_in_one_line(env, message):
    if env is None:
        env = Pointer()
        env.single_action_space = gym.spaces.Box(-np.inf, 1, (2,), np.float32)
    with pytest.raises(ValueError, match=message):
        population("sac", env=env)


def test_discrete_learners_name_sac():
    with pytest.raises(ValueError, match="or use learner 'sac'"):
        population("dqn", env=Pointer())


def test_objectives_that_distinguish_actions_are_refused_and_others_work():
    genome = replace(a_genome("sac"), objective=(("extrinsic", 1.0), ("icm", 1.0)))
    with pytest.raises(ValueError, match="icm distinguish actions"):
        population("sac", genome, objectives={"extrinsic": Extrinsic(), "icm": Icm()})
    genome = replace(a_genome("sac"), objective=(("extrinsic", 1.0), ("rnd", 1.0)))
    curious = {"extrinsic": Extrinsic(), "rnd": Rnd(hidden=8, latent=4)}
    one, _ = after_updates("sac", 3, genome, objectives=curious)
    assert set(one.update()["agent"].rewards) == {"extrinsic", "rnd"}


@pytest.mark.parametrize("name", ["clip_range", "gae_lambda", "epochs", "value_coefficient"])
def test_numbers_of_ppo_alone_rest(name):
    with pytest.raises(ValueError, match=f"sac has no use for {name}"):
        SAC(**{name: 3})
