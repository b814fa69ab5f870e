"""A look through the loss says of every learner what its own gradient is made of."""

import numpy as np
import pytest

from agents.genome import Layer
from tests.agents.agent_states import same
from tests.agents.learning_kinds import ALL, a_genome, after_updates

LAYERS = Layer("dense", 6), Layer("dense", 5)


def a_look(name):
    learner = after_updates(name, 3, a_genome(name, *LAYERS))[1]
    return learner, learner.look()


@pytest.mark.parametrize("name", ALL)
def test_gradients_are_what_passes_through_the_pre_activations(name):
    """Of a linear map: d loss / d W = sum over steps of backward x input, d loss / d b its sum.

    SAC's critics also run on the policy's own actions: that pass must not reach their weights.
    """
    learner, look = a_look(name)
    gradients = look.gradients()
    for tower in learner.effective().towers():
        for layer, place in ((0, "0"), (1, "1"), (2, "head")):
            slope = look.backward(tower, layer)
            weight = slope.T @ look.inputs(tower, layer)
            assert weight.any()
            scale = np.abs(weight).max()
            assert np.allclose(gradients[f"{tower}.{place}.weight"], weight, atol=1e-4 * scale)
            bias = slope.sum(0)
            assert np.allclose(gradients[f"{tower}.{place}.bias"], bias, atol=1e-4 * scale)


@pytest.mark.parametrize("name", ALL)
def test_it_sees_the_steps_of_the_last_rollout(name):
    learner, look = a_look(name)
    acting = "q" if name == "dqn" else "policy"
    assert np.array_equal(look.inputs(acting, 0), look.observations)
    rows = {each.tobytes() for each in learner.recent_observations(100)}
    assert {each.tobytes() for each in look.observations} == rows
    if name == "sac":
        size = look.observations.shape[1]
        assert np.array_equal(look.inputs("q0", 0)[:, :size], look.observations)


@pytest.mark.parametrize("name", ["dqn", "sac"])
def test_targets_have_no_slope(name):
    learner, look = a_look(name)
    target = learner.effective().targets()[0]
    assert look.activations(target, 0).shape == (32, 6)
    with pytest.raises(LookupError):
        look.backward(target, 0)
    assert not any(each.startswith("target_") for each in look.gradients())


@pytest.mark.parametrize("name", ALL)
def test_before_any_step_there_is_nothing_to_look_at(name):
    assert after_updates(name, 0)[1].look() is None


@pytest.mark.parametrize("name", ALL)
def test_looking_moves_nothing(name):
    one, learner = after_updates(name)
    other, _ = after_updates(name)
    learner.look().gradients()
    one.update(), other.update()
    assert same(learner.agent_state(), other.learners["agent"].agent_state())


@pytest.mark.parametrize("name", ALL)
def test_a_longer_history_finds_its_past_in_memory_or_waits_for_a_rollout(name):
    one, learner = after_updates(name, 3, a_genome(name, *LAYERS))
    from agents.edits.open_history import OpenHistory

    learner.install(OpenHistory(history=2).apply(learner.agent_state(), np.random.default_rng(0)))
    look = learner.look()
    if name in {"dqn", "sac"}:
        size = learner.observation_size
        assert look.observations.shape == (32, 2 * size)
        assert look.observations[:, size:].any()
    else:
        assert look is None
    one.update()
    assert learner.look().observations.shape[1] == 2 * learner.observation_size


def test_what_a_targets_head_reads_stays_as_it_was():
    learner, look = a_look("dqn")
    seen = look.inputs("target_q", 2)
    kept = seen.copy()
    learner.engine.outputs("target_q", np.ones((32, learner.observation_size), np.float32))
    assert np.array_equal(seen, kept)
