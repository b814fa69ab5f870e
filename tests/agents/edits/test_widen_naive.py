"""Naive growth is a network of the new size, as initialised, with the old one copied in."""

import numpy as np
import pytest

from agents.architecture.initial import initial_parameters
from agents.edits.widen_naive import WidenNaive
from agents.genome import Architecture, Genome, Layer
from tests.agents.agent_states import ACTIONS, OBSERVATION, an_agent_state


@pytest.mark.parametrize("layer", [0, 1])
def test_new_units_are_those_of_a_network_of_that_size_and_the_rest_stays(layer):
    genome = Genome(Architecture((Layer("dense", 6), Layer("dense", 4))))
    agent_state = an_agent_state(genome)
    after = WidenNaive(layer, 3).apply(agent_state, np.random.default_rng(5))
    initial = initial_parameters(after.genome, OBSERVATION, ACTIONS, np.random.default_rng(5))

    assert after.moments == {}
    for name, value in after.parameters.items():
        old = agent_state.parameters[name]
        corner = tuple(slice(0, n) for n in old.shape)
        assert np.array_equal(value[corner], old)
        wanted = initial[name].astype(value.dtype)
        wanted[corner] = old
        assert np.array_equal(value, wanted)


def test_its_outgoing_weights_are_at_initial_strength_in_the_policy():
    agent_state = an_agent_state(Genome(Architecture((Layer("dense", 8),))))
    after = WidenNaive(0, 56).apply(agent_state, np.random.default_rng(0))
    received = after.parameters["policy.head.weight"][:, 8:]
    assert (
        0 < np.linalg.norm(received, 2) <= 0.01 + 1e-9
    )  # the policy's head is initialised with gain 0.01
    assert after.genome.architecture.layers[0].units == 64
