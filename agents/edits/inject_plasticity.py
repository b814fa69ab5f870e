"""Freezes a layer as it is and lets a fresh one learn beside it (plasticity injection)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from agents.arrays import Array
from agents.contract import AgentState, Edit, EditClaim, OptimiserMoment, RefusedEditError, View
from agents.genome import Genome, Layer
from agents.models.orthogonal import orthogonal
from agents.surgery import layers as layer_surgery
from agents.surgery import weights

MOST = 4  # injections that an editor is offered; each one adds two layers' cost


@dataclass(frozen=True)
class InjectPlasticity(Edit):
    """``h(x) + (a(x) - a0(x))``, ``a0 = a`` at first and frozen like ``h``: exact to the bit.

    Nikishin et al. 2023 inject the last layers of a network; here it is one dense layer.
    """

    part: ClassVar[str] = "architecture"
    adds: ClassVar[frozenset[str] | None] = frozenset({"injected"})

    layer: int = 0

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """The layers that can be injected, the one nearest to the heads first."""
        layers = view.genome.architecture.layers
        fit = [
            i
            for i, layer in enumerate(layers)
            if not _problem(layer, i) and (layer.kind == "dense" or layer.count < MOST)
        ]
        return tuple(cls(i) for i in reversed(fit))

    def rewrite(self, genome: Genome) -> Genome:
        """Return the genome with one injection more."""
        layer = weights.the_layer(genome, self.layer)
        problem = _problem(layer, self.layer)
        if problem:
            raise RefusedEditError(problem)
        return weights.replaced(genome, self.layer, _injected(layer))

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Inject in every tower; moments of the layer are dropped."""
        layer = self.rewrite(agent_state.genome).architecture.layers[self.layer]
        found: dict[str, Array] = {}
        for tower, both in weights.pairs(agent_state.genome):
            old = layer_surgery.suffixes(agent_state, tower, self.layer)
            weight = old.get("weight", old.get("frozen.weight"))
            if weight is None:
                raise RefusedEditError(f"layer {self.layer} of {tower} has no weight to freeze")
            fresh = orthogonal(rng, *weight.shape).astype(weight.dtype)
            for each in both:
                found |= self._layer(
                    layer_surgery.suffixes(agent_state, each, self.layer), each, layer, fresh
                )
        moments: dict[str, OptimiserMoment] = {}
        return layer_surgery.replace_layer(agent_state, self.layer, layer, found, moments)

    def _layer(
        self, old: dict[str, Array], tower: str, layer: Layer, fresh: Array
    ) -> dict[str, Array]:
        """Every parameter of the injected layer, by full name."""
        kept = {f"frozen.{k}": v for k, v in old.items()} if "weight" in old else dict(old)
        bias = np.zeros(len(fresh), fresh.dtype)
        for name in ("fresh", "base"):
            start = f"{name}.{layer.count - 1}"
            kept |= {f"{start}.weight": fresh.copy(), f"{start}.bias": bias.copy()}
        return {f"{tower}.{self.layer}.{suffix}": value for suffix, value in kept.items()}

    def claim(self, genome: Genome) -> EditClaim:
        """The injection is there, and the policy is the same."""
        layer = self.rewrite(genome).architecture.layers[self.layer]
        return EditClaim(
            {f"architecture.layers.{self.layer}": layer.to_json()}, max_logit_change=1e-5
        )


def _injected(layer: Layer) -> Layer:
    if layer.kind == "dense":
        return replace(layer, kind="injected", count=1)
    return replace(layer, count=layer.count + 1)


def _problem(layer: Layer, index: int) -> str | None:
    if layer.kind not in {"dense", "injected"}:
        return f"layer {index} is {layer.kind}: only a dense layer can be injected"
    return f"layer {index} is sparse: it would grow dense" if layer.density < 1 else None
