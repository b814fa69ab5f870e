"""Runs an agent's towers on its engine, or under torch where it has none."""

from collections.abc import Sequence
from typing import Any

import torch

from agents.arrays import Array
from agents.engine.engine import Engine
from agents.genome import Genome
from agents.network.bundle import Towers


def start_engine(
    name: str,
    networks: Towers,
    optimizer: torch.optim.Optimizer,
    genome: Genome,
    towers: Sequence[str],
) -> Engine | None:
    """Bind the networks to an engine that trains these towers, where ``name`` is ``numpy``."""
    return Engine(networks, optimizer, genome.architecture, towers) if name == "numpy" else None


def outputs(engine: Engine | None, networks: Towers, tower: str, inputs: Array) -> Array:
    """Outputs of one tower, float32 ``[n, outputs]``, for float32 ``[n, inputs]``."""
    if engine:
        return engine.outputs(tower, inputs)
    with torch.inference_mode():  # copied: the caller's memory may be read-only
        found: Array = networks.tower(tower)(torch.tensor(inputs)).numpy()
    return found


def unit_use(
    engine: Engine | None, networks: Towers, tower: str, inputs: Array
) -> dict[str, tuple[Any, ...]]:
    """``dormancy`` and ``unit_scores`` of one tower's layers on these inputs."""
    if engine:
        return engine.unit_use(tower, inputs)
    return networks.tower(tower).unit_use(torch.tensor(inputs))
