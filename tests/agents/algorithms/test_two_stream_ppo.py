"""Two streams: one ends with its episode, one goes on; with one of them it is PPO, to the bit."""

import copy
import json
from dataclasses import dataclass, replace

import numpy as np
import pytest

from agents.algorithms.two_stream_ppo import RewritableTwoStreams
from agents.architecture import checkpoint
from agents.architecture.cost import (
    forward_flops,
    parameters,
    rollout_flops,
    tower_flops,
    training_flops,
)
from agents.architecture.validity import genome_problems
from agents.contract import LiveObjective, Objective, RefusedEditError
from agents.genome import VALUED, Architecture, Genome, Layer, learning_rule
from agents.learners.ppo import PPO
from agents.learners.ppo_two_streams import PpoTwoStreams
from agents.surgery import weights as surgery
from sandbox.catalogue import catalogue
from sandbox.pictures.genome_network import heads
from tests.agents.agent_states import same
from tests.agents.small_worlds import CHOICES, EXTRINSIC, SIZE, Signpost, streams

SMALL = {"num_envs": 4, "steps_per_update": 8, "minibatch": 16, "epochs": 2}
BOTH = (("bell", 0.5), ("extrinsic", 1.0))


@dataclass(frozen=True)
class Bell(Objective):
    """Gives ``amount`` at every step, or what the observation's first number is without one."""

    amount: float | None = None
    unit, scope = "rings", "lifelong"

    def start(self, observation_size, actions, rng):
        return _Ringing(self.amount)


class _Ringing(LiveObjective):
    def __init__(self, amount):
        self.amount, self.alpha = amount, None

    def reward(self, batch):
        if self.amount is None:
            return batch.next_observation[:, 0].astype(np.float64)
        return np.full(len(batch.reward), self.amount)

    def update(self, rollout):
        pass

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass

    def share(self):
        return self.alpha


OBJECTIVES = {**EXTRINSIC, "bell": Bell()}


class Mixed(Signpost):
    """Half of the ends are deaths, half are cuts."""

    def step(self, actions):
        following, reward, _, over, info = super().step(actions)
        died = over & (np.arange(self.num_envs) % 2 == 0)
        return following, reward, died, over & ~died, info


def agent_run(learner, weights=BOTH, objectives=OBJECTIVES, seed=0):
    layers = (Layer("dense", 8), Layer("dense", 6))
    rule = learning_rule(learner.genome_rule())
    genome = Genome(Architecture(layers), rule, weights)
    return learner.build(Mixed(4, seed=seed), {"agent": genome}, objectives, streams(seed))


def two(weights=BOTH, objectives=OBJECTIVES, **settings):
    one = agent_run(PpoTwoStreams(**{**SMALL, **settings}), weights, objectives)
    return one, one.learners["agent"]


# --- one stream is PPO ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "weights", [(("extrinsic", 1.0),), (("bell", 0.0), ("extrinsic", 1.0))], ids=["alone", "c_i=0"]
)
def test_with_the_episodic_stream_alone_it_is_ppo_to_the_bit(weights):
    plain = agent_run(PPO(**SMALL), (("extrinsic", 1.0),))
    streamed, mine = two(weights)
    theirs = plain.learners["agent"]
    for _ in range(4):
        there, here = plain.update()["agent"], streamed.update()["agent"]
        for column in ("advantages", "returns", "values", "rewards"):
            assert np.array_equal(*(getattr(x.rollout_buffer, column) for x in (mine, theirs)))
        assert there.losses.items() <= here.losses.items()
    before, after = theirs.agent_state().parameters, mine.agent_state().parameters
    assert all(np.array_equal(before[name], after[name]) for name in before)
    mine_alone = [name for name in after if name not in before]
    assert {name.split(".")[0] for name in mine_alone} == {"intrinsic_value"}


def test_the_weights_are_the_coefficients_of_the_advantages():
    plain, live = {}, {}
    for c in (0.5, 2.0):
        population, learner = two((("bell", c), ("extrinsic", 3.0)))
        population.update()
        live[c] = learner.rollout_buffer
        assert learner.coefficients() == (3.0, c)
    for part in (("extrinsic",), ("bell",)):
        population, learner = two(tuple((name, 1.0) for name in part))
        population.update()
        plain[part[0]] = learner.rollout_buffer.advantages
    for c, buffer in live.items():
        found = 3 * plain["extrinsic"] + c * plain["bell"]
        assert np.allclose(buffer.advantages, found, atol=1e-5)
    for column in ("returns", "intrinsic_returns"):  # heads learn in the objectives' units
        assert np.array_equal(*(getattr(each, column) for each in live.values()))


# --- what goes on, and what ends -----------------------------------------------------------------


