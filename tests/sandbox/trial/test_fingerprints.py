"""Two agent states are the same exactly where their hashes are."""

from dataclasses import replace

import numpy as np
import pytest

from agents.genome import Genome
from sandbox.trial.fingerprints import copied, moments_hash, same_agent_state, weights_hash
from tests.agents.agent_states import an_agent_state

AGENT_STATE = replace(
    an_agent_state(Genome(), dtype=np.float32), buffers={"mask/policy.0.weight": np.ones(3)}
)


def hashes(agent_state):
    return agent_state.genome.digest(), weights_hash(agent_state), moments_hash(agent_state)


def a_bit(agent_state):
    name = "policy.0.bias"
    value = agent_state.parameters[name].copy()
    value[0] = np.nextafter(value[0], np.float32(9))
    return replace(agent_state, parameters={**agent_state.parameters, name: value})


def a_step(agent_state):
    name, moment = next(iter(agent_state.moments.items()))
    return replace(
        agent_state, moments={**agent_state.moments, name: replace(moment, step=moment.step + 1)}
    )


def one_moment_less(agent_state):
    return replace(agent_state, moments=dict(list(agent_state.moments.items())[1:]))


def another_type(agent_state):
    name = "policy.0.bias"
    return replace(
        agent_state,
        parameters={**agent_state.parameters, name: agent_state.parameters[name].astype(float)},
    )


@pytest.mark.parametrize("change", [a_bit, a_step, one_moment_less, another_type])
def test_any_change_is_seen(change):
    assert not same_agent_state(AGENT_STATE, change(AGENT_STATE))
    assert hashes(AGENT_STATE) != hashes(change(AGENT_STATE))


def test_minus_zero_is_another_number():
    one, other = (
        replace(AGENT_STATE, buffers={"mask/policy.0.weight": np.array([1.0, zero])})
        for zero in (0.0, -0.0)
    )

    assert np.array_equal(*(each.buffers["mask/policy.0.weight"] for each in (one, other)))
    assert not same_agent_state(one, other)
    assert hashes(one) != hashes(other)


def test_a_copy_is_the_same():
    assert same_agent_state(AGENT_STATE, copied(AGENT_STATE))
    assert hashes(AGENT_STATE) == hashes(copied(AGENT_STATE))
