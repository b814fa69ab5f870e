"""Agent states for tests: random ones, the shape they must have, what they compute, by the book."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from agents.architecture.cost import parameter_shapes
from agents.architecture.initial import refit_masks, trainable
from agents.arrays import Array
from agents.contract import AgentState, Look, OptimiserMoment, View
from agents.genome import SETS_WIDTH, TOWERS, Architecture, Genome, Layer, LearningRule

OBSERVATION, ACTIONS = 5, 3

layers = st.builds(Layer, st.sampled_from(["dense", "residual"]), st.integers(1, 6))
architectures = st.builds(
    lambda first, rest, activation: Architecture((Layer("dense", first), *rest), activation),
    st.integers(1, 6),
    st.lists(layers, max_size=4),
    st.sampled_from(["tanh", "relu"]),
)
genomes = st.builds(
    Genome, architectures, st.builds(LearningRule, learning_rate=st.floats(1e-5, 1e-2))
)


@st.composite
def any_architecture(draw: st.DrawFn) -> Architecture:
    """Up to four layers of any kinds that fit behind each other."""
    history = draw(st.integers(1, 3))
    found = [draw(_setting_width)]
    for _ in range(draw(st.integers(0, 3))):
        width = [each for each in found if each.kind in SETS_WIDTH][-1].units
        kind = draw(st.sampled_from(["dense", "residual", "norm", "skip", "attention"]))
        if kind == "dense":
            found.append(draw(_setting_width))
        elif kind == "residual":
            found.append(Layer("residual", draw(st.integers(1, 4))))
        elif kind == "attention":
            tokens = draw(st.sampled_from([n for n in (1, 2, 3) if width % n == 0]))
            found.append(Layer("attention", draw(st.integers(1, 3)), count=2, tokens=tokens))
        else:
            source = draw(st.integers(-1, len(found) - 1)) if kind == "skip" else -1
            found.append(Layer(kind, width, source=source))
    if history > 1 and draw(st.booleans()):
        found = [replace(each, source=each.source + (each.source >= 0)) for each in found]
        found.insert(0, Layer("memory", draw(st.integers(1, 4))))
    blended = draw(st.booleans())
    return Architecture(
        tuple(found),
        draw(st.just("tanh") if blended else st.sampled_from(["tanh", "relu"])),
        "relu" if blended else None,
        0.25 if blended else 0.0,
        history,
    )


_setting_width = st.one_of(
    st.builds(Layer, st.just("dense"), st.integers(1, 6)),
    st.builds(Layer, st.just("dense"), st.integers(2, 6), density=st.floats(0.2, 0.9)),
    st.builds(Layer, st.just("mixture"), st.integers(1, 5), count=st.integers(1, 3)),
    st.builds(Layer, st.just("injected"), st.integers(1, 5), count=st.integers(1, 2)),
)
any_genomes = st.builds(Genome, any_architecture())


def shapes(genome: Genome) -> dict[str, tuple[int, ...]]:
    """Shape of every parameter this genome must have; by the book for the two plain kinds."""
    if {each.kind for each in genome.architecture.layers} - {"dense", "residual"}:
        return parameter_shapes(genome, OBSERVATION, ACTIONS)
    found: dict[str, tuple[int, ...]] = {}
    for tower, outputs in zip(TOWERS, (ACTIONS, 1), strict=True):
        width = OBSERVATION * genome.architecture.history
        for i, layer in enumerate(genome.architecture.layers):
            if layer.kind == "dense":
                found |= _linear(f"{tower}.{i}", width, layer.units)
                width = layer.units
            else:
                found |= _linear(f"{tower}.{i}.inner", width, layer.units)
                found |= _linear(f"{tower}.{i}.outer", layer.units, width)
        found |= _linear(f"{tower}.head", width, outputs)
    return found


def _linear(name: str, inputs: int, outputs: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def an_agent_state(
    genome: Genome, seed: int = 0, dtype: type = np.float64, stepped: bool = True
) -> AgentState:
    """Random weights and, if stepped, moments after 7 steps."""
    rng = np.random.default_rng(seed)
    wanted = shapes(genome)
    parameters = {name: rng.standard_normal(shape).astype(dtype) for name, shape in wanted.items()}
    moments = {
        name: OptimiserMoment(
            rng.standard_normal(shape).astype(dtype), rng.random(shape).astype(dtype), step=7.0
        )
        for name, shape in wanted.items()
    }
    frozen = [name for name in wanted if not trainable(genome, name)]
    moments = {name: each for name, each in moments.items() if name not in frozen}
    return refit_masks(AgentState(genome, parameters, moments if stepped else {}), rng)


def forward(agent_state: AgentState, observations: Array) -> dict[str, Array]:
    """Outputs of both towers as the layer kinds are defined; complex numbers pass through."""
    return {tower: _tower(agent_state, tower, observations) for tower in TOWERS}


def _tower(agent_state: AgentState, tower: str, observations: Array) -> Array:
    architecture = agent_state.genome.architecture
    known = {"tanh": np.tanh, "relu": lambda z: np.where(z.real > 0, z, 0)}
    old, new = (known.get(str(n)) for n in (architecture.activation, architecture.next_activation))
    a = architecture.blend
    f = old if new is None else lambda z: (1 - a) * old(z) + a * new(z)
    x, streams = observations, [observations]
    for i, layer in enumerate(architecture.layers):
        x = _layer(agent_state, f"{tower}.{i}", layer, x, f, streams)
        streams.append(x)
    return _apply(agent_state.parameters, f"{tower}.head", x)


def _layer(agent_state, here, layer, x, f, streams):  # noqa: PLR0911, PLR0917
    p = agent_state.parameters
    if layer.kind == "dense":
        mask = agent_state.buffers.get(f"mask/{here}.weight", 1.0)
        return f(x @ (p[f"{here}.weight"] * mask).T + p[f"{here}.bias"])
    if layer.kind == "residual":
        return x + _apply(p, f"{here}.outer", f(_apply(p, f"{here}.inner", x)))
    if layer.kind == "norm":
        spread = np.sqrt(((x - x.mean(1, keepdims=True)) ** 2).mean(1, keepdims=True) + 1e-5)
        return (x - x.mean(1, keepdims=True)) / spread * p[f"{here}.weight"] + p[f"{here}.bias"]
    if layer.kind == "skip":
        return x + p[f"{here}.gate"] * (streams[layer.source + 1] @ p[f"{here}.weight"].T)
    if layer.kind == "mixture":
        gates = np.exp(_apply(p, f"{here}.gate", x))
        said = [f(_apply(p, f"{here}.expert.{k}", x)) for k in range(layer.count)]
        return sum(gates[:, [k]] * each for k, each in enumerate(said)) / gates.sum(1)[:, None]
    if layer.kind == "injected":
        pairs = [(f"{here}.fresh.{i}", f"{here}.base.{i}") for i in range(layer.count)]
        added = sum(f(_apply(p, fresh, x)) - f(_apply(p, base, x)) for fresh, base in pairs)
        return f(_apply(p, f"{here}.frozen", x)) + added
    if layer.kind == "attention":
        return _attention(p, here, layer, x)
    return _memory(p, here, x, agent_state.genome.architecture.history)


def _attention(p, here, layer, x):
    out = x.astype(complex) if np.iscomplexobj(x) else x.copy()
    tokens = x.reshape(len(x), layer.tokens, -1)
    size, u = tokens.shape[2], layer.units
    for row in range(len(x)):
        heads = []
        for h in range(layer.count):
            part = slice(h * u, (h + 1) * u)
            q, k, v = (tokens[row] @ p[f"{here}.{n}.weight"][part].T for n in _QKV)
            shares = np.exp(q @ k.T / np.sqrt(u))
            heads.append(shares / shares.sum(1, keepdims=True) @ v)
        added = np.concatenate(heads, 1) @ p[f"{here}.outer.weight"].T + p[f"{here}.outer.bias"]
        out[row] += added.reshape(layer.tokens * size)
    return out


_QKV = ("query", "key", "value")


def _memory(p, here, x, history):
    frames = np.split(x, history, axis=1)
    h = np.zeros((len(x), len(p[f"{here}.reset.bias"])))
    for seen in reversed(frames):
        r, z = (
            1 / (1 + np.exp(-_apply(p, f"{here}.{g}", seen) - h @ p[f"{here}.{g}.recurrent"].T))
            for g in ("reset", "update")
        )
        c = np.tanh(
            _apply(p, f"{here}.candidate", seen) + (r * h) @ p[f"{here}.candidate.recurrent"].T
        )
        h = (1 - z) * c + z * h
    return x + _apply(p, f"{here}.outer", h)


def _apply(parameters: Mapping[str, Array], name: str, x: Array) -> Array:
    return x @ parameters[f"{name}.weight"].T + parameters[f"{name}.bias"]


def gradients(
    agent_state: AgentState, observations: Array, pull: Mapping[str, Array]
) -> dict[str, Array]:
    """d(sum of pull * outputs)/d(parameter), by complex steps: exact, no code of ours in it."""
    found = {}
    for name, value in agent_state.parameters.items():
        tower = name.partition(".")[0]
        slope = np.zeros(value.shape)
        for place in np.ndindex(value.shape):
            moved = value.astype(complex)
            moved[place] += 1e-200j
            nudged = AgentState(
                agent_state.genome, {**agent_state.parameters, name: moved}, {}, agent_state.buffers
            )
            outputs = forward(nudged, observations)[tower]
            slope[place] = (outputs.imag * pull[tower]).sum() / 1e-200
        found[name] = slope
    return found


def distance(one: AgentState, other: AgentState, observations: Array) -> float:
    """Largest difference of any output, relative to the largest output or 1."""
    before, after = forward(one, observations), forward(other, observations)
    return max(
        float(np.max(np.abs(before[t] - after[t])) / max(1.0, np.max(np.abs(before[t]))))
        for t in TOWERS
    )


def same(one: AgentState, other: AgentState) -> bool:
    """Equal to the bit: genome, weights, moments."""
    return (
        one.genome == other.genome
        and _same_arrays(one.parameters, other.parameters)
        and _same_arrays(one.values, other.values)
        and one.moments.keys() == other.moments.keys()
        and all(
            np.array_equal(mine.first, other.moments[name].first)
            and np.array_equal(mine.second, other.moments[name].second)
            and mine.step == other.moments[name].step
            for name, mine in one.moments.items()
        )
    )


def _same_arrays(one: Mapping[str, Array], other: Mapping[str, Array]) -> bool:
    return one.keys() == other.keys() and all(
        one[name].dtype == other[name].dtype and np.array_equal(one[name], other[name])
        for name in one
    )


def frozen_copy(agent_state: AgentState) -> AgentState:
    """A deep copy; the arrays of the original become read-only, so any write in place raises."""
    parameters = {name: value.copy() for name, value in agent_state.parameters.items()}
    moments = {
        name: OptimiserMoment(each.first.copy(), each.second.copy(), each.step)
        for name, each in agent_state.moments.items()
    }
    values = {name: each.copy() for name, each in agent_state.values.items()}
    for value in (*agent_state.parameters.values(), *agent_state.values.values()):
        value.flags.writeable = False
    for each in agent_state.moments.values():
        each.first.flags.writeable = each.second.flags.writeable = False
    return AgentState(agent_state.genome, parameters, moments, dict(agent_state.buffers), values)


def a_view(genome: Genome, update: int = 4, dormant: int = 1, **changes: object) -> View:
    """What an editor sees: the first ``dormant`` units of every layer sleep."""
    scores = [np.ones(layer.units) for layer in genome.architecture.layers]
    for each in scores:
        each[:dormant] = 0.0
    settings = {
        "genome": genome,
        "update": update,
        "flops": 1e6 * update,
        "flops_left": float("inf"),
        "returns": (0.0,) * update,
        "dormancy": tuple(float(np.mean(each <= 0.025)) for each in scores),
        "unit_scores": tuple(scores),
        "gradient_norm": 1.0,
    }
    return View(**(settings | changes))


class AnyLook(Look):
    """A rollout of noise, seen by an agent of this genome: right in shape, of no account."""

    def __init__(self, genome: Genome) -> None:
        self._genome = genome
        self._rng = np.random.default_rng(0)
        self.observations = self._draw(OBSERVATION * genome.architecture.history)

    def gradients(self) -> Mapping[str, Array]:
        rng = np.random.default_rng(1)
        return {name: rng.standard_normal(each) for name, each in shapes(self._genome).items()}

    def inputs(self, tower: str, layer: int) -> Array:
        widths = (self.observations.shape[1], *self._genome.architecture.widths())
        return self._draw(widths[layer])

    def activations(self, tower: str, layer: int) -> Array:
        return self._draw(self._genome.architecture.layers[layer].units)

    def backward(self, tower: str, layer: int) -> Array:
        layers = self._genome.architecture.layers
        heads = {"policy": ACTIONS, "value": 1}
        return self._draw(layers[layer].units if layer < len(layers) else heads[tower])

    def step_length(self, optimiser: str) -> float:
        return {"adam": 2.0, "adamw": 2.0, "rmsprop": 3.0, "sgd": 0.5}[optimiser]

    def _draw(self, width: int) -> Array:
        return self._rng.standard_normal((32, width))
