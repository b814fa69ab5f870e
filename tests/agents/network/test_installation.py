"""Rewriting a live PPO: the traps of SB3, one by one, and nothing half-installed."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO

from agents.contract import AgentState, OptimiserMoment
from agents.genome import Architecture, Genome, Layer, LearningRule
from tests.agents.agent_states import same
from tests.agents.small_worlds import EXTRINSIC, SMALL, Flat, learner, solo

NEW_RULE = LearningRule(
    learning_rate=0.0123,
    discount=0.5,
    gae_lambda=0.25,
    clip_range=0.1,
    entropy_coefficient=0.03,
    value_coefficient=0.7,
    max_grad_norm=0.9,
    epochs=3,
    minibatch=17,
)


def trained(updates=2, **settings):
    population = solo(**settings)
    for _ in range(updates):
        population.update()
    return population, population.learners["agent"]


def with_rule(agent_state, **changes):
    rule = replace(agent_state.genome.learning_rule, **changes)
    return replace(agent_state, genome=replace(agent_state.genome, learning_rule=rule))


# --- numbers that live in several places ---------------------------------------------------------


def test_every_number_of_the_rule_arrives_and_is_read_back():
    population, live = trained()
    live.install(with_rule(live.agent_state(), **vars(NEW_RULE)))
    assert live.effective().learning_rule == NEW_RULE
    population.update()
    assert live.effective().learning_rule == NEW_RULE


def test_discount_and_lambda_reach_both_of_their_copies():
    _, live = trained()
    live.install(with_rule(live.agent_state(), discount=0.5, gae_lambda=0.25))
    assert (live.gamma, live.rollout_buffer.gamma) == (0.5, 0.5)
    assert (live.gae_lambda, live.rollout_buffer.gae_lambda) == (0.25, 0.25)


def test_the_learning_rate_survives_training():
    population, live = trained()
    live.install(with_rule(live.agent_state(), learning_rate=0.0123))
    population.update()
    assert live.policy.optimizer.param_groups[0]["lr"] == 0.0123
    assert live.learning_rate == live.lr_schedule(0.3) == 0.0123


def test_a_learning_rate_of_almost_nothing_stops_learning():
    population, live = trained()
    live.install(with_rule(live.agent_state(), learning_rate=1e-30))
    before = live.agent_state().parameters
    population.update()
    after = live.agent_state().parameters
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_the_clip_range_stays_a_schedule():
    _, live = trained()
    live.install(with_rule(live.agent_state(), clip_range=0.1))
    assert live.clip_range(1.0) == 0.1
    live.train()


@pytest.mark.parametrize(
    ("sabotage", "name"),
    [
        (lambda live: setattr(live, "gamma", 0.1), "discount"),
        (lambda live: setattr(live.rollout_buffer, "gae_lambda", 0.1), "gae_lambda"),
        (lambda live: live.policy.optimizer.param_groups[0].update(lr=0.1), "learning rate"),
    ],
)
def test_a_number_changed_in_one_place_only_is_noticed(sabotage, name):
    live = learner()
    sabotage(live)
    with pytest.raises(RuntimeError, match=f"copies of {name} disagree"):
        live.effective()


def test_the_optimiser_keeps_its_class_and_settings():
    _, live = trained()
    live.install(replace(live.agent_state(), genome=SMALL))
    assert type(live.policy.optimizer) is torch.optim.Adam
    group = live.policy.optimizer.param_groups[0]
    assert (group["eps"], group["betas"], group["weight_decay"]) == (1e-5, (0.9, 0.999), 0)


# --- parameters and moments ----------------------------------------------------------------------


def test_every_parameter_of_a_grown_network_is_trained():
    population, live = trained()
    live.install(grown(live.agent_state()))
    before = live.agent_state().parameters
    population.update()
    population.update()
    after = live.agent_state().parameters
    still = [name for name in before if np.array_equal(before[name], after[name])]
    assert still == []


def test_a_layer_the_optimiser_does_not_train_is_noticed():
    live = learner()
    live.policy.policy.head = torch.nn.Linear(6, 3)
    with pytest.raises(RuntimeError, match=r"does not train this network: policy\.head\.weight"):
        live.effective()


def test_moments_are_carried_by_name_not_by_position():
    _, live = trained()
    agent_state = live.agent_state()
    names = list(agent_state.parameters)
    marked = {
        name: OptimiserMoment(np.full_like(value, i), np.full_like(value, 2 * i), float(i))
        for i, (name, value) in enumerate(agent_state.parameters.items())
    }
    backwards = {name: agent_state.parameters[name] for name in reversed(names)}
    live.install(AgentState(agent_state.genome, backwards, {n: marked[n] for n in reversed(names)}))
    assert same(live.agent_state(), AgentState(agent_state.genome, agent_state.parameters, marked))
    state, parameter = live.policy.optimizer.state, dict(live.policy.named_parameters())
    third = names[3]
    assert (state[parameter[third]]["exp_avg"] == 3).all()


def test_parameters_without_moments_start_empty_and_get_them():
    population, live = trained()
    agent_state = live.agent_state()
    some = {n: m for n, m in agent_state.moments.items() if n.startswith("policy")}
    live.install(replace(agent_state, moments=some))
    assert live.agent_state().moments.keys() == some.keys()
    population.update()
    moments = live.agent_state().moments
    assert moments.keys() == agent_state.parameters.keys()
    assert moments["value.0.weight"].step < moments["policy.0.weight"].step


# --- refusals ------------------------------------------------------------------------------------


def grown(agent_state):
    """The first dense layer from 8 to 11 units, new ones without outgoing weights."""
    layers = agent_state.genome.architecture.layers
    genome = replace(
        agent_state.genome, architecture=Architecture((Layer("dense", 11), *layers[1:]))
    )
    add = {  # name -> how many rows and columns to add
        ".0.weight": (3, 0), ".0.bias": (3,), ".1.inner.weight": (0, 3),
        ".1.outer.weight": (3, 0), ".1.outer.bias": (3,), ".2.weight": (0, 3),
    }  # fmt: skip
    parameters = dict(agent_state.parameters)
    for tower in ("policy", "value"):
        for part, more in add.items():
            value = parameters[tower + part]
            wide = np.pad(value, [(0, extra) for extra in more])
            if part == ".0.weight":
                wide[8:] = 0.1
            parameters[tower + part] = wide
    return AgentState(genome, parameters, {})


def broken(agent_state, name, value):
    return replace(agent_state, parameters={**agent_state.parameters, name: value})


def _moment(value, second=None, step=1.0):
    return OptimiserMoment(value, value if second is None else second, step)


REFUSED = {
    "misses policy.0.bias": (
        lambda m: replace(
            m, parameters={n: v for n, v in m.parameters.items() if n != "policy.0.bias"}
        ),
        r"missing parameters: policy\.0\.bias",
    ),
    "extra": (lambda m: broken(m, "policy.9.weight", np.zeros(1)), "unknown parameters: policy.9"),
    "shape": (
        lambda m: broken(m, "value.head.weight", np.zeros((1, 7))),
        r"value\.head\.weight has shape 1x7, the genome needs 1x6",
    ),
    "nan": (lambda m: broken(m, "policy.0.bias", np.full(8, np.nan)), "policy.0.bias holds non-fi"),
    "inf in float32": (lambda m: broken(m, "policy.0.bias", np.full(8, 1e300)), "non-finite"),
    "integers": (lambda m: broken(m, "policy.0.bias", np.zeros(8, int)), "holds int64, not floats"),
    "adam's shape": (
        lambda m: replace(m, moments={"policy.0.bias": _moment(np.zeros(3))}),
        r"first moment of policy\.0\.bias has shape 3, the genome needs 8",
    ),
    "adam's name": (
        lambda m: replace(m, moments={"policy.7.bias": _moment(np.zeros(3))}),
        r"moments of unknown parameter policy\.7\.bias",
    ),
    "adam's sign": (
        lambda m: replace(m, moments={"policy.0.bias": _moment(np.zeros(8), np.full(8, -1.0))}),
        "negative",
    ),
    "adam's step": (
        lambda m: replace(m, moments={"policy.0.bias": _moment(np.zeros(8), step=np.nan)}),
        r"step of policy\.0\.bias must be a number",
    ),
    "rate": (lambda m: with_rule(m, learning_rate=0.0), r"learning_rate must be a number in \(0"),
    "objective": (
        lambda m: replace(m, genome=replace(m.genome, objective=(("fame", 1.0),))),
        r"unknown objectives: fame \(this agent has extrinsic\)",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_unsound_agent_state_is_refused_and_nothing_is_installed(case):
    spoil, message = REFUSED[case]
    _, live = trained()
    before = live.agent_state()
    with pytest.raises(ValueError, match=message):
        live.install(spoil(before))
    assert same(live.agent_state(), before)
    assert live.effective() == before.genome


def test_all_problems_are_named_at_once():
    _, live = trained()
    agent_state = broken(live.agent_state(), "policy.0.bias", np.full(8, np.nan))
    with pytest.raises(ValueError, match=r"policy\.0\.bias.*; value\.0\.bias") as refusal:
        live.install(broken(agent_state, "value.0.bias", np.zeros(2)))
    assert len(str(refusal.value).split("; ")) == 2


# --- what else must stay as it was ---------------------------------------------------------------


def test_an_agent_state_is_a_copy_both_ways():
    population, live = trained()
    agent_state = live.agent_state()
    kept = {name: value.copy() for name, value in agent_state.parameters.items()}
    live.install(agent_state)
    population.update()
    assert all(np.array_equal(kept[name], agent_state.parameters[name]) for name in kept)


def test_sb3s_record_of_the_widths_is_a_new_object():
    one, other = learner(), learner()
    shared = one.policy_kwargs
    one.install(grown(one.agent_state()))
    assert one.policy_kwargs["net_arch"]["pi"] == [11, 11, 6]
    assert shared["net_arch"]["pi"] == other.policy_kwargs["net_arch"]["pi"] == [8, 8, 6]


def test_objective_weights_are_rewritten_among_those_the_agent_started_with():
    genome = replace(SMALL, objective=(("extrinsic", 1.0),))
    population, live = trained(genome=genome, objectives={**EXTRINSIC, "flat": Flat(0.5)})
    both = (("extrinsic", 0.5), ("flat", 2.0))
    live.install(replace(live.agent_state(), genome=replace(genome, objective=both)))
    report = population.update()["agent"]
    assert live.effective().objective == both
    assert report.rewards["flat"] == pytest.approx(1.0)


def test_sb3s_own_doors_are_shut():
    live = learner()
    with pytest.raises(TypeError, match=r"population's update"):
        live.learn(100)
    with pytest.raises(TypeError, match=r"agents\.architecture\.checkpoint"):
        live.save("x.zip")
    with pytest.raises(TypeError, match=r"agents\.architecture\.checkpoint"):
        type(live).load("x.zip")
    assert isinstance(live, PPO)


def test_a_genome_that_cannot_be_built_is_refused_at_the_start():
    with pytest.raises(ValueError, match="layer 0: units must be a whole number"):
        learner(Genome(Architecture((Layer("dense", 0),))))
