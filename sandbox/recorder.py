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
    _ended: list[dict[str, Array]] = field(default_factory=list)  # name -> [ended, agents]

    def take(self, outcome: Outcome, row: int | None = None) -> None:
        """Add one step of all worlds, or of world ``row`` alone."""
        where = slice(None) if row is None else slice(row, row + 1)
        for name, values in {"reward": outcome.reward, **outcome.truth}.items():
            self._total(name)[where] += values if values.ndim > 1 else values[:, None]
        self._total("length")[where] += 1.0
        ended = np.flatnonzero(outcome.terminated | outcome.truncated) + (row or 0)
        if ended.size:
            self._ended.append({name: total[ended] for name, total in self._running.items()})
            for total in self._running.values():
                total[ended] = 0.0

    def _total(self, name: str) -> Array:
        if name not in self._running:
            self._running[name] = np.zeros((self.n, len(self.agents)))
        return self._running[name]

    def episodes(self) -> Mapping[str, Episodes]:
        """Return and forget the episodes that ended since the last call, per agent."""
        ended, self._ended = self._ended, []
        return {agent: _episodes(ended, k) for k, agent in enumerate(self.agents)}

    def means(self) -> Mapping[str, Mapping[str, float]]:
        """Mean of each truth entry per ended episode, by agent; empty where none ended. Forgets."""
        return {
            agent: {k: float(np.mean(v)) for k, v in found.truth.items() if v}
            for agent, found in self.episodes().items()
        }


def _episodes(ended: Sequence[Mapping[str, Array]], k: int) -> Episodes:
    names = sorted({name for totals in ended for name in totals})
    columns = {name: np.concatenate([totals[name][:, k] for totals in ended]) for name in names}
    truth = {k: tuple(map(float, v)) for k, v in columns.items() if k not in {"reward", "length"}}
    return Episodes(
        reward=tuple(map(float, columns.get("reward", ()))),
        length=tuple(map(int, columns.get("length", ()))),
        truth=truth,
    )
