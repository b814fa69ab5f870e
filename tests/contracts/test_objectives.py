"""Every objective there is keeps the contract, without being asked by name."""

import itertools
import json
import subprocess
import sys
from dataclasses import asdict, fields, is_dataclass, replace

import hypothesis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.contract import Batch
from sandbox.catalogue import catalogue

KINDS = {name: part.load() for name, part in catalogue().parts("objectives").items()}
SIZE, ACTIONS, N, STEPS = 10, 4, 5, 12
SKILLS = (
    4  # the last numbers seen are a skill, which one objective wants and no other is disturbed by
)
NAMES = pytest.mark.parametrize("name", KINDS)


def a_batch(rng):
    """One step; observations from a small set, so that some come again."""
    return Batch(
        observation=seen(rng, 3),
        action=rng.integers(0, ACTIONS, N),
        next_observation=seen(rng, 2),
        reward=rng.standard_normal(N),
        terminated=rng.random(N) < 0.1,
        ended=rng.random(N) < 0.2,
        present=np.ones(N, bool),
    )


def seen(rng, most):
    places, skill = rng.integers(0, most, (N, SIZE - SKILLS)), rng.integers(SKILLS, size=N)
    return np.concatenate([places, np.eye(SKILLS)[skill]], axis=1).astype(np.float32)


def rollout(batches):
    """Steps of one rollout as one batch, every array ``[steps, n, ...]``."""
    names = [each.name for each in fields(Batch) if getattr(batches[0], each.name) is not None]
    return Batch(**{name: np.stack([getattr(each, name) for each in batches]) for name in names})


def live(live_objective, rng, rollouts=1):
    """Reward and learn; return all rewards, ``[rollouts, STEPS, N]``."""
    returns = []
    for _ in range(rollouts):
        batches = [a_batch(rng) for _ in range(STEPS)]
        returns.append([live_objective.reward(batch) for batch in batches])
        live_objective.update(rollout(batches))
    return np.array(returns)


def started(name, seed=0):
    return KINDS[name]().start(SIZE, ACTIONS, np.random.default_rng(seed))


@NAMES
def test_it_is_a_frozen_dataclass_with_a_weight_a_unit_and_a_scope(name):
    kind = KINDS[name]

    assert is_dataclass(kind)
    assert kind.__dataclass_params__.frozen
    assert kind.unit
    assert kind.scope in {"episodic", "lifelong"}
    assert np.isfinite(kind().weight)
    kind(**{each.name: each.default for each in fields(kind)})
    assert kind() == kind(**json.loads(json.dumps(asdict(kind()), allow_nan=False)))


@NAMES
def test_rewards_are_finite_float64_one_an_environment(name):
    returns = live(started(name), np.random.default_rng(0), rollouts=3)

    assert returns.shape == (3, STEPS, N)
    assert returns.dtype == np.float64
    assert np.all(np.isfinite(returns))


@NAMES
def test_it_never_writes_into_what_it_is_shown(name):
    batch = a_batch(np.random.default_rng(0)).sealed()
    steps = rollout([a_batch(np.random.default_rng(i)) for i in range(STEPS)]).sealed()
    live_objective = started(name)
    for _ in range(2):
        live_objective.reward(batch)
        live_objective.update(steps)


@NAMES
def test_the_same_chance_gives_the_same_run(name):
    one, other = (live(started(name), np.random.default_rng(1), rollouts=3) for _ in range(2))

    np.testing.assert_array_equal(one, other)


@NAMES
@pytest.mark.parametrize("rollouts", [0, 1, 3])
def test_a_run_goes_on_from_its_state_to_the_bit(name, rollouts):
    """Also into one that started with other chance and has run already."""
    live_objective, offspring = started(name), started(name, seed=9)
    live(live_objective, np.random.default_rng(1), rollouts)
    live(offspring, np.random.default_rng(8))
    state = {key: value.copy() for key, value in live_objective.state_dict().items()}
    offspring.load_state_dict(state)
    expected = live(live_objective, np.random.default_rng(2), rollouts=2)
    actual = live(offspring, np.random.default_rng(2), rollouts=2)

    np.testing.assert_array_equal(actual, expected)
    mine, theirs = live_objective.state_dict(), offspring.state_dict()
    assert list(mine) == list(theirs)
    for key, value in mine.items():
        assert value.dtype == theirs[key].dtype
        np.testing.assert_array_equal(value, theirs[key])


