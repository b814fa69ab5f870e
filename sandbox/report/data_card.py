"""The data card: what each control really did to the training of each condition."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sandbox.control_lever import as_expected, moved
from sandbox.effects import env_name
from sandbox.events import Controlled
from sandbox.report.data import Report, short_name
from sandbox.report.html import Html, number, section, table, text

AGREES = {True: "yes", False: "NO", None: "cannot tell"}


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
    rows = []
    for condition in report.conditions:
        for (name, env, control), arm in sorted(arms.items()):
            if name == condition:
                scope = [text(env)] if several else []
                place = [text(condition), *scope, text(control)]
                rows += [[*place, *cells] for cells in _cells(arm)]
    head = ["condition", *(["env"] if several else []), "control", "intensity", "in force",
            "what changed", "measured", "expected", "agrees", "trials"]  # fmt: skip
    at = 2 + several
    note = Html(
        '<p class="soft small">Training only: evaluation is never controlled. Measured by comparing'
        " what came out of a control with what went in, whatever the control itself says; means"
        " over all updates. Expected: what these very inputs should have given at the strength in"
        " force. Agrees: within 4.5 standard errors.</p>"
    )
    numbers = [at, at + 1, at + 3, at + 4, at + 6]
    yield section("Data card: what the controls did", note, table(head, rows, numbers))


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


def _cells(arm: _Arm) -> Iterator[list[Html]]:
    seen = arm.readings
    before = [
        number(_mean([each.intensity for each in seen])),
        number(_mean([each.strength for each in seen])),
    ]
    expected = {name for each in seen for name in each.expected}
    shown = sorted(expected | {k for each in seen for k, v in each.measured.items() if v})
    if not shown:
        zero = "nothing" if not any(map(moved, seen)) else ""
        yield [*before, text(zero), number(0.0), Html(""), Html(""), text(arm.trials)]
    for name in shown:
        measured = _mean([each.measured.get(name, 0.0) for each in seen])
        told = [Html(""), Html("")]
        if name in expected:
            rows = [each for each in seen if name in each.expected]
            should = sum(each.expected[name] for each in rows) / len(seen)
            told = [number(should), text(AGREES[as_expected(rows, name)])]
        yield [*before, text(name.replace("_", " ")), number(measured), *told, text(arm.trials)]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
