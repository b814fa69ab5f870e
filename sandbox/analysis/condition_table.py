"""Every condition's metrics as they are: mean over seeds with its interval, nothing compared."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.analysis.effects import CONFIDENCE, by_interest, env_name, measure, metric
from sandbox.analysis.statistics import Interval, identical, level_interval
from sandbox.design import conditions
from sandbox.record.store import RunRecord, TrialRecord
from sandbox.words import condition_name, env_label

HARMS = ("harm_in_distribution", "harm_shifted")
"""Shown beside ``harm``, which is the greater of the two."""


@dataclass(frozen=True)
class Average:
    """One metric over the seeds of a condition in one env."""

    metric: str
    mean: float | None  # None where no seed measured it
    interval: Interval | None  # two-sided t of the mean; None below two seeds, and where all alike
    confidence: float
    n: int  # seeds that measured it
    alike: bool  # several seeds, all with the same value: it says nothing about their spread
    values: tuple[float, ...]  # one a seed that measured it


@dataclass(frozen=True)
class ConditionRow:
    """One condition in one env."""

    condition: str
    env: str
    n: int  # finished seeds
    averages: tuple[Average, ...]  # claimed metrics, then listed ones, then those always shown


def condition_table(run: RunRecord, names: Sequence[str] | None = None) -> list[ConditionRow]:
    """One row a condition, as the design writes them, and env, as the scenario lists them.

    ``names``: these metrics instead of those of the scenario.
    """
    metrics = [*dict.fromkeys((*by_interest(run), *HARMS))] if names is None else names
    levers, design = run.scenario["levers"], run.scenario["design"]
    trials: dict[tuple[str, str], list[TrialRecord]] = {}
    for trial in run.trials:
        trials.setdefault((trial.condition_name, env_name(run, trial)), []).append(trial)
    listed = [env_label(run.scenario, each) for each in run.scenario["envs"]]
    envs = dict.fromkeys((*listed, *sorted({env for _, env in trials})))
    return [
        _row(metrics, condition, env, trials.get((condition, env), []))
        for condition in map(condition_name, conditions(levers, design))
        for env in envs
        if env in listed or (condition, env) in trials
    ]


def measured(rows: Sequence[ConditionRow]) -> tuple[str, ...]:
    """Return the metrics that any condition measured, in order."""
    found = {each.metric for row in rows for each in row.averages if each.n}
    return tuple(each.metric for row in rows[:1] for each in row.averages if each.metric in found)


def _row(
    metrics: Sequence[str], condition: str, env: str, trials: Sequence[TrialRecord]
) -> ConditionRow:
    done = [trial for trial in trials if trial.done]
    averages = tuple(_average(name, done) for name in metrics)
    return ConditionRow(condition, env, len(done), averages)


def _average(name: str, trials: Sequence[TrialRecord]) -> Average:
    measured = [measure(trial, name).value for trial in trials]
    found = [value for value in measured if value is not None]
    mean = math.fsum(found) / len(found) if found else None
    several = len(found) > 1
    alike = several and identical(found)
    interval = (
        level_interval(found, *metric(name).range, CONFIDENCE) if several and not alike else None
    )
    return Average(name, mean, interval, CONFIDENCE, len(found), alike, tuple(found))
