"""Behind the glass: in which places of a world its agents have been."""

from collections.abc import Mapping

import numpy as np

from envs.contract import State, World


class Footprints:
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
        """``coverage``, the share of all places; empty where there are no footprints."""
        return {"coverage": float(self._been.mean())} if self._world is not None else {}
