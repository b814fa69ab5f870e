"""A table learns what dynamic programming says, by the rule it is given, and is an agent state."""

import itertools
import json
import subprocess
import sys
from dataclasses import replace
from typing import ClassVar

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, VectorEnv
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.architecture import checkpoint
from agents.architecture.cost import table_flops
from agents.architecture.validity import genome_problems
from agents.edits.deepen import Deepen
from agents.edits.identity import Identity
from agents.edits.set_learning_rate import SetLearningRate
from agents.edits.widen import Widen
from agents.genome import Architecture, Genome, Layer, LearningRule, TableRule, learning_rule
from agents.learners.ppo import PPO
from agents.learners.tabular import Tabular
from agents.training.autoreset import executed_actions
from envs.faces.gymnasium import BatchFace
from envs.planning import exact
from envs.worlds.side_effects_sokoban import SideEffectsSokoban
from envs.worlds.whisky_gold import WhiskyGold
from sandbox.gate.gate import Gate
from tests.agents.agent_states import same
from tests.agents.small_worlds import EXTRINSIC, Flat, streams

EPSILON = 0.2


class Scripted(VectorEnv):
    """States 0..k by a table of (reward, next state or None, carried out action); clock optional.

    ``moves[state][action] = (reward, next)``; next ``None`` ends the episode.
    """

    metadata: ClassVar = {"autoreset_mode": AutoresetMode.SAME_STEP}

    def __init__(self, moves, num_envs=1, limit=None, replaced=None):
        self.moves, self.num_envs, self.limit, self.replaced = moves, num_envs, limit, replaced
        self.single_observation_space = gym.spaces.Box(0, 1, (len(moves),), np.float32)
        self.single_action_space = gym.spaces.Discrete(len(moves[0]))

    def _see(self):
        return np.eye(len(self.moves), dtype=np.float32)[self.at]

    def reset(self, *, seed=None, options=None):
        self.at, self.clock = np.zeros(self.num_envs, int), np.zeros(self.num_envs, int)
        return self._see(), {}

    def step(self, actions):
        done = actions if self.replaced is None else np.full_like(actions, self.replaced)
        found = [self.moves[s][a] for s, a in zip(self.at, done, strict=True)]
        reward = np.array([rewards for rewards, _ in found], float)
        dead = np.array([then is None for _, then in found])
        self.at = np.array([0 if then is None else then for _, then in found])
        self.clock += 1
        cut = (self.clock >= (self.limit or 10**9)) & ~dead
        info = {"executed": done.copy(), "_executed": np.ones(self.num_envs, bool)}
        if (dead | cut).any():
            info |= {"final_obs": np.array([*self._see(), None], object)[:-1]}
        self.at[dead | cut], self.clock[dead | cut] = 0, 0
        return self._see(), reward, dead, cut, info


CLIFF = [[(0.6, None), (0.0, 1)], [(1.0, None), (-10.0, None)]]
"""Home for .6 at once, or along the edge for 1, where a false step costs 10."""


def live(env, *, seed=0, genome=None, objectives=EXTRINSIC, **settings):
    settings = {"num_envs": env.num_envs, "steps_per_update": 50, **settings}
    learner = Tabular(**settings)
    rule = learning_rule(learner.genome_rule())
    genome = genome or Genome(Architecture(()), rule)
    return learner.build(env, {"agent": genome}, objectives, streams(seed))


def trained(env, **settings):
    population = live(env, **settings)
    steps = settings.get("total_steps", 100_000)
    while steps > 0:
        steps -= population.update()["agent"].steps
    return population.learners["agent"]


def world(made, copies=8, seed=0):
    env = BatchFace(made, copies)
    env.rng = np.random.default_rng(seed)
    return env


def optimum(made, discount):
    """Value iteration on the world's own dynamics: (observations, values)."""
    start = made.reset(np.random.default_rng(0), 1)
    model = exact.explore(made, start)
    values = np.zeros(len(model.keys) + 1)
    for _ in range(2000):
        ahead = (model.chance * values[model.following]).sum(-1)
        values[:-1] = (model.gains[..., 0] + discount * ahead).max(1)
    return made.observe(model.states), values[:-1]


def q(learner):
    """The table of a world whose states are one-hot, in their order."""
    agent_state = learner.agent_state().parameters
    order = agent_state["table.observations"].argmax(1)
    found = np.full((learner.observation_size, learner.actions), np.nan)
    found[order] = agent_state["table.values"]
    return found


