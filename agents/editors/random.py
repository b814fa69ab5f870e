"""Tries a random edit now and then, and keeps it while the success-story criterion holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from agents.contract import Edit, Editor, LiveEditor, RefusedEditError, Reply, View
from agents.editing.success_story import Story, undoing
from agents.part_settings import SettingError


@dataclass(frozen=True)
class Random(Editor):
    """Every ``every_updates`` updates, a random candidate of a random edit that has candidates.

    ``edits`` names those it may draw. Before it draws, the ``rule`` is applied: ``success_story``
    undoes edits without progress (``agents/editing/success_story.py``), ``keep_all`` never does. It
    uses no other information: the baseline of every editor that chooses.
    """

    level: ClassVar[str] = "random"

    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {"every_updates": (1, 64)}

    every_updates: int = 8
    edits: tuple[str, ...] = ("widen", "deepen", "prune", "reset_dormant", "set_rule")
    rule: str = "success_story"

    def __post_init__(self) -> None:
        if isinstance(self.edits, list):  # as JSON and YAML give it
            object.__setattr__(self, "edits", tuple(self.edits))
        if self.every_updates < 1:
            raise SettingError(
                f"every_updates is at least 1, not {self.every_updates}", "every_updates"
            )
        if len(set(self.edits)) < len(self.edits):
            raise SettingError(f"edits names one twice: {list(self.edits)}", "edits")

    def may_propose(self) -> frozenset[str]:
        """Those it draws from, and what its rule undoes them with."""
        return frozenset((*self.edits, *undoing(self.rule)))

    def start(self, edits: Mapping[str, type[Edit]], rng: np.random.Generator) -> LiveEditor:
        """Begin. Raises ``ValueError`` for an unknown edit."""
        for name in self.edits:
            if name not in edits:
                raise ValueError(f"no edit is called '{name}', only {sorted(edits)}")
        story = Story(self.rule, edits)
        return _LiveRandom(self, {name: edits[name] for name in self.edits}, story, rng)


class _LiveRandom(LiveEditor):
    def __init__(
        self,
        settings: Random,
        edits: Mapping[str, type[Edit]],
        story: Story,
        rng: np.random.Generator,
    ) -> None:
        self._settings, self._edits, self._story, self._rng = settings, edits, story, rng
        self._due = False

    def propose(self, view: View) -> Edit | None:
        self._story.note(view)
        self._due = self._due or view.update % self._settings.every_updates == 0
        if not self._due or not self._story.ready:
            return None
        undo = self._story.undo()
        if undo is not None:  # the draw follows at the next update
            return undo
        self._due = False
        return self._drawn(view)

    def receive(self, reply: Reply) -> None:
        self._story.receive(reply)

    def state(self) -> Mapping[str, Any]:
        return {"due": self._due, "story": self._story.state()}

    def adopt(self, settings: Editor) -> None:
        if not isinstance(settings, Random) or (settings.edits, settings.rule) != (
            self._settings.edits,
            self._settings.rule,
        ):
            raise RefusedEditError("a running editor keeps its edits and its rule")
        self._settings = settings

    def settings(self) -> Editor:
        return self._settings

    def _drawn(self, view: View) -> Edit | None:
        offers = [each for each in (kind.candidates(view) for kind in self._edits.values()) if each]
        if not offers:
            return None
        offer = offers[int(self._rng.integers(len(offers)))]
        return offer[int(self._rng.integers(len(offer)))]
