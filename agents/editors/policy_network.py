"""Learns when to make which edit: a small policy network; its reward is progress per FLOP."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from agents.arrays import Array
from agents.contract import Edit, Editor, LiveEditor, Reply, View
from agents.editing.progress import Mark, Progress
from agents.editing.success_story import undoing
from agents.editing.success_story_editor import (
    StoriedEditor,
    known_edits,
    successor,
    whole_number_problem,
)
from agents.editing.trends import Changes
from agents.models.small_policy import SmallPolicy
from agents.part_settings import PlacedProblem, SettingError

FEATURES = ("progress", "dormancy", "gradient", "novelty", "compute_left", "changed", "waiting")
REST = "identity"
BASELINE_MEMORY = 0.9
"""Share of the baseline that a new credit leaves."""


@dataclass(frozen=True)
class PolicyNetwork(Editor):
    """Every ``every_updates`` updates, draws one of ``edits`` or ``identity`` (rest) from a policy.

    The policy (``agents/models/small_policy.py``) sees ``FEATURES``, all between -1 and 1: the
    credit of the interval that just ended; the largest share of dormant units of a layer; the
    gradient's norm and novelty, each as ``tanh`` of the logarithm of its ratio to its median over
    the last 32 updates; the share of compute left; how recently a signal changed
    (``agents/editing/trends.py``; 1 now, half as much every ``every_updates`` later; 0 without
    ``react``); and the share of the last ``window`` updates in which no episode ended.

    It learns by REINFORCE with a moving-average baseline. The reward of a choice is the credit of
    the interval that follows (``agents/editing/progress.py``); a rejected edit counts as -1, like
    the worst interval. A choice in whose windows no episode ended is not learned from. Which
    candidate of the edit is proposed is drawn evenly. Its own arithmetic is charged.
    """

    level: ClassVar[str] = "learned"

    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {
        "every_updates": (1, 64),
        "learning_rate": (1e-3, 10.0),
        "exploration": (0.0, 1.0),
        "discount": (0.5, 1.0),
    }
    """What an edit may change of a running editor, and how far."""

    every_updates: int = 4
    edits: tuple[str, ...] = ("widen", "deepen", "prune", "reset_dormant")
    hidden: int = 16
    learning_rate: float = 0.5
    exploration: float = 0.05  # share of choices that are drawn evenly
    discount: float = 0.95  # of what rates are usual, an interval
    window: int | None = None  # updates; None: as many as every_updates
    react: bool = True
    rule: str = "success_story"

    def __post_init__(self) -> None:
        if isinstance(self.edits, list):  # as JSON and YAML give it
            object.__setattr__(self, "edits", tuple(self.edits))
        problem = whole_number_problem(self, every_updates=1, hidden=1)
        if self.window is not None and not 1 <= self.window <= self.every_updates:
            most = f"every_updates={self.every_updates}"
            problem = problem or PlacedProblem(
                f"window is 1 to {most}, not {self.window}", "window"
            )
        if not 0 < self.learning_rate < math.inf:
            problem = problem or PlacedProblem(
                f"learning_rate is a number above 0, not {self.learning_rate}", "learning_rate"
            )
        if not 0 <= self.exploration <= 1:
            problem = problem or PlacedProblem(
                f"exploration is a share from 0 to 1, not {self.exploration}", "exploration"
            )
        if not 0 < self.discount <= 1:
            problem = problem or PlacedProblem(
                f"discount is above 0 and at most 1, not {self.discount}", "discount"
            )
        if len(set(self.edits)) < len(self.edits):
            problem = problem or PlacedProblem(
                f"edits names one twice: {list(self.edits)}", "edits"
            )
        if problem:
            raise SettingError(problem)

    def may_propose(self) -> frozenset[str]:
        """Those of its settings, and what its rule undoes them with."""
        return frozenset((*self.edits, *undoing(self.rule)))

    def start(self, edits: Mapping[str, type[Edit]], rng: np.random.Generator) -> LiveEditor:
        """Begin with an even policy. Raises ``ValueError`` for an unknown edit or rule."""
        wanted = tuple(name for name in self.edits if name != REST)
        return _LivePolicyNetwork(self, known_edits(wanted, edits), edits, rng)


@dataclass(frozen=True)
class _Choice:
    """What was chosen when, and among what."""

    features: Array
    open: tuple[int, ...]
    chosen: int
    began: Mark


class _LivePolicyNetwork(StoriedEditor):
    def __init__(
        self,
        settings: PolicyNetwork,
        kinds: Mapping[str, type[Edit]],
        edits: Mapping[str, type[Edit]],
        rng: np.random.Generator,
    ) -> None:
        super().__init__(settings.rule, edits)
        self._settings, self._kinds, self._rng = settings, kinds, rng
        self._arms = (*kinds, REST)
        self._policy = SmallPolicy(len(FEATURES), settings.hidden, len(self._arms), rng)
        self._progress = Progress(settings.window or settings.every_updates, settings.discount)
        self._changes = Changes()
        self._choice: _Choice | None = None
        self._baseline = self._credit = 0.0
        self._changed: int | None = None  # update of the last alarm
        self._counts = dict.fromkeys(self._arms, 0)

    def due(self, view: View) -> bool:
        if self._changes.note(view):
            self._changed = view.update
        self.charge(self._changes.flops())
        if view.update % self._settings.every_updates:
            return False
        self._settle(view)
        return True

    def choose(self, view: View) -> Edit | None:
        offers = [kind.candidates(view) for kind in self._kinds.values()]
        opened = (*(i for i, each in enumerate(offers) if each), len(self._arms) - 1)
        features = self._features(view)
        chances = self._mixed(self._policy.chances(features, opened), opened)
        self.charge(self._policy.choosing_flops())
        chosen = int(np.searchsorted(np.cumsum(chances), self._rng.random(), side="right"))
        chosen = min(chosen, opened[-1])  # the sum of all chances may round to just below 1
        self._choice = _Choice(features, opened, chosen, self._progress.mark(view))
        self._counts[self._arms[chosen]] += 1
        if self._arms[chosen] == REST:
            return None
        return offers[chosen][int(self._rng.integers(len(offers[chosen])))]

    def chosen(self, reply: Reply) -> None:
        if not reply.applied:
            self._learn(-1.0)

    def learned(self) -> Mapping[str, Any]:
        return {
            "weights": self._policy.to_json(),
            "baseline": self._baseline,
            "credit": self._credit,
            "open": self._arms[self._choice.chosen] if self._choice else None,
            "counts": dict(self._counts),
            "changes": self._changes.state(),
        }

    def adopt(self, settings: Editor) -> None:
        fixed = ("edits", "hidden", "react", "rule")
        self._settings = successor(self._settings, settings, *fixed)
        self._progress.window = self._settings.window or self._settings.every_updates
        self._progress.discount = self._settings.discount

    def settings(self) -> Editor:
        return self._settings

    def _settle(self, view: View) -> None:
        """Learn from the interval that ends now."""
        credit = None if self._choice is None else self._progress.credit(self._choice.began, view)
        if credit is None:
            self._choice = None
        else:
            self._learn(credit)

    def _learn(self, credit: float) -> None:
        choice, self._choice = self._choice, None
        if choice is None:
            return
        step = self._settings.learning_rate * (credit - self._baseline)
        self._policy.learn(choice.features, choice.open, choice.chosen, step)
        self.charge(self._policy.learning_flops())
        self._baseline += (1 - BASELINE_MEMORY) * (credit - self._baseline)
        self._credit = credit

    def _mixed(self, chances: Array, opened: Sequence[int]) -> Array:
        even = np.zeros(len(chances))
        even[list(opened)] = 1 / len(opened)
        share = self._settings.exploration
        mixed: Array = (1 - share) * chances + share * even
        return mixed

    def _features(self, view: View) -> Array:
        window = self._progress.window
        last = view.returns[-window:]
        left = view.flops_left / (view.flops + view.flops_left) if _finite(view) else 1.0
        found = [
            self._credit,
            max(view.dormancy, default=0.0),
            _unusual(view.signals.get("gradient_norm", ())),
            _unusual(view.signals.get("novelty", ())),
            min(max(left, 0.0), 1.0),
            self._recently(view.update),
            sum(each is None for each in last) / max(len(last), 1),
        ]
        return np.nan_to_num(np.array(found, np.float64))

    def _recently(self, update: int) -> float:
        if self._changed is None or not self._settings.react:
            return 0.0
        return float(0.5 ** ((update - self._changed) / self._settings.every_updates))


def _finite(view: View) -> bool:
    return math.isfinite(view.flops_left) and view.flops + view.flops_left > 0


def _unusual(curve: Sequence[float | None], memory: int = 32) -> float:
    """How far the newest value is from the median of the last ones, from -1 to 1; 0: unknown."""
    known = [each for each in curve[-memory:] if each is not None and 0 < each < math.inf]
    if not known or curve[-1] != known[-1]:
        return 0.0
    return math.tanh(math.log(known[-1]) - math.log(float(np.median(known))))
