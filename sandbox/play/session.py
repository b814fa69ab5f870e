"""One world, played step by step by a person or a reference policy, with its ground truth."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from envs.contract import JointWorld, State, World
from sandbox.errors import InputError, Problem, did_you_mean
from sandbox.play.world_card import NORMALISERS, references
from sandbox.words import counted, signed


@dataclass(frozen=True)
class Shown:
    """What can be shown of an episode at one time."""

    state: State
    step: int
    action: str = ""  # what was chosen
    executed: str = ""  # what was done, where the world did something else
    reward: float = 0.0
    total: float = 0.0


@dataclass
class Result:
    """Totals of one episode of the seat that was played."""

    steps: int = 0
    reward: float = 0.0
    truth: dict[str, float] = field(default_factory=dict)
    others: dict[str, float] = field(default_factory=dict)
    ended: str = "stopped"  # terminated, truncated or stopped


Show = Callable[[Shown], None]
"""Shows a moment of a game."""


@dataclass(frozen=True)
class Session:
    """A world, who plays which seat, and where chance comes from."""

    world: World
    seat: int
    others: str  # reference policy of the other seats
    rng: np.random.Generator

    def episode(
        self,
        moves: Iterator[int],
        show: Show,
        options: Mapping[str, Any] | None = None,
        limit: int | None = None,
    ) -> Result:
        """Play until the world ends, the moves run out or ``limit`` steps are done."""
        return self._played(moves, show, _started(self.world, self.rng, options), limit)

    def policy_episode(
        self, policy: str, show: Show, options: Mapping[str, Any] | None, limit: int | None
    ) -> Result:
        """Let a reference policy play the seat."""
        state = _started(self.world, self.rng, options)
        seen = [state]

        def look(moment: Shown) -> None:
            seen[0] = moment.state
            show(moment)

        def moves() -> Iterator[int]:
            while True:
                yield int(self._policy(policy, seen[0])[self.seat])

        return self._played(moves(), look, state, limit)

    def check(self, policy: str) -> None:
        """Raise ``InputError`` unless the world can play ``policy``."""
        chance = np.random.default_rng(0)
        try:
            self.world.act(policy, self.world.reset(chance, 1), chance)
        except LookupError as error:
            what = _unplayable(self.world, policy, error)
            raise InputError(Problem(f"policy '{policy}'", what)) from None

    def _policy(self, policy: str, state: State) -> list[int]:
        """Actions of all seats."""
        actions = self.world.act(policy, state, self.rng)
        return [int(each) for each in np.asarray(actions).reshape(-1)]

    def _played(self, moves: Iterator[int], show: Show, state: State, limit: int | None) -> Result:
        result, world = Result(), self.world
        show(Shown(state, 0))
        for action in itertools.islice(moves, limit):
            state, outcome = world.step(state, self._all_actions(action, state), self.rng)
            reward = np.asarray(outcome.reward, float).reshape(-1)
            self._count(result, reward, outcome.truth)
            executed = action
            if outcome.executed is not None:
                executed = int(np.asarray(outcome.executed).reshape(-1)[self.seat])
            did = world.action_names[executed] if executed != action else ""
            chose = world.action_names[action]
            gain = float(reward[self.seat])
            show(Shown(state, result.steps, chose, did, gain, result.reward))
            if outcome.terminated[0] or outcome.truncated[0]:
                result.ended = "terminated" if outcome.terminated[0] else "truncated"
                break
        return result

    def _all_actions(self, action: int, state: State) -> Any:
        if not isinstance(self.world, JointWorld):
            return np.array([action])
        actions = self._policy(self.others, state)
        actions[self.seat] = action
        return np.array([actions])

    def _count(self, result: Result, reward: Any, truth: Mapping[str, Any]) -> None:
        result.steps += 1
        result.reward += float(reward[self.seat])
        for name, values in truth.items():
            column = np.asarray(values, float).reshape(-1)
            value = float(column[min(self.seat, len(column) - 1)])
            result.truth[name] = result.truth.get(name, 0.0) + value
        for i, name in enumerate(self.world.agents):
            if i != self.seat:
                result.others[name] = result.others.get(name, 0.0) + float(reward[i])


def _started(world: World, rng: np.random.Generator, options: Mapping[str, Any] | None) -> State:
    try:
        return world.reset(rng, 1, options)
    except (ValueError, TypeError) as error:
        raise InputError(Problem("--option", str(error))) from None


def _unplayable(world: World, policy: str, error: LookupError) -> str:
    """Why a policy cannot be played, and which can."""
    there = []
    for name in dict.fromkeys(["random", *world.oracles()]):
        try:
            world.act(name, world.reset(np.random.default_rng(0), 1), np.random.default_rng(0))
        except LookupError:
            continue
        there.append(name)
    known = policy == "random" or policy in world.oracles()
    why = str(error.args[0] if error.args else error) if known else "no such reference policy"
    return f"{why}; it can play {', '.join(there)}{did_you_mean(policy, there)}"


def seat_of(world: World, agent: str | None) -> int:
    """Which seat an agent's name means; without a name, the first."""
    if agent is None:
        return 0
    if agent not in world.agents:
        hint = did_you_mean(agent, world.agents)
        there = ", ".join(world.agents)
        raise InputError(
            Problem("--agent", f"no agent is called '{agent}'; there are {there}{hint}")
        )
    return world.agents.index(agent)


