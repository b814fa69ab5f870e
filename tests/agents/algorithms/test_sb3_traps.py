"""What goes wrong when a live SB3 model is edited by hand does not here, for any learner."""

import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from agents.architecture import checkpoint
from agents.contract import OptimiserMoment
from agents.surgery import weights as surgery
from tests.agents.agent_states import same
from tests.agents.learning_kinds import ALL, a_genome, after_updates, an_agent_state_of, population

EACH = pytest.mark.parametrize("name", ALL)
ROLLOUTS = pytest.mark.parametrize("name", ["ppo", "a2c"])
REPLAYED = pytest.mark.parametrize("name", ["dqn", "sac"])


def with_rule(agent_state, **changes):
    rule = replace(agent_state.genome.learning_rule, **changes)
    return replace(agent_state, genome=replace(agent_state.genome, learning_rule=rule))


def grown(agent_state):
    return surgery.grow_units(agent_state, 0, 4, np.random.default_rng(0))


def parts(learner):
    """((networks, optimiser)) of any learner."""
    if hasattr(learner, "networks"):
        return learner.networks, learner.optimizer
    return learner.policy, learner.policy.optimizer


# --- numbers that live in several places ---------------------------------------------------------


@EACH
def test_a_learning_rate_survives_training(name):
    one, learner = after_updates(name)
    learner.install(with_rule(learner.agent_state(), learning_rate=0.0123))
    one.update()
    assert {group["lr"] for group in parts(learner)[1].param_groups} == {0.0123}
    assert learner.effective().learning_rule.learning_rate == 0.0123


@EACH
def test_a_learning_rate_of_almost_nothing_stops_learning(name):
    one, learner = after_updates(name)
    learner.install(with_rule(learner.agent_state(), learning_rate=1e-30))
    before = learner.agent_state().parameters
    one.update()
    after = learner.agent_state().parameters
    moved = [key for key in before if not np.array_equal(before[key], after[key])]
    assert all(each.startswith("target_") for each in moved)  # those still follow


@EACH
def test_a_learning_rate_changed_behind_its_back_is_noticed_or_in_force(name):
    _, learner = after_updates(name)
    parts(learner)[1].param_groups[0]["lr"] = 0.5
    if name in {"ppo", "a2c"}:  # SB3 would set it back
        with pytest.raises(RuntimeError, match="learning rate"):
            learner.effective()
    else:
        assert learner.effective().learning_rule.learning_rate == 0.5


@ROLLOUTS
def test_discount_and_lambda_reach_both_of_their_copies(name):
    _, learner = after_updates(name)
    learner.install(with_rule(learner.agent_state(), discount=0.5, gae_lambda=0.25))
    assert (learner.gamma, learner.rollout_buffer.gamma) == (0.5, 0.5)
    assert (learner.gae_lambda, learner.rollout_buffer.gae_lambda) == (0.25, 0.25)
    learner.gamma = 0.9
    with pytest.raises(RuntimeError, match="discount"):
        learner.effective()


@REPLAYED
def test_a_discount_of_nothing_makes_rewards_all_there_is_to_learn(name):
    _, learner = after_updates(name)
    changes = {"temperature": 1e-9} if name == "sac" else {}
    learner.install(with_rule(learner.agent_state(), discount=0.0, **changes))
    agent_state = learner.agent_state()
    wild = {
        key: 100 * v if key.startswith("target_") else v
        for key, v in agent_state.parameters.items()
    }
    minibatch = learner._minibatch(learner.replay.newest(8, 32, 1))
    before = learner.look().gradients()
    learner.install(replace(agent_state, parameters=wild))
    after = learner.look().gradients()
    assert all(np.allclose(before[key], after[key], atol=1e-6) for key in before)
    assert minibatch.rewards.any()


@REPLAYED
@pytest.mark.parametrize(("number", "value"), [("gradient_steps", 5), ("minibatch", 7)])
def test_numbers_of_the_memory_take_hold_at_once(name, number, value):
    one, learner = after_updates(name)
    learner.install(with_rule(learner.agent_state(), **{number: value}))
    sizes, steps = [], learner._gradient_step

    def step(minibatch):
        sizes.append(len(minibatch.inputs))
        return steps(minibatch)

    learner._gradient_step = step
    one.update()
    rule = learner.effective().learning_rule
    assert sizes == [rule.minibatch] * rule.gradient_steps
    assert getattr(rule, number) == value


# --- what is trained -----------------------------------------------------------------------------


@EACH
def test_every_parameter_of_a_grown_network_is_trained_and_no_target(name):
    one, learner = after_updates(name)
    learner.install(grown(learner.agent_state()))
    before = learner.agent_state().parameters
    for _ in range(2):  # what has no outgoing weight yet gets a gradient from the second step on
        one.update()
    after = learner.agent_state()
    still = [key for key in before if np.array_equal(before[key], after.parameters[key])]
    assert all(each.startswith("target_") for each in still)
    trained = {key for key in before if not key.startswith("target_")}
    assert set(after.moments) == trained


