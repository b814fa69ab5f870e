"""Names of things as people read them: in rows, TensorBoard and report alike."""

from collections.abc import Mapping
from typing import Any


def env_label(scenario: Mapping[str, Any], env: Mapping[str, Any]) -> str:
    """Return the env's id, with its kwargs where the scenario names the id more than once."""
    same = [each for each in scenario["envs"] if each["id"] == env["id"]]
    knobs = {key for each in same for key in each["kwargs"]} if len(same) > 1 else set()
    told = ", ".join(f"{key}={env['kwargs'][key]}" for key in sorted(knobs & set(env["kwargs"])))
    return f"{env['id']} ({told})" if told else str(env["id"])
