"""The data card: the measured effect of each control on the training of each condition."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sandbox.analysis.control_readings import as_expected, moved
from sandbox.analysis.effects import env_name
from sandbox.record.events import Controlled
from sandbox.report.data import Report, short_name
from sandbox.report.html import Html, folded, join, number, section, table, text

MEANING = {
    "actions_changed": "share of actions carried out that are not the ones chosen",
    "rewards_changed": "share of rewards that are not the env's",
    "reward_change": "mean absolute change of a reward, in the env's unit",
    "observations_changed": "share of observations with any number changed",
    "inputs_changed": "share of an observation's numbers that are changed",
    "input_change": "mean absolute change of an observation's number",
    "episodes_changed": "share of episodes begun on another level, or with another seed",
    "inputs_shown": "share of the added numbers that are not 0",
    "observations_shown": "share of observations in which anything added is shown",
    "episodes_shown": "share of episodes in whose first observation anything added is shown",
}
"""Measurement -> what it is; a control describes its own readings itself."""
AGREES = {True: "yes", False: "NO", None: "undetermined"}


@dataclass
class _Arm:
    """One control in one condition and env: the readings of all its trials."""

    trials: int = 0
    readings: list[Controlled] = field(default_factory=list)


def data_card(report: Report) -> Iterator[Html]:
    """One row a measurement; nothing where no trial has a control."""
    arms = _arms(report)
    if not arms:
        return
    several = len({env for _, env, _ in arms}) > 1
    note = Html(
        '<p class="soft small">Controls act in training only, never in evaluation. Measured: the'
        " output of a control compared with its input, independently of what the control reports;"
        " means over all updates. Intensity: as set by the condition; effective intensity: its mean"
        " over training, as its schedule may change it. Expected: computed for the same inputs at"
        " the effective intensity. Agrees: within 4.5 standard errors.</p>"
    )
    predicted, rest = (
        join(_tables(report, arms, several=several, expected=expected))
        for expected in (True, False)
    )
    more = folded("Measurements without an expected value", rest) if rest else Html("")
    yield section("Data card: what the controls did", note, predicted, more)


def _tables(
    report: Report, arms: dict[tuple[str, str, str], _Arm], *, several: bool, expected: bool
) -> Iterator[Html]:
    """One table a control: measurements with an expected value, or those without one."""
    head = ["condition", *(["env"] if several else []), "intensity",
            "effective intensity", "measurement", "measured", "expected", "agrees",
            "trials"]  # fmt: skip
    at = 1 + several
    for control in sorted({each for *_, each in arms}):
        rows, names = [], set()
        for condition in report.conditions:
            for (name, env, which), arm in sorted(arms.items()):
                if (name, which) != (condition, control):
                    continue
                place = [text(condition), *([text(env)] if several else [])]
                for measurement, cells in _cells(arm):
                    if _predicted(arm, measurement) == expected:
                        names.add(measurement)
                        rows.append([*place, *cells])
        if rows:
            means = "; ".join(f"{_word(n)}: {MEANING[n]}" for n in sorted(names) if n in MEANING)
            yield Html(f'<h3>{text(control)}</h3><p class="soft small">{text(means)}</p>')
            yield table(head, rows, [at, at + 1, at + 3, at + 4, at + 6])


def _predicted(arm: _Arm, measurement: str) -> bool:
    """Whether a measurement has an expected value; a row without any measurement counts as one."""
    return not measurement or any(measurement in each.expected for each in arm.readings)


def _word(measurement: str) -> str:
    return measurement.replace("_", " ")


def _arms(report: Report) -> dict[tuple[str, str, str], _Arm]:
    arms: dict[tuple[str, str, str], _Arm] = {}
    for trial in report.run.trials:
        found = [each for each in trial.events if isinstance(each, Controlled)]
        name = short_name(report.run, trial.spec["condition"])
        env = env_name(report.run, trial)
        for control in sorted({each.control for each in found}):
            arm = arms.setdefault((name, env, control), _Arm())
            arm.trials += 1
            arm.readings += [each for each in found if each.control == control]
    return arms


def _cells(arm: _Arm) -> Iterator[tuple[str, list[Html]]]:
    """Each measurement and its row; the measurement "" where there is none."""
    seen = arm.readings
    before = [
        number(_mean([each.intensity for each in seen])),
        number(_mean([each.effective_intensity for each in seen])),
    ]
    expected = {name for each in seen for name in each.expected}
    shown = sorted(expected | {k for each in seen for k, v in each.measured.items() if v})
    if not shown:
        zero = "nothing" if not any(map(moved, seen)) else ""
        yield "", [*before, text(zero), number(0.0), Html(""), Html(""), text(arm.trials)]
    for name in shown:
        measured = _mean([each.measured.get(name, 0.0) for each in seen])
        agreement = [Html(""), Html("")]
        if name in expected:
            rows = [each for each in seen if name in each.expected]
            should = sum(each.expected[name] for each in rows) / len(seen)
            agreement = [number(should), text(AGREES[as_expected(rows, name)])]
        yield name, [*before, text(_word(name)), number(measured), *agreement, text(arm.trials)]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
