"""How long a learned value model keeps half of what it knows beyond chance."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sandbox.analysis.learned_values import CHANCE, ValueHistory, mean_over_agents
from sandbox.contract import Measurement, Metric
from sandbox.record.events import Event, Measured


@dataclass(frozen=True)
class ValueHalfLife(Metric):
    """Updates until half of it was lost, over all of the training after drift began to count.

    It is fidelity less that of an unrelated belief, 0.293. 1 where half was never lost: censored,
    the half-life is longer than the trial; where measurements stopped before the end, as far as
    they went. A belief that is the same for all steps knows nothing. n counts those updates.
    """

    unit: ClassVar[str] = "share of updates"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    direction = "higher"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` where fidelity was not above chance when drift began, or nothing came after."""

        def kept(agent_run: ValueHistory) -> tuple[float, int] | None:
            first, last = agent_run.measured[0], agent_run.measured[-1]
            known, watched = _known(first), agent_run.end - first.update
            if known <= 0 or not watched:
                return None
            halved = (each.update for each in agent_run.measured if _known(each) <= known / 2)
            return (next(halved, last.update) - first.update) / watched, watched

        return mean_over_agents(events, kept)


def _known(found: Measured) -> float:
    """Fidelity beyond chance."""
    return found.values.get("fidelity", 0.0) - CHANCE
