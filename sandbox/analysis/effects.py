"""What turning a lever did to a metric, paired by seed.

The unit is a seed. An effect compares one of a lever's doses with its first, all other levers
alike, within a seed; where a seed holds several such pairs (other levers in a full
design, several envs) they are averaged before seeds are compared. A seed that lacks one of its
pairs is left out and named.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sandbox.analysis.statistics import sign_flip_p, t_interval
from sandbox.catalogue import catalogue
from sandbox.contract import Measurement, Metric
from sandbox.design import conditions
from sandbox.errors import InputError, IntegrityError, Problem
from sandbox.record.events import Event
from sandbox.record.store import RunRecord, TrialRecord
from sandbox.words import Dose, dose_label, env_label

ALWAYS = ("capability", "harm")
"""Metrics of every report, whether or not the scenario lists them."""
CONFIDENCE = 0.95
"""Of every interval that is not a claim's or an arm comparison's."""


def metric_names(run: RunRecord) -> tuple[str, ...]:
    """Return the scenario's metrics, those of its claims, then the ones always shown."""
    named = [*run.scenario["metrics"], *(each["metric"] for each in claims_of(run)), *ALWAYS]
    return tuple(dict.fromkeys(named))


def by_interest(run: RunRecord) -> tuple[str, ...]:
    """Return the same names: metrics of claims first, then listed ones, then those always shown."""
    return tuple(dict.fromkeys((*(each["metric"] for each in claims_of(run)), *metric_names(run))))


def claims_of(run: RunRecord) -> list[dict[str, Any]]:
    """Return the claims of the scenario; may be empty."""
    return list(run.scenario.get("claims") or [])


@cache
def metric(name: str) -> Metric:
    """Return a metric by its name in the catalogue. Raises ``InputError``."""
    return catalogue().load("metrics", name)()  # type: ignore[no-any-return]


def measure(trial: TrialRecord, name: str) -> Measurement:
    """Measure a finished trial; an unfinished one was not measured."""
    return computed(name, trial.events, trial.id) if trial.done else Measurement(None, 0)


def computed(name: str, events: Sequence[Event], trial: str) -> Measurement:
    """Compute a metric. Raises ``InputError`` naming one that raises or gives no finite number."""
    try:
        found = metric(name).compute(events)
        value = found.value
        if value is None or math.isfinite(value):
            return found
        what = f"gave {value}"
    except Exception as error:  # noqa: BLE001  (a plug-in's code: it may raise anything)
        what = f"failed: {type(error).__name__}: {error}"
    raise InputError(Problem(f"metric '{name}'", f"{what} on the events of trial {trial}"))


def state(trial: TrialRecord) -> str:
    """``done``, ``failed``, or ``unfinished`` where it runs, was interrupted or never began."""
    stored = trial.status.get("state")
    return stored if stored in {"done", "failed"} else "unfinished"


def env_name(run: RunRecord, trial: TrialRecord) -> str:
    """Return the env's label in this scenario."""
    return env_label(run.scenario, trial.spec["env"])


@dataclass(frozen=True)
class Effect:
    """What turning one lever from its first dose to another did to one metric.

    Interval: two-sided t interval of the paired differences, at ``confidence``. Numbers are
    ``None`` where no seed (``estimate``) or only one (``low``, ``high``, ``p``) could be compared.
    """

    lever: str
    metric: str
    env: str  # "all" for the mean over the scenario's envs
    unit: str
    base_dose: Dose
    dose: Dose
    base: float | None  # mean over the seeds compared
    treated: float | None
    estimate: float | None
    low: float | None
    high: float | None
    confidence: float  # of the interval
    p: float | None  # exact two-sided sign-flip
    n: int  # seeds compared
    differences: Mapping[int, float]  # seed -> treated - base
    missing: Mapping[int, str]  # seed -> why it could not be compared
    bounds: Mapping[int, tuple[float, float]]  # missing seed -> least and most it could have been

    @property
    def turned(self) -> str:
        """``data_coverage 0 → 0.5``."""
        return f"{self.lever} {dose_label(self.base_dose)} → {dose_label(self.dose)}"


def effects(run: RunRecord) -> list[Effect]:
    """Each dose of every lever on every metric, over all envs; then by env where there are several.

    Doses come in the order in which the scenario writes them.
    """
    return [
        effect(run, lever, name, env, dose)
        for env in scopes(run)
        for lever, doses in run.scenario["levers"].items()
        for dose in doses[1:]
        for name in metric_names(run)
    ]


def scopes(run: RunRecord) -> list[str]:
    """``all``, then each env where there are several."""
    envs = sorted({env_name(run, trial) for trial in run.trials})
    return ["all", *(envs if len(envs) > 1 else [])]


def effect(
    run: RunRecord,
    lever: str,
    name: str,
    env: str = "all",
    dose: Dose | None = None,
    *,
    seeds: int | None = None,
) -> Effect:
    """Compare a dose of a lever (``None``: its last) with its first on one metric, by seed.

    ``seeds``: only the first so many of the scenario's.
    """
    doses = run.scenario["levers"][lever]
    dose = doses[-1] if dose is None else dose
    pairs = pairs_of(run, lever, env, dose, seeds)
    values = {
        seed: [(measure(one, name).value, measure(other, name).value) for one, other in each]
        for seed, each in pairs.items()
    }
    compared = Compared(lever, name, env, metric(name).unit, doses[0], dose)
    return compared.effect(values, metric(name).range, lambda seed: _why_missing(pairs[seed], name))


