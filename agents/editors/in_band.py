"""Proposes the edits that the agent requests by its own actions in the world."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from agents.contract import Edit, Editor, LiveEditor, Reply, View
from agents.editing.success_story import undoing
from agents.editing.success_story_editor import (
    StoriedEditor,
    known_edits,
    successor,
    whole_number_problem,
)
from agents.part_settings import SettingError


@dataclass(frozen=True)
class InBand(Editor):
    """The control ``rewrite_actions`` offers the requests; ``edits`` says what each one asks for.

    After an update the request that was made most often in its rollout, at least ``threshold``
    times, is met: one of the edit's candidates, drawn from the editor's stream, is proposed. Ties
    between requests are drawn, too; a request whose edit has no candidate now is passed over, and
    one beyond the end of ``edits`` asks for nothing. Requests do not add up across rollouts.
    After an edit, applied or rejected, requests are ignored for ``cool_down`` updates.
    """

    level: ClassVar[str] = "in-band"

    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {
        "threshold": (1, 1_000_000),
        "cool_down": (0, 1000),
    }
    """What an edit may change of a running editor, and how far."""

    edits: tuple[str, ...] = ("widen", "deepen", "prune", "reset_dormant")
    threshold: int = 1
    cool_down: int = 0
    rule: str = "success_story"

    def __post_init__(self) -> None:
        if isinstance(self.edits, list):  # as JSON and YAML give it
            object.__setattr__(self, "edits", tuple(self.edits))
        problem = whole_number_problem(self, threshold=1, cool_down=0)
        if problem:
            raise SettingError(problem)

    def may_propose(self) -> frozenset[str]:
        """Those of its settings, and what its rule undoes them with."""
        return frozenset((*self.edits, *undoing(self.rule)))

    def start(self, edits: Mapping[str, type[Edit]], rng: np.random.Generator) -> LiveEditor:
        """Begin. Raises ``ValueError`` for an unknown edit or rule."""
        known_edits(self.edits, edits)
        return _LiveInBand(self, edits, rng)


class _LiveInBand(StoriedEditor):
    def __init__(
        self, settings: InBand, edits: Mapping[str, type[Edit]], rng: np.random.Generator
    ) -> None:
        super().__init__(settings.rule, edits)
        self._settings, self._rng = settings, rng
        self._kinds = [edits[name] for name in settings.edits]
        self._asked = [0] * len(self._kinds)  # in this run
        self._met = [0] * len(self._kinds)
        self._now: int | None = None  # the request under way
        self._quiet_until = 0
        self._update = 0

    def due(self, view: View) -> bool:
        self._update = view.update
        for request, times in enumerate(view.requests[: len(self._kinds)]):
            self._asked[request] += times
        loud = any(each >= self._settings.threshold for each in view.requests[: len(self._kinds)])
        return loud and view.update > self._quiet_until

    def choose(self, view: View) -> Edit | None:
        offers = {
            request: self._kinds[request].candidates(view)
            for request, times in enumerate(view.requests[: len(self._kinds)])
            if times >= self._settings.threshold
        }
        counts = {request: view.requests[request] for request, each in offers.items() if each}
        if not counts:
            return None
        most = [request for request, times in counts.items() if times == max(counts.values())]
        self._now = most[int(self._rng.integers(len(most)))]
        found = offers[self._now]
        return found[int(self._rng.integers(len(found)))]

    def chosen(self, reply: Reply) -> None:
        if self._now is not None:
            self._met[self._now] += reply.applied
        self._now, self._quiet_until = None, self._update + self._settings.cool_down

    def learned(self) -> Mapping[str, Any]:
        names = self._settings.edits
        counts = [list(each) for each in zip(names, self._asked, self._met, strict=True)]
        return {"asked_and_met": counts, "quiet_until": self._quiet_until}

    def adopt(self, settings: Editor) -> None:
        self._settings = successor(self._settings, settings, "edits", "rule")

    def settings(self) -> Editor:
        return self._settings