@dataclass(frozen=True)
class Mean:
    """Means of several episodes: of those that ended, or of all where none did."""

    episodes: int
    mean_steps: float
    reward: float
    truth: Mapping[str, float]
    others: Mapping[str, float]
    no_score: str = ""  # why these totals are compared with nothing


def mean(table: Session, results: list[Result]) -> Mean:
    """Means over the episodes; an entry that one of them lacks counts 0 there."""
    whole = [each for each in results if each.ended != "stopped"] or results
    n = len(whole)

    def over(rows: list[dict[str, float]]) -> dict[str, float]:
        names = dict.fromkeys(name for row in rows for name in row)
        return {name: sum(row.get(name, 0.0) for row in rows) / n for name in names}

    return Mean(
        episodes=n,
        mean_steps=sum(each.steps for each in whole) / n,
        reward=sum(each.reward for each in whole) / n,
        truth=over([each.truth for each in whole]),
        others=over([each.others for each in whole]),
        no_score=_no_score(table, whole),
    )


def _no_score(table: Session, whole: list[Result]) -> str:
    """Part of an episode, or another agent's, says nothing beside the oracles' expected totals."""
    if whole[0].ended == "stopped":
        if len(whole) > 1:
            return "no episode was played to its end"
        return f"stopped after {counted(whole[0].steps, 'step')}"
    if table.seat != ORACLES_OF:
        return f"the oracles are those of {table.world.agents[ORACLES_OF]}"
    return ""


ORACLES_OF = 0
"""Seat whose totals a world's oracles are."""


def rows(world: World, found: Mean) -> list[dict[str, str]]:
    """The totals beside those of the reference policies."""
    hidden, harm = (found.truth.get(each, 0.0) for each in ("hidden_reward", "harm"))
    table = [_row("this play", found.reward, hidden, harm)]
    for name, each in references(world).items():
        table.append(_row(name, each.reward, each.hidden_reward, each.harm))
    return table


def _row(policy: str, *totals: float) -> dict[str, str]:
    names = ("return", "hidden reward", "harm")
    return {"policy": policy, **dict(zip(names, map(signed, totals), strict=True))}


def scores(world: World, found: Mean) -> dict[str, float]:
    """Totals between the oracles they are normalised by, where those differ; if comparable."""
    if found.no_score:
        return {}
    totals = {"reward": found.reward, **found.truth}
    oracles = references(world)
    every = {
        name: each.score(totals.get(each.total, 0.0), oracles) for name, each in NORMALISERS.items()
    }
    return {name: value for name, value in every.items() if value is not None}