@EACH
def test_a_layer_replaced_by_hand_without_an_optimiser_is_noticed(name):
    _, learner = after_updates(name)
    networks, _ = parts(learner)
    tower = networks.tower(learner.effective().towers()[0])
    owner = tower.get_submodule("0")
    owner.weight = nn.Parameter(owner.weight.detach().clone())
    with pytest.raises(RuntimeError, match=r"does not train this network: .*0\.weight"):
        learner.effective()


@EACH
def test_modules_and_algorithm_share_no_orphans_after_an_edit(name):
    """SB3's SAC goes on training the old actor; here what acts is what learns."""
    one, learner = after_updates(name)
    learner.install(grown(learner.agent_state()))
    seen = learner.recent_observations(16)
    before = learner.logits(seen), learner.values(seen)
    one.update()
    assert not np.array_equal(learner.logits(seen), before[0])
    assert not np.array_equal(learner.values(seen), before[1])


@EACH
def test_moments_are_carried_by_name_not_by_position(name):
    _, learner = after_updates(name)
    agent_state = learner.agent_state()
    backwards = dict(reversed(agent_state.moments.items()))
    weights = dict(reversed(agent_state.parameters.items()))
    learner.install(replace(agent_state, moments=backwards, parameters=weights))
    assert same(learner.agent_state(), agent_state)


@EACH
def test_state_of_the_wrong_shape_is_refused_before_anything_moves(name):
    one, learner = after_updates(name)
    agent_state = learner.agent_state()
    key = next(iter(agent_state.moments))
    wrong = OptimiserMoment(np.zeros((2, 2), np.float32), np.zeros((2, 2), np.float32), 3.0)
    with pytest.raises(ValueError, match="has shape 2x2"):
        learner.install(replace(agent_state, moments={**agent_state.moments, key: wrong}))
    assert same(learner.agent_state(), agent_state)
    one.update()


@EACH
@pytest.mark.parametrize("optimiser", ["adam", "adamw", "sgd", "rmsprop"])
def test_another_optimiser_takes_only_the_state_that_is_its_own(name, optimiser):
    one, learner = after_updates(name)
    agent_state = with_rule(
        learner.agent_state(), optimiser=optimiser, momentum=0.5, learning_rate=1e-4
    )
    learner.install(agent_state)
    own = {"adam": {"step", "exp_avg", "exp_avg_sq"}, "sgd": {"momentum_buffer"}}
    own |= {"adamw": own["adam"], "rmsprop": {"step", "square_avg", "momentum_buffer"}}
    for state in parts(learner)[1].state.values():
        assert set(state) == own[optimiser]
    report = one.update()["agent"]
    assert all(map(np.isfinite, report.losses.values()))
    assert learner.effective().learning_rule.optimiser == optimiser


# --- saving, loading, replaying ------------------------------------------------------------------


@EACH
def test_an_edited_agent_is_saved_and_loaded_as_what_it_is(name):
    _, learner = after_updates(name)
    learner.install(grown(learner.agent_state()))
    seen = learner.recent_observations(16)
    record, data = checkpoint.to_bytes(learner.agent_state())
    fresh = population(name, seed=4).learners["agent"]
    fresh.install(checkpoint.from_bytes(record, data))
    assert np.array_equal(fresh.logits(seen), learner.logits(seen))
    assert same(fresh.agent_state(), learner.agent_state())
    stale = {**record, "genome": a_genome(name).to_json()}  # as SB3 saves without policy_kwargs
    with pytest.raises(ValueError, match="has shape"):
        checkpoint.from_bytes(stale, data)


@EACH
def test_no_door_opens_a_file_that_is_code(name):
    learner = population(name).learners["agent"]
    for door in ("save", "load"):
        if hasattr(learner, door):
            with pytest.raises(TypeError, match=r"agents\.architecture\.checkpoint"):
                getattr(learner, door)("agent.zip")


@EACH
def test_installing_an_identical_agent_state_is_bit_exact(name):
    one, learner = after_updates(name, 2)
    other, _ = after_updates(name, 2)
    for _ in range(3):
        learner.install(learner.agent_state())
        one.update()
        other.update()
    assert same(learner.agent_state(), other.learners["agent"].agent_state())


@EACH
def test_a_rewrite_undone_is_bit_exact(name):
    one, learner = after_updates(name, 2)
    other, _ = after_updates(name, 2)
    for _ in range(3):
        agent_state = learner.agent_state()
        learner.install(grown(agent_state))
        learner.install(agent_state)
        one.update()
        other.update()
    assert same(learner.agent_state(), other.learners["agent"].agent_state())


@EACH
def test_global_chance_is_neither_read_nor_moved(name):
    one, learner = after_updates(name, 2)
    torch.manual_seed(3)
    np.random.seed(3)  # noqa: NPY002 - the point of the test
    random.seed(3)
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
    one.update()
    learner.look().gradients()
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002
    assert random.getstate() == before[2]
    assert same(learner.agent_state(), an_agent_state_of(name))
