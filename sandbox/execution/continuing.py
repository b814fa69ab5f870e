"""May this scenario go on in that run folder, and which of its trials are due?"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.errors import InputError, Problem
from sandbox.execution.executor import Job
from sandbox.record.run_folder import RunFolder
from sandbox.record.store import is_run, read_run
from sandbox.scenario.pinned import identity
from sandbox.scenario.trials import touched
from sandbox.verdicts.claims import verdicts
from sandbox.verdicts.verdict import DECIDED

if TYPE_CHECKING:
    from sandbox.scenario.model import Scenario


def stages(scenario: "Scenario", run: RunFolder, jobs: Sequence[Job]) -> Iterator[list[Job]]:
    """Trials up to each registered analysis in turn, as long as a claim is undecided there."""
    looks = scenario.looks or (len(scenario.seeds),)
    for n in looks:
        seeds = set(scenario.seeds[:n])
        yield [job for job in jobs if job.spec["seed"] in seeds]
        if n != looks[-1] and is_run(run.folder) and decided(run.folder):
            return


def any_due(scenario: "Scenario", run: RunFolder, jobs: Sequence[Job]) -> bool:
    """Is any trial still to run?"""
    every = (job for stage in stages(scenario, run, jobs) for job in stage)
    return any(not run.is_done(job.id) for job in every)


def decided(folder: Path) -> bool:
    """Is every claim of a run decided at an analysis that it has reached?"""
    found = [each.verdict.status for each in verdicts(read_run(folder)) if each.role == "claim"]
    return bool(found) and DECIDED.issuperset(found)


def check_same(scenario: "Scenario", folder: Path) -> None:
    """Doses, arms, seeds and metrics may be added; what a trial is may not change under a run.

    Raises ``InputError``. Before any trial has begun everything may change.
    """
    run = read_run(folder)
    if not run.begun:
        return
    new = _what_trials_are(scenario.resolved())
    changed: dict[str, None] = {}
    for entry in run.registration.entries:
        old = _what_trials_are(entry.scenario)
        arms = old["arms"].keys() & new["arms"].keys()
        one, other = ({**each, "arms": _only(each["arms"], arms)} for each in (old, new))
        changed |= dict.fromkeys(".".join(path) for path in touched(one, other))
    if changed:
        what = f"holds a run of another scenario, they differ in {', '.join([*changed][:5])}"
        raise InputError(Problem(str(folder), f"{what}; give another --out"))


def _only(arms: Mapping[str, Any], names: Any) -> dict[str, Any]:
    return {name: arms[name] for name in sorted(names)}


def _what_trials_are(resolved: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a resolved scenario that its trials are made from, doses and seeds apart."""
    parts = {key: resolved.get(key, {}) for key in ("agent", "gate", "probes", "design")}
    arms = {name: _without_paths(arm) for name, arm in resolved.get("arms", {}).items()}
    envs = [_without_paths(env) for env in resolved["envs"]]
    return {**parts, "controls": identity(resolved["controls"]), "arms": arms, "envs": envs}


def _without_paths(part: Mapping[str, Any]) -> dict[str, Any]:
    """An env or arm whose controls name pinned files by what is in them."""
    return {**part, "controls": identity(part["controls"])} if "controls" in part else dict(part)
