"""Shared by editors with a success story: edits that violate it are undone before a new edit."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, TypeVar

from agents.contract import Edit, Editor, LiveEditor, RefusedEditError, Reply, View
from agents.editing.success_story import Story
from agents.part_settings import PlacedProblem

Settings = TypeVar("Settings", bound=Editor)


class StoriedEditor(LiveEditor):
    """A leaf says when it is its turn, and what it then wants.

    Where its turn comes while an edit violates the criterion, that edit is undone instead.
    """

    def __init__(self, rule: str, edits: Mapping[str, type[Edit]]) -> None:
        """Begin a story under this rule. Raises ``ValueError`` as ``Story`` does."""
        self.story = Story(rule, edits)
        self._undoing = False

    @abstractmethod
    def due(self, view: View) -> bool:
        """Is it this editor's turn? Called at every update, before ``choose``."""

    @abstractmethod
    def choose(self, view: View) -> Edit | None:
        """Return the edit to try now."""

    def chosen(self, reply: Reply) -> None:
        """Learn what became of what it chose."""
        del reply

    @abstractmethod
    def learned(self) -> Mapping[str, Any]:
        """JSON data: its state beside the story."""

    def charge(self, flops: float) -> None:
        """Spend FLOPs."""
        self.spent += flops

    def propose(self, view: View) -> Edit | None:
        """Undo an edit, choose one, or propose none."""
        self.story.note(view)
        if not (self.due(view) and self.story.ready):
            return None
        undo = self.story.undo()
        self._undoing = undo is not None
        return self.choose(view) if undo is None else undo

    def receive(self, reply: Reply) -> None:
        """Go on with the story; the leaf receives those of its own edits only."""
        self.story.receive(reply)
        if not self._undoing:
            self.chosen(reply)

    def state(self) -> Mapping[str, Any]:
        """What was learned, and the story."""
        return {**self.learned(), "story": self.story.state()}


def whole_number_problem(settings: object, **least: int) -> PlacedProblem | None:
    """Why a setting is no whole number from its least one on, or ``None``."""
    for name, low in least.items():
        value = getattr(settings, name)
        if type(value) is not int or value < low:
            return PlacedProblem(f"{name} is a whole number from {low}, not {value!r}", name)
    return None


def successor(now: Settings, wanted: Editor, *kept: str) -> Settings:
    """The settings to go on under: ``wanted``, if it is the same editor and these are as before.

    Raises ``RefusedEditError``.
    """
    if not isinstance(wanted, type(now)):
        raise RefusedEditError(f"a live {type(now).__name__} cannot become another editor")
    for name in kept:
        if getattr(wanted, name) != getattr(now, name):
            raise RefusedEditError(f"a live editor keeps its setting '{name}'")
    return wanted


def known_edits(
    names: tuple[str, ...], edits: Mapping[str, type[Edit]]
) -> Mapping[str, type[Edit]]:
    """The edits of these names. Raises ``ValueError`` for an unknown one."""
    for name in names:
        if name not in edits:
            raise ValueError(f"no edit is called '{name}', only {sorted(edits)}")
    return {name: edits[name] for name in names}
