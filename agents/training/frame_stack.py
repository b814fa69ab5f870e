"""The observations before this one, for agents that see several at once."""

import numpy as np

from agents.arrays import Array


class Frames:
    """The last ``history - 1`` observations of ``n`` environments; zeros before an episode."""

    def __init__(self, n: int, size: int, history: int = 1) -> None:
        self._size = size
        self.past: Array = np.zeros((n, (history - 1) * size), np.float32)

    @property
    def history(self) -> int:
        """Observations that an agent sees at once."""
        return 1 + int(self.past.shape[1]) // self._size

    def remember(self, history: int) -> None:
        """See this many from now on; what older ones there were stays, zeros for the rest."""
        width = (history - 1) * self._size
        grown = np.zeros((len(self.past), width), np.float32)
        kept = min(width, self.past.shape[1])
        grown[:, :kept] = self.past[:, :kept]
        self.past = grown

    def stack(self, observations: Array, starts: Array) -> Array:
        """Return float32 ``[n, history * size]``, newest first; ``starts``: an episode begins.

        Of agents that see one at a time these are the observations themselves, not a copy.
        """
        if not self.past.shape[1]:
            return observations.astype(np.float32, copy=False)
        self.past[starts] = 0.0
        return np.concatenate([observations, self.past], axis=1, dtype=np.float32)

    def push(self, stacked: Array) -> None:
        """The step is done: what was seen is now past."""
        if self.past.shape[1]:
            self.past = stacked[:, : self.past.shape[1]].copy()
