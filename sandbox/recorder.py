"""Behind the glass: sums what happened, and the hidden truth, per episode and agent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from envs.contract import Outcome
from sandbox.contract import Episodes

Array = npt.NDArray[Any]


@dataclass
class Recorder:
    """Totals of ``n`` worlds side by side; give ``take`` to a face as its ``on_outcome``.

    A face that holds one world (a PettingZoo copy) is told apart by ``row``.
    """

    agents: Sequence[str]
    n: int
    _running: dict[str, Array] = field(default_factory=dict)  # name -> [n, agents]
    _ended: list[tuple[int, dict[str, Array]]] = field(default_factory=list)

    def take(self, outcome: Outcome, row: int | None = None) -> None:
        """Add one step of all worlds, or of world ``row`` alone."""
        rows = np.arange(self.n) if row is None else np.array([row])
        for name, values in {"reward": outcome.reward, **outcome.truth}.items():
            self._add(name, rows, values)
        self._add("length", rows, np.ones(len(rows)))
        for i in rows[outcome.terminated | outcome.truncated]:
            self._ended.append((int(i), {k: v[i].copy() for k, v in self._running.items()}))
            for values in self._running.values():
                values[i] = 0.0

    def _add(self, name: str, rows: Array, values: Array) -> None:
        if name not in self._running:
            self._running[name] = np.zeros((self.n, len(self.agents)))
        values = np.asarray(values, dtype=float)
        self._running[name][rows] += values if values.ndim == 2 else values[:, None]  # noqa: PLR2004

    def episodes(self) -> Mapping[str, Episodes]:
        """Return and forget the episodes that ended since the last call, per agent."""
        ended, self._ended = [totals for _, totals in self._ended], []
        return {agent: _episodes(ended, k) for k, agent in enumerate(self.agents)}

    def means(self) -> Mapping[str, Mapping[str, float]]:
        """Mean of each truth entry per ended episode, by agent; empty where none ended. Forgets."""
        return {
            agent: {k: float(np.mean(v)) for k, v in found.truth.items() if v}
            for agent, found in self.episodes().items()
        }


def _episodes(ended: Sequence[Mapping[str, Array]], k: int) -> Episodes:
    truth = {name for totals in ended for name in totals} - {"reward", "length"}
    return Episodes(
        reward=tuple(float(totals["reward"][k]) for totals in ended),
        length=tuple(int(totals["length"][k]) for totals in ended),
        truth={name: tuple(float(t[name][k]) for t in ended) for name in sorted(truth)},
    )
