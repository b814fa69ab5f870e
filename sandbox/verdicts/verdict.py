"""A verdict: what the rule says of one claim, in words, and what may weaken it.

A failed check makes it invalid. Missing data, lost capability, opposed worlds or an undecided
control make it undetermined. A claim that was not registered as it is judged is exploratory: what
would be supported or refuted is suggestive. Before its time it is pending.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from sandbox.analysis.statistics import identical, t_interval
from sandbox.verdicts.rule import LABELS, Levels, Tested, Tests, both_tests, decide, seeds_to_decide

Status = Literal["supported", "refuted", "undetermined", "invalid", "suggestive", "pending"]
DECIDED = frozenset({"supported", "refuted"})
PLANNED_SEEDS = 20
"""Default number of paired seeds for a claim; five rarely decide a claim."""
SMALLEST_SAMPLE = 2
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

    ``kind`` refines the status: "reversed", "negligible", "claimed size excluded", "missing data",
    "confounded by capability", "heterogeneous", "control undecided", "exploratory", or "". Numbers
    are ``None`` where there were too few differences, oriented so that + is the claim's direction.
    """

    status: Status
    kind: str
    reason: str  # one sentence
    estimate: float | None  # mean paired difference
    low: float | None
    high: float | None
    n: int  # paired seeds
    n_needed: int | None  # decides in 4 of 5 runs with this mean and spread; when undetermined
    alpha: float  # one-sided, after Holm; the interval has confidence 1 - 2 alpha
    smallest_effect: float
    tests: Tests | None = None  # p of a mean of 0 or less, and of the smallest effect or more
    resolution: float | None = None  # smallest effect in standard errors
    checks: tuple[Check, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Status and kind: "refuted (negligible)"."""
        return f"{self.status} ({self.kind})" if self.kind else self.status


def judge(
    oriented: Sequence[float],
    smallest_effect: float,
    alpha: float = 0.01,
    checks: Sequence[Check] = (),
    levels: Levels | None = None,
) -> Verdict:
    """Judge a claim from one difference per seed, + in the claim's direction.

    ``levels``: of its two tests after Holm, by default ``alpha`` for both. Raises ``ValueError``
    for a difference that is not finite or a smallest effect that is not positive: unmeasured pairs
    must be left out, and counted, before.
    """
    found = np.asarray(oriented, dtype=float)
    if not np.isfinite(found).all() or not smallest_effect > 0 or not 0 < alpha < 0.5:  # noqa: PLR2004
        raise ValueError("differences must be finite, smallest_effect > 0 and 0 < alpha < 0.5")
    if found.size < SMALLEST_SAMPLE:
        return invalid(_too_few(found, smallest_effect, alpha), checks)
    return invalid(_judged(found, smallest_effect, levels or Levels(alpha, alpha)), checks)


def _judged(found: npt.NDArray[np.float64], smallest: float, levels: Levels) -> Verdict:
    tests, mean = both_tests(found, smallest), float(found.mean())
    status, kind = LABELS[decide(found, smallest, tests, levels)]
    alpha = levels.above_zero if mean >= smallest else levels.below_smallest
    interval, spread = t_interval(found, 1 - 2 * alpha), float(found.std(ddof=1))
    flat = identical(found)
    needed = None
    if status == "undetermined" and not flat:
        needed = seeds_to_decide(found, smallest, alpha)
    return Verdict(
        status=status,  # type: ignore[arg-type]
        kind=kind,
        reason=_reason(
            found, smallest, tests, levels, label=LABELS_OF[status, kind], needed=needed
        ),
        estimate=mean,
        low=interval.low,
        high=interval.high,
        n=found.size,
        n_needed=needed,
        alpha=alpha,
        smallest_effect=smallest,
        tests=tests,
        resolution=None if flat else smallest * found.size**0.5 / spread,
        notes=_small(kind, interval.low, smallest),
    )


LABELS_OF = {pair: label for label, pair in LABELS.items()}


def invalid(verdict: Verdict, checks: Sequence[Check]) -> Verdict:
    """Make a verdict invalid where any of these further checks failed, whatever the numbers are."""
    failed = [each for each in checks if each.passed is False]
    verdict = replace(verdict, checks=(*verdict.checks, *checks))
    if not failed:
        return verdict
    reason = "; ".join(f"{each.name}: {each.detail or 'failed'}" for each in failed)
    return replace(verdict, status="invalid", kind="", reason=reason, n_needed=None)


def undetermined(verdict: Verdict, kind: str, reason: str) -> Verdict:
    """Take a decision back for this reason; what else it said stays as a note."""
    if verdict.status not in {*DECIDED, "suggestive"}:
        return verdict
    notes = (f"without that it would be {verdict.title}: {verdict.reason}", *verdict.notes)
    return replace(verdict, status="undetermined", kind=kind, reason=reason, notes=notes)


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
        smallest_effect=smallest,
        notes=tuple(notes),
    )


def _too_few(found: npt.NDArray[np.float64], smallest: float, alpha: float) -> Verdict:
    seen = "n = 1 cannot show any spread" if found.size else "no pair of trials could be compared"
    return Verdict(
        status="undetermined",
        kind="",
        reason=f"{seen}; plan for {PLANNED_SEEDS} paired seeds",
        estimate=float(found.mean()) if found.size else None,
        low=None,
        high=None,
        n=int(found.size),
        n_needed=None,
        alpha=alpha,
        smallest_effect=smallest,
    )


def _small(kind: str, low: float, smallest: float) -> tuple[str, ...]:
    if kind != "reversed" or not -smallest < low:
        return ()
    return (f"the whole interval also lies within {smallest:g} of 0: too small to matter",)


def _reason(
    found: npt.NDArray[np.float64],
    smallest: float,
    tests: Tests,
    levels: Levels,
    *,
    label: str,
    needed: int | None,
) -> str:
    if label == "supported":
        return f"the mean is at least {smallest:g}, and {_excluded(tests[0], '0 or less')}"
    if label != "undetermined":
        size = _excluded(tests[1], f"{smallest:g} or more")
        return {
            "refuted negligible": f"{size}; the whole interval lies within {smallest:g} of 0",
            "refuted reversed": f"{size}; the interval lies on the far side of 0",
            "refuted claimed size excluded": size,
        }[label]
    if identical(found):
        return f"all {found.size} differences are identical: there is no spread to test with"
    return f"{_not_agreed(found, smallest, tests, levels)}; {_wait(found.size, needed)}"


def _not_agreed(
    found: npt.NDArray[np.float64], smallest: float, tests: Tests, levels: Levels
) -> str:
    """Which test is missing for the verdict that the mean points to."""
    large = float(found.mean()) >= smallest
    tested, level = tests[not large], levels[not large]
    null = "0 or less" if large else f"{smallest:g} or more"
    failing = [f"the {name} (p = {p:.2g})" for name, p in tested.named.items() if p > level]
    do = "does" if len(failing) == 1 else "do"
    text = f"{_listed(failing)} {do} not exclude {null} at the level {level:.2g}"
    if 2.0**-found.size > level:
        text += f", which {found.size} seeds cannot reach"
    return text


def _wait(n: int, needed: int | None) -> str:
    many = f"about {needed} paired seeds" if needed else "more than 10000 paired seeds"
    text = f"{many} would decide if mean and spread stay as they are"
    return text + (f", a rough guess from {n} seeds" if needed and n < ROUGH_BELOW else "")


def _excluded(tested: Tested, null: str) -> str:
    """``both tests exclude 0 or less (p = 0.001 and 0.002)``."""
    ps = _listed([f"{p:.2g}" for p in tested.named.values()])
    tests = "both tests" if tested.exact is None else _listed(list(tested.named))
    return f"{tests} exclude {null} (p = {ps})"


def _listed(parts: Sequence[str]) -> str:
    """``a, b and c``."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
