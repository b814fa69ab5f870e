"""Genomes in TensorBoard: a picture at each change, and what changed, in words."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from sandbox.pictures.genome_changes import changes
from sandbox.pictures.lineage_svg import settings_text
from sandbox.pictures.pixels import genome_png
from sandbox.record.events import Edited
from sandbox.record.ledger import canonical
from sandbox.words import claim_check

MOST_PICTURES = 20
"""Of one trial. The last picture of each agent is kept for the trial's end."""

JSON = Mapping[str, Any]


class Picture(NamedTuple):
    """A PNG of one agent's genome."""

    agent: str
    step: int
    png: bytes


@dataclass
class Album:
    """The genomes of one trial's agents, as they change."""

    now: dict[str, JSON] = field(default_factory=dict)
    shown: dict[str, JSON] = field(default_factory=dict)  # as on the last picture
    waiting: dict[str, tuple[int, str]] = field(default_factory=dict)  # agent -> step, heading
    drawn: int = 0

    def started(self, agent: str, genome: JSON) -> Iterator[Picture]:
        """An agent begins."""
        self.now[agent] = self.shown[agent] = genome
        if self.drawn < MOST_PICTURES:
            self.drawn += 1
            yield Picture(agent, 0, _first(canonical(genome), f"{agent}: start"))

    def edited(self, event: Edited) -> Iterator[Picture]:
        """A proposal; drawn if it changed the genome and the limit is not reached."""
        if event.applied and event.genome != self.now.get(event.agent):
            self.now[event.agent] = event.genome
            heading = f"{event.agent}, step {event.steps:,}: {event.edit}"
            self.waiting[event.agent] = (event.steps, heading)
            if self.drawn + len(self.now) < MOST_PICTURES:
                yield from self._draw(event.agent)

    def ended(self) -> Iterator[Picture]:
        """What the agents were at the end, where that has no picture yet."""
        for agent in sorted(self.waiting):
            if self.drawn < MOST_PICTURES:
                yield from self._draw(agent)

    def _draw(self, agent: str) -> Iterator[Picture]:
        step, heading = self.waiting.pop(agent)
        before, self.shown[agent] = self.shown.get(agent), self.now[agent]
        self.drawn += 1
        yield Picture(agent, step, genome_png(self.now[agent], before, heading=heading))


@lru_cache(maxsize=64)
def _first(genome: str, heading: str) -> bytes:
    """Drawn once for all trials that begin with the same genome."""
    return genome_png(json.loads(genome), heading=heading)


def edit_markdown(event: Edited, before: JSON | None = None) -> str:
    """One edit as Markdown: the proposal, the decision on it, and what it changed."""
    decision = "applied" if event.applied else f"rejected: {event.reason}"
    return (
        f"### {event.edit}({settings_text(event.settings)})\n\n"
        "| agent | part | decision | claim check | parameters | ledger line |\n"
        "|---|---|---|---|---|---|\n"
        f"| {event.agent} | {event.part} | {decision} | {claim_check(event.audit)}"
        f" | {event.parameters} | {event.entry} |\n\n"
        f"{_difference(before, event.genome) if event.applied and before else ''}"
    )


def _difference(before: JSON, after: JSON) -> str:
    found = changes(before, after)
    if not found:
        return "The genome is the same as before.\n\n"
    return "Changed in the genome:\n\n" + "".join(f"- `{each}`\n" for each in found) + "\n"
