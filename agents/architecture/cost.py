"""What a genome costs, counted by hand: sizes, parameters, bytes, FLOPs; nothing allocated.

Convention: a product of an input with a weight and its sum count 2 FLOPs, so a linear map counts
twice its weights; every bias, every activation and every sum of a residual stream counts 1. A
backward pass counts as two forward passes. The optimiser's own arithmetic is left out: it is a few
operations a parameter and a minibatch, against thousands of them for the passes. Sharpness-aware
steps take two passes each.
"""

from collections.abc import Iterator, Mapping
from math import prod

from agents.agent_state import AgentState
from agents.arrays import Array
from agents.genome import (
    SETS_WIDTH,
    TOWERS,
    Architecture,
    DQNRule,
    Genome,
    Layer,
    SACRule,
    TableRule,
    TwoStreamRule,
)
from agents.layers import KINDS
from agents.layers.kind import Inputs, Shapes, linear, multiply

BYTES_PER_PARAMETER = 16
"""float32 weight, gradient and Adam's two moments."""
BACKWARD_PER_FORWARD = 2

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


def tower_sizes(genome: Genome, observation_size: int, actions: int) -> dict[str, tuple[int, int]]:
    """Return tower -> (inputs, outputs), those that learn first, then their targets.

    The observation comes with the history before it. A critic of SAC reads the action as well, and
    its policy gives a mean and a log deviation for each of the ``actions`` dimensions.
    """
    inputs = observation_size * genome.architecture.history
    if isinstance(genome.learning_rule, SACRule):
        outputs = {"policy": (inputs, 2 * actions)}
        critic = (inputs + actions, 1)
    else:
        outputs = {"policy": (inputs, actions), "value": (inputs, 1)}
        outputs["intrinsic_value"] = outputs["value"]
        critic = (inputs, actions)
    return {tower: outputs.get(tower, critic) for tower in (*genome.towers(), *genome.targets())}


def layer_inputs(architecture: Architecture, inputs: int) -> Iterator[tuple[Layer, Inputs]]:
    """Yield each layer with what it gets, for a tower that reads ``inputs`` numbers."""
    streams = [inputs]
    for i, layer in enumerate(architecture.layers):
        source = streams[layer.source + 1] if -1 <= layer.source < i else 0
        yield layer, Inputs(streams[-1], source, architecture.history if i == 0 else 1)
        streams.append(layer.units if layer.kind in SETS_WIDTH else streams[-1])


def tower_shapes(architecture: Architecture, tower: str, inputs: int, outputs: int) -> Shapes:
    """Return name -> shape of one tower's parameters, in the order of the built network."""
    shapes: Shapes = {}
    width = inputs
    for i, (layer, given) in enumerate(layer_inputs(architecture, inputs)):
        for suffix, shape in KINDS[layer.kind].shapes(layer, given).items():
            shapes[f"{tower}.{i}.{suffix}"] = shape
        width = layer.units if layer.kind in SETS_WIDTH else given.width
    return shapes | linear(f"{tower}.head.", width, outputs)


def parameter_shapes(genome: Genome, observation_size: int, actions: int) -> Shapes:
    """Return name -> shape of every parameter of every tower, targets last."""
    shapes: Shapes = {}
    for tower, sizes in tower_sizes(genome, observation_size, actions).items():
        shapes |= tower_shapes(genome.architecture, tower, *sizes)
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
    """Return the number of weights and biases, targets included; a table starts empty."""
    if isinstance(genome.learning_rule, TableRule):
        return 0
    return sum(map(prod, parameter_shapes(genome, observation_size, actions).values()))


def memory(genome: Genome, observation_size: int, actions: int) -> int:
    """Return the bytes of weights, gradients and optimiser state."""
    return BYTES_PER_PARAMETER * parameters(genome, observation_size, actions)


def tower_flops(genome: Genome, tower: str, observation_size: int, actions: int) -> float:
    """Return the FLOPs of one forward pass of one tower for one observation."""
    inputs, outputs = tower_sizes(genome, observation_size, actions)[tower]
    total, width = 0.0, inputs
    for layer, given in layer_inputs(genome.architecture, inputs):
        total += KINDS[layer.kind].flops(layer, given)
        width = layer.units if layer.kind in SETS_WIDTH else given.width
    return total + multiply(width, outputs)


def forward_flops(genome: Genome, observation_size: int, actions: int) -> float:
    """Return the FLOPs of all towers that learn, for one observation."""
    sizes = (observation_size, actions)
    return sum(tower_flops(genome, tower, *sizes) for tower in at_work(genome))


def at_work(genome: Genome) -> tuple[str, ...]:
    """Towers that learn now: the head of a second stream whose weights are all 0 rests."""
    rule = genome.learning_rule
    if not isinstance(rule, TwoStreamRule):
        return genome.towers()
    endless = any(weight for name, weight in genome.objective if name not in rule.episodic)
    return genome.towers() if endless else TOWERS


def rollout_flops(genome: Genome, observation_size: int, actions: int, steps: int) -> float:
    """Return the FLOPs of acting for ``steps`` environment steps; PPO and A2C value them, too."""
    if isinstance(genome.learning_rule, SACRule):
        return tower_flops(genome, "policy", observation_size, actions) * steps
    return forward_flops(genome, observation_size, actions) * steps


def training_flops(genome: Genome, observation_size: int, actions: int, steps: int) -> float:
    """Return the FLOPs of one update after ``steps`` new steps.

    Learners from rollouts pass all of it ``epochs`` times, forward and backward. Learners from
    replay draw ``gradient_steps`` minibatches: DQN passes its network forward and backward and the
    target forward; SAC its critics forward and backward and their targets forward, its policy
    forward and backward through both critics, and its policy forward for the next action.
    """
    rule, sizes = genome.learning_rule, (observation_size, actions)
    both = (1 + BACKWARD_PER_FORWARD) * (2 if rule.sam_radius else 1)
    both += 1 if rule.replacement_rate else 0  # continual backprop looks at what units put out
    if isinstance(rule, DQNRule):
        drawn = rule.gradient_steps * rule.minibatch
        return drawn * (both + 1) * tower_flops(genome, "q", *sizes)
    if isinstance(rule, SACRule):
        policy, critic = (tower_flops(genome, each, *sizes) for each in ("policy", "q0"))
        each = 2 * critic * (both + 1) + 2 * critic * both + policy * (both + 1)
        return rule.gradient_steps * rule.minibatch * each
    return forward_flops(genome, *sizes) * both * rule.epochs * steps


def table_flops(rule: TableRule, actions: int, steps: int) -> float:
    """Return the FLOPs of acting on and learning into a table of action values.

    A step reads a row to act: one comparison an action. The target reads another: a maximum for
    Q-learning, a maximum and a mean for expected Sarsa, one entry for Sarsa. Discounting, adding
    the reward, the error, the step and the sum are 5 more. Finding a row is no arithmetic.
    """
    target = {"q_learning": actions, "expected_sarsa": 2 * actions, "sarsa": 0}
    return float(actions + target[rule.rule] + 5) * steps


# --- what an agent state was made for -----------------------------------------------------------


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
