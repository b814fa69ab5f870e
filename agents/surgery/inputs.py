"""More past observations as inputs of the first layer: new columns of zeros change no output."""

from dataclasses import replace

import numpy as np

from agents.architecture.cost import sizes
from agents.contract import AgentState
from agents.genome import Genome
from agents.layers import KINDS
from agents.surgery import weights
from agents.surgery.weights import Draft


def with_history(genome: Genome, history: int) -> Genome:
    """Return the genome that sees ``history`` observations at once."""
    return replace(genome, architecture=replace(genome.architecture, history=history))


def history_problem(genome: Genome) -> str | None:
    """Return why this agent cannot be given more of its past, or ``None``."""
    layers = genome.architecture.layers
    if not layers:
        return "this agent has no layers"
    if layers[0].kind not in {"dense", "mixture", "injected"}:
        return f"layer 0 is {layers[0].kind}: it reads observations of a fixed number"
    if layers[0].density < 1:
        return "layer 0 is sparse: new columns would change its share of edges"
    return None


def lengthen(agent_state: AgentState, history: int) -> AgentState:
    """See the last ``history`` observations, newest first; the older ones have weight 0 at first.

    A critic that also reads the action keeps the action last.
    """
    was = agent_state.genome.architecture.history
    size = sizes(agent_state)[0]
    draft, layers = Draft(agent_state), agent_state.genome.architecture.layers
    for tower in (*agent_state.genome.towers(), *agent_state.genome.targets()):
        places = [f"0.{suffix}" for suffix, *_ in KINDS[layers[0].kind].stream(layers[0])]
        for i, layer in enumerate(layers):
            if layer.kind == "skip" and weights.stream_of(layers, layer.source) == -1:
                places.append(f"{i}.weight")
        for place in places:
            _columns(draft, f"{tower}.{place}", size * was, size * (history - was))
    return draft.agent_state(with_history(agent_state.genome, history))


def _columns(draft: Draft, name: str, at: int, count: int) -> None:
    """Append columns of zeros, then move them to where the older observations belong."""
    old = draft.parameters[name]
    draft.append(name, np.zeros((old.shape[0], count), old.dtype), 1)
    order = np.concatenate(
        [np.arange(at), np.arange(old.shape[1], old.shape[1] + count), np.arange(at, old.shape[1])]
    )
    draft.parameters[name] = draft.parameters[name][:, order]
    if name in draft.moments:
        moment = draft.moments[name]
        draft.moments[name] = replace(
            moment, first=moment.first[:, order], second=moment.second[:, order]
        )
    if f"birth/{name}" in draft.buffers:
        draft.buffers[f"birth/{name}"] = draft.buffers[f"birth/{name}"][:, order]
