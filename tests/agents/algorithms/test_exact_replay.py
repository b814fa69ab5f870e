"""Same seed, same bytes; global chance or installing the same agent state changes nothing."""

import hashlib
import random

import numpy as np
import pytest
import torch

from agents.architecture import checkpoint
from tests.agents.agent_states import same
from tests.agents.small_worlds import SMALL, final_weights, solo


def leave(live, i):
    del live, i


def digest(agent_state):
    return hashlib.sha256(checkpoint.to_bytes(agent_state)[1]).hexdigest()


@pytest.fixture(scope="module")
def control():
    return final_weights(6, leave)


def test_same_seed_same_bytes(control):
    assert digest(final_weights(6, leave)) == digest(control)
    assert digest(final_weights(6, leave, seed=1)) != digest(control)


def test_installing_an_identical_agent_state_is_bit_exact_to_the_end_of_training(control):
    def identity(live, i):
        if i % 2:
            live.install(live.agent_state())

    assert same(final_weights(6, identity), control)


def test_an_agent_state_saved_loaded_and_installed_goes_on_bit_exactly(control):
    def through_bytes(live, i):
        if i == 2:
            live.install(checkpoint.from_bytes(*checkpoint.to_bytes(live.agent_state())))

    assert same(final_weights(6, through_bytes), control)


def test_a_rewrite_undone_is_bit_exact(control):
    def there_and_back(live, i):
        agent_state = live.agent_state()
        live.install(solo(SMALL, seed=100 + i).learners["agent"].agent_state())
        live.install(agent_state)

    assert same(final_weights(6, there_and_back), control)


def test_looking_changes_nothing(control):
    def look(live, i):
        seen = live.recent_observations(7 + i)
        live.logits(seen), live.values(seen), live.view(), live.effective()

    assert same(final_weights(6, look), control)


def test_disturbing_global_chance_changes_nothing(control):
    def disturb(live, i):
        del live
        torch.manual_seed(i)
        np.random.seed(i)  # noqa: NPY002 - the point of the test
        random.seed(i)

    assert same(final_weights(6, disturb), control)


def test_learning_leaves_global_chance_alone():
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    final_weights(2, leave)
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])  # noqa: NPY002
