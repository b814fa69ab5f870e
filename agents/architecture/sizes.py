"""Sizes of the world that an agent state was made for, read from its arrays."""

from collections.abc import Mapping

from agents.arrays import Array
from agents.contract import AgentState
from agents.genome import Layer, SACRule, TableRule

_READS = {
    "dense": ("weight", 1),
    "residual": ("inner.weight", 1),
    "norm": ("weight", 0),
    "skip": ("weight", 0),
    "mixture": ("gate.weight", 1),
    "injected": ("frozen.weight", 1),
    "memory": ("outer.weight", 0),
    "attention": ("query.weight", 1),
}
"""Kind -> (suffix, axis) whose length is the width that it gets; of a token for attention."""


def tower_inputs(agent_state: AgentState, tower: str) -> int:
    """Return how many numbers a tower reads."""
    layers = agent_state.genome.architecture.layers
    if not layers:
        return int(agent_state.parameters[f"{tower}.head.weight"].shape[1])
    return _width(layers[0], agent_state.parameters, tower)


def _width(layer: Layer, parameters: Mapping[str, Array], tower: str) -> int:
    suffix, axis = _READS[layer.kind]
    pieces = layer.tokens if layer.kind == "attention" else 1
    return int(parameters[f"{tower}.0.{suffix}"].shape[axis]) * pieces


def sizes(agent_state: AgentState) -> tuple[int, int]:
    """Return (observation size, actions); of SAC, the dimensions of an action."""
    rule = agent_state.genome.learning_rule
    if isinstance(rule, TableRule):
        names = ("table.observations", "table.values")
        inputs, actions = (agent_state.parameters[name].shape[1] for name in names)
        return int(inputs), int(actions)
    tower = agent_state.genome.towers()[0]
    observation = tower_inputs(agent_state, tower) // agent_state.genome.architecture.history
    outputs = int(agent_state.parameters[f"{tower}.head.bias"].shape[0])
    return observation, outputs // 2 if isinstance(rule, SACRule) else outputs
