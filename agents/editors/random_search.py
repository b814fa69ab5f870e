"""Tries random settings one after the other and spends the rest on the best: fixed, but tuned."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from agents.contract import Edit, Editor, LiveEditor, Reply, View
from agents.genome import Genome
from agents.part_settings import SettingError

Range = tuple[float, float]


@dataclass(frozen=True)
class RandomSearch(Editor):
    """The baseline of every editor: random search over fixed agents, within the same budget.

    ``tries`` agents run one after the other, each for an equal part of ``search_share`` of the
    budget (by FLOPs, as it is in force): the first as initialised, the others restarted with
    numbers drawn log-uniformly from their ranges (``null``: left alone) and, where there are
    ``widths``, all hidden layers of a width drawn from these (Bergstra & Bengio 2012). A try's
    score is its mean training return over the last ``window`` of its updates in which an episode
    ended. The settings with the best score then get what is left: from new weights, or, with
    ``keep``, from the agent state at the end of their try.
    """

    level: ClassVar[str] = "fixed"

    tries: int = 8
    search_share: float = 0.5
    learning_rate: Range | None = (1e-4, 1e-2)
    entropy_coefficient: Range | None = (1e-3, 1e-1)
    widths: tuple[int, ...] = ()
    window: float = 0.5  # share of a try's updates, its last
    keep: bool = False
    try_updates: int | None = None  # updates of a try, instead of a share of the budget

    def __post_init__(self) -> None:
        for name in ("learning_rate", "entropy_coefficient", "widths"):
            if isinstance(getattr(self, name), list):  # as JSON and YAML give it
                object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.tries < 1:
            raise SettingError(f"tries is at least 1, not {self.tries}", "tries")
        for name, value in (("search_share", self.search_share), ("window", self.window)):
            if not 0 < value <= 1:
                raise SettingError(f"{name} is above 0 and at most 1, not {value}", name)
        for name, span in self.ranges().items():
            if not 0 < span[0] <= span[1] < math.inf:
                raise SettingError(f"{name} is a range of numbers above 0, not {list(span)}", name)
        if any(each < 1 for each in self.widths):
            raise SettingError(f"widths are at least 1, not {list(self.widths)}", "widths")
        if self.try_updates is not None and self.try_updates < 1:
            raise SettingError(f"try_updates is at least 1, not {self.try_updates}", "try_updates")

    @property
    def needs_budget(self) -> bool:
        """Without a budget of FLOPs there is nothing to have a share of."""
        return self.try_updates is None

    def ranges(self) -> dict[str, Range]:
        """What is drawn, by name."""
        given = {
            "learning_rate": self.learning_rate,
            "entropy_coefficient": self.entropy_coefficient,
        }
        return {name: each for name, each in given.items() if each is not None}

    def may_propose(self) -> frozenset[str]:
        """Restarts, and the way back to the best try where that is kept."""
        return frozenset(("restart", *["undo"] * self.keep))

    def start(self, edits: Mapping[str, type[Edit]], rng: np.random.Generator) -> LiveEditor:
        """Begin. Raises ``ValueError`` where an edit that it works with is missing."""
        for name in ("restart", *(["undo"] * self.keep)):
            if name not in edits:
                raise ValueError(f"random_search needs the edit '{name}'")
        return _LiveRandomSearch(self, edits, rng)


@dataclass
class _Try:
    """One agent's try: its initial settings and its returns."""

    numbers: tuple[tuple[str, float], ...]
    trunk: tuple[int, ...]
    returns: list[float | None] = field(default_factory=list)
    ended: tuple[int, Genome] | None = None  # entry of the restart that ended it, genome before

    def score(self, window: float) -> float | None:
        known = self.returns[-max(1, round(window * len(self.returns))) :]
        found = [each for each in known if each is not None]
        return math.fsum(found) / len(found) if found else None


