"""A life of one learner on one vector env that can be left at a snapshot and gone on with."""

from collections.abc import Mapping
from typing import Any

from agents.arrays import Array
from agents.contract import Population


class Resumable(Population):
    """Leaves keep their env and what its copies show now."""

    _env: Any
    _observations: Array

    def snapshot(self) -> tuple[Mapping[str, Any], Mapping[str, Array]]:
        """The learner's, and what it sees now; the env is not in it."""
        (learner,) = self.learners.values()
        data, arrays = learner.snapshot()
        return data, {**arrays, "observations": self._observations.copy()}

    def resume(self, env: Any, data: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        """Go on in this env, which is as it was when ``snapshot`` gave these."""
        (learner,) = self.learners.values()
        learner.resume(data, arrays)
        self._env, self._observations = env, arrays["observations"].copy()
