"""One pure function for every claim: effect, interval, smallest effect of interest -> verdict.

The rule, first match wins (estimate d, its two-sided ``1 - 2 alpha`` interval, smallest effect D,
all oriented so that + is the direction of the claim):

==========================================  ============================================
invalid                                     a check failed
supported                                   low > 0 and d >= D
refuted, reversed                           high < 0
refuted, negligible                         -D < low and high < D (two one-sided tests)
refuted, claimed size excluded              high < D
undetermined                                anything else, with the n that would decide
==========================================  ============================================

"Not significant" is therefore never a refutation. A claim that was not registered as it is judged
is exploratory: what would be supported or refuted is suggestive. Before its time it is pending.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from sandbox.analysis.statistics import Interval, identical, needed_n, sign_flip_p, t_interval

Status = Literal["supported", "refuted", "undetermined", "invalid", "suggestive", "pending"]
PLANNED_SEEDS = 20
"""Default number of paired seeds for a claim; five rarely decide a claim."""
SMALLEST_SAMPLE = 2
SIGNIFICANT = 0.05
ROUGH_BELOW = 5
"""Seeds below which their spread, and any number of seeds planned from it, is a rough guess."""


@dataclass(frozen=True)
class Check:
    """A precondition of the claim: ``passed`` is ``None`` where the events do not show it."""

    name: str
    passed: bool | None
    detail: str = ""


@dataclass(frozen=True)
class Verdict:
    """What the data say about a claim, and how sure that is.

    ``kind`` refines the status ("reversed", "negligible", "claimed size excluded", "exploratory",
    "exploratory, against the claim", or ""). Numbers are ``None`` where there were too few
    differences, oriented so that + is the claim's direction.
    """

    status: Status
    kind: str
    reason: str  # one sentence
    estimate: float | None  # mean paired difference
    low: float | None
    high: float | None
    n: int  # paired seeds
    n_needed: int | None  # for 80 % power at this estimate and spread; only when undetermined
    alpha: float  # one-sided; the interval has confidence 1 - 2 alpha
    p: float | None  # exact two-sided sign-flip p
    smallest_effect: float
    checks: tuple[Check, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Status and kind: "refuted (negligible)"."""
        return f"{self.status} ({self.kind})" if self.kind else self.status


def judge(
    paired_differences_oriented: Sequence[float],
    smallest_effect: float,
    alpha: float = 0.05,
    checks: Sequence[Check] = (),
) -> Verdict:
    """Judge a claim from one difference per seed, + in the claim's direction.

    Raises ``ValueError`` for a difference that is not finite or a smallest effect that is not
    positive: unmeasured pairs must be left out, and counted, before.
    """
    found = np.asarray(paired_differences_oriented, dtype=float)
    if not np.isfinite(found).all() or not smallest_effect > 0 or not 0 < alpha < 0.5:  # noqa: PLR2004
        raise ValueError("differences must be finite, smallest_effect > 0 and 0 < alpha < 0.5")
    if found.size < SMALLEST_SAMPLE:
        return _too_few(found, smallest_effect, alpha, tuple(checks))
    estimate, interval = float(found.mean()), t_interval(found, 1 - 2 * alpha)
    status, _, kind = str(classify(estimate, *interval, smallest_effect)).partition(" ")
    failed = [each for each in checks if each.passed is False]
    needed = None
    if failed:
        status, kind = "invalid", ""
        reason = "; ".join(f"{each.name}: {each.detail or 'failed'}" for each in failed)
    else:
        if status == "undetermined":
            needed = _deciding_n(found, estimate, smallest_effect, alpha)
        reason = _reason(status, kind, smallest_effect, needed)
        if needed and found.size < ROUGH_BELOW:
            reason += f", a rough guess: {found.size} seeds hardly show how much seeds differ"
    return Verdict(
        status=status,  # type: ignore[arg-type]
        kind=kind,
        reason=reason,
        estimate=estimate,
        low=interval.low,
        high=interval.high,
        n=found.size,
        n_needed=needed,
        alpha=alpha,
        p=sign_flip_p(found),
        smallest_effect=smallest_effect,
        checks=tuple(checks),
        notes=(*_notes(found, interval), *_small(kind, interval, smallest_effect)),
    )