class _LiveRandomSearch(LiveEditor):
    def __init__(
        self, settings: RandomSearch, edits: Mapping[str, type[Edit]], rng: np.random.Generator
    ) -> None:
        self._settings, self._edits, self._rng = settings, edits, rng
        self._tries: list[_Try] = []
        self._begun = 0  # tries, those that were rejected included
        self._ends: float | None = None  # FLOPs or updates at which this try is over
        self._asked: tuple[_Try, Genome] | None = None
        self._searching = True
        self._last: int | None = None  # the try that got the rest

    def propose(self, view: View) -> Edit | None:
        if not self._searching or self._budget(view) is None:
            return None
        if not self._tries:
            self._tries.append(_initial(view.genome, self._settings))
            self._begun = 1
        self._tries[-1].returns.append(view.returns[-1] if view.returns else None)
        if not self._over(view):
            return None
        return self._next(view) if self._begun < self._settings.tries else self._best(view)

    def receive(self, reply: Reply) -> None:
        asked, self._asked = self._asked, None
        if asked is not None and reply.applied:
            self._tries[-1].ended = (reply.entry, asked[1])
            self._tries.append(asked[0])

    def state(self) -> Mapping[str, Any]:
        window = self._settings.window
        return {
            "tries": [
                {"numbers": dict(t.numbers), "trunk": list(t.trunk), "score": t.score(window)}
                for t in self._tries
            ],
            "begun": self._begun,
            "chosen": self._last,
        }

    def _budget(self, view: View) -> float | None:
        """FLOPs or updates of the whole search as it stands now; ``None``: there is no budget."""
        if self._settings.try_updates is not None:
            return float(self._settings.tries * self._settings.try_updates)
        if math.isinf(view.flops_left):
            return None
        mine = view.flops + view.flops_left / (1 + len(view.peers))
        return self._settings.search_share * mine

    def _over(self, view: View) -> bool:
        """Is this try over? Its end is set when it begins, and again when the budget shrinks."""
        spent = self._spent(view)
        whole = self._budget(view) or 0.0
        if self._ends is None:
            self._ends = whole / self._settings.tries
        return spent >= min(self._ends, whole)

    def _spent(self, view: View) -> float:
        return view.flops if self._settings.try_updates is None else float(view.update)

    def _next(self, view: View) -> Edit | None:
        """Restart as the next try, or finish early where a cut of the budget leaves none for it."""
        left = (self._budget(view) or 0.0) - self._spent(view)
        if left <= 0:
            return self._best(view)
        self._ends = self._spent(view) + left / (self._settings.tries - self._begun)
        self._begun += 1
        return self._restart(self._drawn(view.genome), view.genome)

    def _best(self, view: View) -> Edit | None:
        """Give the rest of the budget to the best try."""
        self._searching = False
        scores = [each.score(self._settings.window) for each in self._tries]
        known = [i for i, score in enumerate(scores) if score is not None]
        if not known:
            return None
        self._last = max(known, key=lambda i: (scores[i], -i))
        best = self._tries[self._last]
        if not self._settings.keep:
            return self._restart(_Try(best.numbers, best.trunk), view.genome)
        if best.ended is None:  # the last try goes on
            return None
        entry, genome = best.ended
        return self._edits["undo"].of(entry, genome)  # type: ignore[attr-defined, no-any-return]

    def _restart(self, new: _Try, now: Genome) -> Edit:
        self._asked = (new, now)
        return self._edits["restart"](numbers=new.numbers, trunk=new.trunk)  # type: ignore[call-arg]

    def _drawn(self, genome: Genome) -> _Try:
        rule = genome.learning_rule
        spans = {k: v for k, v in self._settings.ranges().items() if hasattr(rule, k)}
        numbers = tuple(
            (name, float(math.exp(self._rng.uniform(math.log(low), math.log(high)))))
            for name, (low, high) in spans.items()
        )
        return _Try(numbers, self._width(self._tries[0].trunk))

    def _width(self, trunk: Sequence[int]) -> tuple[int, ...]:
        widths = self._settings.widths
        if not widths:
            return ()
        return (int(widths[int(self._rng.integers(len(widths)))]),) * max(len(trunk), 1)


def _initial(genome: Genome, settings: RandomSearch) -> _Try:
    """The first try: the initial agent, as the settings of a restart."""
    rule = genome.learning_rule
    numbers = ((name, getattr(rule, name)) for name in settings.ranges() if hasattr(rule, name))
    widths = [each for each in genome.architecture.widths() if each]
    return _Try(tuple(numbers), tuple(widths) if settings.widths else ())
