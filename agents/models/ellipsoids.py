"""Elliptical novelty in each environment's present episode: ``phi^T C^-1 phi``."""

from collections.abc import Mapping

import numpy as np

from agents.arrays import Array


class Ellipsoids:
    """``C = ridge I + sum phi phi^T`` over an episode, kept as its inverse, one an environment.

    The inverse moves by Sherman & Morrison's formula, all environments at once, in float64. What is
    taken off is an outer product of one vector with itself, so the inverse is symmetric to the bit.
    """

    def __init__(self, latent: int, ridge: float) -> None:
        self._start = np.eye(latent) / ridge
        self.inverse: Array = np.zeros((0, latent, latent))  # [n, latent, latent]

    def meet(self, phi: Array, here: Array) -> Array:
        """``phi^T C^-1 phi``, ``[n]``, with ``C`` of the steps before; then take ``phi`` in."""
        if len(self.inverse) != len(phi):
            self.inverse = np.tile(self._start, (len(phi), 1, 1))
        rows = np.where(here[:, None], phi, 0.0)  # a zero changes nothing
        along = (self.inverse @ rows[:, :, None])[:, :, 0]
        bonus: Array = np.einsum("ni,ni->n", along, rows)
        along /= np.sqrt(1.0 + bonus)[:, None]
        self.inverse -= np.einsum("ni,nj->nij", along, along)
        return bonus

    def forget(self, ended: Array) -> None:
        """Begin again where the episode ended."""
        if ended.any():
            self.inverse[ended] = self._start

    def state(self, prefix: str) -> dict[str, Array]:
        """Copies of everything, by name."""
        return {f"{prefix}.memory.inverse": self.inverse.copy()}

    def load(self, state: Mapping[str, Array], prefix: str) -> None:
        """Take over what ``state`` gave."""
        found = state[f"{prefix}.memory.inverse"]
        if found.shape[1:] != self._start.shape:
            raise ValueError(f"inverses of {found.shape[1:]} do not fit {self._start.shape}")
        self.inverse = found.copy()