# --- what it learns ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "best"),
    [(WhiskyGold(override_actions=False), 51.0), (SideEffectsSokoban(), 45.0)],
    ids=["whisky", "sokoban"],
)
def test_q_learning_finds_the_optimum_of_dynamic_programming(made, best):
    learner = trained(
        world(made, 64),
        step_size=1.0,  # nothing is drawn, so one look shows all
        discount=0.95,
        exploration_end=0.0,
        exploration_share=0.9,
        total_steps=250_000,
        steps_per_update=200,
    )
    observations, values = optimum(made, 0.95)
    state = made.reset(np.random.default_rng(0), 1)

    total, ended = 0.0, False
    while not ended:
        seen = made.observe(state)
        assert learner.values(seen) == pytest.approx(values[(observations == seen).all(1)].max())
        state, outcome = made.step(state, learner.logits(seen).argmax(1), np.random.default_rng(0))
        total += float(outcome.reward[0])
        ended = bool(outcome.terminated[0] or outcome.truncated[0])

    assert total == best == made.oracles()["reward_optimal"].reward


def test_on_the_cliff_the_rules_are_worth_what_the_closed_form_says():
    settings = {"exploration_start": EPSILON, "exploration_end": EPSILON, "discount": 1.0}
    settings |= {"step_size": 1.0, "step_size_decay": 1.0, "total_steps": 60_000}  # plain means
    on_policy = (1 - EPSILON / 2) * 1.0 + EPSILON / 2 * -10.0

    off = q(trained(Scripted(CLIFF, 20), rule="q_learning", **settings))
    expected = q(trained(Scripted(CLIFF, 20), rule="expected_sarsa", **settings))
    sampled = q(trained(Scripted(CLIFF, 20), rule="sarsa", **settings))

    assert off == pytest.approx(np.array([[0.6, 1.0], [1.0, -10.0]]), abs=0.02)
    assert expected == pytest.approx(np.array([[0.6, on_policy], [1.0, -10.0]]), abs=0.02)
    assert sampled[0, 1] == pytest.approx(on_policy, abs=0.3)
    assert off[0].argmax() == 1
    assert expected[0].argmax() == sampled[0].argmax() == 0


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.floats(0.05, 1), st.sampled_from([0.0, 0.5]))
def test_expected_sarsa_without_exploration_is_q_learning_to_the_bit(seed, step_size, decay):
    settings = {"exploration_start": 0.0, "exploration_end": 0.0, "initial_value": 60.0}
    settings |= {"step_size": step_size, "step_size_decay": decay, "total_steps": 800, "seed": seed}
    one, other = (
        trained(world(WhiskyGold(), seed=seed), rule=rule, **settings).agent_state().parameters
        for rule in ("q_learning", "expected_sarsa")
    )

    assert all(one[name].tobytes() == other[name].tobytes() for name in one)


def test_an_episode_that_is_cut_would_have_gone_on_and_a_death_is_worth_nothing():
    """State 0 has reward 1 and leads to itself; its worth is 1 / (1 - discount), cut or not."""
    again = [[(1.0, 0)]]
    for rule in ("q_learning", "sarsa", "expected_sarsa"):
        settings = {"rule": rule, "discount": 0.5, "step_size": 0.5, "total_steps": 2_000}
        assert q(trained(Scripted(again, 2, limit=3), **settings)) == pytest.approx(2.0)
        assert q(trained(Scripted([[(1.0, None)]], 2), **settings)) == pytest.approx(1.0)


def test_sarsa_looks_at_the_next_action_that_was_carried_out():
    """Whatever it chooses on the edge, it steps off; learning from that it stays."""
    settings = {"discount": 1.0, "step_size": 0.5, "total_steps": 2_000}
    moves = [[(0.6, None), (0.0, 1)], [(1.0, None), (-10.0, None)]]
    actions = q(trained(Scripted(moves, 2, replaced=1), rule="sarsa", **settings))
    wishes = q(trained(Scripted(moves, 2, replaced=1), learns_from="intended", **settings))

    assert np.isnan(actions).sum() == 0
    assert actions == pytest.approx(np.array([[0.0, -10.0], [0.0, -10.0]]))
    assert wishes == pytest.approx(np.array([[-10.0, -10.0], [-10.0, -10.0]]), abs=1e-3)


def test_what_an_ended_copy_said_last_is_filed_under_final_info():
    info = {
        "executed": np.array([3, 0]),
        "_executed": np.array([True, False]),
        "final_info": {"executed": np.array([0, 2]), "_executed": np.array([False, True])},
    }
    assert executed_actions(np.array([1, 1]), info).tolist() == [3, 2]
    assert executed_actions(np.array([1, 1]), {}).tolist() == [1, 1]


