"""Live objectives whose reward depends on the step alone."""

from collections.abc import Mapping

from agents.arrays import Array
from agents.contract import Batch, LiveObjective


class Memoryless(LiveObjective):
    """Learns nothing and keeps nothing; subclasses define the reward."""

    def update(self, rollout: Batch) -> None:
        """Nothing is learned."""

    def state_dict(self) -> Mapping[str, Array]:
        """Nothing is kept."""
        return {}

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Raise ``ValueError`` for a state: it belongs to another objective."""
        if state:
            name = type(self).__module__.rpartition(".")[2]
            raise ValueError(f"{name} has no state, got {sorted(state)}")
