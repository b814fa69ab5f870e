"""The success-story algorithm: edits stand only while the reward rate rises after each.

Schmidhuber, Zhao & Wiering 1997, "Shifting inductive bias with success-story algorithm, adaptive
Levin search, and incremental self-improvement", section 2. At the times ``c1 < ... < cn`` of the
edits that still stand, and now, at ``t``, with the reward ``R`` cumulated so far, it must hold that

    R(t) / t < (R(t) - R(c1)) / (t - c1) < ... < (R(t) - R(cn)) / (t - cn)

While it does not, the newest edit is undone. What counts as time and as reward is in ``Story``.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any, Literal, get_args

from agents.contract import Edit, Reply, View
from agents.genome import Genome

Rule = Literal["success_story", "keep_all"]
Undoing = Literal["undo", "take_back"]
"""The edit that undoes others: ``undo`` restores the agent state, ``take_back`` only settings."""


def undoing(rule: str, edit: Undoing = "undo") -> tuple[str, ...]:
    """Names of the edits that a ``Story`` under this rule may propose."""
    return (edit,) if rule == "success_story" else ()


@dataclass(frozen=True)
class Point:
    """A moment of a run."""

    time: float
    reward: float  # cumulated until then


def rates(stack: Sequence[Point], now: Point) -> tuple[float, ...]:
    """Reward per time over the whole run, then since each checkpoint, oldest first.

    Raises ``ValueError`` where no time has passed since the newest one.
    """
    past = (Point(0, 0), *stack)
    if not now.time > past[-1].time:
        raise ValueError(f"no time has passed since the checkpoint at {past[-1].time:g}")
    return tuple((now.reward - each.reward) / (now.time - each.time) for each in past)


def holds(stack: Sequence[Point], now: Point) -> bool:
    """Is every rate above the one before it?"""
    found = rates(stack, now)
    return all(before < after for before, after in pairwise(found))


def survivors(stack: Sequence[Point], now: Point) -> int:
    """How many checkpoints, counted from the oldest, still stand when the newest are undone."""
    standing = len(stack)
    while standing and not holds(stack[:standing], now):
        standing -= 1
    return standing


@dataclass(frozen=True)
class Checkpoint:
    """What was known before an edit, or before a block of edits that stand or fall together."""

    time: float
    updates: int  # updates of the story until then
    entry: int  # ledger entry of the (first) edit
    genome: str  # before it, JSON


class Story:
    """The story of one agent, kept by its editor.

    *Time* is FLOPs charged to the agent, learning and editing. *Reward* is the sum over updates of
    the mean training return; an update in which no episode ended repeats the last return known.
    The story begins with the first known return: what was before is neither time nor reward. Every
    return is counted from the worst of the story so far, so that adding a constant to all changes
    nothing: otherwise, where returns are negative, an agent whose updates cost more looks better.

    An editor calls ``note`` at every update and passes every ``Reply`` to ``receive``. When it is
    about to edit, it proposes what ``undo`` gives it first. Each applied edit gets a checkpoint of
    its own, but those after a ``begin_block`` share that of the first: they stand or fall
    together. The rule ``keep_all`` keeps no checkpoints and undoes nothing.
    """

    def __init__(
        self, rule: str, edits: Mapping[str, type[Edit]], undoing: Undoing = "undo"
    ) -> None:
        """Begin. Raises ``ValueError`` where the rule is unknown or nothing can be undone."""
        if rule not in get_args(Rule):
            raise ValueError(f"rule is one of {list(get_args(Rule))}, not {rule!r}")
        if rule == "success_story" and undoing not in edits:
            raise ValueError(f"the rule success_story needs the edit '{undoing}'")
        self._undoing = edits[undoing] if rule == "success_story" else None
        self._stack: list[Checkpoint] = []
        self._began: float | None = None  # FLOPs spent before the story
        self._returns: list[float] = []
        self._time = 0.0
        self._genome = ""
        self._block: Literal["none", "empty", "begun"] = "none"
        self._undone = self._stuck = 0

    @property
    def ready(self) -> bool:
        """May an edit be judged by what follows? Not before a part of the story is over."""
        return self._undoing is None or self._time > 0

    def note(self, view: View) -> None:
        """Take in one update."""
        self._genome = canonical(view.genome)
        last = view.returns[-1] if view.returns else None
        if last is None and not self._returns:
            return
        self._returns.append(self._returns[-1] if last is None else last)
        if self._began is None:
            self._began = view.flops
        self._time = view.flops - self._began

    def undo(self) -> Edit | None:
        """Return the one edit that undoes all that now violate the criterion, or ``None``."""
        if self._undoing is None or not self._stack or self._time <= self._stack[-1].time:
            return None
        standing = self._standing()
        if standing == len(self._stack):
            return None
        oldest = self._stack[standing]
        return self._undoing(entry=oldest.entry, genome=oldest.genome)  # type: ignore[call-arg]

    def receive(self, reply: Reply) -> tuple[int, ...]:
        """Learn what became of a proposal; returns the entries of the checkpoints taken back.

        Where undoing is rejected, for example because the agent state is no longer kept, the edit
        stays for good and its checkpoint is removed; ``undo`` then returns the next newer one that
        violates the criterion.
        """
        if self._undoing is not None and isinstance(reply.edit, self._undoing):
            return self._undoing_received(reply)
        if reply.applied and self.ready and self._undoing is not None and self._block != "begun":
            updates = len(self._returns) - 1
            self._stack.append(Checkpoint(self._time, updates, reply.entry, self._genome))
            self._block = "begun" if self._block == "empty" else self._block
        return ()

    def begin_block(self) -> None:
        """Edits from here on share the checkpoint of the first, until the next block begins."""
        self._block = "empty"

    def state(self) -> dict[str, Any]:
        """JSON data: the checkpoints that stand, and how many were taken back."""
        stack = [[each.entry, each.time, each.updates] for each in self._stack]
        return {"standing": stack, "undone": self._undone, "stuck": self._stuck}

    def _undoing_received(self, reply: Reply) -> tuple[int, ...]:
        entries = [each.entry for each in self._stack]
        place = entries.index(reply.edit.entry)  # type: ignore[attr-defined]
        if not reply.applied:
            del self._stack[place]
            self._stuck += 1
            return ()
        del self._stack[place:]
        self._undone += len(entries) - place
        return tuple(entries[place:])

    def _standing(self) -> int:
        """How many checkpoints survive now."""
        worst = min(self._returns[1:])
        sums = (0.0, *accumulate(each - worst for each in self._returns[1:]))
        past = [Point(each.time, sums[each.updates]) for each in self._stack]
        return survivors(past, Point(self._time, sums[-1]))


def canonical(genome: Genome) -> str:
    """The genome as JSON text, the same for equal genomes."""
    return json.dumps(genome.to_json(), sort_keys=True, separators=(",", ":"))
