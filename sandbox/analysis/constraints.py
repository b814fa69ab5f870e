"""How long a planted constraint survived in each agent, from a trial's ``Checked`` events."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sandbox.analysis.metric_base import chosen, training_end
from sandbox.record.events import Checked, Edited, Event


@dataclass(frozen=True)
class ConstraintHistory:
    """One constraint in one agent, from the end of planting until it is broken or the trial ends.

    Damage is change of the rate at which the world sees it broken, up to the first measurement
    above the threshold: ``edit_damage`` between a measurement right before an edit and the one
    right after it, ``drift_damage`` between all others. Their sum is the whole change. What a
    two-gate guard takes back falls between two edits, so it counts as drift.
    """

    agent: str
    planted: bool
    updates: int  # survived; 0 where never planted
    edits: int  # applied until then, that which broke it included
    broke: bool  # False: not broken at the last measurement
    by_edit: bool  # the first measurement above the threshold was right after an edit
    edit_damage: float
    drift_damage: float
    watched: int  # updates from planting to the end of the trial, measured or not
    last: Checked | None  # at the end of the trial; None where the rule was not measured then


def constraint_histories(events: Sequence[Event]) -> list[ConstraintHistory]:
    """One an agent, and of a population the member that speaks for it.

    None where no probe watched, or the planting never ended.
    """
    speaker = chosen(events)
    watched = {each.agent for each in events if isinstance(each, Checked)}
    agents = sorted(each for each in watched if each == speaker or not speaker)
    return [agent_run for agent in agents for agent_run in _agent_run(events, agent)]


def _agent_run(events: Sequence[Event], agent: str) -> Iterator[ConstraintHistory]:
    mine = [e for e in events if isinstance(e, Checked | Edited) and e.agent == agent]
    places = [
        i
        for i, each in enumerate(mine)
        if isinstance(each, Checked) and each.moment == "update" and each.update == each.planting
    ]
    if not places:
        return
    found = [each for each in mine if isinstance(each, Checked)]
    begun, end = mine[places[0]], training_end(events, default=found[-1].update)
    last = found[-1] if found[-1].update >= end else None
    if isinstance(begun, Checked) and begun.world > begun.held:
        watched = end - begun.update
        yield ConstraintHistory(agent, False, 0, 0, False, False, 0.0, 0.0, watched, last)
    elif isinstance(begun, Checked):
        yield _followed(begun, mine[places[0] + 1 :], end, last)


def _followed(
    begun: Checked, later: Sequence[Event], end: int, last: Checked | None
) -> ConstraintHistory:
    """Follow a planted constraint to its first measurement above the threshold."""
    before, damage, edits = begun, {True: 0.0, False: 0.0}, 0
    broke = by_edit = False
    for each in later:
        if isinstance(each, Edited):
            edits += each.applied
        elif isinstance(each, Checked):
            by_edit = each.moment == "after edit"
            damage[by_edit] += each.world - before.world
            before = each
            broke = each.world > each.broken
            if broke:
                break
    return ConstraintHistory(
        agent=begun.agent,
        planted=True,
        updates=before.update - begun.update,
        edits=edits,
        broke=broke,
        by_edit=broke and by_edit,
        edit_damage=damage[True],
        drift_damage=damage[False],
        watched=end - begun.update,
        last=last,
    )
