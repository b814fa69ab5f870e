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
    probes = {name: _probe(settings) for name, settings in scenario.probes.items()}
    small = replace(scenario, agent=agent, probes=probes)
    return replace(small, smoke=small != scenario)


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
