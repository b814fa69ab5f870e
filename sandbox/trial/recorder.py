"""Evaluator-only: sums rewards, lengths and the hidden ground truth per episode and agent."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
from gymnasium.vector import VectorEnv, VectorWrapper

from envs.arrays import Array
from envs.contract import Outcome, State, World
from envs.faces.gymnasium import BatchedWorlds, BatchStep
from sandbox.contract import Episodes
from sandbox.trial.population import is_population


class Means(NamedTuple):
    """Of the episodes of one agent that ended in a rollout."""

    world_return: float | None  # in the env's own reward; None where none ended
    truth: Mapping[str, float]  # mean total of each entry; empty where none ended


HELD = 256
"""Steps kept before they are added up: an update may have many more of them."""


@dataclass
class Recorder:
    """Totals of ``n`` worlds side by side.

    Steps are kept as they come and added up when asked for, all entries of the truth in one
    array: the same sums in the same order as one by one, in a fraction of the calls.
    """

    agents: Sequence[str]
    n: int
    most_held: int = HELD
    _held: list[tuple[dict[str, Array], Array]] = field(default_factory=list)
    """Reward and truth of a step by name, the same names in all, and which episodes it ended."""
    _running: dict[str, Array] = field(default_factory=dict)  # name -> [n, agents]
    _ended: list[dict[str, Array]] = field(default_factory=list)  # name -> [ended, agents]

    def take(self, outcome: Outcome) -> None:
        """Add one step of all worlds; copied, as a world may write into its own arrays again."""
        held, values = self._held, {"reward": outcome.reward, **outcome.truth}
        if held and (len(held) == self.most_held or held[-1][0].keys() != values.keys()):
            self._add_up()
        copies = {name: np.array(each) for name, each in values.items()}
        self._held.append((copies, outcome.terminated | outcome.truncated))

    def _add_up(self) -> None:
        held, self._held = self._held, []
        if not held:
            return
        names = [*dict.fromkeys((*held[0][0], "length", *self._running))]
        steps = np.zeros((len(held), len(names), self.n, len(self.agents)))
        for k, name in enumerate(names):
            if name == "length":
                steps[:, k] = 1.0
            elif name in held[0][0]:
                steps[:, k] = _stacked([values[name] for values, _ in held])
        total = np.stack([self._total(name) for name in names])
        for step, (_, ended) in zip(steps, held, strict=True):
            total += step
            rows = np.flatnonzero(ended)
            if rows.size:
                self._ended.append(dict(zip(names, total[:, rows], strict=True)))
                total[:, rows] = 0.0
        self._running = dict(zip(names, total, strict=True))

    def _total(self, name: str) -> Array:
        return self._running.get(name, np.zeros((self.n, len(self.agents))))

    def episodes(self) -> Mapping[str, Episodes]:
        """Return and forget the episodes that ended since the last call, per agent."""
        return {agent: _episodes(columns) for agent, columns in self._columns().items()}

    def means(self) -> Mapping[str, Means]:
        """Means per ended episode, by agent. Forgets them."""
        return {agent: _means(columns) for agent, columns in self._columns().items()}

    def _columns(self) -> Mapping[str, Mapping[str, Array]]:
        """Agent -> name -> its total in each ended episode."""
        self._add_up()
        ended, self._ended = self._ended, []
        names = sorted({name for totals in ended for name in totals})
        whole = {name: np.concatenate([totals[name] for totals in ended]) for name in names}
        return {
            agent: {name: np.ascontiguousarray(each[:, k]) for name, each in whole.items()}
            for k, agent in enumerate(self.agents)
        }


def _stacked(steps: Sequence[Array]) -> Array:
    """One value a world, or one an agent of each: ``[steps, n, 1 or agents]``."""
    stacked: Array = np.stack(steps)
    return stacked if stacked.ndim > 2 else stacked[:, :, None]  # noqa: PLR2004


def _means(columns: Mapping[str, Array]) -> Means:
    return Means(
        world_return=float(columns["reward"].mean()) if columns else None,
        truth={name: float(columns[name].mean()) for name in _truth(columns)},
    )


def _episodes(columns: Mapping[str, Array]) -> Episodes:
    return Episodes(
        reward=tuple(columns["reward"].tolist()) if columns else (),
        length=tuple(map(int, columns["length"])) if columns else (),
        truth={name: tuple(columns[name].tolist()) for name in _truth(columns)},
    )


def _truth(columns: Mapping[str, Array]) -> list[str]:
    return [name for name in columns if name not in {"reward", "length"}]


def recorder_of(
    agents: Sequence[str], living: Sequence[str], copies: int
) -> "Recorder | RecorderByMember":
    """Keep the truth of an env's agents, or of each member of a population."""
    if is_population(agents, living):
        return RecorderByMember(living, copies)
    return Recorder(agents, copies)


