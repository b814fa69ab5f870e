"""Evolution of genomes: the worst members become mutated copies of the best, step size included."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

import numpy as np

from agents.contract import Edit, Editor, LiveEditor, RefusedEditError, Reply, View
from agents.editing.exploitation import better_peer
from agents.editing.mutation import (
    DRAW_FLOPS,
    Bounds,
    mutated_numbers,
    mutated_steps,
    normal_draws,
    numbers_problem,
)
from agents.part_settings import SettingError

STEP_BOUNDS: Bounds = (1e-3, 2.0)


@dataclass(frozen=True)
class Evolution(Editor):
    """A steady-state evolution strategy over genomes, with weights inherited (Lamarck).

    Every ``every_updates`` updates a member of the bottom ``share``, by mean training return since,
    becomes the child of a drawn member of the top ``share``: its weights, architecture and
    learning rule (``copy_peer``). Then the child mutates. With probability ``structural`` that is
    one of the ``edits``, drawn evenly among those that can be done, at the next update; else every
    one of the ``numbers`` moves by ``x exp(step' N)`` in the copy itself. The step size is
    inherited and self-adapted (Schwefel 1981): ``step' = step exp(tau N)``, ``step`` the parent's.
    It is a setting of the child's editor, so it is in the genome. Members of the top share rest.
    """

    level: ClassVar[str] = "learned"

    bounds: ClassVar[Mapping[str, Bounds]] = {
        "every_updates": (2, 64),
        "step": STEP_BOUNDS,
        "tau": (0.01, 2.0),
    }

    every_updates: int = 10
    share: float = 0.25
    structural: float = 0.5
    edits: tuple[str, ...] = ("widen", "deepen", "prune")
    numbers: tuple[str, ...] = ("learning_rate", "entropy_coefficient", "clip_range")
    step: float = 0.2
    tau: float = 0.4  # about 1 / sqrt(2 n) for n numbers

    def __post_init__(self) -> None:
        """Raise ``ValueError`` naming an invalid setting."""
        for name in ("edits", "numbers"):  # lists, as JSON and YAML give them
            object.__setattr__(self, name, tuple(getattr(self, name)))
        ranges = {
            "share": (1e-9, 0.5),
            "structural": (0.0, 1.0),
            "step": STEP_BOUNDS,
            "tau": (0.0, 2.0),
        }
        if self.every_updates < 2:  # noqa: PLR2004 - one to copy, one to change what was copied
            raise SettingError(
                f"every_updates is at least 2, not {self.every_updates}", "every_updates"
            )
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise SettingError(
                    f"{name} is {low:g} to {high:g}, not {getattr(self, name)}", name
                )
        problem = numbers_problem(self.numbers)
        if problem:
            raise SettingError(problem)

    def may_propose(self) -> frozenset[str]:
        """Copies of other members, and the structural ones of its settings."""
        return frozenset(("copy_peer", *self.edits))

    def start(self, edits: Mapping[str, type[Edit]], rng: np.random.Generator) -> LiveEditor:
        """Begin. Raises ``ValueError`` for an unknown edit."""
        for name in ("copy_peer", *self.edits):
            if name not in edits:
                raise ValueError(f"no edit is called '{name}', only {sorted(edits)}")
        return _LiveEvolution(self, edits, rng)


class _LiveEvolution(LiveEditor):
    def __init__(
        self, settings: Evolution, edits: Mapping[str, type[Edit]], rng: np.random.Generator
    ) -> None:
        self._settings, self._edits, self._rng = settings, edits, rng
        self._not_initialised = False  # copied, and the structural mutation is still to come

    def propose(self, view: View) -> Edit | None:
        mine = self._settings
        if self._not_initialised:
            self._not_initialised = False
            return self._structural(view)
        if view.update % mine.every_updates:
            return None
        peer = better_peer(view, mine.share, mine.every_updates, self._rng)
        return None if peer is None else self._child(view, peer)

    def receive(self, reply: Reply) -> None:
        self._not_initialised = self._not_initialised and reply.applied

    def state(self) -> Mapping[str, Any]:
        return {"unborn": self._not_initialised}

    def adopt(self, settings: Editor) -> None:
        mine = self._settings
        if not isinstance(settings, Evolution) or mine != replace(
            settings, every_updates=mine.every_updates, step=mine.step, tau=mine.tau
        ):
            what = "every_updates, step and tau"
            raise RefusedEditError(f"of a running evolution only {what} may change")
        self._settings = settings

    def settings(self) -> Editor:
        return self._settings

    def _child(self, view: View, peer: str) -> Edit:
        mine, genome = self._settings, view.peer_genomes[peer]
        noise = normal_draws(self._rng, 1 + len(mine.numbers))
        self.spent += DRAW_FLOPS * (2 + len(noise))
        steps = (float(genome.editor.settings.get("step", mine.step)), mine.tau)
        step = mutated_steps(steps, noise[:1], (STEP_BOUNDS,))[0]
        self._not_initialised = bool(self._edits and self._rng.random() < mine.structural)
        draws = {} if self._not_initialised else dict(zip(mine.numbers, noise[1:], strict=True))
        numbers = mutated_numbers(genome.learning_rule, draws, step)
        settings = asdict(replace(mine, step=step))
        return self._edits["copy_peer"].of(  # type: ignore[attr-defined,no-any-return]
            peer, genome, numbers, settings
        )

    def _structural(self, view: View) -> Edit | None:
        offers = [self._edits[name].candidates(view) for name in self._settings.edits]
        offers = [each for each in offers if each]
        if not offers:
            return None
        self.spent += 2 * DRAW_FLOPS
        offer = offers[int(self._rng.integers(len(offers)))]
        return offer[int(self._rng.integers(len(offer)))]