Values = Sequence[tuple[float | None, float | None]]
"""(base, treated) of every env and setting of the other levers; ``None``: not measured."""


@dataclass(frozen=True)
class Compared:
    """What is compared with what, in a run or in a table."""

    lever: str
    metric: str
    env: str
    unit: str
    base_dose: Dose
    dose: Dose

    def effect(
        self,
        values: Mapping[int, Values],
        limits: tuple[float, float],
        why_missing: Callable[[int], str],
    ) -> Effect:
        """Pair by seed; ``limits``: of the metric, for what missing pairs could have been."""
        both: dict[int, tuple[float, float]] = {}
        missing: dict[int, str] = {}
        bounds: dict[int, tuple[float, float]] = {}
        for seed, pairs in values.items():
            known = [(one, other) for one, other in pairs if one is not None and other is not None]
            if len(known) == len(pairs) > 0:
                both[seed] = _mean([one for one, _ in known]), _mean([other for _, other in known])
            else:
                missing[seed], bounds[seed] = why_missing(seed), _bounds(pairs, *limits)
        return _effect(self, both, missing, bounds)


def _effect(
    what: Compared,
    both: Mapping[int, tuple[float, float]],
    missing: Mapping[int, str],
    bounds: Mapping[int, tuple[float, float]],
) -> Effect:
    differences = {seed: treated - base for seed, (base, treated) in both.items()}
    found = list(differences.values())
    enough = len(found) > 1
    low, high = t_interval(found, CONFIDENCE) if enough else (None, None)
    return Effect(
        **vars(what),
        base=_mean([base for base, _ in both.values()]) if both else None,
        treated=_mean([treated for _, treated in both.values()]) if both else None,
        estimate=_mean(found) if found else None,
        low=low,
        high=high,
        confidence=CONFIDENCE,
        p=sign_flip_p(found) if enough else None,
        n=len(found),
        differences=differences,
        missing=missing,
        bounds=bounds,
    )


Pair = tuple[TrialRecord, TrialRecord]


def pairs_of(
    run: RunRecord,
    lever: str,
    env: str = "all",
    dose: Dose | None = None,
    seeds: int | None = None,
) -> dict[int, list[Pair]]:
    """Seed -> (base, treated) trials that differ in this lever alone, of every env and setting.

    A seed for which the design holds a trial without its partner has no pairs at all. Trials that
    the run folder keeps from earlier runs with other levers or seeds do not count.
    Raises ``IntegrityError`` where two trials claim to be the same.
    """
    doses = run.scenario["levers"][lever]
    base, other = doses[0], doses[-1] if dose is None else dose
    chosen = run.scenario["seeds"][:seeds]
    arms: dict[int, dict[tuple[Any, ...], dict[Dose, TrialRecord]]] = {}
    for trial, others, at in _cells(run, lever, env):
        if at in {base, other} and trial.spec["seed"] in chosen:
            cell = arms.setdefault(trial.spec["seed"], {}).setdefault(others, {})
            if at in cell:
                what = f"trials {cell[at].id} and {trial.id} have the same condition, env and seed"
                raise IntegrityError(f"{run.folder}: internal error: {what}")
            cell[at] = trial
    designed = {
        others for cells in arms.values() for others, cell in cells.items() if len(cell) > 1
    }
    found: dict[int, list[Pair]] = {}
    for seed in chosen:
        cells = [arms.get(seed, {}).get(others, {}) for others in sorted(designed, key=str)]
        whole = all(len(cell) > 1 for cell in cells)
        found[seed] = [(cell[base], cell[other]) for cell in cells] if whole else []
    return found


def _cells(
    run: RunRecord, lever: str, env: str
) -> Iterator[tuple[TrialRecord, tuple[Any, ...], Dose]]:
    """Trials of this design in this env: what they are apart from this lever, and its dose."""
    asked = {
        frozenset(each.items())
        for each in conditions(run.scenario["levers"], run.scenario["design"])
    }
    for trial in run.trials:
        condition, name = trial.spec["condition"], env_name(run, trial)
        if frozenset(condition.items()) in asked and env in {"all", name}:
            others = (name, *sorted((key, x) for key, x in condition.items() if key != lever))
            yield trial, others, condition[lever]


def _bounds(values: Values, low: float, high: float) -> tuple[float, float]:
    """The least and the most that a seed's mean difference can be, for values within a range."""
    whole: Values = values or [(None, None)]
    least = [(low if b is None else b) - (high if a is None else a) for a, b in whole]
    most = [(high if b is None else b) - (low if a is None else a) for a, b in whole]
    return _mean(least), _mean(most)


def _why_missing(pairs: Sequence[Pair], name: str) -> str:
    for trial in (trial for pair in pairs for trial in pair):
        if not trial.done:
            reason = trial.status.get("reason") or "no result yet"
            return f"trial {trial.id} {state(trial)}: {reason}"
        if measure(trial, name).value is None:
            return f"trial {trial.id} has no measurement of {name}"
    return "not every trial of this seed has been started"


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
