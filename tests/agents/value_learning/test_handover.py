"""When a learned value takes over: its shares, the fidelity that they need, what is refused."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.contract import Batch
from agents.objectives.internal_social_reward import InternalSocialReward
from agents.objectives.learned_value import LearnedValue
from agents.value_learning.handover import UNKNOWN, alpha, fidelity
from agents.value_learning.registry import model_names, model_of
from agents.values.approval import Approval
from agents.values_contract import Evidence
from sandbox.catalogue import Catalogue, plug_module

SIZE, ACTIONS, N, STEPS = 6, 3, 8, 25
TABLE = np.random.default_rng(5).standard_normal((SIZE, ACTIONS))


def a_rollout(seed, noise=0.0, silent=False):
    """One-hot states, any actions, approved of by ``TABLE``."""
    rng = np.random.default_rng(seed)
    state, action = rng.integers(0, SIZE, (STEPS, N)), rng.integers(0, ACTIONS, (STEPS, N))
    seen = np.eye(SIZE, dtype=np.float32)[state]
    none = np.zeros((STEPS, N), bool)
    shown = TABLE[state, action] + noise * rng.standard_normal((STEPS, N))
    shown = None if silent else shown
    return Batch(seen, action, seen, np.zeros((STEPS, N)), none, none, approval=shown)


def flat(rollout):
    there = {name: each for name, each in vars(rollout).items() if each is not None}
    return Batch(**{name: each.reshape(-1, *each.shape[2:]) for name, each in there.items()})


def begun(seed=0, **settings):
    return LearnedValue(**settings).start(SIZE, ACTIONS, np.random.default_rng(seed))


def shares(live_objective, rollouts):
    found = [live_objective.share()]
    for rollout in rollouts:
        live_objective.update(rollout)
        found.append(live_objective.share())
    return found


# --- fidelity ----------------------------------------------------------------------------------


def test_fidelity_is_one_less_the_pearson_distance():
    shown = np.array([1.0, -2.0, 0.5, 3.0, 0.0])
    across = np.array([1.0, 1.0, -1.0, -1.0]), np.array([1.0, -1.0, 1.0, -1.0])

    assert fidelity(shown, shown, 2.0) == (1.0, 1.0)
    assert fidelity(-shown, shown, 2.0) == (0.0, 0.0)
    assert fidelity(*across, 0.0) == pytest.approx((1 - math.sqrt(0.5),) * 2, abs=1e-15)


def test_fidelity_has_fishers_lower_bound():
    rng = np.random.default_rng(0)
    one = rng.standard_normal(103)
    other = one + rng.standard_normal(103)
    rho = np.corrcoef(one, other)[0, 1]
    found = fidelity(one, other, 1.645)

    assert found.estimate == pytest.approx(1 - math.sqrt((1 - rho) / 2), abs=1e-12)
    low = math.tanh(math.atanh(rho) - 1.645 / 10)
    assert found.lower == pytest.approx(1 - math.sqrt((1 - low) / 2), abs=1e-12)


def test_the_lower_bound_holds_as_often_as_it_says():
    """Independent normal pairs of correlation 0.6: below the truth in 95 % of samples."""
    rng = np.random.default_rng(0)
    true = 1 - math.sqrt(0.2)
    held = 0
    for _ in range(2000):
        one = rng.standard_normal(50)
        other = 0.6 * one + 0.8 * rng.standard_normal(50)
        held += fidelity(one, other, 1.645).lower <= true

    assert abs(held / 2000 - 0.95) < 3 * math.sqrt(0.95 * 0.05 / 2000)


@given(st.floats(0.1, 100), st.floats(-100, 100), st.integers(0, 99))
def test_neither_scale_nor_shift_matters_to_fidelity(scale, shift, seed):
    rng = np.random.default_rng(seed)
    one, other = rng.standard_normal((2, 20))

    assert fidelity(scale * one + shift, other, 1.0) == pytest.approx(
        fidelity(one, other, 1.0), abs=1e-9
    )


@pytest.mark.parametrize(
    ("foretold", "shown"),
    [([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]), ([0.0] * 9, range(9)), (range(9), [0.5] * 9)],
)
def test_what_cannot_be_compared_has_no_fidelity(foretold, shown):
    found = fidelity(np.array(foretold, float), np.array(shown, float), 1.0)

    assert np.isnan(found).all()
    assert np.isnan(UNKNOWN).all()


# --- shares ------------------------------------------------------------------------------------


def test_shares_over_a_run():
    found = {
        each: [alpha(each, update, (2, 6), proved=update >= 3) for update in range(8)]
        for each in ("none", "never", "always", "scheduled", "abrupt", "fidelity", "entropy")
    }

    assert found["none"] == [None] * 8
    assert found["never"] == [0] * 8
    assert found["always"] == [1] * 8
    assert found["scheduled"] == [0, 0, 0, 0.25, 0.5, 0.75, 1, 1]
    assert found["abrupt"] == [0, 0, 0, 0, 1, 1, 1, 1]
    assert found["fidelity"] == found["entropy"] == [0, 0, 0, 1, 1, 1, 1, 1]


def test_a_schedule_counts_the_agents_own_updates():
    live_objective = begun(handover="scheduled", first_update=1, last_update=3)

    assert shares(live_objective, [a_rollout(i) for i in range(4)]) == [0, 0, 0.5, 1, 1]


def test_fidelity_is_of_approvals_that_were_not_learned_from_yet():
    live_objective, duplicate = (
        begun(seed=3),
        Approval().start(SIZE, ACTIONS, np.random.default_rng(3)),
    )
    live_objective.update(a_rollout(0))
    assert "fidelity" not in live_objective.report()  # it foretold 0 of everything
    duplicate.learn(_evidence(a_rollout(0)))
    live_objective.update(a_rollout(1))
    foretold, shown = duplicate.reward(flat(a_rollout(1))), a_rollout(1).approval.ravel()

    expected = fidelity(foretold, shown, 1.645)
    assert 0.3 < expected.lower < expected.estimate < 1
    assert live_objective.report()["fidelity"] == expected.estimate
    assert live_objective.report()["fidelity_at_least"] == expected.lower


def test_the_say_is_handed_over_once_fidelity_is_proved_and_for_good():
    """What is shown becomes noise later: fidelity falls, and nothing is taken back."""
    live_objective = begun(handover="fidelity", least_fidelity=0.7)
    agent_runs = [*(a_rollout(i) for i in range(12)), *(a_rollout(i, noise=50) for i in range(2))]
    found = shares(live_objective, agent_runs)

    assert found[:3] == [0, 0, 0]
    assert found == sorted(found)
    assert found[-1] == 1
    assert live_objective.report()["fidelity"] < 0.5
    assert live_objective.report()["lessons"] == 14 * STEPS * N


def test_unpredictable_noise_hands_nothing_over():
    live_objective = begun(handover="fidelity", least_fidelity=0.7)

    assert shares(live_objective, [a_rollout(i, noise=50) for i in range(12)]) == [0] * 13


def test_without_a_caregiver_nothing_is_handed_over_and_no_reward_is_given():
    live_objective = begun(handover="fidelity")

    assert shares(live_objective, [a_rollout(i, silent=True) for i in range(3)]) == [0] * 4
    assert not live_objective.reward(flat(a_rollout(0))).any()
    assert live_objective.report() == {"lessons": 0, "alpha": 0}


def test_the_say_is_handed_over_once_little_doubt_is_left():
    live_objective = begun(handover="entropy", model="bayesian_approval", most_doubt=0.5)
    initial = live_objective._valuer.doubt()
    found = shares(live_objective, [a_rollout(i) for i in range(3)])

    assert found == [0, 1, 1, 1]
    assert live_objective.report()["doubt"] <= 0.5 * initial
    cautious = begun(handover="entropy", model="bayesian_approval", most_doubt=0.0)
    assert shares(cautious, [a_rollout(0)]) == [0, 0]


def test_what_was_proved_is_in_the_state():
    live_objective, offspring = (begun(handover="fidelity", least_fidelity=0.7) for _ in range(2))
    shares(live_objective, [a_rollout(i) for i in range(12)])
    offspring.load_state_dict(live_objective.state_dict())

    assert offspring.share() == live_objective.share() == 1
    assert offspring.report() == live_objective.report()


def test_rewards_are_divided_by_what_the_normaliser_says():
    plain, scaled = begun(), begun(normaliser="raw_std")
    for live_objective in (plain, scaled):
        live_objective.update(a_rollout(0))
    batch = flat(a_rollout(1))
    raw = plain.reward(batch)
    scaled.reward(batch)
    scaled.update(a_rollout(0, silent=True))

    np.testing.assert_allclose(scaled.reward(batch), raw / raw.std(), rtol=1e-9)


def test_advice_trains_models_that_learn_from_demonstrations():
    rollout = a_rollout(0)
    advised = replace(rollout, approval=None, advice=np.where(rollout.action == 0, -1, 2))
    live_objective = begun(model={"behaviour_cloning": {"epochs": 60}})
    live_objective.update(advised)
    chances = live_objective.believed(replace(flat(rollout), action=np.full(STEPS * N, 2)))

    assert live_objective.report()["lessons"] == (rollout.action > 0).sum()
    assert chances.min() > math.log(0.9)


# --- settings ----------------------------------------------------------------------------------


def test_models_are_named_with_or_without_settings():
    assert model_of("approval") == Approval()
    assert model_of({"approval": {"hidden": 7}}) == Approval(hidden=7)
    assert "approval" in model_names()


def test_a_model_of_ones_own_may_be_named(tmp_path, monkeypatch):
    (tmp_path / "their_values.py").write_text(
        "from dataclasses import dataclass\n"
        "from agents.values.approval import Approval\n"
        "@dataclass(frozen=True)\nclass Mine(Approval):\n    'Mine.'\n    hidden: int = 3\n"
        "def register(known):\n    known.add('values', 'mine', 'their_values:Mine', 'Mine.')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    plug_module(Catalogue(), "their_values")

    assert model_of({"mine": {"minibatch": 7}}).minibatch == 7
    assert LearnedValue(model="mine").start(SIZE, ACTIONS, np.random.default_rng(0)).report()


@pytest.mark.parametrize("model", ["gail", "airl"])
def test_a_rollout_without_marks_of_absence_is_of_all(model):
    said = replace(a_rollout(0), advice=np.ones((STEPS, N), int))
    there = replace(said, present=np.ones((STEPS, N), bool))
    one, other = (begun(model=model) for _ in range(2))
    one.update(said)
    other.update(there)

    state = other.state_dict()
    assert all(np.array_equal(each, state[name]) for name, each in one.state_dict().items())


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"model": "os"}, "model 'os' is none of "),
        ({"model": {"approval": {"depth": 3}}}, "model 'approval': .*depth"),
        ({"model": {"approval": {"hidden": True}}}, "hidden is of type int, not True"),
        ({"model": {"approval": {"learning_rate": "fast"}}}, "learning_rate is of type float"),
        ({"model": {"approval": {"hidden": 0}}}, "model 'approval': hidden is at least 1, not 0"),
        ({"model": {"approval": {}, "dagger": {}}}, "model is one name"),
        ({"model": "mce_irl"}, "needs a table of its world"),
        ({"model": "preferences"}, "learns from comparisons, which no agent gives here"),
        ({"handover": "entropy"}, "handover entropy needs a model that doubts: not 'approval'"),
        ({"first_update": 5, "last_update": 5}, "below last_update, not 5 and 5"),
        ({"least_fidelity": 1.5}, "least_fidelity is between 0 and 1"),
        ({"caution": -1.0}, "caution is finite and at least 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, said):
    with pytest.raises(ValueError, match=said):
        LearnedValue(**settings)


def test_an_internal_reward_is_what_is_shown_and_else_what_would_have_been():
    live_objective = InternalSocialReward().start(SIZE, ACTIONS, np.random.default_rng(0))
    for i in range(3):
        live_objective.update(a_rollout(i))
    batch = flat(a_rollout(9))
    some = np.where(np.arange(STEPS * N) % 3 == 0, np.nan, batch.approval)
    rewards = live_objective.reward(replace(batch, approval=some))

    silent = np.isnan(some)
    np.testing.assert_array_equal(rewards[~silent], batch.approval[~silent])
    np.testing.assert_array_equal(rewards[silent], live_objective.believed(batch)[silent])
    np.testing.assert_array_equal(
        live_objective.reward(replace(batch, approval=None)), live_objective.believed(batch)
    )


def _evidence(rollout):
    return Evidence(Batch(**{k: v[None] for k, v in vars(flat(rollout)).items() if v is not None}))
