"""Population based training: the worst members become perturbed copies of the best."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from agents.contract import Edit, Editor, LiveEditor, RefusedEditError, Reply, View
from agents.editing.exploitation import better_peer
from agents.editing.mutation import DRAW_FLOPS, OFFERED, Bounds, numbers_problem, tunable
from agents.part_settings import SettingError


@dataclass(frozen=True)
class Pbt(Editor):
    """Exploit by truncation selection, explore by factors (Jaderberg et al. 2017).

    Every ``every_updates`` updates each member's mean training return over the last ``window`` is
    compared with its peers'. One of the bottom ``share`` copies one of the top ``share``, weights
    and learning rule (``copy_peer``), and multiplies each of the ``numbers`` by one of the
    ``factors``, drawn evenly, within what is offered of it. All others rest, so a lone agent never
    edits. Which member copies which depends on nothing that another member does at the same update:
    the order in which members are asked makes no difference, unless a budget runs out between two
    of them.
    """

    level: ClassVar[str] = "self-tuned"

    bounds: ClassVar[Mapping[str, Bounds]] = {"every_updates": (1, 64), "share": (0.05, 0.5)}

    every_updates: int = 10
    share: float = 0.25
    numbers: tuple[str, ...] = ("learning_rate", "entropy_coefficient")
    factors: tuple[float, ...] = (0.8, 1.2)
    window: int | None = None  # updates; None: as many as every_updates

    def __post_init__(self) -> None:
        """Raise ``ValueError`` naming an invalid setting."""
        for name in ("numbers", "factors"):  # lists, as JSON and YAML give them
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.every_updates < 1:
            raise SettingError(
                f"every_updates is at least 1, not {self.every_updates}", "every_updates"
            )
        if not 0 < self.share <= 0.5:  # noqa: PLR2004 - the halves
            raise SettingError(f"share is above 0 and at most 0.5, not {self.share}", "share")
        if not self.factors or not all(0 < each <= 100 for each in self.factors):  # noqa: PLR2004
            raise SettingError(
                f"factors are one or more in (0, 100], not {list(self.factors)}", "factors"
            )
        if self.window is not None and self.window < 1:
            raise SettingError(f"window is at least 1, not {self.window}", "window")
        problem = numbers_problem(self.numbers)
        if problem:
            raise SettingError(problem)

    def may_propose(self) -> frozenset[str]:
        """Copies of other members."""
        return frozenset({"copy_peer"})

    def start(self, edits: Mapping[str, type[Edit]], rng: np.random.Generator) -> LiveEditor:
        """Begin. Raises ``ValueError`` where ``copy_peer`` is not among the edits."""
        if "copy_peer" not in edits:
            raise ValueError("pbt needs the edit 'copy_peer'")
        return _LivePbt(self, edits["copy_peer"], rng)


class _LivePbt(LiveEditor):
    def __init__(self, settings: Pbt, edit: type[Edit], rng: np.random.Generator) -> None:
        self._settings, self._edit, self._rng = settings, edit, rng
        self._copied: list[str] = []
        self._proposed = ""

    def propose(self, view: View) -> Edit | None:
        mine = self._settings
        if view.update % mine.every_updates:
            return None
        peer = better_peer(view, mine.share, mine.window or mine.every_updates, self._rng)
        if peer is None:
            return None
        genome = view.peer_genomes[peer]
        self.spent += DRAW_FLOPS * (1 + len(mine.numbers))
        self._proposed = peer
        numbers = perturbed(tunable(genome.learning_rule), mine, self._rng)
        return self._edit.of(peer, genome, numbers)  # type: ignore[attr-defined,no-any-return]

    def receive(self, reply: Reply) -> None:
        if reply.applied:
            self._copied.append(self._proposed)

    def state(self) -> Mapping[str, Any]:
        return {"copied": list(self._copied)}

    def adopt(self, settings: Editor) -> None:
        mine = self._settings
        if not isinstance(settings, Pbt) or mine != replace(
            settings, every_updates=mine.every_updates, share=mine.share
        ):
            raise RefusedEditError("of a running pbt only every_updates and share may change")
        self._settings = settings

    def settings(self) -> Editor:
        return self._settings


def perturbed(
    found: Mapping[str, float], settings: Pbt, rng: np.random.Generator
) -> tuple[tuple[str, float], ...]:
    """The peer's numbers that the settings name, each times a factor; those at 0 stay there."""
    names = [name for name in settings.numbers if name in found]
    drawn = [settings.factors[int(rng.integers(len(settings.factors)))] for _ in names]
    return tuple(
        (name, min(max(found[name] * by, OFFERED[name][0]), OFFERED[name][1]))
        for name, by in zip(names, drawn, strict=True)
    )
