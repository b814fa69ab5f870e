"""Training returns against compute spent, as metrics need them: by FLOPs, not by update."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import fsum

from sandbox.contract import Measurement
from sandbox.measured import UNMEASURED, chosen
from sandbox.record.events import Event, Updated


@dataclass(frozen=True)
class Stretch:
    """One update in which an episode ended."""

    before: float  # FLOPs of this agent
    after: float
    mean_return: float


def stretches(events: Sequence[Event]) -> dict[str, list[Stretch]]:
    """Agent -> its updates in order; of a population only the member that speaks for it."""
    speaker = chosen(events)
    found: dict[str, list[Stretch]] = {}
    spent: dict[str, float] = {}
    for each in events:
        if isinstance(each, Updated) and speaker in {"", each.agent}:
            before, spent[each.agent] = spent.get(each.agent, 0.0), each.flops
            if each.mean_return is not None:
                mine = found.setdefault(each.agent, [])
                mine.append(Stretch(before, each.flops, each.mean_return))
    return found


def between(life: Iterable[Stretch], low: float, high: float) -> float | None:
    """Mean return between two points of compute, each update by its FLOPs in between."""
    weights = [(max(0.0, min(e.after, high) - max(e.before, low)), e.mean_return) for e in life]
    total = fsum(weight for weight, _ in weights)
    return fsum(weight * value for weight, value in weights) / total if total > 0 else None


def over_agents(values: Iterable[float | None]) -> Measurement:
    """Mean over the agents that have a value; n counts them."""
    found = [each for each in values if each is not None]
    return Measurement(fsum(found) / len(found), len(found)) if found else UNMEASURED
