"""Mutates numbers of its learning rule with a step size that is mutated with them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from agents.contract import Edit, Editor, LiveEditor, RefusedEditError, Reply, View
from agents.editing.mutation import (
    DRAW_FLOPS,
    Bounds,
    mutated_numbers,
    mutated_steps,
    normal_draws,
    numbers_problem,
)
from agents.editing.success_story import Story, undoing
from agents.part_settings import SettingError

STEP_BOUNDS: Bounds = (1e-3, 2.0)


@dataclass(frozen=True)
class SelfTuned(Editor):
    """Every ``every_updates`` updates: ``step' = step exp(tau N)``, ``x' = x exp(step' N_x)``.

    Self-adaptation of evolution strategies (Schwefel 1981), with one parent and one child: the
    ``rule`` decides which child stands (``agents/editing/success_story.py``); ``take_back`` undoes
    it, and what was learned stays. An undone step size goes with the numbers it made, so step sizes
    are selected by what they lead to. All ``numbers`` change in one edit (``set_rule``); those that
    the learner does not use, or has at 0, rest. ``tau`` is about ``1 / sqrt(2 n)`` for ``n``
    numbers.
    """

    level: ClassVar[str] = "self-tuned"

    bounds: ClassVar[Mapping[str, Bounds]] = {"every_updates": (1, 64), "tau": (0.01, 2.0)}

    every_updates: int = 8
    numbers: tuple[str, ...] = ("learning_rate", "entropy_coefficient", "clip_range")
    step: float = 0.2
    tau: float = 0.4
    rule: str = "success_story"

    def __post_init__(self) -> None:
        if isinstance(self.numbers, list):  # as JSON and YAML give it
            object.__setattr__(self, "numbers", tuple(self.numbers))
        if self.every_updates < 1:
            raise SettingError(
                f"every_updates is at least 1, not {self.every_updates}", "every_updates"
            )
        for name, value, (low, high) in (
            ("step", self.step, STEP_BOUNDS),
            ("tau", self.tau, (0.0, 2.0)),
        ):
            if not low <= value <= high:
                raise SettingError(f"{name} is {low:g} to {high:g}, not {value}", name)
        problem = numbers_problem(self.numbers)
        if problem:
            raise SettingError(problem)

    def may_propose(self) -> frozenset[str]:
        """One that sets numbers, and what its rule takes them back with."""
        return frozenset(("set_rule", *undoing(self.rule, "take_back")))

    def start(self, edits: Mapping[str, type[Edit]], rng: np.random.Generator) -> LiveEditor:
        """Begin. Raises ``ValueError`` where ``set_rule`` or what the rule needs is missing."""
        if "set_rule" not in edits:
            raise ValueError("self_tuned needs the edit 'set_rule'")
        return _LiveSelfTuned(self, edits["set_rule"], Story(self.rule, edits, "take_back"), rng)


class _LiveSelfTuned(LiveEditor):
    def __init__(
        self, settings: SelfTuned, edit: type[Edit], story: Story, rng: np.random.Generator
    ) -> None:
        self._settings, self._edit, self._story, self._rng = settings, edit, story, rng
        self._step = self._next = settings.step
        self._before: dict[int, float] = {}  # entry of an edit that stands -> step before it
        self._due = False

    def propose(self, view: View) -> Edit | None:
        self._story.note(view)
        self._due = self._due or view.update % self._settings.every_updates == 0
        if not self._due or not self._story.ready:
            return None
        undo = self._story.undo()
        if undo is not None:  # the mutation follows at the next update
            return undo
        self._due = False
        return self._mutation(view)

    def receive(self, reply: Reply) -> None:
        undone = self._story.receive(reply)
        if undone:
            self._step = self._before[undone[0]]
            self._before = {k: v for k, v in self._before.items() if k not in undone}
        elif reply.applied:
            self._before[reply.entry] = self._step
            self._step = self._next

    def state(self) -> Mapping[str, Any]:
        return {"step": self._step, "due": self._due, "story": self._story.state()}

    def adopt(self, settings: Editor) -> None:
        mine = self._settings
        if not isinstance(settings, SelfTuned) or mine != replace(
            settings, every_updates=mine.every_updates, tau=mine.tau
        ):
            raise RefusedEditError("of a running self_tuned only every_updates and tau may change")
        self._settings = settings

    def settings(self) -> Editor:
        return self._settings

    def _mutation(self, view: View) -> Edit | None:
        names = self._settings.numbers
        noise = normal_draws(self._rng, 1 + len(names))
        self.spent += DRAW_FLOPS * len(noise)
        steps = (self._step, self._settings.tau)
        self._next = mutated_steps(steps, noise[:1], (STEP_BOUNDS,))[0]
        draws = dict(zip(names, noise[1:], strict=True))
        numbers = mutated_numbers(view.genome.learning_rule, draws, self._next)
        return self._edit(numbers=numbers) if numbers else None  # type: ignore[call-arg]
