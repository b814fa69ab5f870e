"""Every value model there is keeps the contract, without being asked by name."""

import json
import subprocess
import sys
from dataclasses import asdict, fields, is_dataclass, replace

import numpy as np
import pytest

from agents.contract import Batch
from agents.values_contract import Evidence
from sandbox.catalogue import catalogue
from tests.agents.demonstrators import a_random_world, compared, watched

KINDS = {name: part.load() for name, part in catalogue().parts("values").items()}
STATES, ACTIONS, EPISODES = 6, 4, 7
NAMES = pytest.mark.parametrize("name", KINDS)
WORLD = a_random_world(STATES, ACTIONS)
WORTH = np.random.default_rng(0).standard_normal((STATES, STATES))


def evidence(seed):
    """Some episodes end early, one never began, and the rest is compared."""
    rng = np.random.default_rng(seed)
    policy = rng.dirichlet(np.ones(ACTIONS), STATES)
    found = compared(watched(WORLD, policy, EPISODES, rng, ends=STATES - 1), WORTH, 9, rng)
    there = found.present.copy()
    there[:, 3] = False
    shown = WORTH[:, :ACTIONS][found.steps.observation.argmax(axis=2), found.steps.action]
    shown[rng.random(shown.shape) < 0.3] = np.nan  # silence
    return replace(found, steps=replace(found.steps, present=there, approval=shown))


def a_step(seed, n=5):
    rng = np.random.default_rng(seed)
    before, after = rng.integers(0, STATES, (2, n))
    none = np.zeros(n, bool)
    seen = WORLD.observation
    return Batch(
        seen[before], rng.integers(0, ACTIONS, n), seen[after], rng.random(n), none, none, ~none
    )


def a_kind(name):
    """Episodes of ``evidence`` end early, which some models accept by a setting only."""
    agent_states = "variable_horizon" in {each.name for each in fields(KINDS[name])}
    return KINDS[name](variable_horizon=True) if agent_states else KINDS[name]()


def started(name, seed=0):
    return a_kind(name).start(STATES, ACTIONS, np.random.default_rng(seed), WORLD)


def own_steps(seed):
    """A rollout of one's own."""
    rng = np.random.default_rng([seed, 1])
    return watched(WORLD, rng.dirichlet(np.ones(ACTIONS), STATES), 5, rng).steps


def trained(valuer, observed, seed=0):
    """The valuer after one round of evidence, as a trial gives them."""
    valuer.learn(observed)
    valuer.watch(own_steps(seed))
    return valuer


def live(valuer, seed, samples=2):
    """Learn and reward; return all rewards and predictions, ``[samples, ...]``."""
    observed = []
    for i in range(samples):
        trained(valuer, evidence(seed + i), seed + i)
        chances = valuer.predict(WORLD.observation, np.arange(STATES))
        observed.append([*valuer.reward(a_step(i)), *([] if chances is None else chances.ravel())])
    return np.array(observed)


@NAMES
def test_it_is_a_frozen_dataclass_that_names_its_unit_and_what_it_learns_from(name):
    kind = KINDS[name]

    assert is_dataclass(kind)
    assert kind.__dataclass_params__.frozen
    assert kind.unit
    assert kind.learns_from in {"demonstrations", "comparisons", "approval"}
    kind(**{each.name: each.default for each in fields(kind)})
    assert kind() == kind(**json.loads(json.dumps(asdict(kind()), allow_nan=False)))


@NAMES
def test_rewards_are_finite_float64_one_an_environment_also_before_it_has_learned(name):
    valuer = started(name)
    for seed in range(3):
        rewards = valuer.reward(a_step(seed))

        assert rewards.shape == (5,)
        assert rewards.dtype == np.float64
        assert np.all(np.isfinite(rewards))
        assert valuer.unshaped(a_step(seed)).shape == (5,)
        trained(valuer, evidence(seed), seed)


@NAMES
def test_what_it_foretells_are_probabilities_and_doubt_is_an_entropy(name):
    valuer = started(name)
    for seed in range(2):
        chances = valuer.predict(WORLD.observation, np.arange(STATES) + 100 * seed)
        if chances is not None:
            assert chances.shape == (STATES, ACTIONS)
            assert chances.min() >= 0
            np.testing.assert_allclose(chances.sum(axis=1), 1, rtol=1e-12)
        assert valuer.doubt() is None or 0 <= valuer.doubt() < np.inf
        trained(valuer, evidence(seed), seed)


@NAMES
def test_it_learns_from_what_it_says_it_learns_from(name):
    """And from nothing when there is none of it."""
    observed = evidence(0)
    silent = replace(observed, pairs=np.zeros((0, 2), int), preferred=np.zeros(0))
    unseen = replace(observed.steps, present=np.zeros_like(observed.present))
    nothing = (
        silent if KINDS[name].learns_from == "comparisons" else replace(observed, steps=unseen)
    )
    one, initial = trained(started(name), observed), started(name)
    untrained = trained(started(name), nothing)

    np.testing.assert_array_equal(untrained.reward(a_step(1)), initial.reward(a_step(1)))
    assert not np.array_equal(one.reward(a_step(1)), initial.reward(a_step(1)))


@NAMES
def test_what_the_others_world_rewarded_is_not_looked_at(name):
    observed = evidence(0)
    blind = replace(observed, steps=replace(observed.steps, reward=np.full((8, EPISODES), np.nan)))
    one, other = trained(started(name), observed), trained(started(name), blind)

    np.testing.assert_array_equal(one.reward(a_step(1)), other.reward(a_step(1)))


