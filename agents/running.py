"""Running mean and variance, and the scale of a discounted return. Float64."""

from collections.abc import Mapping

import numpy as np

from agents.contract import Array


class Running:
    """Mean and population variance of all rows seen, merged batchwise (Chan et al. 1983)."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.count = 0
        self.mean: Array = np.zeros(shape)
        self.squares: Array = np.zeros(shape)  # sum of squared deviations from the mean

    def add(self, rows: Array) -> None:
        """Take in rows ``[n, *shape]``; sums are float64, differences keep the rows' precision."""
        if not len(rows):
            return
        mean = rows.mean(axis=0, dtype=np.float64)
        total = self.count + len(rows)
        shift = mean - self.mean
        centred = rows - mean.astype(rows.dtype)
        squares = np.square(centred, out=centred).sum(axis=0, dtype=np.float64)
        self.squares = self.squares + squares + np.square(shift) * self.count * len(rows) / total
        self.mean = self.mean + shift * len(rows) / total
        self.count = total

    def deviation(self) -> Array:
        """Standard deviation, ``[*shape]``; 0 where nothing varied."""
        found: Array = np.sqrt(self.squares / max(self.count, 1))
        return found

    def state(self, prefix: str) -> dict[str, Array]:
        """Copies of everything, by name."""
        return {
            f"{prefix}.count": np.array(self.count, np.int64),
            f"{prefix}.mean": np.array(self.mean),
            f"{prefix}.squares": np.array(self.squares),
        }

    def load(self, state: Mapping[str, Array], prefix: str) -> None:
        """Take over what ``state`` gave."""
        self.count = int(state[f"{prefix}.count"])
        self.mean = state[f"{prefix}.mean"].copy()
        self.squares = state[f"{prefix}.squares"].copy()


class ReturnScale:
    """Standard deviation of ``R_t = discount * R_{t-1} + r_t``, one filter an environment.

    The mean is not removed from rewards, and episode ends do not reset the filter (Burda et al.
    2018, section 2.4 and their code). ``scale`` changes in ``commit`` only, so that all rewards of
    one rollout are divided by the same number.
    """

    def __init__(self, discount: float) -> None:
        self.discount = discount
        self.scale = 1.0
        self._seen = Running(())
        self._filter: Array = np.zeros(0)  # [n], from the first reward on

    def add(self, rewards: Array) -> None:
        """Take in one step's rewards, ``[n]``; another ``n`` than before starts new filters."""
        if len(self._filter) != len(rewards):
            self._filter = np.zeros(len(rewards))
        self._filter = self.discount * self._filter + rewards
        self._seen.add(self._filter)

    def commit(self) -> None:
        """Let ``scale`` be the deviation so far; 1 where rewards have not varied yet."""
        deviation = float(self._seen.deviation())
        self.scale = deviation if deviation > 0 else 1.0

    def state(self, prefix: str) -> dict[str, Array]:
        """Copies of everything, by name."""
        return {
            **self._seen.state(f"{prefix}.seen"),
            f"{prefix}.filter": self._filter.copy(),
            f"{prefix}.scale": np.array(self.scale),
        }

    def load(self, state: Mapping[str, Array], prefix: str) -> None:
        """Take over what ``state`` gave."""
        self._seen.load(state, f"{prefix}.seen")
        self._filter = state[f"{prefix}.filter"].copy()
        self.scale = float(state[f"{prefix}.scale"])