def exploratory(verdict: Verdict, because: Sequence[str]) -> Verdict:
    """Weaken a verdict that departs from its registration in these ways; none: leave it alone."""
    if not because or verdict.status == "invalid":
        return verdict
    status, kind = {
        "supported": ("suggestive", "exploratory"),
        "refuted": ("suggestive", "exploratory, against the claim"),
    }.get(verdict.status, (verdict.status, "exploratory"))
    reason = f"exploratory, not a test of what was registered: {'; '.join(because)}"
    return replace(
        verdict,
        status=status,  # type: ignore[arg-type]
        kind=kind,
        reason=reason,
        notes=(verdict.reason, *verdict.notes),
    )


def pending(reason: str, smallest: float, alpha: float, notes: Sequence[str]) -> Verdict:
    """Say that it is too early for a verdict; no number is shown."""
    return Verdict(
        status="pending",
        kind="",
        reason=reason,
        estimate=None,
        low=None,
        high=None,
        n=0,
        n_needed=None,
        alpha=alpha,
        p=None,
        smallest_effect=smallest,
        notes=tuple(notes),
    )


def _small(kind: str, interval: Interval, smallest: float) -> tuple[str, ...]:
    """The rule asks for the sign first; an effect the other way may yet be too small to matter."""
    if kind != "reversed" or not -smallest < interval.low:
        return ()
    return (f"the whole interval also lies within {smallest:g} of 0: too small to matter",)


def classify(estimate: Any, low: Any, high: Any, smallest_effect: float) -> npt.NDArray[np.str_]:
    """Apply the rule of this module's table, elementwise: "supported", "refuted reversed", ..."""
    estimate, low, high = (np.asarray(each, dtype=float) for each in (estimate, low, high))
    return np.select(
        [
            (low > 0) & (estimate >= smallest_effect),
            high < 0,
            (-smallest_effect < low) & (high < smallest_effect),
            high < smallest_effect,
        ],
        ["supported", "refuted reversed", "refuted negligible", "refuted claimed size excluded"],
        default="undetermined",
    )


def _too_few(
    found: npt.NDArray[np.float64], smallest: float, alpha: float, checks: tuple[Check, ...]
) -> Verdict:
    failed = [each for each in checks if each.passed is False]
    seen = "n = 1 cannot show any spread" if found.size else "no pair of trials could be compared"
    reason = f"{seen}; plan for {PLANNED_SEEDS} paired seeds"
    if failed:
        reason = "; ".join(f"{each.name}: {each.detail or 'failed'}" for each in failed)
    return Verdict(
        status="invalid" if failed else "undetermined",
        kind="",
        reason=reason,
        estimate=float(found.mean()) if found.size else None,
        low=None,
        high=None,
        n=int(found.size),
        n_needed=None,
        alpha=alpha,
        p=None,
        smallest_effect=smallest,
        checks=checks,
    )


def _deciding_n(
    found: npt.NDArray[np.float64], estimate: float, smallest: float, alpha: float
) -> int | None:
    """Seeds after which, four times in five, the rule decides if mean and spread stay as seen.

    What must be cleared is 0 from above the smallest effect, or the smallest effect from below it.
    """
    spread = float(found.std(ddof=1))
    distance = estimate if estimate >= smallest else smallest - estimate
    n = needed_n(distance / spread, 2 * alpha) if spread > 0 else None
    return None if n is None else max(n, found.size + 1)


def _reason(status: str, kind: str, smallest: float, needed: int | None) -> str:
    if status == "supported":
        return f"the interval lies on the claimed side of 0 and the effect is at least {smallest:g}"
    if status == "undetermined":
        many = f"about {needed} paired seeds" if needed else "more than 10000 paired seeds"
        return f"the interval allows both; {many} would decide if mean and spread stay as they are"
    return {
        "reversed": "the effect goes the other way: its interval lies on the far side of 0",
        "negligible": f"the whole interval lies within {smallest:g} of 0",
        "claimed size excluded": f"the interval excludes an effect of {smallest:g} or more",
    }[kind]


def _notes(found: npt.NDArray[np.float64], interval: Interval) -> tuple[str, ...]:
    notes = []
    if identical(found):
        notes.append(
            f"all {found.size} differences are identical, so the interval has no width:"
            f" it says nothing about the spread of seeds not run"
        )
    smallest_p = 2.0 ** (1 - found.size)
    if smallest_p > SIGNIFICANT and not interval.low <= 0 <= interval.high:
        notes.append(
            f"with {found.size} seeds a sign-flip test cannot give p below {smallest_p:.3g};"
            f" the interval rests on the differences being close to normal"
        )
    return tuple(notes)