@NAMES
def test_what_comes_past_an_episodes_end_is_not_looked_at(name):
    observed = evidence(0)
    gone = ~observed.present
    shown = {each.name: getattr(observed.steps, each.name) for each in fields(Batch)}
    rollout = {name: each.copy() for name, each in shown.items() if each is not None}
    rollout["observation"][gone] = np.nan
    rollout["next_observation"][gone] = np.inf
    rollout["action"][gone] = 1
    rollout["approval"][gone] = 1e9
    one = trained(started(name), observed)
    other = trained(started(name), replace(observed, steps=Batch(**rollout)))

    assert gone.any(axis=0).sum() > 1
    np.testing.assert_array_equal(one.reward(a_step(1)), other.reward(a_step(1)))


@NAMES
def test_who_has_left_is_given_no_reward_and_changes_no_other_reward(name):
    valuer, batch = trained(started(name), evidence(0)), a_step(1)
    here = np.array([True, False, True, True, False])
    rewards = valuer.reward(replace(batch, present=here))

    np.testing.assert_array_equal(rewards[~here], 0)
    np.testing.assert_array_equal(rewards[here], valuer.reward(batch)[here])
    np.testing.assert_array_equal(valuer.reward(replace(batch, present=None)), valuer.reward(batch))


@NAMES
def test_it_never_writes_into_what_it_is_shown(name):
    observed, batch, own = evidence(0), a_step(0).sealed(), own_steps(0).sealed()
    observed = replace(observed, steps=observed.steps.sealed())
    for each in (observed.pairs, observed.preferred):
        each.flags.writeable = False
    valuer = started(name)
    valuer.learn(observed)
    valuer.reward(batch)
    valuer.watch(own)


@NAMES
def test_the_same_chance_gives_the_same_run(name):
    one, other = (live(started(name), 1) for _ in range(2))

    np.testing.assert_array_equal(one, other)


@NAMES
@pytest.mark.parametrize("samples", [0, 1, 3])
def test_a_run_goes_on_from_its_state_to_the_bit(name, samples):
    """Also into one that started with other chance and has learned already."""
    valuer, offspring = started(name), started(name, seed=9)
    live(valuer, 1, samples)
    live(offspring, 8)
    offspring.load_state_dict({key: value.copy() for key, value in valuer.state_dict().items()})

    np.testing.assert_array_equal(live(offspring, 2), live(valuer, 2))
    mine, theirs = valuer.state_dict(), offspring.state_dict()
    assert list(mine) == list(theirs)
    for key, value in mine.items():
        assert value.dtype == theirs[key].dtype
        np.testing.assert_array_equal(value, theirs[key])


@NAMES
def test_a_state_is_a_snapshot(name):
    valuer = started(name)
    live(valuer, 1)
    state = valuer.state_dict()
    kept = {key: value.copy() for key, value in state.items()}
    live(valuer, 2)

    for key, value in kept.items():
        assert isinstance(state[key], np.ndarray)
        assert state[key].dtype.kind in "fiub"
        np.testing.assert_array_equal(value, state[key])


@NAMES
def test_a_state_of_another_world_is_refused_and_changes_nothing(name):
    mine = started(name)
    live(mine, 1)
    other = a_random_world(STATES + 1, ACTIONS + 1)
    theirs = a_kind(name).start(STATES + 1, ACTIONS + 1, np.random.default_rng(0), other)
    before = mine.reward(a_step(0))

    with pytest.raises(ValueError, match="does not fit"):
        mine.load_state_dict(theirs.state_dict())
    np.testing.assert_array_equal(mine.reward(a_step(0)), before)


@NAMES
def test_what_a_rewrite_may_touch_is_put_back_and_changes_what_it_finds(name):
    mine, other = started(name), started(name, seed=9)
    live(mine, 1)
    live(other, 4)
    mine.import_parameters(
        {key: value.astype(np.float64) for key, value in mine.transferable_parameters().items()}
    )
    kept = mine.state_dict()
    mine.import_parameters(other.transferable_parameters())

    for key, value in mine.state_dict().items():
        assert value.dtype == kept[key].dtype
    if mine.transferable_parameters():
        np.testing.assert_allclose(mine.reward(a_step(0)), other.reward(a_step(0)), rtol=1e-9)
    with pytest.raises(ValueError, match="does not fit"):
        mine.import_parameters({key: value[None] for key, value in kept.items()})


@NAMES
def test_a_tabular_model_asks_for_its_table(name):
    kind = KINDS[name]
    if not kind.tabular:
        kind().start(STATES, ACTIONS, np.random.default_rng(0))
        return
    with pytest.raises(ValueError, match="needs the dynamics"):
        kind().start(STATES, ACTIONS, np.random.default_rng(0))
    with pytest.raises(ValueError, match="the table is of"):
        kind().start(STATES + 1, ACTIONS, np.random.default_rng(0), WORLD)
    with pytest.raises(ValueError, match="no state of the table looks like row 0"):
        started(name).reward(replace(a_step(0), **dict.fromkeys(
            ("observation", "next_observation"), np.full((5, STATES), 0.5, np.float32)
        )))  # fmt: skip


@NAMES
def test_its_flops_grow_with_steps_and_samples(name):
    valuer = started(name)

    assert 0 <= valuer.flops(0) <= valuer.flops(10) <= valuer.flops(1000) < float("inf")
    assert valuer.flops(10) <= valuer.flops(10, 10) <= valuer.flops(10, 1000) < float("inf")


def test_evidence_without_marks_is_there_from_end_to_end():
    observed = evidence(0)

    assert Evidence(replace(observed.steps, present=None)).present.all()


def test_the_part_folder_loads_and_works_without_torch():
    modules = [part.target for part in catalogue().parts("values").values()]
    code = f"import sys, importlib; [importlib.import_module(m) for m in {modules!r}]"

    subprocess.run([sys.executable, "-c", f"{code}; assert 'torch' not in sys.modules"], check=True)