def by_hand(rewards, values, ahead, discount, trace):
    """``A_t = sum_k (discount trace)^k delta_{t+k}`` of each environment, nothing ends."""
    steps, n = rewards.shape
    found = np.zeros((steps, n))
    for i in range(n):
        line = [*values[:, i], ahead[i]]
        for t in range(steps):
            for k in range(t, steps):
                delta = rewards[k, i] + discount * line[k + 1] - line[k]
                found[t, i] += (discount * trace) ** (k - t) * delta
    return found


def test_the_second_stream_is_estimated_across_deaths_and_cuts():
    population, learner = two(intrinsic_discount=0.9, gae_lambda=0.8, steps_per_update=12)
    for _ in range(2):
        before = learner.agent_state()
        population.update()
    buffer, ahead = learner.rollout_buffer, population._observations
    _, judge = two()
    judge.install(before)  # the values before the update are those that were used
    seen = buffer.observations
    values = np.stack([judge._worth("intrinsic_value", each) for each in [*seen, ahead]])
    found = by_hand(buffer.intrinsic_rewards, values[:-1], values[-1], 0.9, 0.8)
    assert buffer.episode_starts[1:].any()
    assert np.allclose(buffer.intrinsic_returns, found + values[:-1], atol=1e-5)
    following = learner._diary.rollout().next_observation[:, :, 0]
    assert np.allclose(buffer.intrinsic_rewards, following)  # at an end, too: what was there


@pytest.mark.parametrize("discount", [0.5, 0.9])
def test_a_constant_reward_is_worth_a_geometric_series_though_every_step_is_a_death(discount):
    weights = (("bell", 2.0), ("extrinsic", 1.0))
    objectives = {**EXTRINSIC, "bell": Bell(1.0)}
    settings = {"intrinsic_discount": discount, "discount": discount, "steps_per_update": 200}
    _, learner = two(weights, objectives, num_envs=4, gae_lambda=1.0, **settings)
    agent_state = learner.agent_state()
    blank = {
        n: np.zeros_like(w) for n, w in agent_state.parameters.items() if n.endswith("head.weight")
    }
    learner.install(replace(agent_state, parameters={**agent_state.parameters, **blank}))
    learner.begin()
    here, always = np.ones((4, SIZE), np.float32), np.ones(4, bool)
    for _ in range(200):
        learner.act(here)
        learner.store(here, np.ones(4), always, ~always)
    learner._reward_rollout(learner._diary.rollout())
    learner._value_rollout(here)
    buffer = learner.rollout_buffer
    assert np.allclose(buffer.intrinsic_returns[0], 1 / (1 - discount), rtol=1e-5)
    left = 200 - np.arange(200)
    series = (1 - discount**left) / (1 - discount)  # the head is blank, so it ends with the rollout
    assert np.allclose(buffer.intrinsic_returns, series[:, None], rtol=1e-5)
    assert (buffer.returns == 1).all()  # reward 1 and dead


def test_its_value_grows_to_what_a_run_without_end_is_worth():
    objectives = {**EXTRINSIC, "bell": Bell(1.0)}
    settings = {"intrinsic_discount": 0.8, "discount": 0.8, "learning_rate": 0.02, "epochs": 8}
    population, learner = two(BOTH, objectives, **settings)
    for _ in range(25):
        population.update()
    seen = learner.recent_observations(32)
    assert learner._worth("intrinsic_value", seen).mean() == pytest.approx(5, abs=0.4)


def unpaid(learner):
    """Nothing in the episodic stream, but for what cut episodes would have been worth."""
    rollout = learner._diary.rollout()
    cut = rollout.ended & ~rollout.terminated
    return np.array_equal(learner.rollout_buffer.rewards != 0, cut)


def test_the_setting_says_what_ends():
    for episodic, streamed in ((("bell", "extrinsic"), 0), (("extrinsic",), 1), ((), 1)):
        population, learner = two(episodic=episodic)
        population.update()
        assert learner.coefficients()[streamed] >= 0.5
        assert learner.effective().learning_rule.episodic == episodic
    assert learner.coefficients() == (0.0, 1.5)
    assert unpaid(learner)


def test_shares_are_taken_and_errors_name_the_objective():
    population, learner = two()
    learner.live_objectives()["bell"].alpha = 1.0
    population.update()
    assert unpaid(learner)
    assert (learner.rollout_buffer.intrinsic_rewards != 0).any()
    learner.live_objectives()["bell"].alpha, learner.live_objectives()["bell"].amount = None, np.nan
    with pytest.raises(FloatingPointError, match="update 2: objective bell: non-finite reward nan"):
        population.update()


