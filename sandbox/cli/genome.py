"""``sandbox show RUN --genome``: what an agent was at some update, and what had changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.errors import InputError, Problem, did_you_mean
from sandbox.pictures.genome_changes import changes
from sandbox.pictures.genome_svg import svg
from sandbox.pictures.genome_text import text
from sandbox.pictures.lineage_svg import story
from sandbox.record.files import Disk
from sandbox.record.lineage import START, Lineage, Node, behaviour_changes, lineages
from sandbox.record.store import TrialRecord, is_run, read_run

FORM = "start, end, or the number of an update; two of them with ':' between, as in start:end"


@dataclass(frozen=True)
class Sight:
    """One agent's genome at a moment, seen from an earlier moment."""

    trial: TrialRecord
    others: int  # trials of this run that are not shown
    agent_run: Lineage
    before: Node
    after: Node

    @property
    def heading(self) -> str:
        """Agent, condition, seed and the two moments."""
        trial = self.trial
        whose = f"{self.agent_run.agent} of {trial.condition_name}, seed {trial.spec['seed']}"
        return f"{whose}: {_when(self.before)} → {_when(self.after)}"

    def printed(self) -> str:
        """For the terminal."""
        head = [f"{self.heading}  (trial {self.trial.id}; {self.others} more)", ""]
        drawn = text(self.after.genome, self.before.genome)
        between = [
            x for x in self.agent_run.nodes if self.before.entry < x.entry <= self.after.entry
        ]
        edits = ["", "  edits between", *(f"    {story(each)}" for each in between)]
        return "\n".join([*head, drawn, *(edits if between else [])])

    def card(self) -> dict[str, Any]:
        """The same as JSON data."""
        found = changes(self.before.genome, self.after.genome)
        return {
            "kind": "genome",
            "trial": self.trial.id,
            "agent": self.agent_run.agent,
            "from_update": self.before.update,
            "update": self.after.update,
            "genome": self.after.genome,
            "changes": [vars(each) for each in found],
        }

    def draw(self, path: Path) -> Path:
        """Write the SVG. Raises ``InputError`` for another kind of file."""
        if path.suffix.lower() != ".svg":
            raise InputError(
                Problem("--picture", f"a genome is drawn as .svg, not '{path.suffix}'")
            )
        picture = svg(
            self.after.genome, self.before.genome, heading=self.heading, title=self.heading
        )
        Disk().write(path, picture.encode())
        return path


def _when(node: Node) -> str:
    return f"update {node.update}" if node.entry != START else "start"


def sight(run: Path, moments: str, trial: str = "", agent: str = "") -> Sight:
    """Find what ``--genome MOMENTS`` asks for. Raises ``InputError`` with what there is.

    ``trial``: the beginning of a trial's id, by default the first trial of the run that has begun.
    """
    if not is_run(run):
        raise InputError(
            Problem(str(run)[:80], "--genome wants a run folder: sandbox show RUN --genome")
        )
    trials = [each for each in read_run(run).trials if each.events]
    found = _trial(trials, trial)
    agent_runs = lineages(found.events, behaviour_changes(found.folder))
    agent_run = _agent(agent_runs, agent)
    start, _, end = moments.rpartition(":")
    before, after = _moment(agent_run, start or "start"), _moment(agent_run, end)
    return Sight(found, len(trials) - 1, agent_run, before, after)


def _trial(trials: Sequence[TrialRecord], wanted: str) -> TrialRecord:
    found = [each for each in trials if each.id.startswith(wanted)]
    if not trials:
        raise InputError(Problem("--genome", "no trial of this run has begun"))
    if not found or (wanted and len(found) > 1):
        many = "several trials begin" if found else "no trial begins"
        raise InputError(Problem("--trial", f"{many} with '{wanted}'; there are {_listed(trials)}"))
    return found[0]


def _listed(trials: Sequence[TrialRecord], most: int = 12) -> str:
    names = [f"{each.id} ({each.condition_name}, seed {each.spec['seed']})" for each in trials]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _agent(agent_runs: Sequence[Lineage], wanted: str) -> Lineage:
    names = [each.agent for each in agent_runs]
    if not agent_runs or (wanted and wanted not in names):
        hint = did_you_mean(wanted, names)
        there = ", ".join(names) or "none"
        raise InputError(
            Problem("--agent", f"no agent is called '{wanted}'; there are {there}{hint}")
        )
    return agent_runs[names.index(wanted) if wanted else 0]


def _moment(agent_run: Lineage, moment: str) -> Node:
    if moment == "start":
        return agent_run.start_node
    if moment == "end":
        return agent_run.end
    if not moment.isdecimal():
        raise InputError(
            Problem("--genome", f"'{moment[:40]}' is not a moment of an agent run: {FORM}")
        )
    return agent_run.at(int(moment))