@NAMES
def test_a_state_is_a_snapshot(name):
    live_objective = started(name)
    live(live_objective, np.random.default_rng(1))
    state = live_objective.state_dict()
    kept = {key: value.copy() for key, value in state.items()}
    live(live_objective, np.random.default_rng(2))

    for key, value in kept.items():
        assert isinstance(state[key], np.ndarray)
        assert state[key].dtype.kind in "fiub"
        np.testing.assert_array_equal(value, state[key])


@NAMES
def test_its_flops_grow_with_the_steps(name):
    live_objective = started(name)

    assert (
        0
        <= live_objective.flops(0)
        <= live_objective.flops(10)
        <= live_objective.flops(1000)
        < float("inf")
    )


def test_the_part_folder_loads_and_works_without_torch():
    modules = [part.target for part in catalogue().parts("objectives").values()]
    code = f"import sys, importlib; [importlib.import_module(m) for m in {modules!r}]"

    subprocess.run([sys.executable, "-c", f"{code}; assert 'torch' not in sys.modules"], check=True)


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if not kind.discrete])
def test_one_that_does_not_distinguish_actions_takes_continuous_ones(name):
    """SAC's actions are float32 ``[n, dimensions]``; what says ``discrete`` it refuses."""
    live_objective, rng = (
        KINDS[name]().start(SIZE, 2, np.random.default_rng(0)),
        np.random.default_rng(1),
    )
    for _ in range(2):
        steps = [
            replace(a_batch(rng), action=rng.uniform(-1, 1, (N, 2)).astype(np.float32))
            for _ in range(STEPS)
        ]
        returns = np.array([live_objective.reward(each) for each in steps])
        assert returns.shape == (STEPS, N)
        assert np.isfinite(returns).all()
        live_objective.update(rollout(steps))


# --- a whole rollout at once ---------------------------------------------------------------------

OTHERS = [  # settings under which something else is remembered from step to step
    ("count", {"memory": "episodic"}),
    ("count", {"key": "state_action", "counted": "before"}),
    ("simhash", {"memory": "episodic"}),
    ("compression_progress", {"credit": "history"}),
    ("learned_value", {"normaliser": "return_std"}),
    ("learned_value", {"model": "dagger"}),
    ("rnd", {"normaliser": "raw_std"}),
]
ROUNDED = {
    *("disagreement", "icm", "internal_social_reward", "learned_value", "learning_progress"),
    *("rnd", "variational_empowerment"),
}
"""Their float32 networks, and sums in another order, round otherwise on all steps at once."""
CLOSE = 1e-6
"""How near those are: of the largest reward of the rollout, or of one unit. All others: the bit."""


def a_rollout(rng):
    """Steps that follow each other, with ends, absent agents and what another agent shows."""
    steps = [a_batch(rng) for _ in range(STEPS)]
    for before, after in itertools.pairwise(steps):
        going = ~before.ended
        after.observation[going] = before.next_observation[going]
    others = rng.standard_normal((STEPS, N)), rng.integers(-1, ACTIONS, (STEPS, N))
    others[0][rng.random((STEPS, N)) < 0.5] = np.nan
    here = rng.random((STEPS, N)) < 0.8
    return replace(rollout(steps), present=here, approval=others[0], advice=others[1])


@pytest.mark.parametrize(("name", "settings"), [*((name, {}) for name in KINDS), *OTHERS])
@given(seed=st.integers(0, 2**16))
@hypothesis.settings(max_examples=5, deadline=None)
def test_a_rollout_at_once_is_rewarded_as_its_steps_are(name, settings, seed):
    """And leaves the same state, so that the next rollouts are the same, too."""
    one, other = (
        KINDS[name](**settings).start(SIZE, ACTIONS, np.random.default_rng(0)) for _ in range(2)
    )
    rng = np.random.default_rng(seed)
    for _ in range(4):
        steps = a_rollout(rng).sealed()
        found = one.rewards(steps)
        wanted = np.array([other.reward(step) for step in steps.steps()])
        found, wanted = (np.where(steps.here, each, 0.0) for each in (found, wanted))
        assert found.dtype == np.float64
        error = CLOSE * max(1.0, np.abs(wanted).max()) if name in ROUNDED else 0.0
        np.testing.assert_allclose(found, wanted, rtol=0, atol=error)
        for each in (one, other):
            each.update(steps)
    theirs, near = other.state_dict(), 1e-6 if name in ROUNDED else 0.0
    for key, mine in one.state_dict().items():
        np.testing.assert_allclose(mine, theirs[key], rtol=near, atol=near, err_msg=key)
