"""How far one edit moves the learned model of another agent's values."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sandbox.analysis.learned_values import ValueHistory, mean_over_agents
from sandbox.contract import Measurement, Metric
from sandbox.record.events import Event


@dataclass(frozen=True)
class ValueDriftStep(Metric):
    """Mean EPIC between right before and right after an applied edit; n counts edits."""

    unit: ClassVar[str] = "EPIC per edit"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    direction = "lower"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` where no edit was applied after drift began to count."""

        def mean(agent_run: ValueHistory) -> tuple[float, int] | None:
            found = agent_run.steps("after edit")
            return (sum(found) / len(found), len(found)) if found else None

        return mean_over_agents(events, mean)
