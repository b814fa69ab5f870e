"""Snapshots of the learners from memory: DQN and SAC. All they remember is in them."""

from collections.abc import Mapping
from typing import Any

from agents import snapshots
from agents.arrays import Array


def take_off_policy(learner: Any) -> tuple[snapshots.Data, snapshots.Arrays]:
    """Return everything a learner from memory needs to go on, but its env."""
    data, arrays = snapshots.take(learner, learner.chance)
    data["counts"] = {"updates": learner.updates, "gradient_norm": learner.gradient_norm}
    arrays |= {f"replay/{name}": each for name, each in learner.replay.state().items()}
    arrays |= {f"running/{name}": each.copy() for name, each in learner.running().items()}
    return data, arrays


def restore_off_policy(learner: Any, data: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
    """Take over what it gave; ``ValueError`` where it does not fit."""
    snapshots.restore(learner, learner.chance, data, arrays)
    learner.replay.load(snapshots.within(arrays, "replay/"))
    learner.updates = data["counts"]["updates"]
    learner.gradient_norm = data["counts"]["gradient_norm"]
    learner.go_on(snapshots.within(arrays, "running/"))
