"""Registers what a scenario claims, before its first trial runs; notes every later change."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sandbox.analysis.effects import ALWAYS
from sandbox.errors import InputError, IntegrityError, Problem
from sandbox.execution.manifest import commit
from sandbox.execution.verify import changed
from sandbox.record.registration import Registered, code_changes, scenario_changes
from sandbox.record.run_folder import RunFolder
from sandbox.record.store import is_run, read_run
from sandbox.scenario.trials import expand
from sandbox.sources import code_of

if TYPE_CHECKING:
    from sandbox.scenario.model import Scenario

JSON = Mapping[str, Any]


def register(
    scenario: "Scenario",
    run: RunFolder,
    plugins: Sequence[str] = (),
    *,
    to_run: bool = False,
    accept_changed_code: bool = False,
) -> Registered:
    """Make sure that the folder's registration says what is asked for now; returns what it says.

    A first call writes the registration, a later one a revision where the scenario differs, and
    nothing where it does not. ``to_run``: trials are going to run; they would not be comparable
    with those of other code, so changed code is refused with ``InputError`` unless it is accepted.
    Raises ``IntegrityError`` where the folder was changed by anything but this program.
    """
    code = code_here(scenario, plugins)
    if not is_run(run.folder):
        return _write(scenario, run, code)
    record = read_run(run.folder)
    problems = changed(record)
    if problems:
        raise IntegrityError("\n".join(problems))
    last, begun = record.registration.last, len(record.begun)
    others = list(code_changes(last.code, code))
    if others and begun and to_run and not accept_changed_code:
        raise InputError(Problem(str(run.folder), _refusal(others)))
    if others and begun and not accept_changed_code:
        code, others = dict(last.code), []  # no trial runs with the other code
    if not others and not [*scenario_changes(last.scenario, scenario.resolved())]:
        return last
    finished = sum(ends[-1]["state"] == "done" for ends in record.ends.values())
    return _write(scenario, run, code, begun, finished)


def _write(
    scenario: "Scenario", run: RunFolder, code: JSON, begun: int = 0, finished: int = 0
) -> Registered:
    entry = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "resolved": scenario.resolved(),
        "code": code,
        "trials_begun": begun,
        "trials_finished": finished,
    }
    run.register(scenario.source, entry)
    return read_run(run.folder).registration.last


def code_here(scenario: "Scenario", plugins: Sequence[str]) -> dict[str, dict[str, str]]:
    """Sources, versions and plug-ins that the trials and verdicts of a scenario use now."""
    first = scenario.seeds[0]
    specs = [each.spec for each in expand(scenario) if each.spec["seed"] == first]
    return code_of([scenario.resolved(), specs, list(ALWAYS)], plugins)


def _refusal(others: Sequence[str]) -> str:
    return (
        f"cannot be continued as it was registered: {'; '.join(others)}; trials of both cannot be"
        " pooled: give another --out, or --accept-changed-code, which is recorded and makes every"
        " verdict of this run exploratory"
    )
