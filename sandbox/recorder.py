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
    """Totals of ``n`` worlds side by side; give ``take`` to a face as its ``on_outcome``."""

    agents: Sequence[str]
    n: int
    _running: dict[str, Array] = field(default_factory=dict)  # name -> [n, agents]
    _ended: list[dict[str, Array]] = field(default_factory=list)  # name -> [ended, agents]

    def take(self, outcome: Outcome) -> None:
        """Add one step of all worlds."""
        for name, values in {"reward": outcome.reward, **outcome.truth}.items():
            total = self._total(name)
            total += values if values.ndim > 1 else values[:, None]
        length = self._total("length")
        length += 1.0
        ended = np.flatnonzero(outcome.terminated | outcome.truncated)
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
