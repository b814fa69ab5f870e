"""Learns which edits help: a discounted bandit on learning progress per FLOP."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from agents.contract import Edit, Editor, LiveEditor, RefusedEditError, Reply, View
from agents.part_settings import SettingError

REST = "identity"
"""The arm that does nothing; every edit competes with plain learning."""


@dataclass(frozen=True)
class Bandit(Editor):
    """Every ``every_updates`` updates, plays one arm: an edit by name, or ``identity`` (rest).

    *Progress* of a play is the agent's mean return over the last ``window`` updates of the
    interval that follows, less the mean over the last ``window`` updates before it. Its *rate* is
    progress divided by the FLOPs spent in the interval, so an edit that makes the agent slower has
    to gain more. Its *credit* is ``rate / (2 s)`` clipped to [-1, 1], where ``s`` is the root mean
    square of all rates so far, discounted like them: multiplying returns or FLOPs by a constant,
    or shifting returns, changes no credit. A rejected edit gets credit 0 and the run goes on; a
    play in whose windows no episode ended gets none.

    The arm is chosen by discounted UCB (Garivier & Moulines 2011, section 2.1): the largest
    ``mean + exploration * sqrt(ln(plays) / plays of this arm)``, sums weighted by ``discount`` to
    the power of their age in plays. Arms never played come first. Ties, and which candidate of the
    edit is proposed, are drawn from the editor's stream.
    """

    level: ClassVar[str] = "learned"

    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {
        "every_updates": (1, 64),
        "exploration": (0.01, 10.0),
        "discount": (0.5, 1.0),
    }
    """What an edit may change of a running bandit, and how far."""

    every_updates: int = 4
    edits: tuple[str, ...] = ("widen", "deepen", "prune", "reset_dormant")
    exploration: float = 0.5
    discount: float = 0.95
    window: int | None = None  # updates; None: as many as every_updates

    def __post_init__(self) -> None:
        if isinstance(self.edits, list):  # as JSON and YAML give it
            object.__setattr__(self, "edits", tuple(self.edits))
        if self.every_updates < 1:
            raise SettingError(
                f"every_updates is at least 1, not {self.every_updates}", "every_updates"
            )
        if self.window is not None and not 1 <= self.window <= self.every_updates:
            raise SettingError(
                f"window is 1 to every_updates={self.every_updates}, not {self.window}", "window"
            )
        if not 0 < self.discount <= 1:
            raise SettingError(
                f"discount is above 0 and at most 1, not {self.discount}", "discount"
            )
        if not 0 <= self.exploration < math.inf:
            raise SettingError(
                f"exploration is a finite number from 0, not {self.exploration}", "exploration"
            )
        if len(set(self.edits)) < len(self.edits):
            raise SettingError(f"edits names one twice: {list(self.edits)}", "edits")

    def may_propose(self) -> frozenset[str]:
        """Its arms."""
        return frozenset(self.edits)

    def start(self, edits: Mapping[str, type[Edit]], rng: np.random.Generator) -> LiveEditor:
        """Begin with all arms unknown. Raises ``ValueError`` for an unknown edit."""
        for name in self.edits:
            if name not in edits and name != REST:
                raise ValueError(f"no edit is called '{name}', only {sorted(edits)}")
        return _LiveBandit(self, {name: edits[name] for name in self.edits if name != REST}, rng)


@dataclass(frozen=True)
class _Play:
    """An arm whose interval has begun."""

    arm: str
    flops: float  # spent before it
    level: float | None  # mean return before it


class _LiveBandit(LiveEditor):
    def __init__(
        self, settings: Bandit, edits: Mapping[str, type[Edit]], rng: np.random.Generator
    ) -> None:
        self._settings = settings
        self._edits = edits
        self._rng = rng
        self._open: _Play | None = None
        self._plays: list[tuple[str, float]] = []  # (arm, rate), oldest first

    def propose(self, view: View) -> Edit | None:
        if view.update % self._settings.every_updates:
            return None
        now = view.recent_return(self._settings.window or self._settings.every_updates)
        self._settle(view.flops, now)
        offers = {name: edit.candidates(view) for name, edit in self._edits.items()}
        arm = self._best([*(name for name, each in offers.items() if each), REST])
        self._open = _Play(arm, view.flops, now)
        if arm == REST:
            return None
        return offers[arm][int(self._rng.integers(len(offers[arm])))]

    def receive(self, reply: Reply) -> None:
        if self._open is not None and not reply.applied:
            self._plays.append((self._open.arm, 0.0))
            self._open = None

    def adopt(self, settings: Editor) -> None:
        if not isinstance(settings, Bandit) or settings.edits != self._settings.edits:
            raise RefusedEditError("a running bandit keeps its arms; its numbers may change")
        self._settings = settings

    def settings(self) -> Editor:
        return self._settings

    def state(self) -> Mapping[str, Any]:
        counts, means = self._ratings()
        return {
            "open": self._open.arm if self._open else None,
            "plays": [list(each) for each in self._plays],
            "counts": counts,
            "credits": means,
        }

    def _settle(self, flops: float, now: float | None) -> None:
        """Store the rate of the play whose interval ends now."""
        play, self._open = self._open, None
        if play is None or play.level is None or now is None or flops <= play.flops:
            return
        rate = (now - play.level) / (flops - play.flops)
        if math.isfinite(rate):
            self._plays.append((play.arm, rate))

    def _ratings(self) -> tuple[dict[str, float], dict[str, float]]:
        """Discounted number of plays and mean credit of every arm played."""
        ages = range(len(self._plays) - 1, -1, -1)
        weights = [self._settings.discount**age for age in ages]
        rates = [rate for _, rate in self._plays]
        scale = 2.0 * _root_mean_square(rates, weights)
        counts: dict[str, float] = {}
        sums: dict[str, float] = {}
        for (arm, rate), weight in zip(self._plays, weights, strict=True):
            credit = min(max(rate / scale, -1.0), 1.0) if scale else 0.0
            if not weight:  # so old that it rounds to nothing
                continue
            counts[arm] = counts.get(arm, 0.0) + weight
            sums[arm] = sums.get(arm, 0.0) + weight * credit
        return counts, {arm: sums[arm] / counts[arm] for arm in counts}

    def _best(self, arms: Sequence[str]) -> str:
        counts, means = self._ratings()
        spread = math.log(max(sum(counts.values()), 1.0))

        def index(arm: str) -> float:
            if arm not in counts:
                return math.inf
            return means[arm] + self._settings.exploration * math.sqrt(spread / counts[arm])

        indices = [index(arm) for arm in arms]
        best = [arm for arm, each in zip(arms, indices, strict=True) if each == max(indices)]
        return best[int(self._rng.integers(len(best)))]


def _root_mean_square(values: Sequence[float], weights: Sequence[float]) -> float:
    """Weighted; 0 of nothing. Scaled by the largest value, since rates near 1e-200 square to 0."""
    largest = max(map(abs, values), default=0.0)
    if not largest:
        return 0.0
    squares = math.fsum(w * (v / largest) ** 2 for v, w in zip(values, weights, strict=True))
    return largest * math.sqrt(squares / math.fsum(weights))