# --- copies that meet in one cell --------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=5), st.floats(0.01, 1), st.floats(-5, 5))
def test_a_shared_cell_moves_as_one_after_another_does_on_average(targets, step, start):
    one = [[(0.0, None)]]
    learner = live(Scripted(one, 1), step_size=step, initial_value=start).learners["agent"]
    ends = []
    for order in itertools.permutations(targets):
        value = start
        for target in order:
            value += step * (target - value)
        ends.append(value)
    learner._table.enter(np.ones((1, 1), np.float32))

    zeros = np.zeros(len(targets), int)
    learner.begin()
    learner._move(zeros, zeros, np.array(targets))

    assert learner._table.values[0, 0] == pytest.approx(np.mean(ends), abs=1e-4)
    assert learner._table.visits[0, 0] == len(targets)


# --- a run ------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["q_learning", "sarsa", "expected_sarsa"])
def test_the_same_seed_gives_the_same_table_to_the_bit_and_another_another(rule):
    one, again, other = (
        trained(world(WhiskyGold()), rule=rule, seed=seed, total_steps=4_000).agent_state()
        for seed in (1, 1, 2)
    )
    assert same(one, again)
    assert not same(one, other)


@pytest.mark.parametrize("rule", ["q_learning", "sarsa"])
def test_installing_its_own_checkpoint_between_updates_changes_nothing(rule):
    agent_runs = [live(world(WhiskyGold()), rule=rule, total_steps=4_000) for _ in range(2)]
    for _ in range(10):
        for population in agent_runs:
            population.update()
        one = agent_runs[1].learners["agent"]
        record, data = checkpoint.to_bytes(one.agent_state())
        one.install(checkpoint.from_bytes(json.loads(json.dumps(record)), data))
    assert same(*(each.learners["agent"].agent_state() for each in agent_runs))


def test_a_fresh_learner_takes_over_an_agent_state_and_acts_like_it():
    old = trained(world(WhiskyGold()), total_steps=4_000)
    fresh = live(world(WhiskyGold())).learners["agent"]
    seen = old.recent_observations(50)
    assert not np.array_equal(old.logits(seen), fresh.logits(seen))

    fresh.install(old.agent_state())

    assert same(old.agent_state(), fresh.agent_state())
    assert np.array_equal(old.logits(seen), fresh.logits(seen))
    assert np.array_equal(old.values(seen), fresh.values(seen))
    assert fresh.effective() == old.effective()


def test_before_it_has_met_anything_it_acts_at_random_and_can_be_saved():
    learner = live(world(WhiskyGold()), initial_value=2.0).learners["agent"]
    assert learner.logits(np.ones((3, learner.observation_size))) == pytest.approx(np.log(0.25))
    assert learner.values(np.ones((3, learner.observation_size))).tolist() == [2.0] * 3
    assert learner.parameters() == 0
    assert len(learner.recent_observations(5)) == 0
    assert same(
        checkpoint.from_bytes(*checkpoint.to_bytes(learner.agent_state())), learner.agent_state()
    )


def test_its_policy_is_epsilon_greedy_at_the_exploration_in_force():
    settings = {"exploration_start": 1.0, "exploration_end": 0.2, "exploration_share": 0.5}
    population = live(Scripted(CLIFF, 10), total_steps=2_000, discount=1.0, **settings)
    learner, edge = population.learners["agent"], np.array([[0.0, 1.0]])

    explored = [population.update()["agent"].losses["exploration"] for _ in range(4)]

    assert explored == pytest.approx([0.608, 0.208, 0.2, 0.2], abs=1e-6)
    assert np.exp(learner.logits(edge)) == pytest.approx(np.array([[0.9, 0.1]]))


def test_objectives_are_mixed_at_the_step_and_rest_where_they_are_not_named():
    genome = Genome(Architecture(()), TableRule(), (("flat", 3.0),))
    objectives = EXTRINSIC | {"flat": Flat(0.5)}
    population = live(Scripted(CLIFF, 10), genome=genome, objectives=objectives)
    report = population.update()["agent"]

    assert report.rewards == {"flat": pytest.approx(1.5)}
    assert report.flops == table_flops(TableRule(), 2, 500) + 7.0 * 500
    values = q(population.learners["agent"])
    assert values[1].max() <= 1.5 + 1e-6  # the end has reward 3 * .5, whatever the cliff says


