"""Gives units that no longer respond a fresh start (ReDo, Sokar et al. 2023)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.arrays import Array
from agents.contract import AgentState, Edit, EditClaim, EditEvidence, Look, RefusedEditError, View
from agents.genome import Genome
from agents.layers import KINDS
from agents.models.orthogonal import drawing_flops
from agents.surgery import weights

DORMANT = 0.025
"""A unit is dormant at a normalised activation of at most this (ReDo's default tau)."""
EVERY_LAYER, EVERY_TOWER = -1, "all"


@dataclass(frozen=True)
class ResetDormant(Edit):
    """The named units of one tower get new incoming, zero outgoing weights, zero bias, no moments.

    ``layer: -1`` names no units: those of every layer that are dormant in the last rollout are
    reset, in ``tower``, or in every tower that learns with ``tower: all``.
    """

    part: ClassVar[str] = "architecture"
    adds: ClassVar[frozenset[str] | None] = frozenset()

    layer: int = 0
    units: tuple[int, ...] = ()
    tower: str = (
        "policy"  # units of towers do not correspond; a View scores those of the first tower
    )

    def __post_init__(self) -> None:
        if isinstance(self.units, list):  # as JSON and YAML give it
            object.__setattr__(self, "units", tuple(self.units))

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """All dormant units of each layer, the layer with most of them first."""
        dormant = {
            i: tuple(int(unit) for unit in np.flatnonzero(scores <= DORMANT))
            for i, scores in enumerate(view.unit_scores)
            if KINDS[view.genome.architecture.layers[i].kind].grows
        }
        most = sorted(dormant, key=lambda i: -len(dormant[i]))
        tower = next(iter(view.genome.towers()), "policy")
        return tuple(cls(layer=i, units=dormant[i], tower=tower) for i in most if dormant[i])

    def rewrite(self, genome: Genome) -> Genome:
        """Return the same genome, if it has those units."""
        if self.layer == EVERY_LAYER and type(self.layer) is int:
            self._check_tower(genome, EVERY_TOWER)
            if self.units != ():
                raise RefusedEditError("layer -1 finds its units itself: name none")
            return genome
        layer = weights.the_layer(genome, self.layer)
        self._check_tower(genome)
        if not KINDS[layer.kind].grows:
            raise RefusedEditError(
                f"layer {self.layer} is {layer.kind}: it has no units of its own"
            )
        if not isinstance(self.units, tuple) or not self.units:
            raise RefusedEditError(f"units names at least one unit, not {self.units!r}", "units")
        for unit in self.units:
            if type(unit) is not int or not 0 <= unit < layer.units:
                raise RefusedEditError(
                    f"layer {self.layer} has no unit {unit!r}: the last one is {layer.units - 1}"
                )
        if len(set(self.units)) < len(self.units):
            raise RefusedEditError(f"units names a unit twice: {list(self.units)}", "units")
        return genome

    def _check_tower(self, genome: Genome, *more: str) -> None:
        known = (*genome.towers(), *more)
        if self.tower not in known:
            raise RefusedEditError(f"tower is {' or '.join(known)}, not {self.tower!r}", "tower")

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Reset the named units, weights and moments."""
        self.rewrite(agent_state.genome)
        if self.layer == EVERY_LAYER:
            raise RefusedEditError("nothing was learned yet: there is no rollout to look at")
        return weights.reset_units(agent_state, self.layer, self.tower, np.array(self.units), rng)

    def apply_seeing(
        self, agent_state: AgentState, rng: np.random.Generator, evidence: EditEvidence
    ) -> AgentState:
        """Reset the named units, or those found dormant. Rejected where there is none."""
        if self.layer != EVERY_LAYER or evidence.look is None:
            return self.apply(agent_state, rng)
        self.rewrite(agent_state.genome)
        found = list(self._dormant(agent_state.genome, evidence.look))
        if not found:
            raise RefusedEditError("no unit is dormant")
        for tower, layer, units in found:
            agent_state = weights.reset_units(agent_state, layer, tower, units, rng)
        return agent_state

    def _dormant(self, genome: Genome, look: Look) -> Iterator[tuple[str, int, Array]]:
        """(tower, layer, units) that are dormant in the last rollout."""
        towers = genome.towers() if self.tower == EVERY_TOWER else (self.tower,)
        for tower in towers:
            for layer in _with_units(genome):
                size = np.abs(look.activations(tower, layer)).mean(0)
                units = np.flatnonzero(size <= DORMANT * size.mean())
                if len(units):
                    yield tower, layer, units

    def claim(self, genome: Genome) -> EditClaim:
        """The policy is untouched if the value tower is reset.

        Otherwise no claim: a dormant unit's output is small, not 0, and a genome has no weights.
        """
        self.rewrite(genome)
        return EditClaim(max_logit_change=0.0 if self.tower == "value" else None)

    def cost(self, genome: Genome) -> float:
        """Drawing the incoming weights; layer 0 as in ``widen``.

        With ``layer: -1`` the units are not known in advance, so all are charged.
        """
        if self.layer != EVERY_LAYER:
            return _drawing(genome, self.layer, len(self.units))
        towers = len(genome.towers()) if self.tower == EVERY_TOWER else 1
        layers = genome.architecture.layers
        return towers * sum(_drawing(genome, i, layers[i].units) for i in _with_units(genome))


def _with_units(genome: Genome) -> list[int]:
    """Layers that have units of their own."""
    layers = genome.architecture.layers
    return [i for i, layer in enumerate(layers) if KINDS[layer.kind].grows]


def _drawing(genome: Genome, layer: int, units: int) -> float:
    widths = genome.architecture.widths()
    return drawing_flops(units, max(widths[max(layer - 1, 0)], 1))
