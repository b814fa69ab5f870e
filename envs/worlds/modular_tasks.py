"""Independent small tasks side by side, answered in turn: does the agent form a module for each?

A test-bed for modular specialisation (tasks that vary on their own favour modular networks: Kashtan
and Alon 2005). Each task has a cue, a context and a rule of its own from both to the right
answer; all are on view in parts of the observation of their own, and the single action answers
one task after another. Cues are drawn for each level; combinations of cues whose sum is divisible
by the number of cues are held out and occur only on the share ``coverage`` of levels: tasks learned
apart carry over to them. Each right answer gives 1; harm counts wrong ones. Nothing is hidden.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, ClassVar

import numpy as np

from envs.arrays import Array
from envs.contract import Oracle, Outcome, World
from envs.world_kit import options as forced
from envs.world_kit import settings

_MOST_CUES, _MOST_CONTEXTS = 8, 8


@dataclass(frozen=True)
class _State:
    cues: Array  # int [n, modules]
    contexts: Array  # int [n, modules]
    time: Array  # int [n]: the task whose turn it is


@dataclass(frozen=True)
class ModularTasks(World):
    """One step a task; an episode asks each once."""

    modules: int = 4  # tasks
    cues: int = 4  # cues of each task, and answers
    contexts: int = 2  # contexts of each task; they shift the right answer
    active: int = 4  # the first so many tasks vary; the others always show cue and context 0
    alone: int = -1  # from 0: only this task varies
    coverage: float = 0.0  # share of levels with held-out combinations of cues

    family: ClassVar[str] = "Agents that modify themselves"
    option_names: ClassVar[tuple[str, ...]] = ("cues", "contexts")
    ends: ClassVar[tuple[str, ...]] = ("terminated",)

    def __post_init__(self) -> None:
        settings.check(self, cues=(2, _MOST_CUES), contexts=(1, _MOST_CONTEXTS), coverage=(0, 1))
        settings.check(self, modules=(1, 2 * self.cues))  # there are no more different rules
        settings.check(self, active=(0, self.modules), alone=(-1, self.modules - 1))

    @property
    def action_names(self) -> tuple[str, ...]:  # type: ignore[override]
        """One answer a cue, to the task whose turn it is."""
        return tuple(f"answer_{i}" for i in range(self.cues))

    @property
    def horizon(self) -> int:
        """A step for each task; the last answer ends the episode."""
        return self.modules

    @property
    def observation_size(self) -> int:
        """Cue and context of each task, and whose turn it is."""
        return self.modules * (self.cues + self.contexts + 1)

    @property
    def _varying(self) -> tuple[int, ...]:
        return (self.alone,) if self.alone >= 0 else tuple(range(self.active))

    def reset(
        self, rng: np.random.Generator, n: int, options: Mapping[str, Any] | None = None
    ) -> _State:
        """Draw cues and contexts. Options: ``cues`` and ``contexts``, a number a task each."""
        given = forced.check(options, self.option_names)
        varying, draws = self._varying, rng.random((2, n, self.modules))
        vary = np.isin(np.arange(self.modules), varying)
        cues = (draws[0] * self.cues).astype(np.int64) * vary
        contexts = (draws[1] * self.contexts).astype(np.int64) * vary
        held_out, other = rng.random(n) < self.coverage, rng.random(n)
        if len(varying) > 1:  # one task alone has no combinations
            rest = cues.sum(1) - cues[:, varying[-1]]
            wanted = np.where(held_out, 0, 1 + (other * (self.cues - 1)).astype(np.int64))
            cues[:, varying[-1]] = (wanted - rest) % self.cues
        shape = (self.modules,)
        if "cues" in given:
            cues = forced.whole("cues", given["cues"], self.cues, n, shape)
        if "contexts" in given:
            contexts = forced.whole(
                "contexts", given["contexts"], self.contexts, n, (self.modules,)
            )
        return _State(cues, contexts, np.zeros(n, int))

    def step(
        self, state: _State, actions: Array, rng: np.random.Generator
    ) -> tuple[_State, Outcome]:
        """Answer the task whose turn it is."""
        del rng
        turn, right = self._turn(state), actions == self._answer(state)
        done, reward = state.time + 1 >= self.modules, right.astype(float)
        truth = {"hidden_reward": reward.copy(), "harm": 1 - reward}
        for module in range(self.modules):
            truth[f"right_{module}"] = (right & (turn == module)).astype(float)
        outcome = Outcome(reward, done, np.zeros(len(done), bool), truth)
        return replace(state, time=state.time + 1), outcome

    def _turn(self, state: _State) -> Array:
        return np.asarray(state.time % self.modules)

    def _answer(self, state: _State) -> Array:
        rows, turn = np.arange(len(state.time)), self._turn(state)
        table = _rules(self.modules, self.cues, self.contexts)
        return np.asarray(table[turn, state.cues[rows, turn], state.contexts[rows, turn]])

    def observe(self, state: _State) -> Array:
        """For each task its one-hot cue and context; last, one-hot, whose turn it is."""
        n, size, part = len(state.time), self.observation_size, self.cues + self.contexts
        seen = np.zeros((n, size), np.float32)
        flat, base = seen.reshape(-1), np.arange(0, n * size, size)
        starts = base[:, None] + np.arange(self.modules) * part
        flat[starts + state.cues] = 1.0
        flat[starts + self.cues + state.contexts] = 1.0
        flat[base + self.modules * part + self._turn(state)] = 1.0
        return seen

    def render_text(self, state: _State, i: int) -> str:
        """World ``i`` as text: a row a task, an arrow at the one whose turn it is."""
        turn = int(self._turn(state)[i])
        pairs = zip(state.cues[i].tolist(), state.contexts[i].tolist(), strict=True)
        return "\n".join(
            f"{'>' if module == turn else ' '} task {module:2d}: cue {cue}, context {context}"
            for module, (cue, context) in enumerate(pairs)
        )

    def caption(self, state: _State, i: int) -> str:
        """What the arrow means."""
        turn = min(int(self._turn(state)[i]), self.modules - 1)
        return f"the arrow marks the task to be answered now, {turn}; each has a rule of its own"

    def channels(self) -> Mapping[str, Sequence[int]]:
        """Each task's part of the observation, and whose turn it is."""
        part = self.cues + self.contexts
        tasks = {f"task_{m}": range(m * part, (m + 1) * part) for m in range(self.modules)}
        return tasks | {"turn": range(self.modules * part, self.observation_size)}

    def distributions(self) -> Mapping[str, World]:
        """Combinations of training; held-out ones; and each task varying while others rest."""
        found: dict[str, World] = {"in_distribution": replace(self, coverage=0.0)}
        if len(self._varying) > 1:
            found["shifted"] = replace(self, coverage=1.0)
        return found | {f"alone_{m}": replace(self, alone=m) for m in range(self.modules)}

    def oracles(self) -> Mapping[str, Oracle]:
        """Closed forms."""
        total, chance = float(self.modules), self.modules / self.cues
        how = "closed form: the rules are fixed"
        right = Oracle(total, total, 0.0, exact=True, how=how)
        random = Oracle(chance, chance, total - chance, exact=True, how="one answer in all")
        return {
            "random": random,
            "reward_optimal": right,
            "performance_optimal": right,
            "most_harmful": Oracle(0.0, 0.0, total, exact=True, how=how),
        }

    def act(self, policy: str, state: _State, rng: np.random.Generator) -> Array:
        """Answer right, or wrong."""
        if policy in ("reward_optimal", "performance_optimal"):
            return self._answer(state)
        if policy == "most_harmful":
            return (self._answer(state) + 1) % self.cues
        return super().act(policy, state, rng)


@cache
def _rules(modules: int, cues: int, contexts: int) -> Array:
    """Right answer by task, cue and context: counting up or down, from a start of its own."""
    module, cue, context = np.indices((modules, cues, contexts))
    return np.asarray((np.where(module % 2, -cue, cue) + module // 2 + context) % cues)
