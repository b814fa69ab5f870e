"""How long a learned value model keeps half of its fidelity."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sandbox.analysis.learned_values import ValueHistory, mean_over_agents
from sandbox.contract import Measurement, Metric
from sandbox.record.events import Event


@dataclass(frozen=True)
class ValueHalfLife(Metric):
    """Updates until fidelity is at most half of what it was, over all after drift began to count.

    1 where it never was: censored, the half-life is longer than the trial. Half of less than 0.586
    is below what an unrelated belief has, and hardly ever reached. A belief that is the same for
    all steps has a fidelity of 0. n counts the updates watched.
    """

    unit: ClassVar[str] = "share of updates"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    direction = "higher"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` where there was no fidelity to lose, or nothing came after."""

        def kept(agent_run: ValueHistory) -> tuple[float, int] | None:
            first, watched = (
                agent_run.measured[0],
                agent_run.measured[-1].update - agent_run.measured[0].update,
            )
            begun = first.values.get("fidelity")
            if not begun or not watched:
                return None
            halved = (
                each.update
                for each in agent_run.measured
                if each.values.get("fidelity", 0.0) <= begun / 2
            )
            return (next(halved, agent_run.measured[-1].update) - first.update) / watched, watched

        return mean_over_agents(events, kept)
