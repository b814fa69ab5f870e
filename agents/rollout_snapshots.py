"""Snapshots of the learners from rollouts: PPO and A2C."""

from collections.abc import Mapping
from typing import Any

from agents import snapshots
from agents.arrays import Array


def take_on_policy(model: Any) -> tuple[snapshots.Data, snapshots.Arrays]:
    """Return everything a rewritable PPO or A2C needs to go on, but its env."""
    data, arrays = snapshots.take(model, model.chance)
    data["counts"] = {
        "updates": model.updates,
        "epochs_done": model.epochs_done,
        "num_timesteps": model.num_timesteps,
        "sb3_updates": model._n_updates,  # noqa: SLF001 - SB3's own counter
        "gradient_norm": model.gradient_norm,
    }
    buffer = model.rollout_buffer
    arrays |= {f"rollout/{name}": getattr(buffer, name).copy() for name in buffer.kept}
    for name, each in model.running().items():
        arrays[f"running/{name}"] = each.copy()
    if model.looked_at is not None:
        arrays["looked_at"] = model.looked_at.copy()
    return data, arrays


def restore_on_policy(model: Any, data: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
    """Take over what it gave; ``ValueError`` where it does not fit."""
    snapshots.restore(model, model.chance, data, arrays)
    counts = data["counts"]
    model.updates, model.epochs_done = counts["updates"], counts["epochs_done"]
    model.num_timesteps, model._n_updates = counts["num_timesteps"], counts["sb3_updates"]  # noqa: SLF001
    model.gradient_norm = counts["gradient_norm"]
    for name in model.rollout_buffer.kept:
        snapshots.refill(getattr(model.rollout_buffer, name), arrays[f"rollout/{name}"])
    model.rollout_buffer.generator_ready = False
    model.go_on(snapshots.within(arrays, "running/"), arrays.get("looked_at"))
