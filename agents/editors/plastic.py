"""Keeps the network able to learn: resets dormant units and small edges at constant size."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from agents.contract import Edit, Editor, LiveEditor, RefusedEditError, Reply, View
from agents.editing.success_story import undoing
from agents.editing.success_story_editor import StoriedEditor, successor, whole_number_problem
from agents.editing.trends import Changes
from agents.part_settings import PlacedProblem, SettingError


@dataclass(frozen=True)
class Plastic(Editor):
    """Same topology, same FLOPs: for an agent that gets no more compute.

    Its turn comes every ``every_updates`` updates, and at once where the share of dormant units of
    some layer is more than ``dormancy`` or, with ``react``, where returns, novelty, gradient or
    value loss have changed (``agents/editing/trends.py``); but not before ``rest`` updates have
    passed since its last turn. It then proposes, one an update, the first candidate of each of
    ``edits`` that has one; an edit that is not available is passed over, and so is one that would
    change anything in the genome.
    """

    level: ClassVar[str] = "plastic"

    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {
        "every_updates": (1, 1000),
        "dormancy": (0.0, 1.0),
        "rest": (1, 1000),
    }
    """What an edit may change of a running editor, and how far."""

    edits: tuple[str, ...] = ("reset_dormant", "regrow_edges")
    every_updates: int = 16
    dormancy: float = 0.1
    rest: int = 4
    react: bool = True
    rule: str = "keep_all"

    def __post_init__(self) -> None:
        if isinstance(self.edits, list):  # as JSON and YAML give it
            object.__setattr__(self, "edits", tuple(self.edits))
        problem = whole_number_problem(self, every_updates=1, rest=1)
        if not 0 <= self.dormancy <= 1:
            problem = problem or PlacedProblem(
                f"dormancy is a share from 0 to 1, not {self.dormancy}", "dormancy"
            )
        if problem:
            raise SettingError(problem)

    def may_propose(self) -> frozenset[str]:
        """Those of its settings, and what its rule undoes them with."""
        return frozenset((*self.edits, *undoing(self.rule)))

    def start(self, edits: Mapping[str, type[Edit]], rng: np.random.Generator) -> LiveEditor:
        """Begin. Raises ``ValueError`` for an unknown rule."""
        del rng
        return _LivePlastic(self, edits)


class _LivePlastic(StoriedEditor):
    def __init__(self, settings: Plastic, edits: Mapping[str, type[Edit]]) -> None:
        super().__init__(settings.rule, edits)
        self._settings = settings
        self._kinds = {name: edits[name] for name in settings.edits if name in edits}
        self._changes = Changes()
        self._turn: int | None = None  # update of the last one
        self._waiting: list[str] = []
        self._applied = 0

    def due(self, view: View) -> bool:
        changed = self._changes.note(view)
        self.charge(self._changes.flops())
        if not self._waiting and self._called(view, changed=bool(changed)):
            self._turn, self._waiting = view.update, list(self._kinds)
        return bool(self._waiting)

    def choose(self, view: View) -> Edit | None:
        while self._waiting:
            for edit in self._kinds[self._waiting.pop(0)].candidates(view)[:1]:
                if _keeps(edit, view):
                    return edit
        return None

    def chosen(self, reply: Reply) -> None:
        self._applied += reply.applied

    def learned(self) -> Mapping[str, Any]:
        return {
            "turn": self._turn,
            "waiting": list(self._waiting),
            "applied": self._applied,
            "changes": self._changes.state(),
        }

    def adopt(self, settings: Editor) -> None:
        self._settings = successor(self._settings, settings, "edits", "react", "rule")

    def settings(self) -> Editor:
        return self._settings

    def _called(self, view: View, *, changed: bool) -> bool:
        dormant = max(view.dormancy, default=0.0) > self._settings.dormancy
        reacts = changed and self._settings.react
        if view.update % self._settings.every_updates == 0:
            return True
        rested = self._turn is None or view.update - self._turn >= self._settings.rest
        return rested and (dormant or reacts)


def _keeps(edit: Edit, view: View) -> bool:
    """Whether it leaves the genome as it is."""
    try:
        return edit.rewrite(view.genome) == view.genome
    except RefusedEditError:
        return False
