"""``--smoke``: the same scenario in a fraction of the time, to see that everything works.

Every condition, env and seed is kept; only steps and probe episodes shrink, and with the steps all
that is written in updates, so its numbers mean nothing and its trials have other ids.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sandbox.contract import named
from sandbox.scenario.model import Scenario

SHARE = 0.05
UPDATES = 6
"""At least so many: an editor that acts every fourth update proposes once and trains afterwards."""
EPISODES = 8
BEGINNINGS = frozenset({"baseline_update", "planting"})
"""Settings of probes that name the update from which on they look."""


def shrunk(scenario: Scenario) -> Scenario:
    """Return the scenario with a twentieth of the steps and at most ``EPISODES`` a probe.

    No fewer than ``UPDATES`` updates are left where there were as many. It is marked as ``smoke``,
    which makes its verdicts invalid, unless it was that small already.
    """
    learner, share = _learner(scenario.agent["learner"])
    agent = _shortened({**scenario.agent, "learner": learner}, share)
    probes = {name: _probe(settings, share) for name, settings in scenario.probes.items()}
    arms = {name: _arm(arm, share) for name, arm in scenario.arms.items()}
    envs = tuple(_limited(env, share) for env in scenario.envs)
    gate = _limited({"gate": scenario.gate}, share)["gate"]
    small = replace(scenario, agent=agent, probes=probes, arms=arms, envs=envs, gate=gate)
    return replace(small, smoke=small != scenario)


def _arm(arm: Mapping[str, Any], share: float) -> dict[str, Any]:
    """What an arm has of its own; where that is a learner, so is the share of steps left to it."""
    small = dict(arm)
    if "learner" in small:
        small["learner"], share = _learner(small["learner"])
    return _shortened(_limited(small, share), share)


def _limited(part: Mapping[str, Any], share: float) -> dict[str, Any]:
    """A budget of FLOPs and a time without edits shrink with the steps: what comes still comes."""
    if not part.get("gate"):
        return dict(part)
    gate = dict(part["gate"])
    if gate.get("max_flops") is not None:
        gate["max_flops"] *= share
    if gate.get("first_updates_without_edits"):
        gate["first_updates_without_edits"] = _fewer(gate["first_updates_without_edits"], share)
    return {**part, "gate": gate}


def _shortened(part: Mapping[str, Any], share: float) -> dict[str, Any]:
    """A plan of edits and a handover keep their relative places in the shorter run."""
    small = dict(part)
    if "editor" in part:
        editor = named(part["editor"])
        small["editor"] = {editor.name: _planned(editor.settings, share)}
    if "objective" in part:
        small["objective"] = {k: _handed_over(v, share) for k, v in part["objective"].items()}
    return small


def _planned(settings: Mapping[str, Any], share: float) -> dict[str, Any]:
    if "plan" not in settings:
        return dict(settings)
    counted = ("update", "every")
    plan = [
        {key: max(1, _fewer(each, share)) if key in counted else each for key, each in item.items()}
        for item in settings["plan"]
    ]
    return {**settings, "plan": plan}


def _handed_over(settings: Mapping[str, Any], share: float) -> dict[str, Any]:
    if not {"first_update", "last_update"} <= settings.keys():
        return dict(settings)
    first = _fewer(settings["first_update"], share)
    last = max(first + 1, _fewer(settings["last_update"], share))
    return {**settings, "first_update": first, "last_update": last}


def _learner(setting: Mapping[str, Any]) -> tuple[dict[str, Any], float]:
    """With fewer steps, and the share of them that is left."""
    whole = named(setting)
    settings, steps = whole.settings, whole.total_steps
    if not steps:
        return dict(setting), 1.0
    copies = settings.get("members", 1) * settings.get("num_envs", 1)
    update = copies * settings.get("steps_per_update", 1)
    left = min(steps, max(UPDATES * update, round(SHARE * steps)))
    return whole.changed(total_steps=left), left / steps


def _probe(settings: Mapping[str, Any], share: float) -> dict[str, Any]:
    small = dict(settings)
    if "episodes" in settings:
        small["episodes"] = min(EPISODES, settings["episodes"])
    for name in BEGINNINGS & settings.keys():
        small[name] = _fewer(settings[name], share)
    return small


def _fewer(updates: int, share: float) -> int:
    """Number of updates scaled by ``share``, at least 1 where there was one."""
    return min(updates, max(1, math.floor(share * updates + 1e-9)))
