"""The torch network is the genome: names, shapes, numbers, and modules that outlive edits."""

import numpy as np
import torch
from hypothesis import given, settings

from agents.architecture.cost import parameter_shapes
from agents.architecture.initial import initial_parameters
from agents.contract import AgentState
from agents.genome import Architecture, Genome, Layer
from tests.agents.agent_states import ACTIONS, OBSERVATION, forward, genomes, shapes
from tests.agents.small_worlds import CHOICES, SIZE, SMALL, learner


def fresh(architecture, size=OBSERVATION, actions=ACTIONS, seed=0):
    genome = Genome(architecture)
    return initial_parameters(genome, size, actions, np.random.default_rng(seed))


@given(genomes)
def test_names_and_shapes_are_those_of_the_contract(genome):
    wanted = shapes(genome)
    assert parameter_shapes(genome, OBSERVATION, ACTIONS) == wanted
    assert {name: each.shape for name, each in fresh(genome.architecture).items()} == wanted


def test_the_built_network_has_exactly_these_parameters_in_this_order():
    live = {name: tuple(each.shape) for name, each in learner().policy.named_parameters()}
    wanted = parameter_shapes(SMALL, SIZE, CHOICES)
    assert list(live.items()) == list(wanted.items())


@settings(max_examples=25, deadline=None)
@given(genomes)
def test_logits_and_values_are_what_the_layer_kinds_say(genome):
    rng = np.random.default_rng(0)
    wanted = parameter_shapes(genome, SIZE, CHOICES)
    drawn = {name: rng.standard_normal(shape) for name, shape in wanted.items()}
    live, seen = LIVE, rng.standard_normal((16, SIZE))
    live.install(AgentState(genome, drawn, {}))
    by_the_book = forward(live.agent_state(), seen)
    assert np.allclose(live.logits(seen), by_the_book["policy"], rtol=1e-4, atol=1e-4)
    assert np.allclose(live.values(seen), by_the_book["value"][:, 0], rtol=1e-4, atol=1e-4)
    assert live.effective() == genome


LIVE = learner()


def test_initial_weights_are_orthogonal_with_sb3s_gains_and_zero_where_they_must_be():
    drawn = fresh(Architecture((Layer("dense", 7), Layer("residual", 4))))
    trunk = drawn["policy.0.weight"]  # 7 x 5: orthogonal columns
    assert np.allclose(trunk.T @ trunk, 2 * np.eye(5), atol=1e-5)
    inner = drawn["value.1.inner.weight"]  # 4 x 7: orthogonal rows
    assert np.allclose(inner @ inner.T, 2 * np.eye(4), atol=1e-5)
    head = drawn["policy.head.weight"]
    assert np.allclose(head @ head.T, 1e-4 * np.eye(3), atol=1e-8)
    assert np.allclose(np.linalg.norm(drawn["value.head.weight"]), 1)
    zeros = [name for name, value in drawn.items() if not value.any()]
    assert zeros == [name for name in drawn if "bias" in name or "outer" in name]


def test_weights_come_from_the_given_stream_alone():
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    mine = learner(seed=3).agent_state().parameters
    after = torch.get_rng_state(), np.random.get_state()[1]  # noqa: NPY002
    assert torch.equal(before[0], after[0])
    assert np.array_equal(before[1], after[1])
    again, other = (
        learner(seed=3).agent_state().parameters,
        learner(seed=4).agent_state().parameters,
    )
    assert all(np.array_equal(mine[name], again[name]) for name in mine)
    assert not np.array_equal(mine["policy.0.weight"], other["policy.0.weight"])


def test_towers_outlive_growth_and_removal():
    live = learner()
    towers = live.policy.policy, live.policy.value
    live.install(_random_agent_state(Layer("dense", 20), Layer("dense", 9), Layer("residual", 2)))
    live.install(_random_agent_state(Layer("dense", 3)))
    assert (live.policy.policy, live.policy.value) == towers
    assert list(dict(live.policy.policy.named_children())) == ["0", "head"]
    assert live.policy.policy.get_parameter("0.weight").shape == (3, SIZE)


def _random_agent_state(*layers):
    genome = Genome(Architecture(layers), SMALL.learning_rule)
    return AgentState(genome, fresh(genome.architecture, SIZE, CHOICES), {})
