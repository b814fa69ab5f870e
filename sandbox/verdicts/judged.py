"""A claim of the scenario together with its verdict."""

from dataclasses import dataclass

from sandbox.analysis.effects import Effect
from sandbox.verdicts.verdict import Verdict
from sandbox.words import bracketed, percent


def in_words(turned: str, metric: str, direction: str, smallest: float, env: str) -> str:
    """``freeze_editor 0 → 1 makes harm lower by at least 0.05``; ``env``: "all", or its name."""
    where = "" if env == "all" else f" in {env}"
    return f"{turned} makes {metric} {direction} by at least {smallest:g}{where}"


@dataclass(frozen=True)
class JudgedClaim:
    """A claim of the scenario and its verdict."""

    metric: str
    effect_of: str
    direction: str  # "higher" or "lower": where the claim says the metric goes
    smallest_effect: float
    effect: Effect
    verdict: Verdict
    fragility: str  # one line, empty where the verdict is invalid or not due yet
    seeds: int  # of the registered order that it rests on
    role: str = "claim"  # or "positive_control", "negative_control"

    @property
    def claim(self) -> str:
        """The claim in words."""
        role = "" if self.role == "claim" else f"{self.role.replace('_', ' ')}: "
        made = (self.metric, self.direction, self.smallest_effect, self.effect.env)
        return role + in_words(self.effect.turned, *made)

    @property
    def change(self) -> str:
        """What the metric itself did, ``-0.81 [-0.95, -0.67]``: below 0 where it fell.

        A verdict counts towards its claim instead, so that a claimed fall is positive there.
        """
        found, sign = self.verdict, 1 if self.direction == "higher" else -1
        if found.estimate is None:
            return "" if found.status == "pending" else "not measured"
        ends = sorted(sign * each for each in (found.low, found.high) if each is not None)
        return bracketed(sign * found.estimate, *ends)

    @property
    def confidence(self) -> str:
        """``90 % interval``: a claim is judged one-sided, at its alpha, so by ``1 - 2 alpha``."""
        return f"{percent(1 - 2 * self.verdict.alpha)} interval"
