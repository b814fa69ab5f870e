"""What a value model is asked, and exact planning on its answers: closed forms and other ways."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.contract import LiveObjective
from envs.registration import make_world
from sandbox.measuring import reward_distances as distances
from sandbox.measuring.goal_directedness import _soft, pursuit
from sandbox.measuring.value_tables import asked, questions
from sandbox.trial.environment import TrialEnv
from tests.agents.valuing import LinearValues

NURSERY = make_world("nursery")
SEEDS = st.integers(0, 2**32 - 1)
G = 0.9


def lifted(rewards, states):
    """``[s, a]`` as ``[states, a, states]``; the end gives no reward."""
    full = np.zeros((states, rewards.shape[1]))
    full[: len(rewards)] = rewards
    return np.broadcast_to(full[:, :, None], (*full.shape, states))


def dense(known):
    """Its transitions with an end that never ends."""
    states, actions = known.truth.shape
    found = np.zeros((states + 1, actions, states + 1))
    found[:-1] = known.lasting.onwards.toarray().reshape(states, actions, -1)
    found[-1, :, -1] = 1.0
    return found


@given(SEEDS)
def test_epic_without_where_a_step_leads_is_epic(seed):
    one, other = np.random.default_rng(seed).standard_normal((2, 6, 3))
    wide = [np.broadcast_to(each[:, :, None], (6, 3, 6)) for each in (one, other)]

    wanted = distances.epic(*wide, G).value
    assert distances.epic_by_action(one, other, G).value == pytest.approx(wanted, abs=1e-12)
    assert distances.epic_by_action(one, 3 * one + 2, G).value == pytest.approx(0, abs=1e-12)
    assert distances.epic_by_action(one, -one, G).value == pytest.approx(1)
    assert distances.epic_by_action(one, one, G).value == 0.0
    assert distances.epic_by_action(one, np.full((6, 3), 7.0), G) == (None, (False, True))


def test_acting_on_the_truth_is_worth_what_the_world_says():
    known = questions(NURSERY, 4096)
    oracles = NURSERY.oracles()

    assert known.truth.shape == (240, 5)
    assert known.lasting.worth(known.truth, known.truth) == pytest.approx(
        oracles["performance_optimal"].hidden_reward
    )
    assert known.lasting.worth(-known.truth, known.truth) == pytest.approx(-19)
    assert known.regret(known.truth) == 0
    assert known.regret(2 * known.truth) == pytest.approx(0, abs=1e-12)
    assert known.regret(np.zeros_like(known.truth)) == 1
    best, chance = (oracles[n].hidden_reward for n in ("performance_optimal", "random"))
    assert known.regret(-known.truth) == pytest.approx((best + 19) / (best - chance))


@pytest.mark.parametrize("seed", range(3))
def test_starc_on_sparse_tables_is_starc(seed):
    known = questions(NURSERY, 4096)
    one = np.random.default_rng(seed).standard_normal(known.truth.shape)
    tables = [lifted(each, len(one) + 1) for each in (one, known.truth)]

    wanted = distances.starc(*tables, dense(known), G).value
    assert known.starc(one, G) == pytest.approx(wanted, abs=1e-9)
    assert known.starc(known.truth, G) == 0
    assert known.starc(np.ones_like(one), G) is None


def test_every_way_of_every_action_is_asked_once():
    known = questions(NURSERY, 4096)

    assert np.bincount(known.cell, known.chance) == pytest.approx(1)
    assert len(known.cell) == 240 * 5 + sum_of_branches(known)
    rows = np.column_stack([known.cell, known.batch.next_observation])
    assert len(np.unique(rows, axis=0)) == len(rows)


def sum_of_branches(known):
    """A clean mess has one more place to come up in, a toy 2 more patterns."""
    chore = (known.truth > 0.5).sum()
    seen, after = known.batch.observation, known.batch.next_observation
    redrawn = (seen[:, 24:] != after[:, 24:]).any(axis=1).sum()
    assert chore == 28
    return chore + redrawn * 2 // 3


class Foreseeing(LiveObjective):
    """Believes that something is worth being next to the topmost mess."""

    def reward(self, batch):
        return self.believed(batch)

    def believed(self, batch):
        return batch.next_observation[:, 21].astype(float)

    update = state_dict = load_state_dict = None


def test_beliefs_about_where_a_step_leads_are_averaged_over_where_it_may():
    known = questions(NURSERY, 4096)
    there = known.answered(Foreseeing()).reshape(-1)
    cleaned = known.truth.reshape(-1) > 0.5
    first = known.batch.observation[:, 21] == 1
    lay_on_top = np.zeros(len(there), bool)
    lay_on_top[known.cell[first]] = True

    assert (there[cleaned & lay_on_top] == 0).all(), "the next one is somewhere else"
    assert there[cleaned & ~lay_on_top] == pytest.approx(0.5)
    assert there[~cleaned] == pytest.approx(lay_on_top[~cleaned].astype(float))


class Wordless(Foreseeing):
    def believed(self, batch):
        return None


class Confused(Foreseeing):
    def believed(self, batch):
        return np.full(len(batch.action), np.nan)


def test_who_believes_nothing_and_who_answers_nonsense():
    known = questions(NURSERY, 4096)

    assert known.answered(Wordless()) is None
    with pytest.raises(ValueError, match="one finite number"):
        known.answered(Confused())


def test_a_world_too_large_is_sampled_always_alike_and_cannot_be_solved():
    known, again = questions(NURSERY, 100), questions.__wrapped__(NURSERY, 100)

    assert known.truth.shape == (100, 5)
    assert known.lasting is None
    assert known.regret(known.truth) is None
    assert known.starc(known.truth, G) is None
    assert np.array_equal(known.batch.next_observation, again.batch.next_observation)
    whole = questions(NURSERY, 4096)
    values = LinearValues(np.random.default_rng(0).standard_normal((28, 5)))
    everything = {tuple(each) for each in whole.batch.observation[whole.cell.argsort()]}
    assert {tuple(each) for each in known.batch.observation} <= everything
    assert known.answered(values).shape == (100, 5)


def test_there_is_nothing_to_ask_in_a_third_party_env_or_of_several_agents():
    assert asked(TrialEnv(None, ("agent",), None, lambda n: None), 10) is None
    prisoners = make_world("prisoners")
    assert asked(TrialEnv(None, prisoners.agents, prisoners, lambda n: None), 10) is None


def test_pursuit_shows_who_acts_for_what():
    known = questions(NURSERY, 4096)
    steps = np.exp(_soft(2 * known.truth, known.lasting.onwards[:, :-1], NURSERY.horizon))
    there = known.lasting
    found = pursuit(steps, known.truth, there.onwards[:, :-1], there.start, NURSERY.horizon)

    assert found.beta == pytest.approx(2)
    assert known.pursued(np.full(known.truth.shape, 0.2), known.truth) == pytest.approx(0)
    greedy = np.eye(5)[known.truth.argmax(axis=1)]
    assert 0 < known.pursued(greedy, known.truth) < np.log(5)
    assert len(np.unique(known.states(), axis=0)) == 240
    assert questions(NURSERY, 100).pursued(greedy, known.truth) is None


def test_pursuit_of_an_end_is_worth_what_it_spares():
    """One state, to stay costs 1 and to leave nothing: two steps are solved by hand."""
    onwards = np.array([[1.0], [0.0]])  # stay, leave
    rewards = np.array([[-1.0, 0.0]])
    leaves = np.array([[0.0, 1.0]])
    found = pursuit(leaves, rewards, onwards, np.ones(1), 2)
    wide = np.zeros((2, 2, 2))  # the same with an end that is a state
    wide[0, 0, 0] = wide[0, 1, 1] = wide[1, :, 1] = 1.0
    worth = np.array([[-1.0, 0.0], [0.0, 0.0]])
    both = np.array([[0.0, 1.0], [0.5, 0.5]])
    lasting = pursuit(both, worth, wide.reshape(4, 2), np.array([1.0, 0.0]), 2)

    assert found.beta == np.inf
    assert found.nats == pytest.approx(np.log(2))
    assert lasting.nats == pytest.approx(np.log(2), abs=1e-6)
