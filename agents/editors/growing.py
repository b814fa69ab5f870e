"""Grows on a plateau of returns, at the place with the best expansion score."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from agents.architecture.cost import BACKWARD_PER_FORWARD, forward_flops, parameters
from agents.contract import Edit, Editor, LiveEditor, Look, RefusedEditError, Reply, View
from agents.editing.success_story import undoing
from agents.editing.success_story_editor import StoriedEditor, successor, whole_number_problem
from agents.editing.trends import Changes, flat
from agents.genome import Genome
from agents.part_settings import PlacedProblem, SettingError
from agents.surgery.expansion_score import Place, growth_scores

BY_LAYER = {"widen": "layer", "deepen": "after", "prune": "layer"}
"""Edit -> the setting that says where it happens."""


@dataclass(frozen=True)
class Growing(Editor):
    """An agent that grows as far as its task needs and its compute allows.

    *When*: the returns of the last ``window`` updates show no rise (``agents/editing/trends.py``),
    and none of those updates came before the last edit. With ``react``, updates before a change of
    returns, novelty, gradient or value loss (``agents/editing/trends.py``) do not count either: a
    fall after a shift is no plateau.

    *Where and what*: widening a layer, or a new one behind it, wherever the growth score
    (``agents/surgery/expansion_score.py``) is largest, if it is at least ``least_score``; places
    that the look cannot see into are left out. Where it sees into none, or there is no look yet, it
    is the layer whose weights have the largest gradient, or else the first, that is widened.

    *How much*: what the edit itself offers for that place, unless that makes more than
    ``max_parameters``. No growth where less than ``grow_above`` of the whole budget of FLOPs is
    left. Where less than ``shrink_below`` is left, the widest layer is pruned instead, again
    every ``window`` updates and not below ``min_parameters``: less compute, a smaller agent.
    """

    level: ClassVar[str] = "growing"

    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {
        "window": (4, 256),
        "least_score": (0.0, 1000.0),
        "grow_above": (0.0, 1.0),
        "shrink_below": (0.0, 1.0),
    }
    """What an edit may change of a running editor, and how far."""

    window: int = 12
    least_score: float = 1.0
    grow_above: float = 0.25
    shrink_below: float = 0.1
    max_parameters: int | None = None
    min_parameters: int = 0
    react: bool = True
    rule: str = "keep_all"

    def __post_init__(self) -> None:
        problem = whole_number_problem(self, window=4, min_parameters=0)
        for name in ("grow_above", "shrink_below"):
            if not 0 <= getattr(self, name) <= 1:
                problem = problem or PlacedProblem(
                    f"{name} is a share from 0 to 1, not {getattr(self, name)}", name
                )
        if not 0 <= self.least_score < math.inf:
            problem = problem or PlacedProblem(
                f"least_score is a finite number from 0, not {self.least_score}", "least_score"
            )
        if self.max_parameters is not None and self.max_parameters < 1:
            problem = problem or PlacedProblem(
                f"max_parameters is at least 1, not {self.max_parameters}", "max_parameters"
            )
        if problem:
            raise SettingError(problem)

    def may_propose(self) -> frozenset[str]:
        """Three that move one network between sizes, and what its rule undoes them with."""
        return frozenset((*BY_LAYER, *undoing(self.rule)))

    def start(self, edits: Mapping[str, type[Edit]], rng: np.random.Generator) -> LiveEditor:
        """Begin small. Raises ``ValueError`` where nothing can grow, or for an unknown rule."""
        if not {"widen", "deepen"} & set(edits):
            raise ValueError("growing needs the edit 'widen' or 'deepen'")
        return _LiveGrowing(self, edits, rng)


class _LiveGrowing(StoriedEditor):
    def __init__(
        self, settings: Growing, edits: Mapping[str, type[Edit]], rng: np.random.Generator
    ) -> None:
        super().__init__(settings.rule, edits)
        self._settings, self._edits, self._rng = settings, edits, rng
        self._changes = Changes()
        self._since = 0  # updates before this one do not count for a plateau
        self._update = 0
        self._share = 1.0
        self._scores: Mapping[Place, float] = {}  # of the last plateau

    def due(self, view: View) -> bool:
        changed = self._changes.note(view)
        self.charge(self._changes.flops())
        self._update, self._share = view.update, _share_left(view)
        if changed and self._settings.react:
            self._since = view.update
        if view.update - self._since < self._settings.window:
            return False
        if self._share < self._settings.shrink_below:
            return True
        return self._share >= self._settings.grow_above and self._plateau(view)

    def choose(self, view: View) -> Edit | None:
        if self._share < self._settings.shrink_below:
            return self._smaller(view)
        self._since = view.update  # a place found not worth growing now is not scored again at once
        places = self._places(view)
        return next(iter(filter(None, (self._larger(view, each) for each in places))), None)

    def chosen(self, reply: Reply) -> None:
        del reply
        self._since = self._update

    def learned(self) -> Mapping[str, Any]:
        scores = [[each.how, each.layer, score] for each, score in sorted(self._scores.items())]
        return {"since": self._since, "scores": scores, "changes": self._changes.state()}

    def adopt(self, settings: Editor) -> None:
        self._settings = successor(self._settings, settings, "react", "rule")

    def settings(self) -> Editor:
        return self._settings

    def _plateau(self, view: View) -> bool:
        found = [each for each in view.returns[-self._settings.window :] if each is not None]
        self.charge(float(len(found) ** 2))
        return len(found) > self._settings.window // 2 and flat(found)

    def _places(self, view: View) -> list[Place]:
        """Where to grow, the best first."""
        self._scores = {}
        if view.look is not None:
            self._scores, spent = growth_scores(view.look, view.genome, self._rng)
            passes = (1 + BACKWARD_PER_FORWARD) * len(view.look.observations)
            self.charge(spent + passes * forward_flops(view.genome, *view.sizes))
        if not self._scores:
            return [Place("widen", _steepest(view.look, view.genome))]
        worth = [k for k, v in self._scores.items() if v >= self._settings.least_score]
        return sorted(worth, key=lambda each: (-self._scores[each], each))

    def _larger(self, view: View, place: Place) -> Edit | None:
        edit = self._offered(view, place)
        if edit is None:
            return None
        after, limit = _size(edit, view), self._settings.max_parameters
        return edit if after is not None and (limit is None or after <= limit) else None

    def _smaller(self, view: View) -> Edit | None:
        layers = view.genome.architecture.layers
        for i in sorted(range(len(layers)), key=lambda i: -layers[i].units):
            edit = self._offered(view, Place("prune", i))
            after = None if edit is None else _size(edit, view)
            if after is not None and after >= self._settings.min_parameters:
                return edit
        return None

    def _offered(self, view: View, place: Place) -> Edit | None:
        """The first candidate of the edit at that place."""
        if place.how not in self._edits:
            return None
        where = BY_LAYER[place.how]
        offers = self._edits[place.how].candidates(view)
        return next((each for each in offers if getattr(each, where, None) == place.layer), None)


def _share_left(view: View) -> float:
    """Share of the whole budget of FLOPs that is left; 1 without a budget."""
    if math.isinf(view.flops_left):
        return 1.0
    whole = view.flops + view.flops_left
    return max(view.flops_left, 0.0) / whole if whole > 0 else 0.0


def _size(edit: Edit, view: View) -> int | None:
    """Parameters after the edit; ``None`` where it is rejected."""
    try:
        return parameters(edit.rewrite(view.genome), *view.sizes)
    except RefusedEditError:
        return None


def _steepest(look: Look | None, genome: Genome) -> int:
    """The layer whose weights have the gradient with the largest norm."""
    layers = range(len(genome.architecture.layers))
    if look is None or not layers:
        return 0
    slopes = look.gradients()

    def norm(layer: int) -> float:
        starts = tuple(f"{tower}.{layer}." for tower in genome.towers())
        return sum(float((v**2).sum()) for k, v in slopes.items() if k.startswith(starts))

    return max(layers, key=norm)
