"""``--smoke``: the same scenario in a fraction of the time, to see that everything works.

Every condition, env and seed is kept; only steps and probe episodes shrink, so its numbers mean
nothing and its trials have other ids.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.scenario import Scenario

SHARE = 0.05
UPDATES = 6
"""At least so many: an editor that acts every fourth update proposes once and lives with it."""
EPISODES = 8


def shrunk(scenario: "Scenario") -> "Scenario":
    """Return the scenario with a twentieth of the steps and at most ``EPISODES`` a probe.

    It is marked as ``smoke``, which makes its verdicts invalid, unless it was that small already.
    """
    ((name, settings),) = scenario.agent["learner"].items()
    agent = {**scenario.agent, "learner": {name: _learner(settings)}}
    share = _share(settings, agent["learner"][name])
    probes = {name: _probe(settings) for name, settings in scenario.probes.items()}
    arms = {name: _arm(arm, share) for name, arm in scenario.arms.items()}
    envs = tuple(_limited(env, share) for env in scenario.envs)
    gate = _limited({"gate": scenario.gate}, share)["gate"]
    small = replace(scenario, agent=agent, probes=probes, arms=arms, envs=envs, gate=gate)
    return replace(small, smoke=small != scenario)


def _share(whole: Mapping[str, Any], small: Mapping[str, Any]) -> float:
    """Of the steps that are left."""
    steps = whole.get("total_steps", 0)
    return float(small["total_steps"] / steps) if steps else 1.0


def _arm(arm: Mapping[str, Any], share: float) -> dict[str, Any]:
    small = _limited(arm, share)
    if "learner" in small:
        ((name, settings),) = small["learner"].items()
        small["learner"] = {name: _learner(settings)}
    return small


def _limited(part: Mapping[str, Any], share: float) -> dict[str, Any]:
    """A budget of FLOPs shrinks with the steps, so that what comes half-way still comes."""
    flops = part.get("gate", {}).get("max_flops")
    if flops is None:
        return dict(part)
    return {**part, "gate": {**part["gate"], "max_flops": flops * share}}


def _learner(settings: Mapping[str, Any]) -> dict[str, Any]:
    if "total_steps" not in settings:
        return dict(settings)
    copies = settings.get("members", 1) * settings.get("num_envs", 1)
    update = copies * settings.get("steps_per_update", 1)
    steps = max(UPDATES * update, round(SHARE * settings["total_steps"]))
    return {**settings, "total_steps": min(steps, settings["total_steps"])}


def _probe(settings: Mapping[str, Any]) -> dict[str, Any]:
    if "episodes" not in settings:
        return dict(settings)
    return {**settings, "episodes": min(EPISODES, settings["episodes"])}
