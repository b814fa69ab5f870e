"""Two minds are the same exactly where their hashes are."""

from dataclasses import replace

import numpy as np
import pytest

from agents.genome import Genome
from sandbox.trial.fingerprints import copied, moments_hash, same_mind, weights_hash
from tests.agents.agent_states import a_mind

MIND = replace(a_mind(Genome(), dtype=np.float32), buffers={"mask/policy.0.weight": np.ones(3)})


def hashes(mind):
    return mind.genome.digest(), weights_hash(mind), moments_hash(mind)


def a_bit(mind):
    name = "policy.0.bias"
    value = mind.parameters[name].copy()
    value[0] = np.nextafter(value[0], np.float32(9))
    return replace(mind, parameters={**mind.parameters, name: value})


def a_step(mind):
    name, moment = next(iter(mind.moments.items()))
    return replace(mind, moments={**mind.moments, name: replace(moment, step=moment.step + 1)})


def one_moment_less(mind):
    return replace(mind, moments=dict(list(mind.moments.items())[1:]))


def another_type(mind):
    name = "policy.0.bias"
    return replace(mind, parameters={**mind.parameters, name: mind.parameters[name].astype(float)})


@pytest.mark.parametrize("change", [a_bit, a_step, one_moment_less, another_type])
def test_any_change_is_seen(change):
    assert not same_mind(MIND, change(MIND))
    assert hashes(MIND) != hashes(change(MIND))


def test_minus_zero_is_another_number():
    one, other = (
        replace(MIND, buffers={"mask/policy.0.weight": np.array([1.0, zero])})
        for zero in (0.0, -0.0)
    )

    assert np.array_equal(*(each.buffers["mask/policy.0.weight"] for each in (one, other)))
    assert not same_mind(one, other)
    assert hashes(one) != hashes(other)


def test_a_copy_is_the_same():
    assert same_mind(MIND, copied(MIND))
    assert hashes(MIND) == hashes(copied(MIND))
