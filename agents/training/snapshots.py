"""What every learner needs to go on to the bit: agent state, live objectives, random streams.

A snapshot is JSON data and arrays by name, so it goes through bytes (``checkpoint.pack``) and
opening one runs no code. The env is not in it: ours are values that can be copied.
Snapshots of DQN and SAC hold the whole replay memory, those of PPO and A2C the rollout buffer.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from agents.architecture import checkpoint
from agents.arrays import Array
from agents.contract import AgentState, LiveLearner
from agents.training.streams import Chance

Data = dict[str, Any]
Arrays = dict[str, Array]


def take(learner: LiveLearner, chance: Chance) -> tuple[Data, Arrays]:
    """Return what all learners have in common."""
    record, tensors = checkpoint.to_bytes(learner.agent_state())
    arrays: Arrays = {"mind": np.frombuffer(tensors, np.uint8)}
    for name, live_objective in learner.live_objectives().items():
        state = live_objective.state_dict()
        arrays |= {f"motive/{name}/{key}": np.asarray(each) for key, each in state.items()}
    data = {"learner": type(learner).__name__, "mind": record, "streams": chance.state()}
    return data, arrays


def restore(
    learner: LiveLearner, chance: Chance, data: Mapping[str, Any], arrays: Mapping[str, Array]
) -> None:
    """Take over what ``take`` gave. ``ValueError`` where it is damaged or of another learner."""
    name = type(learner).__name__
    if data.get("learner") != name:
        raise ValueError(f"this is a snapshot of {data.get('learner')!r}, not of {name}")
    chance.go_to(data["streams"])
    learner.install(agent_state_of(data, arrays))
    for live_objective, each in learner.live_objectives().items():
        each.load_state_dict(within(arrays, f"motive/{live_objective}/"))


def agent_state_of(data: Mapping[str, Any], arrays: Mapping[str, Array]) -> AgentState:
    """Return the agent state in a snapshot; ``ValueError`` where its bytes are damaged."""
    return checkpoint.from_bytes(data["mind"], arrays["mind"].tobytes())


def within(arrays: Mapping[str, Array], prefix: str) -> Arrays:
    """Return the arrays whose names begin so, without that beginning."""
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}


def refill(array: Array, saved: Array) -> None:
    """Overwrite an array in place; ``ValueError`` where the sizes differ."""
    if array.shape != saved.shape:
        raise ValueError(f"a snapshot of other sizes: {saved.shape}, this agent has {array.shape}")
    array[...] = saved


def take_off_policy(learner: Any) -> tuple[Data, Arrays]:
    """Return everything a learner with a replay memory needs to go on, except its env."""
    data, arrays = take(learner, learner.chance)
    data["counts"] = {"updates": learner.updates, "gradient_norm": learner.gradient_norm}
    arrays |= {f"replay/{name}": each for name, each in learner.replay.state().items()}
    arrays |= {f"running/{name}": each.copy() for name, each in learner.running().items()}
    return data, arrays


def restore_off_policy(learner: Any, data: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
    """Take over what it gave; ``ValueError`` where it does not fit."""
    restore(learner, learner.chance, data, arrays)
    learner.replay.load(within(arrays, "replay/"))
    learner.updates = data["counts"]["updates"]
    learner.gradient_norm = data["counts"]["gradient_norm"]
    learner.go_on(within(arrays, "running/"))


def take_on_policy(model: Any) -> tuple[Data, Arrays]:
    """Return everything a rewritable PPO or A2C needs to go on, but its env."""
    data, arrays = take(model, model.chance)
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
    restore(model, model.chance, data, arrays)
    counts = data["counts"]
    model.updates, model.epochs_done = counts["updates"], counts["epochs_done"]
    model.num_timesteps, model._n_updates = counts["num_timesteps"], counts["sb3_updates"]  # noqa: SLF001
    model.gradient_norm = counts["gradient_norm"]
    for name in model.rollout_buffer.kept:
        refill(getattr(model.rollout_buffer, name), arrays[f"rollout/{name}"])
    model.rollout_buffer.generator_ready = False
    model.go_on(within(arrays, "running/"), arrays.get("looked_at"))
