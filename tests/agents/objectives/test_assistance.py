"""Rewarded by where another agent can get: exact against the world's truth, blind to names."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import envs
from agents.contract import Batch
from agents.drives.companions import CompanionCounts
from agents.objectives.assistance import Assistance

PLACES, COLUMNS = 11, 5  # of the leader, of the assistant, where there are three goals
ASSISTANT = 1


def rng(seed=0):
    return np.random.default_rng(seed)


def companionship(world, chance, episodes=200):
    """A rollout of random play as the assistant sees it, and the truth of every step."""
    state, steps, truth = world.reset(chance, episodes), [], []
    for _ in range(world.horizon):
        actions = chance.integers(5, size=(episodes, 2))
        after, outcome = world.step(state, actions, chance)
        before, ahead = (world.observe(each)[:, ASSISTANT] for each in (state, after))
        steps.append((before, actions[:, ASSISTANT], ahead))
        truth.append(outcome.truth["leader_reachable"][:, ASSISTANT])
        state = after
    seen, actions, ahead = map(np.stack, zip(*steps, strict=True))
    no = np.zeros(actions.shape, bool)
    return Batch(seen, actions, ahead, np.zeros(no.shape), no, no, ~no), np.stack(truth)


def rewards(live_objective, rollout):
    """Reward of every step, ``[steps, n]``, nothing learned in between."""
    fields = ("observation", "action", "next_observation", "reward", "terminated", "ended")
    steps = zip(*(getattr(rollout, name) for name in fields), strict=True)
    return np.stack([live_objective.reward(Batch(*step)) for step in steps])


def watching(rollout, **chosen):
    live_objective = Assistance(**{"other": (0, PLACES)} | chosen).start(
        rollout.observation.shape[-1], 5, rng()
    )
    live_objective.update(rollout)
    return live_objective


def test_an_observation_may_be_all_the_others():
    live_objective = Assistance(other=(0, 2)).start(2, 2, rng())
    seen, no = np.eye(2, dtype=np.float32), np.zeros((2,), bool)
    step = Batch(seen, np.zeros(2, int), seen[::-1], np.zeros(2), no, no)
    assert live_objective.reward(step).tolist() == [0, 0], "it was never seen anywhere"
    live_objective.update(
        Batch(seen[None], np.zeros((1, 2), int), seen[None, ::-1], *[no[None]] * 3)
    )
    assert live_objective.reward(step).tolist() == [1, 1], "it can be in either place"


def test_without_a_limit_it_is_the_truth_once_everything_was_seen():
    world = envs.make_world("companion")
    rollout, truth = companionship(world, rng(1), episodes=400)
    live_objective = watching(rollout, steps=0)

    np.testing.assert_allclose(rewards(live_objective, rollout), np.log2(truth), atol=1e-12)
    assert len(set(truth.ravel())) > 3


def test_of_an_agent_with_habits_it_never_sees_too_much():
    """A leader that only walks to its goals is never seen to turn back, and seems unable to."""
    world = envs.make_world("companion", leader="scripted")
    rollout, truth = companionship(world, rng(1))
    bits = rewards(watching(rollout, steps=0), rollout)

    assert (bits <= np.log2(truth) + 1e-12).all()
    assert (bits < np.log2(truth) - 0.1).any()


def test_it_knows_nothing_before_it_has_seen_anything():
    world = envs.make_world("companion")
    rollout, truth = companionship(world, rng(1), episodes=4)
    live_objective = Assistance(other=(0, PLACES)).start(rollout.observation.shape[-1], 5, rng())
    assert not rewards(live_objective, rollout).any()
    live_objective.update(rollout)
    assert (rewards(live_objective, rollout) <= np.log2(truth) + 1e-12).all()


def test_within_a_few_steps_it_matters_where_the_assistant_stands():
    """The leader at the door of the first room: with it open two steps lead into the room."""
    world = envs.make_world("companion")
    rollout, _ = companionship(world, rng(1), episodes=400)
    live_objective = watching(rollout, steps=2)
    seen = np.zeros((2, rollout.observation.shape[-1]), np.float32)
    seen[:, 0] = 1
    seen[[0, 1], [PLACES, PLACES + 1]] = 1
    no = np.zeros(2, bool)
    bits = live_objective.reward(Batch(seen, np.zeros(2, int), seen, np.zeros(2), no, no))
    np.testing.assert_allclose(bits, np.log2([5, 3]), atol=1e-12)


def moving(own, place, after, size=2):
    """Steps of one other, whose place is one number, as the own part is."""
    before = np.stack([place, own], axis=1)[:, None].astype(np.float32)
    ahead = np.stack([after, own], axis=1)[:, None].astype(np.float32)
    shape = (len(own), 1)
    no = np.zeros(shape, bool)
    return Batch(before, np.zeros(shape, int), ahead, np.zeros(shape), no, no, ~no)


RING = 5


def on_a_ring(shares=(2, 1, 1)):
    """Under the own part 1 the other stays, goes on or back, so often; under 2 it stays."""
    place, step = np.arange(RING), np.repeat([0, 1, -1], shares)
    start, move = (each.ravel() for each in np.meshgrid(place, step, indexing="ij"))
    free = moving(np.ones(len(start), int), start, (start + move) % RING)
    stuck = moving(np.full(RING, 2), place, place)
    names = ("observation", "action", "next_observation", "reward", "terminated", "ended")
    both = [np.concatenate([getattr(free, k), getattr(stuck, k)]) for k in names]
    return Batch(*both)


@pytest.mark.parametrize(
    ("settings", "bits"),
    [
        ({"choice": "reachable", "steps": 1}, np.log2(3)),
        ({"choice": "reachable", "steps": 2}, np.log2(5)),
        ({"choice": "reachable", "steps": 0}, np.log2(5)),
        ({"choice": "immediate"}, 1.5),
        ({"choice": "immediate", "steps": 0}, 1.5),
        ({"choice": "entropic", "steps": 1}, 1.5),
        # 6, 4, 4, 1 and 1 of 16: two steps of (1/2, 1/4, 1/4)
        (
            {"choice": "entropic", "steps": 2},
            -sum(k / 16 * np.log2(k / 16) for k in (6, 4, 4, 1, 1)),
        ),
    ],
)
def test_choice_on_a_ring_has_a_closed_form(settings, bits):
    rollout = on_a_ring()
    live_objective = watching(rollout, other=(0, 1), **settings)
    free = rewards(live_objective, rollout)[rollout.observation[..., 1] == 1]
    np.testing.assert_allclose(free, bits, atol=1e-12)
    stuck = rewards(live_objective, rollout)[rollout.observation[..., 1] == 2]
    assert not stuck.any()


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["reachable", "immediate", "entropic"]))
def test_names_of_places_and_of_own_parts_do_not_matter(seed, choice):
    chance = rng(seed)
    own, place, after = chance.integers(3, size=40), *chance.integers(6, size=(2, 40))
    mine, theirs = chance.permutation(3) - 7.0, chance.permutation(6) + 0.5
    rollout, renamed = moving(own, place, after), moving(mine[own], theirs[place], theirs[after])
    one, other = (watching(each, other=(0, 1), choice=choice) for each in (rollout, renamed))
    np.testing.assert_allclose(rewards(one, rollout), rewards(other, renamed), atol=1e-12)


def test_which_columns_show_the_other_is_all_that_counts():
    rollout = moving(*rng(3).integers(4, size=(3, 60)))
    swapped = Batch(
        rollout.observation[..., ::-1],
        rollout.action,
        rollout.next_observation[..., ::-1],
        rollout.reward,
        rollout.terminated,
        rollout.ended,
    )
    one, other = watching(rollout, other=(0, 1)), watching(swapped, other=(1, 2))
    np.testing.assert_array_equal(rewards(one, rollout), rewards(other, swapped))


def test_what_ends_or_left_gives_no_sample_and_no_reward():
    rollout = on_a_ring()
    over = np.ones(rollout.terminated.shape, bool)
    for gone in (
        Batch(**vars(rollout) | {"terminated": over, "ended": over}),
        Batch(**vars(rollout) | {"present": ~over}),
    ):
        watched = CompanionCounts(2, 0, 1)
        watched.learn(gone)
        assert len(watched.places) == len(watched) == 1
    live_objective = watching(rollout, other=(0, 1))
    assert not rewards(live_objective, Batch(**vars(rollout) | {"terminated": over})).any()


def test_minus_zero_is_zero():
    rollout = moving(
        np.ones(4, int), np.array([0.0, 1.0, -0.0, 1.0]), np.array([1.0, -0.0, 1.0, 0])
    )
    live_objective = watching(rollout, other=(0, 1))
    np.testing.assert_allclose(rewards(live_objective, rollout), 1.0)


@pytest.mark.parametrize(
    ("chosen", "reason"),
    [
        ({"other": (2, 2)}, "other is a first column and one after the last"),
        ({"other": (-1, 2)}, "other is a first column and one after the last"),
        ({"other": (0, 3)}, "other ends at column 3, an observation has 2"),
        ({"choice": "discrete"}, "choice is reachable, immediate or entropic"),
        ({"steps": -1}, "steps is at least 0"),
        ({"steps": 0, "choice": "entropic"}, "steps is at least 1"),
    ],
)
def test_settings_out_of_range_are_refused(chosen, reason):
    with pytest.raises(ValueError, match=reason):
        Assistance(**chosen).start(2, 4, rng())


def test_memories_of_other_observations_are_refused():
    mine, other = (Assistance(other=(0, k)).start(4, 4, rng()) for k in (1, 2))
    with pytest.raises(ValueError, match="do not fit a part of"):
        mine.load_state_dict(other.state_dict())
