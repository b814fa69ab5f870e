"""Raises its learning rate while successive gradients agree, lowers it while they do not."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from agents.architecture.cost import BACKWARD_PER_FORWARD, forward_flops
from agents.arrays import Array
from agents.contract import Edit, Editor, LiveEditor, RefusedEditError, Reply, View
from agents.editing.mutation import OFFERED, Bounds, stepped
from agents.editing.success_story import Story, undoing
from agents.part_settings import SettingError

STEP_BOUNDS: Bounds = (1e-4, 1.0)
HIGHEST = 3


@dataclass(frozen=True)
class Hypergradient(Editor):
    """Every ``every_updates`` updates, ``log rate += steps[0] * cos(g, g')`` by ``set_rule``.

    ``g`` and ``g'`` are the gradients of the learner's loss on its last two rollouts: the slope of
    the loss by the rate of the step between is ``-g . g'`` (Baydin et al. 2018, eq. 5; here by its
    cosine, so that no scale matters). That is exact for plain gradient descent, and a guess of the
    direction for other optimisers and for many steps an update.

    More ``steps`` make a tower (``benchmarks/toys/hypergradient.py``): the slope by a step is the
    product of successive slopes one level down, and the last step stays. Both passes that a
    gradient takes are charged. A learner that cannot be looked into, such as a table, is left
    alone.
    """

    level: ClassVar[str] = "self-tuned"

    bounds: ClassVar[Mapping[str, Bounds]] = {"every_updates": (1, 64)}

    every_updates: int = 2
    steps: tuple[float, ...] = (0.2, 0.1)
    rule: str = "keep_all"

    def __post_init__(self) -> None:
        if isinstance(self.steps, list):  # as JSON and YAML give it
            object.__setattr__(self, "steps", tuple(self.steps))
        if self.every_updates < 1:
            raise SettingError(
                f"every_updates is at least 1, not {self.every_updates}", "every_updates"
            )
        low, high = STEP_BOUNDS
        if not 1 <= len(self.steps) <= HIGHEST or not all(low <= s <= high for s in self.steps):
            raise SettingError(
                f"steps are 1 to {HIGHEST} numbers, {low:g} to {high:g}, not {list(self.steps)}",
                "steps",
            )

    def may_propose(self) -> frozenset[str]:
        """One that sets numbers, and what its rule takes them back with."""
        return frozenset(("set_rule", *undoing(self.rule, "take_back")))

    def start(self, edits: Mapping[str, type[Edit]], rng: np.random.Generator) -> LiveEditor:
        """Begin. Raises ``ValueError`` where ``set_rule`` or what the rule needs is missing."""
        del rng
        if "set_rule" not in edits:
            raise ValueError("hypergradient needs the edit 'set_rule'")
        return _LiveHypergradient(self, edits["set_rule"], Story(self.rule, edits, "take_back"))


class _LiveHypergradient(LiveEditor):
    def __init__(self, settings: Hypergradient, edit: type[Edit], story: Story) -> None:
        self._settings, self._edit, self._story = settings, edit, story
        self._steps = self._next = settings.steps
        self._before: dict[int, tuple[float, ...]] = {}  # entry that stands -> steps before it
        self._gradient: Mapping[str, Array] = {}  # of the update before
        self._slopes: tuple[float, ...] = ()  # by level, when an edit was last due
        self._due = False

    def propose(self, view: View) -> Edit | None:
        self._story.note(view)
        cosine = self._cosine(view)
        self._due = self._due or view.update % self._settings.every_updates == 0
        if not self._due or not self._story.ready or cosine is None:
            return None
        undo = self._story.undo()
        if undo is not None:  # the step follows at the next update
            return undo
        self._due = False
        return self._climb(view, cosine)

    def receive(self, reply: Reply) -> None:
        undone = self._story.receive(reply)
        if undone:
            self._steps = self._before[undone[0]]
            self._before = {k: v for k, v in self._before.items() if k not in undone}
        elif reply.applied:
            self._before[reply.entry] = self._steps
            self._steps = self._next

    def state(self) -> Mapping[str, Any]:
        found = {"steps": list(self._steps), "slopes": list(self._slopes), "due": self._due}
        return {**found, "story": self._story.state()}

    def adopt(self, settings: Editor) -> None:
        mine = self._settings
        if not isinstance(settings, Hypergradient) or mine != replace(
            settings, every_updates=mine.every_updates
        ):
            raise RefusedEditError("of a running hypergradient only every_updates may change")
        self._settings = settings

    def settings(self) -> Editor:
        return self._settings

    def _cosine(self, view: View) -> float | None:
        """Of this rollout's gradient and the last one's, where this or the next is acted upon."""
        near = self._settings.every_updates
        if view.look is None or not (self._due or view.update % near in {0, near - 1}):
            self._gradient = {}
            return None
        before, self._gradient = self._gradient, dict(view.look.gradients())
        each = forward_flops(view.genome, *view.sizes)
        self.spent += (1 + BACKWARD_PER_FORWARD) * each * len(view.look.observations)
        return cosine(before, self._gradient)

    def _climb(self, view: View, slope: float) -> Edit | None:
        """Move the steps from the top, each by the slope there, then the rate."""
        before, slopes = self._slopes, [slope]
        for last in before[: len(self._steps) - 1]:
            slopes.append(slopes[-1] * last)
        self._slopes = tuple(slopes)
        found = [self._steps[-1]]
        for level in range(len(self._steps) - 2, -1, -1):
            above = slopes[level + 1] if level + 1 < len(slopes) else 0.0
            found.append(stepped(self._steps[level], found[-1], above, STEP_BOUNDS))
        self._next = tuple(reversed(found))
        rate = view.genome.learning_rule.learning_rate
        new = stepped(rate, self._next[0], slope, OFFERED["learning_rate"])
        return self._edit(numbers=(("learning_rate", new),))  # type: ignore[call-arg]


def cosine(one: Mapping[str, Array], other: Mapping[str, Array]) -> float | None:
    """Of all gradients that both have in one shape; ``None`` where there are none, or none move."""
    names = [n for n in one if n in other and one[n].shape == other[n].shape]
    product, mine, theirs = (
        _dot(one, other, names),
        _dot(one, one, names),
        _dot(other, other, names),
    )
    if not mine > 0 or not theirs > 0 or not math.isfinite(product):
        return None
    return min(max(product / math.sqrt(mine) / math.sqrt(theirs), -1.0), 1.0)


def _dot(one: Mapping[str, Array], other: Mapping[str, Array], names: Sequence[str]) -> float:
    return math.fsum(
        float(np.vdot(one[n].astype(np.float64), other[n].astype(np.float64))) for n in names
    )