@pytest.mark.parametrize(("alpha", "left"), [(0.0, "extrinsic"), (1.0, "bell")])
def test_a_stream_without_a_say_is_as_if_not_there_to_the_bit(alpha, left):
    """A handover's two ends, as with one stream: nor does the silent head add its noise."""
    found = []
    for weights in (BOTH, tuple(each for each in BOTH if each[0] == left)):
        population, learner = two(weights)
        if "bell" in dict(weights):
            learner.live_objectives()["bell"].alpha = alpha
        for _ in range(3):
            population.update()
        found.append((learner.coefficients(), learner.agent_state().parameters))
    assert found[0][0] == found[1][0]
    (_, one), (_, other) = found
    assert all(np.array_equal(one[name], other[name]) for name in one)


# --- the learner ---------------------------------------------------------------------------------


def test_three_towers_are_counted():
    population, learner = two()
    report = population.update()["agent"]
    genome, sizes = learner.effective(), (SIZE, CHOICES)
    assert genome == learner.genome
    towers = [tower_flops(genome, each, *sizes) for each in ("policy", "value", "intrinsic_value")]
    assert towers[1] == towers[2]
    assert heads("ppo_two_streams") == genome.towers()  # as they are drawn
    assert forward_flops(genome, *sizes) == sum(towers)
    once = rollout_flops(genome, *sizes, 32)
    assert report.flops == once + training_flops(genome, *sizes, 32) == once * (1 + 3 * 2)
    alone, _ = two((("extrinsic", 1.0),))
    assert alone.update()["agent"].flops == (towers[0] + towers[1]) * 32 * (1 + 3 * 2)
    weights = learner.agent_state().parameters.values()
    assert parameters(genome, *sizes) == sum(each.size for each in weights)


def test_it_learns_what_a_genome_is_made_of_and_refuses_what_it_is_not():
    rule = PpoTwoStreams(intrinsic_discount=0.5, episodic=["extrinsic", "bell"])
    genome = Genome(learning_rule=learning_rule(rule.genome_rule()))
    assert Genome.from_json(json.loads(json.dumps(genome.to_json()))) == genome
    assert json.loads(json.dumps(genome.to_json())) == genome.to_json()
    assert genome_problems(genome) == ()
    assert genome.learning_rule.episodic == ("extrinsic", "bell")
    for wrong, message in (
        ({"intrinsic_discount": 1.5}, "intrinsic_discount must be a number in"),
        ({"episodic": ("bell", "bell")}, "episodic names bell twice"),
        ({"episodic": "bell"}, "episodic must name objectives"),
        ({"learning_rate": 0}, "learning_rate must be"),
    ):
        with pytest.raises(ValueError, match=message):
            PpoTwoStreams(**wrong)
    with pytest.raises(ValueError, match="episodic names no objective of this agent: bel"):
        two(episodic=("extrinsic", "bel"))


def test_other_agent_states_are_refused():
    plain = agent_run(PPO(**SMALL)).learners["agent"]
    _, learner = two()
    with pytest.raises(ValueError, match="learns by LearningRule, this agent by TwoStreamRule"):
        learner.install(plain.agent_state())
    with pytest.raises(ValueError, match="learns by TwoStreamRule, this agent by LearningRule"):
        plain.install(learner.agent_state())


def test_what_it_values_is_no_number_of_its_rule():
    edits = {name: part.load() for name, part in catalogue().parts("edits").items()}
    _, learner = two()
    agent_state = learner.agent_state()
    again = edits["set_discount"](value=0.5).apply(agent_state, np.random.default_rng(0))
    learner.install(again)
    assert (learner.gamma, learner.effective().learning_rule.intrinsic_discount) == (0.5, 0.99)
    for name in VALUED:
        edit = edits["set_rule"](numbers=((name, 0.5),))
        with pytest.raises(RefusedEditError, match="says what the agent values"):
            edit.rewrite(agent_state.genome)


@pytest.mark.parametrize("weights", [BOTH, (("extrinsic", 1.0),)], ids=["both", "at rest"])
def test_it_goes_on_from_a_snapshot_to_the_bit_also_after_growing(weights):
    one, learner = two(weights)
    for _ in range(2):
        one.update()
    learner.install(surgery.grow_units(learner.agent_state(), 0, 3, np.random.default_rng(1)))
    one.update()
    data, arrays = one.snapshot()
    fresh, _ = two(weights)
    arrays = checkpoint.unpack(checkpoint.pack(arrays))
    fresh.resume(copy.deepcopy(one._env), json.loads(json.dumps(data)), arrays)
    other = fresh.learners["agent"]
    looks = [each.look() for each in (learner, other)]
    slopes = [look.gradients() for look in looks]
    assert all(np.array_equal(slopes[0][name], slopes[1][name]) for name in slopes[0])
    silent = not any(each.any() for n, each in slopes[0].items() if n.startswith("intrinsic"))
    assert silent == (weights != BOTH)
    for _ in range(3):
        assert one.update() == fresh.update()
    assert same(learner.agent_state(), other.agent_state())
    assert isinstance(learner, RewritableTwoStreams)
