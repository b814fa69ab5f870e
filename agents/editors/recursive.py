"""Mutates its learning rule, and its own step sizes up to a depth of three levels."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from agents.contract import Edit, Editor, LiveEditor, RefusedEditError, Reply, View
from agents.editing.mutation import (
    DRAW_FLOPS,
    Bounds,
    mutated_numbers,
    normal_draws,
    numbers_problem,
    stepped,
)
from agents.editing.success_story import Story, undoing
from agents.part_settings import PlacedProblem, SettingError

DEEPEST = 3
SLOTS = DEEPEST + 2
"""Proposals of a round: what the rule demands, a level each from the deepest, the numbers."""
HARD: Bounds = (1e-4, 10.0)


@dataclass(frozen=True)
class Recursive(Editor):
    """A tower of step sizes: ``x' = x exp(step_1 N)``, and ``step_k' = step_k exp(step_k+1 N)``.

    The numbers of the learning rule are mutated at every depth. At ``depth`` 1 the editor also
    edits its own ``step_1``, at 2 the ``step_2`` that edits it, at 3 ``step_3``; what is above
    rests. A step is a setting of the editor in the genome, and it changes by an edit of the part
    ``editor`` that is judged, read back and recorded like any other.

    A round begins every ``every_updates`` updates and has five proposals, one an update:
    ``take_back`` where the ``rule`` demands it (``agents/editing/success_story.py``), then levels
    3, 2, 1, then the numbers. A proposal that is not due is made as ``identity``, which changes
    nothing to the bit: proposals, their cost and the random numbers drawn are the same at every
    depth. The edits of a round stand or fall together, those of the editor included; what was
    learned stays.

    Hard bounds: no step leaves ``[initial / bound, initial * bound]``; ``None`` leaves only what no
    editor may cross. Cool-down: a level edits in one round out of ``cool_down``.
    """

    level: ClassVar[str] = "recursive"

    bounds: ClassVar[Mapping[str, Bounds]] = {f"step_{k}": HARD for k in range(1, DEEPEST + 1)}

    depth: int = 0
    every_updates: int = 8
    numbers: tuple[str, ...] = ("learning_rate", "entropy_coefficient", "clip_range")
    step_1: float = 0.2
    step_2: float = 0.4
    step_3: float = 0.4
    step_4: float = 0.4
    bound: float | None = 3.0
    cool_down: int = 1
    rule: str = "success_story"

    def __post_init__(self) -> None:
        if isinstance(self.numbers, list):  # as JSON and YAML give it
            object.__setattr__(self, "numbers", tuple(self.numbers))
        problems = [*self._wrong_counts(), *self._wrong_steps()]
        found = numbers_problem(self.numbers)
        if found or problems:
            raise SettingError(found or problems[0])

    def _wrong_counts(self) -> list[PlacedProblem]:
        found: dict[str, str] = {}
        if type(self.depth) is not int or not 0 <= self.depth <= DEEPEST:
            found["depth"] = f"depth is 0 to {DEEPEST}, not {self.depth}"
        if self.every_updates < SLOTS:
            found["every_updates"] = f"every_updates is at least {SLOTS}, not {self.every_updates}"
        if self.cool_down < 1:
            found["cool_down"] = f"cool_down is at least 1, not {self.cool_down}"
        return [PlacedProblem(what, name) for name, what in found.items()]

    def _wrong_steps(self) -> list[PlacedProblem]:
        low, high = HARD
        found = [
            PlacedProblem(f"step_{k} is {low:g} to {high:g}, not {self.step(k)}", f"step_{k}")
            for k in range(1, DEEPEST + 2)
            if not low <= self.step(k) <= high
        ]
        if self.bound is not None and not self.bound >= 1:
            what = f"bound is a factor from 1, or none, not {self.bound}"
            found.append(PlacedProblem(what, "bound"))
        return found

    def step(self, level: int) -> float:
        """``step_1`` to ``step_4``."""
        return float(getattr(self, f"step_{level}"))

    def may_propose(self) -> frozenset[str]:
        """Numbers of its learner and of itself, and what its rule takes them back with."""
        own = ("set_editor", "set_rule", "identity")
        return frozenset((*own, *undoing(self.rule, "take_back")))

    def start(self, edits: Mapping[str, type[Edit]], rng: np.random.Generator) -> LiveEditor:
        """Begin. Raises ``ValueError`` where an edit that it needs is missing."""
        for name in ("set_rule", "set_editor", "identity"):
            if name not in edits:
                raise ValueError(f"recursive needs the edit '{name}'")
        return _LiveRecursive(self, edits, Story(self.rule, edits, "take_back"), rng)


class _LiveRecursive(LiveEditor):
    def __init__(
        self,
        settings: Recursive,
        edits: Mapping[str, type[Edit]],
        story: Story,
        rng: np.random.Generator,
    ) -> None:
        self._settings = self._initial = settings
        self._edits, self._story, self._rng = edits, story, rng
        self._round = -1
        self._noise: list[float] = []  # of this round: levels 1 to 3, then the numbers

    def propose(self, view: View) -> Edit | None:
        self._story.note(view)
        slot = view.update % self._settings.every_updates
        if slot == 0:
            self._noise = self._drawn() if self._story.ready else []
        if slot >= SLOTS or not self._noise:
            return None
        if slot == 0:
            self._story.begin_block()
            return self._story.undo() or self._rest()
        level = DEEPEST + 1 - slot
        return (self._step(level) if level else self._numbers(view)) or self._rest()

    def receive(self, reply: Reply) -> None:
        self._story.receive(reply)

    def state(self) -> Mapping[str, Any]:
        return {"round": self._round, "noise": self._noise, "story": self._story.state()}

    def adopt(self, settings: Editor) -> None:
        if not isinstance(settings, Recursive) or not _alike(settings, self._settings):
            raise RefusedEditError("of a running recursive editor only step_1 to step_3 may change")
        for k in range(1, DEEPEST + 1):
            low, high = self._bounds(k)
            if not low <= settings.step(k) <= high:
                raise RefusedEditError(
                    f"step_{k} stays in [{low:.4g}, {high:.4g}] for the whole run"
                )
        self._settings = settings

    def settings(self) -> Editor:
        return self._settings

    def _drawn(self) -> list[float]:
        """The noise of a round, the same amount at every depth."""
        self._round += 1
        count = DEEPEST + len(self._settings.numbers)
        self.spent += DRAW_FLOPS * count
        return normal_draws(self._rng, count)

    def _step(self, level: int) -> Edit | None:
        """Mutate ``step_level`` by the step above it."""
        mine = self._settings
        if level > mine.depth or self._round % mine.cool_down:
            return None
        noise, above = self._noise[DEEPEST - level], mine.step(level + 1)
        value = stepped(mine.step(level), above, noise, self._bounds(level))
        return self._edits["set_editor"](name=f"step_{level}", value=value)  # type: ignore[call-arg]

    def _numbers(self, view: View) -> Edit | None:
        draws = dict(zip(self._settings.numbers, self._noise[DEEPEST:], strict=True))
        numbers = mutated_numbers(view.genome.learning_rule, draws, self._settings.step_1)
        return self._edits["set_rule"](numbers=numbers) if numbers else None  # type: ignore[call-arg]

    def _rest(self) -> Edit:
        return self._edits["identity"]()

    def _bounds(self, level: int) -> Bounds:
        """What ``step_level`` may be: the hard bounds, and a factor of its initial value."""
        low, high = HARD
        bound, initial = self._settings.bound, self._initial.step(level)
        if bound is None:
            return low, high
        return max(low, initial / bound), min(high, initial * bound)


def _alike(one: Recursive, other: Recursive) -> bool:
    """Whether they differ only in the steps that may be edited."""
    steps = {"step_1": 1.0, "step_2": 1.0, "step_3": 1.0}
    return {**asdict(one), **steps} == {**asdict(other), **steps}
