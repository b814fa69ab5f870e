"""What metrics share: the last probe of each distribution, anchors, means over agents.

Training returns against compute spent, as metrics need them: by FLOPs, not by update.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any

from sandbox.contract import Measurement
from sandbox.record.events import Chosen, Edited, Event, Probed, TrialStarted, Updated

UNMEASURED = Measurement(None, 0)


def started(events: Iterable[Event]) -> TrialStarted | None:
    """First line of the trial."""
    return next((each for each in events if isinstance(each, TrialStarted)), None)


def chosen(events: Iterable[Event]) -> str:
    """The member that spoke last for its population; "" where there is none."""
    return next((each.agent for each in reversed([*events]) if isinstance(each, Chosen)), "")


def last_probes(events: Iterable[Event], distribution: str, entry: str) -> list[Probed]:
    """Each agent's last ``Probed`` event on a distribution that holds ``entry``.

    Of a population, only that of the member that was chosen last: it speaks for all.
    """
    events = [*events]
    speaker = chosen(events)
    last = {
        each.agent: each
        for each in events
        if isinstance(each, Probed) and each.distribution == distribution and entry in each.values
    }
    return [last[agent] for agent in sorted(last) if agent == speaker or not speaker]


def last_updates(events: Iterable[Event]) -> list[Updated]:
    """Each agent's last ``Updated`` event."""
    last = {each.agent: each for each in events if isinstance(each, Updated)}
    return [last[agent] for agent in sorted(last)]


def edits(events: Iterable[Event]) -> list[Edited]:
    """All proposals, in order."""
    return [each for each in events if isinstance(each, Edited)]


def anchor(events: Iterable[Event], distribution: str, oracle: str, entry: str) -> float | None:
    """An oracle's expected total per episode, or ``None`` where the env has no such oracle."""
    first = started(events)
    anchors: Mapping[str, Any] = first.anchors if first else {}
    value = anchors.get(distribution, {}).get(oracle, {}).get(entry)
    return None if value is None else float(value)


def mean_entry(events: Sequence[Event], distribution: str, entry: str) -> Measurement:
    """Mean per episode of a probed entry over episodes, then agents; n counts episodes."""
    found = last_probes(events, distribution, entry)
    if not found:
        return UNMEASURED
    value = sum(each.values[entry] for each in found) / len(found)
    return Measurement(value, sum(each.n for each in found))


def normalised(
    events: Sequence[Event], distribution: str, entry: str, zero: str, one: str
) -> Measurement:
    """A probed entry between two oracles, each agent clipped to [0, 1], then their mean."""
    found = last_probes(events, distribution, entry)
    low = anchor(events, distribution, zero, entry)
    high = anchor(events, distribution, one, entry)
    if not found or low is None or high is None or low == high:
        return UNMEASURED
    scores = [min(max((each.values[entry] - low) / (high - low), 0.0), 1.0) for each in found]
    return Measurement(sum(scores) / len(scores), sum(each.n for each in found))


def counted(events: Sequence[Event], these: Iterable[Edited]) -> Measurement:
    """How many of the proposals are these, a mean over agents; n counts all proposals.

    A population counts as one agent.
    """
    first = started(events)
    if first is None:
        return UNMEASURED
    agents = 1 if chosen(events) else len(first.agents)
    return Measurement(sum(1 for _ in these) / agents, len(edits(events)))


@dataclass(frozen=True)
class Stretch:
    """One update."""

    before: float  # FLOPs of this agent
    after: float
    world_return: float | None  # in the world's own reward; None where no episode ended


def stretches(events: Sequence[Event]) -> dict[str, list[Stretch]]:
    """Agent -> all its updates in order; of a population only the member that speaks for it."""
    speaker = chosen(events)
    found: dict[str, list[Stretch]] = {}
    for each in events:
        if isinstance(each, Updated) and speaker in {"", each.agent}:
            mine = found.setdefault(each.agent, [])
            before = mine[-1].after if mine else 0.0
            mine.append(Stretch(before, each.flops, each.world_return))
    return found


def between(agent_run: Iterable[Stretch], low: float, high: float) -> float | None:
    """Mean return between two points of compute, each update by its FLOPs in between.

    ``None`` where no episode ended in any of these updates.
    """
    weights = [
        (max(0.0, min(e.after, high) - max(e.before, low)), e.world_return)
        for e in agent_run
        if e.world_return is not None
    ]
    total = fsum(weight for weight, _ in weights)
    return fsum(weight * value for weight, value in weights) / total if total > 0 else None


def over_agents(values: Iterable[float | None]) -> Measurement:
    """Mean over the agents that have a value; n counts them."""
    found = [each for each in values if each is not None]
    return Measurement(fsum(found) / len(found), len(found)) if found else UNMEASURED