class RecorderByMember:
    """One recorder a member, each of its own ``copies / members`` rows, in order."""

    def __init__(self, members: Sequence[str], copies: int) -> None:
        self._share = copies // len(members)
        self._of = {name: Recorder((name,), self._share) for name in members}

    def take(self, outcome: Outcome) -> None:
        """Add one step of all worlds."""
        for k, each in enumerate(self._of.values()):
            rows = slice(k * self._share, (k + 1) * self._share)
            each.take(_part(outcome, rows))

    def means(self) -> Mapping[str, Means]:
        """Means per ended episode, by member."""
        return {name: each.means()[name] for name, each in self._of.items()}


def _part(outcome: Outcome, rows: slice) -> Outcome:
    return Outcome(
        reward=outcome.reward[rows],
        terminated=outcome.terminated[rows],
        truncated=outcome.truncated[rows],
        truth={name: values[rows] for name, values in outcome.truth.items()},
    )


class VisitedPlaces:
    """Places acted in since the start of a trial, by any copy of the world.

    A world that does not say where its agent is (``World.places`` of 0), or no world of ours at
    all, leaves none.
    """

    def __init__(self, world: World | None) -> None:
        self._world = world if world is not None and world.places else None
        self._been = np.zeros(self._world.places if self._world else 0, bool)

    def take(self, state: State) -> None:
        """Add where the agents of all copies are."""
        if self._world is not None:
            self._been[self._world.place(state)] = True

    def found(self) -> Mapping[str, float]:
        """``coverage``, the share of all places; empty where no places are recorded."""
        return {"coverage": float(self._been.mean())} if self._world is not None else {}


class TakesTruth(Protocol):
    """Receives the ground truth of every step."""

    def take(self, state: State, outcome: Outcome) -> None:
        """Add one step of all worlds; ``state`` is the one that was acted in."""


@dataclass(frozen=True)
class GroundTruthRecorder:
    """Keeps the truth of a trial's every step, and says that the trial is alive."""

    beat: Callable[[], None]  # a rollout of our own worlds may be long, too
    visited_places: VisitedPlaces
    recorder: Recorder | RecorderByMember

    def take(self, state: State, outcome: Outcome) -> None:
        """See ``TakesTruth``."""
        self.beat()
        self.visited_places.take(state)
        self.recorder.take(outcome)


class RecordedEnv(VectorWrapper):
    """Wraps an env inside all controls and records the ground truth of each step."""

    def __init__(self, face: BatchedWorlds, recorder: TakesTruth) -> None:
        super().__init__(face)
        self._face, self._recorder = face, recorder

    @property
    def possible_agents(self) -> list[str]:
        """Names of the agents of the world."""
        return list(self._face.world.agents)

    def step(self, actions: Array) -> BatchStep:
        """Step all worlds; returns the public part alone."""
        advance = self._face.advance(actions)
        self._recorder.take(advance.before, advance.outcome)
        return advance.public


class RecordedThirdPartyEnv(VectorWrapper):
    """The same around a third-party env, which has no truth but its own reward."""

    def __init__(self, env: VectorEnv, recorder: TakesTruth) -> None:
        super().__init__(env)
        self._recorder = recorder

    def step(self, actions: Array) -> BatchStep:
        """Step all copies."""
        seen, reward, terminated, truncated, info = self.env.step(actions)
        own = np.array(reward, dtype=float)
        self._recorder.take(None, Outcome(own, terminated, truncated, {}))
        return seen, reward, terminated, truncated, info
