"""YAML -> frozen ``Scenario``: every error of a file at once, each at its line and column.

Nothing a scenario says is ever imported or run: names are looked up in the part folders and
in the registry of environments.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sandbox.env_index import EnvEntry, entries
from sandbox.scenario import arms as scenario_arms
from sandbox.scenario import checks, engines, fit, parts, pinned
from sandbox.scenario.findings import Findings
from sandbox.scenario.form import (
    NAME,
    ClaimForm,
    GateForm,
    ScenarioForm,
    as_dosed,
    as_env,
    as_weighted,
    keys,
)
from sandbox.scenario.model import Scenario
from sandbox.scenario.smoke import shrunk
from sandbox.scenario.source import document, locate
from sandbox.scenario.strict_yaml import Document
from sandbox.words import Dose

JSON = Mapping[str, Any]
MAX_TRIALS = 10_000


def load(
    path: str | Path,
    *,
    overrides: Sequence[str] = (),
    seeds: int | None = None,
    smoke: bool = False,
    max_trials: int = MAX_TRIALS,
) -> Scenario:
    """Read a file, or a shipped scenario by name. Raises ``InputError`` with all its problems.

    ``overrides``: ``KEY=VALUE`` with a dotted key, as for ``--set``. ``smoke``: a twentieth of the
    steps and few episodes, every condition kept.
    """
    file = locate(path)
    written = document(file, overrides, seeds)
    found = Findings(written)
    changed = tuple(f"--set {each}" for each in overrides)
    changed += () if seeds is None else (f"--seeds {seeds}",)
    scenario = _resolve(found, written, file, changed)
    found.stop()
    assert scenario is not None, "whatever is missing was found"  # noqa: S101
    scenario = shrunk(scenario) if smoke else scenario
    checks.size(found, scenario, max_trials)
    checks.looks(found, scenario)
    scenario_arms.budgets(found, scenario)
    checks.claimed_envs(found, scenario)
    checks.controls(found, scenario)
    checks.levers(found, scenario)
    found.stop()
    checks.needed(found, scenario)
    found.stop()
    fit.fits(found, scenario, entries())
    found.stop()
    scenario = engines.decided(found, scenario)
    found.stop()
    return scenario


def _resolve(
    found: Findings, written: Document, file: Path, changed: tuple[str, ...]
) -> Scenario | None:
    """Check everything that can be checked, whatever else is wrong."""
    data, known = scenario_arms.with_lever(written.data), entries()
    folder = file.resolve().parent
    form = _form(found, data)
    checks.names(found, data, known)
    agent = _agent(found, data.get("agent"))
    probes = parts.several(found, ("probes",), "probes", data.get("probes", {"held_out": {}}))
    controls = parts.several(found, ("controls",), "controls", as_dosed(data.get("controls", {})))
    controls = pinned.pin(found, controls or {}, folder)
    envs = _envs(found, data.get("envs"), known, form, folder)
    name = _name(found, data.get("name"), file)
    arms = scenario_arms.resolve(found, data, form, folder)
    at = ("agent", "architecture")
    architecture = parts.architecture(found, at, form.agent.architecture) if form else {}
    if found or form is None:
        return None
    scenario = Scenario(
        name=name,
        question=form.question,
        envs=envs,
        agent={**agent, "architecture": architecture},
        gate=form.gate.resolved(),
        controls=controls,
        levers={k: tuple(map(_dose, v)) for k, v in form.levers.items()},
        design=form.design,
        seeds=tuple(form.seeds),
        looks=tuple(form.looks),
        metrics=tuple(form.metrics),
        claims=tuple(each.model_dump(exclude=_unsaid(each)) for each in form.claims),
        probes=probes or {},
        limits=form.limits.model_dump(),
        arms=arms,
        source=written.source,
        changed=changed,
    )
    checks.fit(found, scenario, known)
    return scenario


def _form(found: Findings, data: JSON) -> ScenarioForm | None:
    try:
        return ScenarioForm.model_validate_json(json.dumps(data))
    except ValidationError as error:
        found.form(error.errors(include_url=False), keys())
        return None


def _agent(found: Findings, written: Any) -> dict[str, Any]:
    if not isinstance(written, dict):
        written = {}
    objective = as_weighted(written.get("objective", {"extrinsic": {}}))
    one, several = parts.one, parts.several
    return {
        "learner": one(found, ("agent", "learner"), "learners", written.get("learner", "ppo")),
        "objective": several(found, ("agent", "objective"), "objectives", objective),
        "editor": one(found, ("agent", "editor"), "editors", written.get("editor", "fixed")),
    }


def _envs(
    found: Findings,
    written: Any,
    known: Mapping[str, EnvEntry],
    form: ScenarioForm | None,
    folder: Path,
) -> tuple[JSON, ...]:
    resolved = []
    for i, item in enumerate(written if isinstance(written, list) else ()):
        whole: Any = as_env(item)
        entry = known.get(str(whole.get("id"))) if isinstance(whole, dict) else None
        if entry is None:
            continue  # reported by the form or by the names
        path = ("envs", i, "kwargs")
        kwargs = parts.world_kwargs(found, path, entry, whole.get("kwargs", {}))
        env = {"id": entry.id, "kwargs": kwargs}
        env |= {"name": whole["name"]} if whole.get("name") else {}
        if whole.get("controls"):
            at = ("envs", i, "controls")
            own = parts.several(found, at, "controls", as_dosed(whole["controls"]))
            env["controls"] = pinned.pin(found, own or {}, folder, at)
        gate = form.envs[i].gate if form else None
        resolved.append(env | _limits(gate))
    return tuple(resolved)


def _unsaid(claim: ClaimForm) -> set[str]:
    """Keys that say nothing at their default; older scenarios do not have them."""
    return {key for key in ("dose", "env") if getattr(claim, key) is None}


def _limits(gate: GateForm | None) -> dict[str, Any]:
    return {} if gate is None else {"gate": gate.model_dump(exclude_unset=True)}


def _name(found: Findings, written: Any, file: Path) -> str:
    if written is not None:
        return str(written)  # the form checks it
    if not re.fullmatch(NAME.strip("^$"), file.stem):
        what = f"the file's name {file.stem[:80]!r} cannot name a run; add 'name: ...'"
        found.add((), f"{what}, which must match {NAME.strip('^$')}")
    return file.stem


def _dose(value: Dose) -> Dose:
    """1.0 and 1 are one dose, and one trial id."""
    if isinstance(value, str):
        return value
    return int(value) if value.is_integer() and abs(value) < 2**53 else value
