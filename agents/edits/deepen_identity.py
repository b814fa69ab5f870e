"""Inserts a dense layer that passes on what it gets (Net2DeeperNet): exact for ReLU only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.arrays import Array
from agents.contract import AgentState, Edit, EditClaim, RefusedEditError, View
from agents.edits.deepen import DEEPEST
from agents.genome import Genome, Layer
from agents.part_settings import PlacedProblem
from agents.surgery import weights
from agents.surgery.layers import insert_layer
from agents.surgery.weights import Draft


@dataclass(frozen=True)
class DeepenIdentity(Edit):
    """``W = I``, ``b = 0`` behind a dense layer (Chen, Goodfellow & Shlens 2016).

    Behind tanh, which is no identity, ``W = epsilon I`` and the weights that read it are divided
    by ``epsilon``: an error of about ``epsilon^2 |x|^3 / 3``, and gradients of ``1 / epsilon``.
    ``deepen`` is exact for any activation.
    """

    part: ClassVar[str] = "architecture"
    adds: ClassVar[frozenset[str] | None] = frozenset()  # it copies the one before it

    after: int = 0
    epsilon: float = 0.01

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """One behind each dense layer."""
        layers = view.genome.architecture.layers
        if len(layers) >= DEEPEST:
            return ()
        return tuple(cls(i) for i in range(len(layers)) if not _problem(view.genome, i))

    def rewrite(self, genome: Genome) -> Genome:
        """Return the genome with one dense layer more."""
        layer, problem = weights.the_layer(genome, self.after), _problem(genome, self.after)
        if type(self.epsilon) is not float or not 0 < self.epsilon <= 1:
            problem = PlacedProblem(
                f"epsilon is a number above 0, at most 1, not {self.epsilon!r}", "epsilon"
            )
        if problem:
            raise RefusedEditError(problem)
        return weights.with_layer(genome, self.after + 1, Layer("dense", layer.units))

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Insert it in every tower."""
        genome = self.rewrite(agent_state.genome)
        scale = self._scale(agent_state.genome)
        place, units = self.after + 1, agent_state.genome.architecture.layers[self.after].units

        def values(tower: str, shapes: Mapping[str, tuple[int, ...]]) -> Mapping[str, Array]:
            del tower, shapes
            return {"weight": scale * np.eye(units), "bias": np.zeros(units)}

        draft = Draft(insert_layer(agent_state, place, Layer("dense", units), rng, values))
        for tower in (*genome.towers(), *genome.targets()):
            for seat in weights.seats(genome.architecture, place, tower):
                if seat.role == "outgoing":
                    _louder(draft, seat.name, 1 / scale)
        return draft.agent_state(genome)

    def claim(self, genome: Genome) -> EditClaim:
        """The layer is there; for ReLU the policy is the same up to rounding."""
        layers = self.rewrite(genome).architecture.layers
        changes = {
            f"architecture.layers.{i}": layers[i].to_json()
            for i in range(self.after + 1, len(layers))
        }
        return EditClaim(changes, 1e-5 if self._scale(genome) == 1 else None)

    def _scale(self, genome: Genome) -> float:
        return 1.0 if genome.architecture.activation == "relu" else self.epsilon


def _louder(draft: Draft, name: str, factor: float) -> None:
    """Scale weights and drop their moments, which no longer fit."""
    if factor == 1:
        return
    weight = draft.parameters[name]
    draft.parameters[name] = (weight * factor).astype(weight.dtype)
    draft.moments.pop(name, None)


def _problem(genome: Genome, after: int) -> str | None:
    architecture = genome.architecture
    if architecture.layers[after].kind != "dense":
        return f"layer {after} is {architecture.layers[after].kind}: only behind a dense layer"
    if architecture.next_activation is not None:
        return "the activation is being swapped: no layer is an identity then"
    if any(each.kind != "dense" for each in weights.readers(architecture, after)):
        return f"another layer than a dense one reads layer {after}"
    if any(each.density < 1 for each in weights.readers(architecture, after)):
        return f"a sparse layer reads layer {after}"
    return None
