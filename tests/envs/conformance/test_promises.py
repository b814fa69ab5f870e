"""The checks of a world's promises find every way in which one can be broken."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from envs.conformance.promises import PROMISES
from envs.contract import Oracle, Outcome, World
from envs.planning import exact


@dataclass(frozen=True)
class _Place:
    cell: np.ndarray
    time: np.ndarray


@dataclass(frozen=True)
class Corridor(World):
    """Cells 0..4; every move costs 1, cell 4 gives 10 and ends, cell 0 harms."""

    slip: float = 0.25

    action_names: ClassVar[tuple[str, ...]] = ("left", "right")
    legend: ClassVar[Mapping[str, str]] = {"A": "agent", ".": "floor"}
    horizon: ClassVar[int] = 6
    observation_size: ClassVar[int] = 5

    def reset(self, rng, n, options=None):
        if options:
            raise ValueError(f"unknown option {', '.join(options)}")
        return _Place(rng.integers(1, 4, size=n), np.zeros(n, int))

    def move(self, state, actions):
        cell, time = np.clip(state.cell + 2 * actions - 1, 0, 4), state.time + 1
        done, harm = cell == 4, (cell == 0).astype(float)
        reward = 10.0 * done - 1
        truth = {"hidden_reward": reward - harm, "harm": harm}
        outcome = Outcome(reward, done, (time >= self.horizon) & ~done, truth)
        return _Place(cell, time), outcome

    def step(self, state, actions, rng):
        slips = rng.random(len(actions)) < self.slip
        return self.move(state, np.where(slips, 1 - actions, actions))

    def branches(self, state, actions):
        ways = zip((1 - self.slip, self.slip), (actions, 1 - actions), strict=True)
        return [(np.full(len(actions), p), *self.move(state, each)) for p, each in ways]

    def observe(self, state):
        return np.eye(5, dtype=np.float32)[state.cell]

    def render_text(self, state, i):
        return "".join("A" if k == state.cell[i] else "." for k in range(5))

    def starts(self):
        return _Place(np.arange(1, 4), np.zeros(3, int))

    def oracles(self):
        model = exact.explore(self, self.starts())
        return exact.anchors(model, self.starts(), np.full(3, 1 / 3), self.horizon)

    def act(self, policy, state, rng):
        model = exact.explore(self, self.starts())
        return exact.Planner(model, self.horizon).act(policy, state, rng)


@pytest.mark.parametrize("promise", PROMISES)
@pytest.mark.parametrize("seed", range(5))
def test_an_honest_world_keeps_every_promise(promise, seed):
    assert PROMISES[promise](Corridor(), seed) is None


class Unequal(Corridor):
    def __eq__(self, other):
        return self is other

    __hash__ = object.__hash__


class Moody(Corridor):
    calls = [0]  # noqa: RUF012

    def step(self, state, actions, rng):
        self.calls[0] += 1
        return super().step(state, actions if self.calls[0] % 2 else 1 - actions, rng)


class Scribbler(Corridor):
    def observe(self, state):
        state.cell[:] = np.minimum(state.cell + 1, 3)
        return super().observe(state)


class LateScribbler(Corridor):
    """Leaves first states alone and changes later ones: the same in every run, but a change."""

    def step(self, state, actions, rng):
        found = super().step(state, actions, rng)
        state.cell[state.time > 2] = 1
        return found


class Unmeasured(Corridor):
    def move(self, state, actions):
        after, outcome = super().move(state, actions)
        truth = {**outcome.truth, "noise": np.full(len(actions), np.nan)}
        return after, dataclasses.replace(outcome, truth=truth)


class Crowd(Corridor):
    def move(self, state, actions):
        return super().move(state, np.full_like(actions, actions[0]))


class Neighbourly(Corridor):
    def step(self, state, actions, rng):
        return super().step(state, np.roll(actions, 1), rng)


class Improbable(Corridor):
    def branches(self, state, actions):
        return super().branches(state, actions)[:1]


class Blinkered(Corridor):
    def branches(self, state, actions):
        return [(np.ones(len(actions)), *self.move(state, actions))]


class Loud(Corridor):
    def observe(self, state):
        return 2 * super().observe(state)


class Silent(Corridor):
    def move(self, state, actions):
        after, outcome = super().move(state, actions)
        return after, dataclasses.replace(outcome, truth={"harm": outcome.truth["harm"]})


class Shared(Corridor):
    def move(self, state, actions):
        after, outcome = super().move(state, actions)
        truth = {**outcome.truth, "hidden_reward": outcome.reward}
        return after, dataclasses.replace(outcome, truth=truth)


class Both(Corridor):
    def move(self, state, actions):
        after, outcome = super().move(state, actions)
        return after, dataclasses.replace(outcome, truncated=after.time >= self.horizon)


class Endless(Corridor):
    def move(self, state, actions):
        after, outcome = super().move(state, actions)
        return after, dataclasses.replace(outcome, truncated=np.zeros(len(actions), bool))


class Hasty(Corridor):
    def move(self, state, actions):
        after, outcome = super().move(state, actions)
        early = (after.time >= 3) & ~outcome.terminated
        return after, dataclasses.replace(outcome, truncated=early)


class Immortal(Corridor):
    ends = ("truncated",)


class Ragged(Corridor):
    def render_text(self, state, i):
        return super().render_text(state, i) + "\nA"


class Cryptic(Corridor):
    def render_text(self, state, i):
        return super().render_text(state, i).replace(".", "?")


class Wordy(Corridor):
    def caption(self, state, i):
        return "two\nlines"


class Overlapping(Corridor):
    def channels(self):
        return {"one": [0, 1], "other": [1, 2]}


class Outside(Corridor):
    def channels(self):
        return {"beyond": [5]}


class Changeling(Corridor):
    def distributions(self):
        return {"in_distribution": self, "shifted": dataclasses.replace(self, slip=0.9)}


class Careless(Corridor):
    def reset(self, rng, n, options=None):
        return super().reset(rng, n)


class Boastful(Corridor):
    def oracles(self):
        found = dict(super().oracles())
        found["reward_optimal"] = Oracle(99.0, 1.0, 0.0, exact=True, how="hope")
        return found


class Modest(Corridor):
    def oracles(self):
        found = dict(super().oracles())
        found["reward_optimal"] = dataclasses.replace(found["reward_optimal"], reward=-9.0)
        return found


class Lonely(Corridor):
    def oracles(self):
        return {"random": super().oracles()["random"]}


class Unlucky(Corridor):
    def oracles(self):
        found = dict(super().oracles())
        found["random"] = dataclasses.replace(found["random"], harm=found["random"].harm + 0.3)
        return found


@pytest.mark.parametrize(
    ("kind", "promise"),
    [
        (Unequal, "is_a_value"),
        (Moody, "steps_are_pure"),
        (Moody, "copies_replay"),
        (Scribbler, "steps_are_pure"),
        (LateScribbler, "steps_are_pure"),
        (Unmeasured, "shapes_are_right"),
        (Crowd, "rows_are_apart"),
        (Neighbourly, "rows_are_apart"),
        (Improbable, "branches_are_complete"),
        (Blinkered, "branches_are_complete"),
        (Loud, "shapes_are_right"),
        (Silent, "shapes_are_right"),
        (Shared, "shapes_are_right"),
        (Both, "episodes_end"),
        (Endless, "episodes_end"),
        (Hasty, "episodes_end"),
        (Immortal, "episodes_end"),
        (Ragged, "text_is_readable"),
        (Cryptic, "text_is_readable"),
        (Wordy, "text_is_readable"),
        (Overlapping, "channels_are_parts"),
        (Outside, "channels_are_parts"),
        (Changeling, "distributions_agree"),
        (Careless, "options_are_checked"),
        (Modest, "oracles_are_ordered"),
        (Lonely, "oracles_are_ordered"),
        (Boastful, "oracles_are_reached"),
        (Unlucky, "oracles_are_reached"),
    ],
)
def test_a_broken_promise_is_found_and_said_in_one_sentence(kind, promise):
    said = PROMISES[promise](kind(), 0)
    assert said
    assert "\n" not in said
