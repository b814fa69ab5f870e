"""What a genome costs, counted by hand: parameters, bytes and FLOPs, nothing allocated.

Convention: a product of an input with a weight and its sum count 2 FLOPs, so a linear map counts
twice its weights; every bias, every activation and every sum of a residual stream counts 1. A
backward pass counts as two forward passes. The optimiser's own arithmetic is left out: it is a few
operations a parameter and a minibatch, against thousands of them for the passes.
"""

from collections.abc import Iterator
from math import prod

from agents.genome import TOWERS, Architecture, Genome, Layer, TableRule

BYTES_PER_PARAMETER = 16
"""float32 weight, gradient and Adam's two moments."""
BACKWARD_PER_FORWARD = 2

Shapes = dict[str, tuple[int, ...]]


def parameter_shapes(architecture: Architecture, observation_size: int, actions: int) -> Shapes:
    """Return name -> shape of every weight and bias, in the order of the built network."""
    heads = {"policy": actions, "value": 1}
    shapes: Shapes = {}
    for tower in TOWERS:
        width = observation_size
        for i, layer in enumerate(architecture.layers):
            for part, inputs, outputs in _linears(layer, width):
                shapes |= _linear(f"{tower}.{i}{part}", inputs, outputs)
            width = layer.units if layer.kind == "dense" else width
        shapes |= _linear(f"{tower}.head", width, heads[tower])
    return shapes


def table_shapes(states: int, observation_size: int, actions: int) -> Shapes:
    """Return name -> shape of what a table that has met ``states`` observations holds."""
    return {
        "table.observations": (states, observation_size),
        "table.values": (states, actions),
        "table.visits": (states, actions),
        "table.exploration": (1,),
    }


def parameters(genome: Genome, observation_size: int, actions: int) -> int:
    """Return the number of weights and biases of both towers; a table is born empty."""
    if isinstance(genome.learning_rule, TableRule):
        return 0
    shapes = parameter_shapes(genome.architecture, observation_size, actions)
    return sum(map(prod, shapes.values()))


def memory(genome: Genome, observation_size: int, actions: int) -> int:
    """Return the bytes of weights, gradients and optimiser state."""
    return BYTES_PER_PARAMETER * parameters(genome, observation_size, actions)


def forward_flops(genome: Genome, observation_size: int, actions: int) -> int:
    """Return the FLOPs of policy and value for one observation."""
    layers, width = genome.architecture.layers, observation_size
    total = 0
    for layer in layers:
        linears = tuple(_linears(layer, width))
        total += sum(_multiply(inputs, outputs) for _, inputs, outputs in linears)
        total += layer.units  # activations
        total += width if layer.kind == "residual" else 0  # the sum with the stream
        width = layer.units if layer.kind == "dense" else width
    return len(TOWERS) * total + _multiply(width, actions) + _multiply(width, 1)


def rollout_flops(genome: Genome, observation_size: int, actions: int, steps: int) -> float:
    """Return the FLOPs of acting and valuing for ``steps`` environment steps."""
    return float(forward_flops(genome, observation_size, actions)) * steps


def training_flops(genome: Genome, observation_size: int, actions: int, steps: int) -> float:
    """Return the FLOPs of learning from ``steps`` steps, every epoch forward and backward."""
    passes = (1 + BACKWARD_PER_FORWARD) * genome.learning_rule.epochs
    return float(forward_flops(genome, observation_size, actions)) * passes * steps


def update_flops(genome: Genome, observation_size: int, actions: int, steps: int) -> float:
    """Return the FLOPs of one rollout of ``steps`` steps and the update on it."""
    return rollout_flops(genome, observation_size, actions, steps) + training_flops(
        genome, observation_size, actions, steps
    )


def table_flops(rule: TableRule, actions: int, steps: int) -> float:
    """Return the FLOPs of acting on and learning into a table of action values.

    A step reads a row to act: one comparison an action. The target reads another: a maximum for
    Q-learning, a maximum and a mean for expected Sarsa, one entry for Sarsa. Discounting, adding
    the reward, the error, the step and the sum are 5 more. Finding a row is no arithmetic.
    """
    target = {"q_learning": actions, "expected_sarsa": 2 * actions, "sarsa": 0}
    return float(actions + target[rule.rule] + 5) * steps


def _linears(layer: Layer, width: int) -> Iterator[tuple[str, int, int]]:
    """Yield (suffix of the name, inputs, outputs) of each linear map in a layer."""
    if layer.kind == "dense":
        yield "", width, layer.units
    else:
        yield ".inner", width, layer.units
        yield ".outer", layer.units, width


def _linear(name: str, inputs: int, outputs: int) -> Shapes:
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def _multiply(inputs: int, outputs: int) -> int:
    return 2 * inputs * outputs + outputs
