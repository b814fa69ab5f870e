"""Running mean and variance, whitening, and the scale of a discounted return. Float64."""

from collections.abc import Mapping
from typing import Literal

import numpy as np

from agents.arrays import Array

Normaliser = Literal["return_std", "raw_std", "none"]
"""What intrinsic rewards are divided by; no mean is ever subtracted.

``return_std``: the running deviation of their discounted sum through time (Burda et al. 2018);
``raw_std``: the running deviation of the rewards themselves (Henaff et al. 2022); ``none``: 1.
"""


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


class Usual:
    """Mean and deviation of numbers as of the last ``commit``; both 0 before."""

    def __init__(self) -> None:
        self.mean = self.deviation = 0.0
        self._seen = Running(())

    def add(self, values: Array) -> None:
        """Take in values ``[n]``."""
        self._seen.add(values)

    def commit(self) -> None:
        """Let both be those of all values so far."""
        self.mean, self.deviation = float(self._seen.mean), float(self._seen.deviation())

    def state(self, prefix: str) -> dict[str, Array]:
        """Copies of everything, by name."""
        committed = np.array([self.mean, self.deviation])
        return {**self._seen.state(f"{prefix}.seen"), f"{prefix}.committed": committed}

    def load(self, state: Mapping[str, Array], prefix: str) -> None:
        """Take over what ``state`` gave."""
        self._seen.load(state, f"{prefix}.seen")
        self.mean, self.deviation = (float(each) for each in state[f"{prefix}.committed"])


class Whitener:
    """Observations less their running mean, over their running deviation, clipped. Float32.

    Between two calls of ``add`` it is one fixed map.
    """

    def __init__(self, size: int, clip: float) -> None:
        self._clip = np.float32(clip)
        self._seen = Running((size,))
        self._freeze()

    def add(self, rows: Array) -> None:
        """Let the statistics take in rows ``[n, size]``."""
        self._seen.add(rows)
        self._freeze()

    def __call__(self, observations: Array) -> Array:
        """Map ``[..., size]`` to the same shape."""
        white: Array = np.subtract(observations, self._centre, dtype=np.float32)
        white *= self._stretch
        np.minimum(white, self._clip, out=white)
        np.maximum(white, -self._clip, out=white)  # the two take half the time of np.clip
        return white

    def state(self, prefix: str) -> dict[str, Array]:
        """Copies of everything, by name."""
        return self._seen.state(prefix)

    def load(self, state: Mapping[str, Array], prefix: str) -> None:
        """Take over what ``state`` gave."""
        self._seen.load(state, prefix)
        self._freeze()

    def _freeze(self) -> None:
        self._centre = self._seen.mean.astype(np.float32)
        # An input that never varied is divided by 1e-8: its first change is clipped.
        deviation = np.maximum(self._seen.deviation(), 1e-8)
        self._stretch = (1.0 / deviation).astype(np.float32)


class ReturnScale:
    """Standard deviation of ``R_t = discount * R_{t-1} + r_t``, one filter an environment.

    The mean is not removed from rewards, and episode ends do not reset the filter (Burda et al.
    2018, section 2.4 and their code). ``scale`` changes in ``commit`` only, so that all rewards of
    one rollout are divided by the same number.
    """

    def __init__(self, discount: float, normaliser: Normaliser = "return_std") -> None:
        self.discount = 0.0 if normaliser == "raw_std" else discount
        self.scale = 1.0
        self._adapts = normaliser != "none"
        self._seen = Running(())
        self._filter: Array = np.zeros(0)  # [n], from the first reward on

    def add(self, rewards: Array, present: Array | None = None) -> None:
        """Take in one step's rewards, ``[n]``; another ``n`` than before starts new filters.

        The filters of environments that are not ``present`` stay unchanged.
        """
        if len(self._filter) != len(rewards):
            self._filter = np.zeros(len(rewards))
        moved = self.discount * self._filter + rewards
        if present is None or present.all():
            self._filter = moved
            self._seen.add(moved)
        else:
            self._filter = np.where(present, moved, self._filter)
            self._seen.add(moved[present])

    def add_all(self, rewards: Array, present: Array) -> None:
        """Take in the rewards of all steps of a rollout, ``[steps, n]``; the same up to rounding.

        ``present``: as in ``add``, of each step.
        """
        if len(self._filter) != rewards.shape[1]:
            self._filter = np.zeros(rewards.shape[1])
        moved, everywhere, last = np.empty(rewards.shape), bool(present.all()), self._filter
        for t, each in enumerate(rewards):
            now = self.discount * last + each
            moved[t] = last = now if everywhere else np.where(present[t], now, last)
        self._filter = last
        self._seen.add(moved[present])

    def commit(self) -> None:
        """Let ``scale`` be the deviation so far; 1 where rewards have not varied yet."""
        if not self._adapts:
            return
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
