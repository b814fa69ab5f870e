"""Agents to compare side by side: what each arm has in the place of the scenario's agent's."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from agents.part_settings import tuples
from sandbox.catalogue import catalogue
from sandbox.contract import named
from sandbox.gate.budget import Budget
from sandbox.scenario import parts as scenario_parts
from sandbox.scenario import pinned
from sandbox.scenario.findings import Findings
from sandbox.scenario.form import ArmForm, ScenarioForm, as_dosed, as_named, as_weighted
from sandbox.scenario.model import Scenario
from sandbox.scenario.strict_yaml import Path

if TYPE_CHECKING:
    from pathlib import Path as File

JSON = Mapping[str, Any]
AGENT = "agent"
"""The dose of ``arm`` that stands for the scenario's agent itself, unchanged."""


def with_lever(data: dict[str, Any]) -> dict[str, Any]:
    """Arms that no lever turns are all compared, in the order in which they are written."""
    arms, levers = data.get("arms"), data.get("levers") or {}
    if not isinstance(arms, dict) or not arms or not isinstance(levers, dict) or "arm" in levers:
        return data
    return {**data, "levers": {"arm": list(arms), **levers}}


def resolve(
    found: Findings, data: JSON, form: ScenarioForm | None, folder: "File"
) -> dict[str, dict[str, Any]]:
    """Name -> the parts that the arm replaces, every setting in them; problems are noted."""
    written = data.get("arms")
    resolved = {}
    for name, arm in written.items() if isinstance(written, dict) else ():
        if name == AGENT:
            what = "'agent' is the scenario's agent as it stands; give the arm another name"
            found.add(("arms", name), what, at_key=True)
        shape = form.arms.get(name) if form else None
        resolved[name] = _arm(found, ("arms", name), arm or {}, data.get("agent") or {}, folder)
        resolved[name] |= _shaped(found, ("arms", name), shape) if shape else {}
    return resolved


def _arm(found: Findings, path: Path, arm: Any, agent: Any, folder: "File") -> dict[str, Any]:
    if not isinstance(arm, dict) or not isinstance(agent, dict):
        return {}  # reported by the form
    resolved: dict[str, Any] = {}
    for part, otherwise in (("learner", "ppo"), ("editor", "fixed")):
        if part in arm:
            whole = _over(agent.get(part, otherwise), arm[part])
            resolved[part] = scenario_parts.one(found, (*path, part), f"{part}s", whole)
    if "objective" in arm:
        objective = as_weighted(arm["objective"])
        at = (*path, "objective")
        resolved["objective"] = scenario_parts.several(found, at, "objectives", objective)
    if arm.get("controls"):
        at = (*path, "controls")
        controls = scenario_parts.several(found, at, "controls", as_dosed(arm["controls"]))
        resolved["controls"] = pinned.pin(found, controls or {}, folder, at)
    return resolved


def _over(base: Any, given: Any) -> Any:
    """A part of the same name keeps the agent's other settings."""
    base, given = as_named(base), as_named(given)
    if not isinstance(base, dict) or not isinstance(given, dict) or base.keys() != given.keys():
        return given
    return {name: {**(base[name] or {}), **(given[name] or {})} for name in given}


def _shaped(found: Findings, path: Path, arm: ArmForm) -> dict[str, Any]:
    """The parts that only the form reads: architecture and gate."""
    resolved: dict[str, Any] = {}
    if arm.architecture is not None:
        at = (*path, "architecture")
        resolved["architecture"] = scenario_parts.architecture(found, at, arm.architecture)
    if arm.gate is not None:
        resolved["gate"] = arm.gate.model_dump(exclude_unset=True)
    return resolved


def agents(scenario: Scenario) -> Iterator[tuple[Path, JSON]]:
    """Every agent that some trial may have, and where it is written."""
    yield (AGENT,), scenario.agent
    for name, arm in scenario.arms.items():
        parts = {key: arm[key] for key in scenario.agent if key in arm}
        if parts:
            yield ("arms", name), {**scenario.agent, **parts}


def place(scenario: Scenario, arm: str, part: str, *more: str | int) -> Path:
    """Where a part of an arm's agent is written: in the arm, if that has its own."""
    own = part in scenario.arms.get(arm, {})
    return ("arms", arm, part, *more) if own else (AGENT, part, *more)


def place_of_control(scenario: Scenario, arm: str, env: int, name: str) -> Path:
    """Where a control that an arm meets in an env is written: in the arm, at the env, for all."""
    if name in scenario.arms.get(arm, {}).get("controls", {}):
        return ("arms", arm, "controls", name)
    own = name in scenario.envs[env].get("controls", {})
    return ("envs", env, "controls", name) if own else ("controls", name)


def budgets(found: Findings, scenario: Scenario) -> None:
    """Check that every budget that some trial may have means something."""
    arms = {name: arm["gate"] for name, arm in scenario.arms.items() if "gate" in arm}
    for i, env in enumerate(scenario.envs):
        gates: dict[Path, JSON] = {}
        gates |= {("envs", i, "gate") if "gate" in env else ("gate",): env.get("gate", {})}
        gates |= {("arms", k, "gate"): {**env.get("gate", {}), **v} for k, v in arms.items()}
        for path, gate in gates.items():
            try:
                Budget.of({**scenario.gate, **gate})
            except ValueError as error:
                found.add((*path, "budget_shocks"), str(error))
    _needed(found, scenario)


def _needed(found: Findings, scenario: Scenario) -> None:
    """Some editors divide the budget: they cannot do without one."""
    limited = [{**scenario.gate, **env.get("gate", {})}.get("max_flops") for env in scenario.envs]
    for path, agent in agents(scenario):
        name, settings = named(agent["editor"])
        own = scenario.arms.get(str(path[-1]), {}).get("gate", {}).get("max_flops")
        editor = catalogue().load("editors", name)(**tuples(settings))
        if getattr(editor, "needs_budget", False) and own is None and None in limited:
            what = f"editor '{name}' divides a budget of FLOPs: set gate.max_flops"
            found.add((*path, "editor"), what)
