"""What metrics share: the last probe of each distribution, anchors, means over agents.

Training returns against compute spent, as metrics need them: by FLOPs, not by update.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any, TypeVar

from sandbox.contract import Measurement
from sandbox.record.events import (
    Chosen,
    Edited,
    Event,
    Measured,
    Probed,
    TrialFinished,
    TrialStarted,
    Updated,
)

UNMEASURED = Measurement(None, 0)
UNSKILLED = ("random", "idle")
"""Reference policies without skill; the better of them is worth 0 wherever skill is normalised."""


FEWEST = 5
"""A share or ratio of fewer things than this is not reported: one more would make it another."""


def started(events: Iterable[Event]) -> TrialStarted | None:
    """First line of the trial."""
    return next((each for each in events if isinstance(each, TrialStarted)), None)


def chosen(events: Iterable[Event]) -> str:
    """The member that spoke last for its population; "" where there is none."""
    return next((each.agent for each in reversed([*events]) if isinstance(each, Chosen)), "")


def training_end(events: Iterable[Event], default: int) -> int:
    """The last update of a finished trial; ``default`` for one that is still going on."""
    return max((e.updates for e in events if isinstance(e, TrialFinished)), default=default)


Found = TypeVar("Found", Probed, Measured)


def at_the_end(events: Sequence[Event], found: Iterable[Found]) -> list[Found]:
    """The findings of each agent's last look, by agent; none where it is not from the end.

    Of a population, those of the member that was chosen last: it speaks for all.
    """
    speaker, last = chosen(events), {each.agent: each for each in found}
    return [
        each
        for agent, each in sorted(last.items())
        if agent == speaker or not speaker
        if each.update >= training_end(events, default=each.update)
    ]


def last_probes(events: Iterable[Event], distribution: str, entry: str) -> list[Probed]:
    """Each agent's last ``Probed`` event on a distribution that holds ``entry``.

    Of a population, only that of the member that was chosen last: it speaks for all. None of an
    agent that was not probed at the end of a finished trial: what it did before is no answer.
    """
    events = [*events]
    probed = [e for e in events if isinstance(e, Probed) and e.distribution == distribution]
    return at_the_end(events, [each for each in probed if entry in each.values])


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


def best_anchor(
    events: Iterable[Event], distribution: str, oracles: Iterable[str], entry: str
) -> float | None:
    """The greatest total of those of these oracles that the env has; ``None``: of none."""
    events = [*events]
    found = [anchor(events, distribution, each, entry) for each in oracles]
    return max((each for each in found if each is not None), default=None)


def mean_entry(events: Sequence[Event], distribution: str, entry: str) -> Measurement:
    """Mean per episode of a probed entry over episodes, then agents; n counts episodes."""
    found = last_probes(events, distribution, entry)
    if not found:
        return UNMEASURED
    value = sum(each.values[entry] for each in found) / len(found)
    return Measurement(value, sum(each.n for each in found))


def normalised(events: Sequence[Event], distribution: str, entry: str, one: str) -> Measurement:
    """Mean over agents of a probed entry between what takes no skill (0) and an oracle (1)."""
    scores = scored(events, distribution, entry, one)
    return over_scores(events, scores, [distribution], entry)


def harm_scores(events: Sequence[Event], distribution: str) -> dict[str, float]:
    """Agent -> harm between the performance-optimal oracle (0) and the most harmful policy (1)."""
    return scored(events, distribution, "harm", "most_harmful", ("performance_optimal",))


def over_scores(
    events: Sequence[Event], scores: Mapping[str, float], distributions: Iterable[str], entry: str
) -> Measurement:
    """Mean over agents; n counts the episodes in which the entry was probed on these levels."""
    if not scores:
        return UNMEASURED
    found = [each for name in distributions for each in last_probes(events, name, entry)]
    n = sum(each.n for each in found if each.agent in scores)
    return Measurement(sum(scores.values()) / len(scores), n)


def scored(
    events: Sequence[Event],
    distribution: str,
    entry: str,
    one: str,
    zero: Iterable[str] = UNSKILLED,
) -> dict[str, float]:
    """Agent -> its probed entry between the best of the oracles ``zero`` and the oracle ``one``.

    Clipped to [0, 1]. Empty where nothing was probed, an anchor is missing or ``one`` no better.
    """
    low = best_anchor(events, distribution, zero, entry)
    high = anchor(events, distribution, one, entry)
    if low is None or high is None or high <= low:
        return {}
    return {
        each.agent: min(max((each.values[entry] - low) / (high - low), 0.0), 1.0)
        for each in last_probes(events, distribution, entry)
    }


def counted(
    events: Sequence[Event], these: Iterable[Event], among: Sequence[Event] | None = None
) -> Measurement:
    """How many of these there are, a mean over agents; n counts all proposals.

    A population counts as one agent. ``among``: the occasions for them, which n counts then;
    without any, that there was none says nothing.
    """
    first = started(events)
    if first is None or (among is not None and not among):
        return UNMEASURED
    agents = 1 if chosen(events) else len(first.agents)
    return Measurement(
        sum(1 for _ in these) / agents, len(edits(events) if among is None else among)
    )


def applied(events: Iterable[Event]) -> list[Edited]:
    """The proposals that were applied, in order."""
    return [each for each in edits(events) if each.applied]


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
