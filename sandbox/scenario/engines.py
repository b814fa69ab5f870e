"""One engine for all trials of a scenario, decided before any of them begins.

``engine: auto`` of a learner becomes ``numpy`` where that computes every network that any trial of
the scenario can come to have, else ``torch``: in all conditions and envs, since an engine that
differed between two doses would be part of their effect. Where one agent asks for ``torch``, so do
all that leave it open. The scenario then holds the word, and with it every trial's spec and id.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any, get_type_hints

from agents.engine.support import why_torch
from agents.genome import Architecture, Engine
from agents.part_settings import FAULTS
from sandbox.catalogue import catalogue
from sandbox.contract import Spec, named
from sandbox.design import conditions
from sandbox.gate import protection
from sandbox.scenario import arms, trials
from sandbox.scenario.findings import Findings, dotted
from sandbox.scenario.model import Scenario
from sandbox.trial import build
from sandbox.words import condition_name

LAYERS = "architecture.layers"


def decided(found: Findings, scenario: Scenario) -> Scenario:
    """Return the scenario with an engine in the place of every ``auto``.

    Notes every ``numpy`` that was asked for and cannot compute what its agent may become.
    """
    specs, against = _specs(scenario), False
    for spec in specs:
        reasons = reasons_of(spec)
        against = against or bool(reasons)
        if reasons and _engine(spec["learner"]) == "numpy":
            arm = str(spec["condition"].get("arm", arms.AGENT))
            at = arms.place(scenario, arm, "learner", named(spec["learner"]).name, "engine")
            what = f"{dotted(at)}: numpy cannot compute every network of {_where(spec)}"
            hint = "; write engine: auto or torch, or leave that out"
            found.add(at, f"{what}: {'; '.join(reasons)}{hint}")
    asked = {_engine(spec["learner"]) for spec in specs}
    chosen = "torch" if against or "torch" in asked else "numpy"
    agent = {**scenario.agent, "learner": _with(scenario.agent["learner"], chosen)}
    own = {
        name: {**arm, "learner": _with(arm["learner"], chosen)} if "learner" in arm else arm
        for name, arm in scenario.arms.items()
    }
    return replace(scenario, agent=agent, arms=own)


def engines(scenario: Scenario) -> list[str]:
    """Engines that trials of this scenario use, each once; empty where no learner has a choice."""
    return list(dict.fromkeys(filter(None, (_engine(s["learner"]) for s in _specs(scenario)))))


def reasons(scenario: Scenario) -> list[str]:
    """What speaks against ``numpy`` in any condition, each once."""
    return list(dict.fromkeys(each for spec in _specs(scenario) for each in reasons_of(spec)))


def line(scenario: Scenario) -> str:
    """``engine: torch (edit 'add_attention' ...)``; empty where no learner has a choice."""
    found = engines(scenario)
    if not found:
        return ""
    why = "; ".join(reasons(scenario)) or "as the scenario asks"
    return f"engine: {' and '.join(found)}" + (f" ({why})" if "torch" in found else "")


def reasons_of(spec: Spec) -> list[str]:
    """Why a trial needs torch; empty where NumPy can do it, or where its learner has no choice."""
    if _engine(spec["learner"]) is None:
        return []
    found = why_torch(Architecture.from_json(spec["architecture"]), {})
    names = _proposed(spec)
    by_edits = _by_edits(
        spec["gate"], sorted(catalogue().parts("edits")) if names is None else names
    )
    if names is None and by_edits:
        editor = named(spec["editor"]).name
        by_edits = [f"editor '{editor}' does not say what it may propose, and {by_edits[0]}"]
    return [*found, *by_edits]


def _by_edits(gate: Mapping[str, Any], proposed: Sequence[str]) -> list[str]:
    """What edits that may be proposed, and that the gate may let through, say against NumPy."""
    known, allowed = catalogue().parts("edits"), gate.get("allow")
    if not _open(gate):
        return []
    found = []
    for name in proposed:
        if name not in known or (allowed is not None and name not in allowed):
            continue
        try:
            found += why_torch(Architecture(()), {name: catalogue().load("edits", name)})
        except FAULTS:  # third-party module: it may raise any error
            found.append(f"edit '{name}' does not say what it changes")
    return found


def _proposed(spec: Spec) -> list[str] | None:
    """Names of the edits that the editor may ever propose; ``None`` where it does not say."""
    try:
        found = build.part("editors", spec["editor"]).may_propose()
        return None if found is None else sorted(found)
    except FAULTS:  # as above
        return None


def _open(gate: Mapping[str, Any]) -> bool:
    """May any edit change the layers of a network at all?"""
    scope = gate.get("write_scope")
    if gate.get("max_edits") == 0 or {"architecture", LAYERS}.intersection(gate["protect"]):
        return False
    return scope is None or bool(protection.touched(scope, [tuple(LAYERS.split("."))]))


def _specs(scenario: Scenario) -> list[Spec]:
    """One trial of each agent and gate that some condition has in some env, whatever its seed."""
    turned = conditions(scenario.levers, scenario.design)
    found: dict[str, Spec] = {}
    for condition, env in product(turned, scenario.envs):
        spec = trials.trial(scenario, env, condition, scenario.seeds[0]).spec
        parts = [spec[key] for key in ("learner", "architecture", "editor", "gate")]
        found.setdefault(json.dumps(parts, sort_keys=True), spec)
    return list(found.values())


def _engine(learner: Mapping[str, Any]) -> str | None:
    """What this learner's setting ``engine`` says; ``None`` where it has no such setting."""
    name, settings = named(learner)
    try:
        hints = get_type_hints(catalogue().load("learners", name))
    except FAULTS:  # third-party module: it may raise any error
        return None
    return str(settings["engine"]) if hints.get("engine") == Engine else None


def _with(learner: Mapping[str, Any], engine: str) -> Mapping[str, Any]:
    return named(learner).changed(engine=engine) if _engine(learner) == "auto" else learner


def _where(spec: Spec) -> str:
    return f"condition {condition_name(spec['condition'])}" if spec["condition"] else "this agent"
