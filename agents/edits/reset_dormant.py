"""Gives units that no longer respond a fresh start (ReDo, Sokar et al. 2023)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents import surgery
from agents.contract import Claim, Edit, Mind, RefusedEditError, View
from agents.genome import TOWERS, Genome
from agents.orthogonal import drawing_flops

DORMANT = 0.025
"""A unit is dormant at a normalised activation of at most this (ReDo's default tau)."""


@dataclass(frozen=True)
class ResetDormant(Edit):
    """The named units of one tower read anew, with zero bias, unheard, and without moments."""

    part: ClassVar[str] = "architecture"

    layer: int = 0
    units: tuple[int, ...] = ()
    tower: str = "policy"  # the towers' units are no pairs, and a View scores the policy's

    def __post_init__(self) -> None:
        if isinstance(self.units, list):  # as JSON and YAML give it
            object.__setattr__(self, "units", tuple(self.units))

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """All dormant units of a layer, the layer with most of them first."""
        asleep = {
            i: tuple(int(unit) for unit in np.flatnonzero(scores <= DORMANT))
            for i, scores in enumerate(view.unit_scores)
        }
        most = sorted(asleep, key=lambda i: -len(asleep[i]))
        return tuple(cls(layer=i, units=asleep[i]) for i in most if asleep[i])

    def rewrite(self, genome: Genome) -> Genome:
        """Return the same genome, if it has those units."""
        layer = surgery.the_layer(genome, self.layer)
        if self.tower not in TOWERS:
            raise RefusedEditError(f"tower is {' or '.join(TOWERS)}, not {self.tower!r}")
        if not isinstance(self.units, tuple) or not self.units:
            raise RefusedEditError(f"units names at least one unit, not {self.units!r}")
        for unit in self.units:
            if type(unit) is not int or not 0 <= unit < layer.units:
                raise RefusedEditError(
                    f"layer {self.layer} has no unit {unit!r}: the last one is {layer.units - 1}"
                )
        if len(set(self.units)) < len(self.units):
            raise RefusedEditError(f"units names a unit twice: {list(self.units)}")
        return genome

    def apply(self, mind: Mind, rng: np.random.Generator) -> Mind:
        """Reset the units, weights and moments."""
        self.rewrite(mind.genome)
        return surgery.reset_units(mind, self.layer, self.tower, np.array(self.units), rng)

    def claim(self, genome: Genome) -> Claim:
        """The policy is untouched if the value tower is reset.

        Otherwise no promise: a dormant unit is small, not silent, and a genome knows no weights.
        """
        self.rewrite(genome)
        return Claim(max_logit_change=0.0 if self.tower == "value" else None)

    def cost(self, genome: Genome) -> float:
        """Drawing the incoming weights; layer 0 as in ``widen``."""
        widths = genome.architecture.widths()
        return drawing_flops(len(self.units), widths[max(self.layer - 1, 0)])
