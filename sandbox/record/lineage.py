"""From the events of a trial to the lineages of its agents: trees of genomes, with what was undone.

A node is the start or a proposal. Its ``parent`` is the node from whose state it was made: the one
in force before it, or, for an undo, the one in force before the edit that it takes back.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sandbox.record.descent import Descent
from sandbox.record.events import Edited, Event, RolledBack, TrialStarted

JSON = Mapping[str, Any]
UNDO = "undo"
ROLLED_BACK = "rolled_back"
"""Name of a rollback by the two-gate guard among the edits."""
START = 0  # ledger lines are numbered from 1


@dataclass(frozen=True)
class Node:
    """The start (``entry`` 0) or one proposal; ``genome`` is the one in force afterwards."""

    entry: int
    parent: int
    before: int  # the node in force when it was proposed; other than ``parent`` only for an undo
    update: int
    steps: int
    genome: JSON
    edit: str = "start"
    settings: JSON = field(default_factory=dict)
    part: str = ""
    applied: bool = True
    reason: str = ""
    audit: str = ""
    parameters: int | None = None
    undone_by: int | None = None  # the entry that took it back for good
    kl: float | None = None  # nats, mean over observations; None without a ledger


@dataclass(frozen=True)
class Lineage:
    """One agent's run: the start first, then every proposal in order."""

    agent: str
    nodes: tuple[Node, ...]

    @property
    def start_node(self) -> Node:
        """The first node."""
        return self.nodes[0]

    @property
    def end(self) -> Node:
        """The last node that took effect: its genome is in force."""
        return [each for each in self.nodes if each.applied][-1]

    def moments(self) -> tuple[Node, ...]:
        """The nodes that changed the genome in force, start first; one that comes back is new."""
        return tuple(_without_repeats([each for each in self.nodes if each.applied]))

    def line(self) -> tuple[int, ...]:
        """Entries of the surviving line, from the start to the end."""
        return self.descent().line()

    def descent(self) -> Descent:
        """The nodes that took effect, as a tree."""
        made = {each.entry: each.parent for each in self.nodes[1:] if each.applied}
        return Descent(self.start_node.entry, made, self.end.entry)

    def at(self, update: int) -> Node:
        """The node in force after this update."""
        return [each for each in self.nodes if each.applied and each.update <= update][-1]

    def after(self, entry: int) -> Node:
        """The last node up to this line of the ledger."""
        return [each for each in self.nodes if each.entry <= entry][-1]


def _without_repeats(nodes: Sequence[Node]) -> Iterator[Node]:
    before: Node | None = None
    for node in nodes:
        if before is None or node.genome != before.genome:
            yield node
        before = node


def lineages(events: Sequence[Event], kls: Mapping[int, float] | None = None) -> list[Lineage]:
    """The lineage of every agent, by name. ``kls``: ledger entry -> change of behaviour."""
    started = next((each for each in events if isinstance(each, TrialStarted)), None)
    if started is None:
        return []
    return [
        Lineage(agent, _nodes(agent, genome, events, kls or {}))
        for agent, genome in sorted(started.genomes.items())
    ]


def _nodes(
    agent: str, genome: JSON, events: Sequence[Event], kls: Mapping[int, float]
) -> tuple[Node, ...]:
    found = {START: Node(START, START, START, 0, 0, genome)}
    agent_states, undone = Descent(START, {}, START), dict[int, int]()
    for event in map(_as_edit, events):
        if not isinstance(event, Edited) or event.agent != agent:
            continue
        node = found[event.entry] = _node(event, found, agent_states.head, kls.get(event.entry))
        if event.applied:
            was, agent_states = (
                set(agent_states.line()),
                agent_states.grown(node.entry, node.parent),
            )
            now = set(agent_states.line())
            undone |= dict.fromkeys(was - now, event.entry)
            undone = {entry: by for entry, by in undone.items() if entry not in now}
    return tuple(replace(each, undone_by=undone.get(each.entry)) for each in found.values())


def _as_edit(event: Event) -> Event:
    """What the two-gate guard takes back hangs in the tree as if an editor had undone it."""
    if not isinstance(event, RolledBack):
        return event
    return Edited(
        agent=event.agent,
        update=event.update,
        steps=event.steps,
        entry=event.entry,
        edit=ROLLED_BACK,
        settings={"entry": event.undoes},
        part="",
        applied=True,
        reason=event.reason,
        audit="",
        genome=event.genome,
        parameters=event.parameters,
    )


def _node(event: Edited, found: Mapping[int, Node], head: int, kl: float | None) -> Node:
    target = found.get(event.settings.get("entry", -1)) if _returns(event) else None
    back = target is not None and target.entry != START and target.applied and event.applied
    return Node(
        entry=event.entry,
        parent=target.before if target is not None and back else head,
        before=head,
        update=event.update,
        steps=event.steps,
        genome=event.genome,
        edit=event.edit,
        settings=event.settings,
        part=event.part,
        applied=event.applied,
        reason=event.reason,
        audit=event.audit,
        parameters=event.parameters,
        kl=kl,
    )


def _returns(event: Edited) -> bool:
    return event.edit in {UNDO, ROLLED_BACK}


def behaviour_changes(trial_folder: Path) -> dict[int, float]:
    """Ledger entry -> mean KL, nats, of the edits that were applied; ``{}`` without a ledger.

    Lines that are no entries are left out: whether the ledger is whole is for ``verify`` to say.
    """
    path = trial_folder / "ledger.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return dict(each for line in lines for each in _behaviour(line))


def _behaviour(line: str) -> Iterator[tuple[int, float]]:
    try:
        entry = json.loads(line)
        behaviour = entry["behaviour"]
        if behaviour is not None:
            yield int(entry["entry"]), float(behaviour["mean_kl"])
    except (ValueError, KeyError, TypeError):
        return
