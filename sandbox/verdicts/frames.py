"""A run's stored trials -> rows, effects of levers, verdicts; each also as a data frame."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sandbox.analysis.effects import Effect, effects, env_name, measure, metric_names, state
from sandbox.record.store import RunRecord, TrialRecord
from sandbox.verdicts.claims import verdicts
from sandbox.verdicts.judged import JudgedClaim
from sandbox.verdicts.verdict import DECIDED

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "DECIDED",
    "Effect",
    "JudgedClaim",
    "effects",
    "effects_frame",
    "rows",
    "trials_frame",
    "verdict_row",
    "verdicts",
    "verdicts_frame",
]

EFFECT_COLUMNS = (
    *("lever", "metric", "base_dose", "dose", "base", "treated"),
    *("estimate", "low", "high", "confidence", "n", "p", "unit", "env"),
    *("differences", "missing", "bounds"),  # one entry a seed
)
"""Order for reading from left to right."""


def rows(run: RunRecord) -> list[dict[str, Any]]:
    """One flat JSON row a trial: condition, seed, state, reason, every metric and its n."""
    return [_row(run, trial) for trial in run.trials]


def _row(run: RunRecord, trial: TrialRecord) -> dict[str, Any]:
    row: dict[str, Any] = {
        "trial": trial.id,
        "env": env_name(run, trial),
        "condition": trial.condition_name,
        **dict(sorted(trial.spec["condition"].items())),
        "seed": trial.spec["seed"],
        "state": state(trial),
        "reason": trial.status.get("reason", ""),
    }
    for name in metric_names(run):
        found = measure(trial, name)
        row |= {name: found.value, f"{name}_n": found.n}
    return row


def trials_frame(run: RunRecord) -> "pd.DataFrame":
    """``rows`` as a data frame."""
    return _frame(rows(run))


def _frame(found: Sequence[Mapping[str, Any]]) -> "pd.DataFrame":
    import pandas as pd  # noqa: PLC0415  (0.4 s: imported only where a frame is asked for)

    return pd.DataFrame(list(found))


def effects_frame(run: RunRecord) -> "pd.DataFrame":
    """``effects`` as a data frame, one row an effect; its columns are those of ``Effect``."""
    found = [asdict(each) for each in effects(run)]
    return _frame([{name: row[name] for name in EFFECT_COLUMNS} for row in found])


def verdicts_frame(run: RunRecord) -> "pd.DataFrame":
    """``verdicts`` as a data frame, one row per claim.

    As in a ``Verdict``, ``estimate``, ``low`` and ``high`` are positive in the claimed direction;
    ``confidence`` is that of the interval.
    """
    return _frame([verdict_row(each) for each in verdicts(run)])


def verdict_row(judged: JudgedClaim) -> dict[str, Any]:
    """One row of ``verdicts_frame``."""
    found = judged.verdict
    return {
        "claim": judged.claim,
        "verdict": found.title,
        "estimate": found.estimate,
        "low": found.low,
        "high": found.high,
        "confidence": 1 - 2 * found.alpha,
        "n": found.n,
        "reason": found.reason,
        "metric": judged.metric,
        "effect_of": judged.effect_of,
        "direction": judged.direction,
        "status": found.status,
        "kind": found.kind,
        "n_needed": found.n_needed,
        "smallest_effect": found.smallest_effect,
        "alpha": found.alpha,
        "p_above_zero": found.tests.above_zero.p if found.tests else None,
        "p_below_smallest": found.tests.below_smallest.p if found.tests else None,
        "resolution": found.resolution,
        "role": judged.role,
        "notes": "; ".join(found.notes),
        "fragility": judged.fragility,
    }
