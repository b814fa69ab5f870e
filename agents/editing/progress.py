"""Credit of an edit: learning progress per FLOP, relative to the usual rate of this run."""

import math
from dataclasses import dataclass, field

from agents.contract import View


@dataclass(frozen=True)
class Mark:
    """The beginning of an interval."""

    flops: float
    level: float | None


@dataclass
class Progress:
    """Turns intervals into credits, as the bandit's are.

    The *rate* of an interval is the rise of the recent return over it, divided by the FLOPs spent
    in it; its *credit* is ``rate / (2 s)`` clipped to [-1, 1], with ``s`` the root mean square of
    all rates until now, discounted by ``discount`` an interval. Multiplying returns or FLOPs, or
    shifting returns, changes no credit.
    """

    window: int
    discount: float = 0.95
    largest: float = field(default=0.0, init=False)  # of all rates: rates near 1e-200 square to 0
    squares: float = field(default=0.0, init=False)  # weighted sum of (rate / largest)^2
    weights: float = field(default=0.0, init=False)

    def mark(self, view: View) -> Mark:
        """Begin an interval here."""
        return Mark(view.flops, view.recent_return(self.window))

    def credit(self, begun: Mark, view: View) -> float | None:
        """End an interval; ``None`` where nothing was measured."""
        now = view.recent_return(self.window)
        if begun.level is None or now is None or view.flops <= begun.flops:
            return None
        rate = (now - begun.level) / (view.flops - begun.flops)
        return self._taken(rate) if math.isfinite(rate) else None

    def _taken(self, rate: float) -> float:
        if abs(rate) > self.largest:
            self.squares *= (self.largest / abs(rate)) ** 2
            self.largest = abs(rate)
        if not self.largest:
            return 0.0
        self.squares = self.discount * self.squares + (rate / self.largest) ** 2
        self.weights = self.discount * self.weights + 1.0
        usual = self.largest * math.sqrt(self.squares / self.weights)
        return min(max(rate / (2 * usual), -1.0), 1.0) if usual else 0.0
