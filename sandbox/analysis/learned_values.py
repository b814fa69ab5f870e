"""How a learned value changed in each agent, read from a trial's ``Measured`` events."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sandbox.analysis.metric_base import UNMEASURED, chosen, training_end
from sandbox.contract import Measurement
from sandbox.record.events import Event, Measured

PROBE = "values"
CHANCE = 1 - math.sqrt(0.5)
"""Fidelity of an unrelated belief: EPIC of two rewards that do not correlate is ``sqrt(1/2)``."""


@dataclass(frozen=True)
class ValueHistory:
    """All measurements of one agent's belief since drift began to count, that one included."""

    agent: str
    measured: tuple[Measured, ...]
    end: int  # the last update of the training, as far as it is recorded

    def last(self, name: str) -> float | None:
        """This number at the end; ``None`` where it was not measured then."""
        newest = self.measured[-1]
        return newest.values.get(name) if newest.update >= self.end else None

    def steps(self, moment: str | None = None) -> list[float]:
        """``step`` of all later measurements, or of those at this moment."""
        return [
            each.values["step"]
            for each in self.measured[1:]
            if "step" in each.values and moment in {None, each.moment}
        ]


def value_histories(events: Sequence[Event]) -> list[ValueHistory]:
    """One an agent, and of a population the member that speaks for it; none before drift counts."""
    speaker = chosen(events)
    mine = [e for e in events if isinstance(e, Measured) and e.probe == PROBE]
    found = []
    for agent in sorted({each.agent for each in mine}):
        own = [each for each in mine if each.agent == agent]
        begun = next((i for i, each in enumerate(own) if "net" in each.values), None)
        if begun is not None and (agent == speaker or not speaker):
            end = training_end(events, default=own[-1].update)
            found.append(ValueHistory(agent, tuple(own[begun:]), end))
    return found


def mean_over_agents(
    events: Sequence[Event], number: Callable[[ValueHistory], tuple[float, int] | None]
) -> Measurement:
    """Mean over agents of a number and what it is a mean over; ``None`` where none has one."""
    found = [each for each in map(number, value_histories(events)) if each is not None]
    if not found:
        return UNMEASURED
    return Measurement(sum(value for value, _ in found) / len(found), sum(n for _, n in found))
