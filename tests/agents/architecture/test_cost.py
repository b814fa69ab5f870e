"""FLOPs, parameters and bytes against counts done by hand."""

import pytest
from hypothesis import given

from agents.architecture import cost
from agents.genome import Architecture, Genome, Layer, LearningRule
from tests.agents.agent_states import ACTIONS, OBSERVATION, genomes, shapes
from tests.agents.small_worlds import CHOICES, SIZE, SMALL, learner


def test_a_dense_network_by_hand():
    genome = Genome(Architecture((Layer("dense", 4),)), LearningRule(epochs=2))
    # observation 3, actions 2; policy: 3*4+4 + 4*2+2 = 26, value: 3*4+4 + 4+1 = 21
    assert cost.parameters(genome, 3, 2) == 47
    assert cost.memory(genome, 3, 2) == 47 * 16
    # a tower: 24 + 4 biases + 4 activations; heads: 16 + 2 and 8 + 1
    assert cost.forward_flops(genome, 3, 2) == 2 * 32 + 18 + 9
    assert cost.rollout_flops(genome, 3, 2, 10) == 910
    assert cost.training_flops(genome, 3, 2, 10) == 910 * 3 * 2


def test_a_residual_layer_by_hand():
    dense = Genome(Architecture((Layer("dense", 4),)))
    both = Genome(Architecture((Layer("dense", 4), Layer("residual", 5))))
    assert cost.parameters(both, 3, 2) - cost.parameters(dense, 3, 2) == 2 * (20 + 5 + 20 + 4)
    # inner 40 + 5, activation 5, outer 40 + 4, sum with the stream 4
    extra = cost.forward_flops(both, 3, 2) - cost.forward_flops(dense, 3, 2)
    assert extra == 2 * (45 + 5 + 44 + 4)


def test_no_layers_is_two_linear_maps():
    assert cost.parameters(Genome(Architecture(())), 3, 2) == 3 * 2 + 2 + 3 + 1


@given(genomes)
def test_parameters_are_the_sizes_of_the_shapes(genome):
    wanted = shapes(genome).values()
    assert cost.parameters(genome, OBSERVATION, ACTIONS) == sum(
        shape[0] * (shape[1] if len(shape) == 2 else 1) for shape in wanted
    )


def test_the_count_is_that_of_the_built_network():
    built = sum(each.numel() for each in learner().policy.parameters())
    assert cost.parameters(SMALL, SIZE, CHOICES) == built


def test_an_absurd_genome_is_counted_without_being_built():
    huge = Genome(Architecture((Layer("dense", 10**6), Layer("dense", 10**6))))
    assert cost.memory(huge, 100, 4) > 3e13


@pytest.mark.parametrize("layers", [(), (Layer("dense", 3),)])
def test_flops_are_linear_in_steps(layers):
    genome = Genome(Architecture(layers))
    for flops in (cost.rollout_flops, cost.training_flops):
        assert flops(genome, 5, 2, 7) * 3 == flops(genome, 5, 2, 21)


def test_a_second_look_and_the_eye_on_replaced_units_are_charged():
    plain, sharp, watched = (
        cost.training_flops(Genome(learning_rule=LearningRule(**more)), 4, 2, 10)
        for more in ({}, {"sam_radius": 0.1}, {"replacement_rate": 0.01})
    )
    assert sharp == 2 * plain
    assert watched == plain * 4 / 3
