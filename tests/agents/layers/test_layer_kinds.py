"""Every kind of layer works: it learns, is read back, is kept, and grows without being noticed."""

from dataclasses import replace

import numpy as np
import pytest

from agents.architecture import checkpoint
from agents.architecture.cost import forward_flops, parameter_shapes, parameters
from agents.genome import Architecture, Genome, Guard, Layer, LearningRule
from agents.surgery import weights
from tests.agents.small_worlds import CHOICES, SIZE, learner, solo

DENSE = Layer("dense", 12)
ARCHITECTURES = {
    "norm": Architecture((DENSE, Layer("norm", 12), Layer("dense", 6))),
    "skip": Architecture((DENSE, Layer("dense", 6), Layer("skip", 6, source=0))),
    "skip_from_the_observation": Architecture((DENSE, Layer("skip", 12, source=-1))),
    "mixture": Architecture((Layer("mixture", 8, count=3), Layer("dense", 6))),
    "injected": Architecture((DENSE, Layer("injected", 6, count=2))),
    "attention": Architecture((DENSE, Layer("attention", 4, count=2, tokens=3))),
    "attention_over_history": Architecture(
        (Layer("attention", 4, count=2, tokens=3), DENSE), history=3
    ),
    "memory": Architecture((Layer("memory", 7), DENSE), history=4),
    "sparse": Architecture((Layer("dense", 12, density=0.3), Layer("dense", 10, density=0.5))),
    "blend": Architecture((DENSE,), "tanh", "relu", 0.25),
    "guards": Architecture((DENSE,), guards=(Guard("mask", 5.0, 1, 2, 0.0), Guard("clamp", 3.0))),
}


POPULATIONS = {}


def a_learner(architecture, engine="auto", **rule):
    genome = Genome(architecture, LearningRule(minibatch=16, **rule))
    population = solo(genome=genome, engine=engine)
    live = population.learners["agent"]
    POPULATIONS[id(live)] = (population, live)
    return live


def live_for(live, updates):
    for _ in range(updates):
        POPULATIONS[id(live)][0].update()


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_it_learns_and_is_read_back(name):
    live = a_learner(ARCHITECTURES[name])
    before = live.agent_state()
    live_for(live, 2)
    assert live.effective() == live.genome
    after = live.agent_state()
    moved = [n for n in before.parameters if (before.parameters[n] != after.parameters[n]).any()]
    assert set(after.moments) >= set(moved)
    assert any(".0." in each for each in moved)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_checkpoint_gives_it_back(name):
    live = a_learner(ARCHITECTURES[name])
    live_for(live, 1)
    agent_state = live.agent_state()
    again = checkpoint.from_bytes(*checkpoint.to_bytes(agent_state))
    other = a_learner(Architecture((DENSE,)), engine=live.engine_name)
    other.install(again)
    seen = live.recent_observations(32)
    assert np.array_equal(live.logits(seen), other.logits(seen))
    assert other.effective() == agent_state.genome


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_growing_any_layer_is_not_noticed_and_pruning_it_again_is_the_identity(name):
    live = a_learner(ARCHITECTURES[name])
    live_for(live, 1)
    agent_state, seen = live.agent_state(), live.recent_observations(64)
    was = live.logits(seen), live.values(seen)
    for i, layer in enumerate(agent_state.genome.architecture.layers):
        if weights.growing_problem(agent_state.genome.architecture, i):
            continue
        grown = weights.grow_units(agent_state, i, 3, np.random.default_rng(i))
        live.install(grown)
        assert np.abs(live.logits(seen) - was[0]).max() < 1e-5
        assert np.abs(live.values(seen) - was[1]).max() < 1e-5
        new = np.arange(layer.units, layer.units + 3)
        back = weights.drop_units(grown, i, dict.fromkeys(agent_state.genome.towers(), new))
        if layer.density == 1 and all(
            each.density == 1 for each in grown.genome.architecture.layers
        ):
            assert all(
                np.array_equal(back.parameters[n], agent_state.parameters[n])
                for n in agent_state.parameters
            )
        live_for(live, 1)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_parameters_are_those_of_the_agent_state_and_cost_something(name):
    genome = Genome(ARCHITECTURES[name])
    agent_state = learner(genome=genome).agent_state()
    shapes = parameter_shapes(genome, SIZE, CHOICES)
    assert {n: each.shape for n, each in agent_state.parameters.items()} == shapes
    assert parameters(genome, SIZE, CHOICES) == sum(e.size for e in agent_state.parameters.values())
    bare = replace(genome, architecture=Architecture(()))
    assert forward_flops(genome, SIZE, CHOICES) > forward_flops(bare, SIZE, CHOICES)


def test_a_mask_keeps_its_edges_whatever_is_learned():
    live = a_learner(ARCHITECTURES["sparse"], weight_decay=0.1, optimiser="adamw")
    mask = live.agent_state().buffers["mask/policy.0.weight"]
    live_for(live, 3)
    weight = live.agent_state().parameters["policy.0.weight"]
    assert not weight[mask == 0].any()
    assert mask.sum() == round(0.3 * 12 * SIZE)


def test_a_guard_acts_where_its_feature_is_on_and_nowhere_else():
    free = a_learner(Architecture((DENSE,)))
    bound = a_learner(Architecture((DENSE,), guards=(Guard("mask", 5.0, 1, 2, 0.0),)))
    bound.install(replace(free.agent_state(), genome=bound.genome))
    seen = np.random.default_rng(0).standard_normal((50, SIZE)).astype(np.float32)
    change = bound.logits(seen) - free.logits(seen)
    on = seen[:, 2] >= 0
    assert np.allclose(change[on, 1], -5.0, atol=1e-5)
    assert not change[~on].any()
    assert not np.delete(change, 1, axis=1).any()


@pytest.mark.parametrize("optimiser", ["adam", "adamw", "sgd", "rmsprop"])
def test_every_optimiser_is_read_back_and_its_state_survives_an_installation(optimiser):
    live = a_learner(Architecture((DENSE,)), optimiser=optimiser, momentum=0.5)
    duplicate = a_learner(Architecture((DENSE,)), optimiser=optimiser, momentum=0.5)
    for each in (live, duplicate):
        live_for(each, 2)
    assert live.effective() == live.genome
    live.install(live.agent_state())
    for each in (live, duplicate):
        live_for(each, 1)
    for name, value in duplicate.agent_state().parameters.items():
        assert np.array_equal(live.agent_state().parameters[name], value)


def test_sharpness_at_radius_zero_is_the_plain_gradient_to_the_bit_and_else_it_is_not():
    plain, same, sharp = (
        a_learner(Architecture((DENSE,)), sam_radius=radius, sam_mix=mix)
        for radius, mix in ((0.0, 1.0), (0.0, 0.3), (0.1, 1.0))
    )
    for each in (plain, same, sharp):
        live_for(each, 2)
    one, two, three = (each.agent_state().parameters for each in (plain, same, sharp))
    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert not all(np.array_equal(one[name], three[name]) for name in one)
