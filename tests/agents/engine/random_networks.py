"""Random genomes of every kind of layer that the engine supports, and exact gradients for them."""

from dataclasses import replace

import numpy as np
import torch
from torch import nn

from agents.architecture.cost import layer_inputs
from agents.architecture.validity import architecture_problems
from agents.genome import Architecture, Guard, Layer
from agents.layers import KINDS
from agents.network.bundle import GUARDED
from agents.network.towers import Tower
from tests.agents.small_worlds import CHOICES, SIZE

SUPPORTED = tuple(name for name, kind in KINDS.items() if kind.numpy_pass)


def random_architecture(rng: np.random.Generator) -> Architecture:
    """One to four layers; blends, masks, guards and histories come up in a good part of them.

    At least four units each: a norm of two is ill-conditioned in float32, under torch as well.
    """
    while True:
        found = _attempt(rng)
        if not architecture_problems(found):
            return found


def _attempt(rng: np.random.Generator) -> Architecture:
    history = int(rng.choice([1, 1, 2, 3]))
    found, width = Architecture((), history=history), SIZE * history
    for i in range(rng.integers(1, 5)):
        kind = str(rng.choice(SUPPORTED))
        units = width if kind in {"norm", "skip"} else int(rng.integers(4, 20))
        layer = Layer(kind, units)
        if kind == "skip":
            layer = replace(layer, source=int(rng.integers(-1, i)) if i else -1)
        if kind == "dense" and rng.random() < 0.3:
            layer = replace(layer, density=float(rng.uniform(0.2, 0.9)))
        found = replace(found, layers=(*found.layers, layer))
        width = units if KINDS[kind].sets_width else width
    old, new = rng.permutation(["tanh", "relu"])
    found = replace(found, activation=str(old))
    if rng.random() < 0.3:
        found = replace(found, next_activation=str(new), blend=float(rng.uniform(0.1, 0.9)))
    if rng.random() < 0.3:
        guards = (Guard("mask", 3.0, int(rng.integers(CHOICES)), 1, 0.0), Guard("clamp", 0.4))
        found = replace(found, guards=guards[: rng.integers(1, 3)])
    return found


def torch_towers(learner, names, dtype=torch.float64) -> dict[str, Tower]:
    """The learner's towers as torch modules of their own, masks included."""
    state = learner.agent_state()
    found = {}
    for name in names:
        found[name] = tower = Tower(guarded=name in GUARDED)
        parameters = {
            key.removeprefix(f"{name}."): nn.Parameter(torch.tensor(each, dtype=dtype))
            for key, each in state.parameters.items()
            if key.startswith(f"{name}.")
        }
        masks = {
            key.removeprefix(f"mask/{name}.").replace("weight", "mask"): torch.tensor(each).to(
                dtype
            )
            for key, each in state.buffers.items()
            if key.startswith(f"mask/{name}.")
        }
        tower.assign(learner.genome.architecture, parameters, masks)
    return found


def shaken(learner, rng: np.random.Generator) -> None:
    """Move every weight at random, so that no gate is closed and no bias is 0; masks hold."""
    state = learner.agent_state()
    moved = {}
    for name, each in state.parameters.items():
        drawn = each + 0.3 * rng.standard_normal(each.shape)
        moved[name] = (drawn * state.buffers.get(f"mask/{name}", 1.0)).astype(np.float32)
    learner.install(replace(state, parameters=moved))


def kinds_of(architecture: Architecture) -> set[str]:
    return {layer.kind for layer, _ in layer_inputs(architecture, SIZE)}