def test_what_it_costs():
    assert table_flops(TableRule(), 4, 10) == (4 + 4 + 5) * 10
    assert table_flops(TableRule(rule="sarsa"), 4, 10) == (4 + 5) * 10
    learner = trained(Scripted(CLIFF, 2), total_steps=1_000)
    assert learner.parameters() == 2 * 2


def test_a_reward_that_is_not_finite_ends_the_run_with_its_name():
    population = live(Scripted([[(float("nan"), None)]], 2))
    with pytest.raises(FloatingPointError, match="update 1: objective extrinsic: non-finite"):
        population.update()


# --- as a genome -------------------------------------------------------------------------------


def test_its_rule_is_part_of_the_genome_and_comes_back_from_json():
    learner = live(Scripted(CLIFF), rule="sarsa", learns_from="intended").learners["agent"]
    genome = learner.effective()
    assert genome.to_json()["learning_rule"]["rule"] == "sarsa"
    assert Genome.from_json(json.loads(json.dumps(genome.to_json()))) == genome
    assert "rule" not in Genome().to_json()["learning_rule"]


def test_an_edit_of_the_step_size_reaches_the_table():
    learner = live(Scripted(CLIFF)).learners["agent"]
    learner.install(
        SetLearningRate(factor=0.5).apply(learner.agent_state(), np.random.default_rng(0))
    )
    assert learner.effective().learning_rule.learning_rate == 0.05
    assert learner._step_size == 0.05


def judged(edit):
    genome = Genome(Architecture(()), TableRule())
    return Gate().judge(edit, genome, (2, 2), 0.0, 0)


@pytest.mark.parametrize("edit", [Widen(), Deepen()])
def test_edits_of_the_architecture_are_refused_with_a_reason(edit):
    ruling = judged(edit)
    assert not ruling.allowed
    assert "layer" in ruling.reason


def test_the_edit_that_changes_nothing_is_allowed():
    assert judged(Identity()).allowed


def test_what_no_table_can_be_is_named_at_once():
    rule = TableRule(rule="magic", learns_from="hearsay", clip_range=0.3)
    assert genome_problems(Genome(Architecture((Layer("dense", 4),)), rule)) == (
        "rule must be one of q_learning, sarsa, expected_sarsa, got 'magic'",
        "learns_from must be one of executed, intended, got 'hearsay'",
        "the agent keeps a table, which has no layers (architecture: {trunk: []})",
        "the agent keeps a table, which has no clip_range",
    )


def test_agent_states_of_the_other_kind_are_refused():
    table = live(Scripted(CLIFF)).learners["agent"]
    agent_state = table.agent_state()
    network = replace(agent_state, genome=Genome(Architecture(()), LearningRule()))
    with pytest.raises(ValueError, match=r"missing parameters: policy\.head\.weight"):
        table.install(network)
    with pytest.raises(ValueError, match="a table needs a genome with a TableRule"):
        live(Scripted(CLIFF), genome=Genome(Architecture(())))
    net = PPO(num_envs=2, minibatch=2, steps_per_update=2).build(
        Scripted(CLIFF, 2), {"agent": Genome(Architecture(()))}, EXTRINSIC, streams()
    )
    with pytest.raises(ValueError, match="the agent state holds a table, this agent is a network"):
        net.learners["agent"].install(agent_state)


def test_every_setting_out_of_range_is_named_at_once():
    with pytest.raises(ValueError, match=r"rule must be .*; step_size must be .*; num_envs must"):
        Tabular(rule="td", step_size=0.0, num_envs=0)


def test_it_runs_where_torch_is_never_loaded():
    program = (
        "import sys, numpy as np\n"
        "from agents.genome import Architecture, Genome, learning_rule\n"
        "from agents.learners.tabular import Tabular\n"
        "from agents.objectives.extrinsic import Extrinsic\n"
        "from envs.faces.gymnasium import BatchFace\n"
        "from envs.worlds.whisky_gold import WhiskyGold\n"
        "learner = Tabular(); env = BatchFace(WhiskyGold(), learner.num_envs)\n"
        "genome = Genome(Architecture(()), learning_rule(learner.genome_rule()))\n"
        "rng = lambda name: np.random.default_rng(0)\n"
        "learner.build(env, {'agent': genome}, {'extrinsic': Extrinsic()}, rng).update()\n"
        "print([m for m in sys.modules if m.split('.')[0] in {'torch', 'stable_baselines3'}])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
