"""Adds units whose incoming weights have the largest gradient there can be (GradMax)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.arrays import Array
from agents.contract import AgentState, Edit, EditClaim, EditEvidence, Look, RefusedEditError, View
from agents.edits.widen import OFFERED_LAYERS, WIDEST
from agents.genome import Genome
from agents.surgery import weights
from agents.surgery.weights import Draft


@dataclass(frozen=True)
class WidenGradmax(Edit):
    """Evci et al. 2022: zero incoming weights, outgoing ones along the steepest directions.

    With ``W1_new = 0`` the outputs stay, as ``f(0) = 0``; ``W2_new`` holds the top left singular
    vectors of ``E[dL/dz2 x']``, as long as those of old units on average, which makes the gradient
    of ``W1_new`` as large as that length allows. There are no more directions than outputs: units
    beyond them start as in ``widen``. Behind a rectifier, which has no slope at 0, they would
    stay dead, so it is rejected there.
    """

    part: ClassVar[str] = "architecture"
    adds: ClassVar[frozenset[str] | None] = frozenset()

    layer: int = 0
    units: int = 4

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """A quarter more units for each layer, where there is a rollout to look at."""
        layers = view.genome.architecture.layers[:OFFERED_LAYERS]
        return tuple(
            cls(i, min(max(layer.units // 4, 1), WIDEST - layer.units))
            for i, layer in enumerate(layers)
            if view.look is not None and layer.units < WIDEST and not _problem(view.genome, i)
        )

    def rewrite(self, genome: Genome) -> Genome:
        """Return the genome with the wider layer."""
        layer = weights.the_layer(genome, self.layer)
        problem = _problem(genome, self.layer)
        if problem:
            raise RefusedEditError(problem)
        return weights.with_units(genome, self.layer, layer.units + weights.a_count(self.units))

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Refuse: the directions are those of a rollout."""
        del agent_state, rng
        raise RefusedEditError("growing along gradients needs a rollout to look at")

    def apply_seeing(
        self, agent_state: AgentState, rng: np.random.Generator, evidence: EditEvidence
    ) -> AgentState:
        """Append the units in every tower."""
        self.rewrite(agent_state.genome)
        if evidence.look is None:
            return self.apply(agent_state, rng)
        grown = weights.grow_units(agent_state, self.layer, self.units, rng)
        draft = Draft(grown)
        for tower, both in weights.pairs(agent_state.genome):
            outgoing = self._directions(agent_state, tower, evidence.look)
            for each in both:
                self._place(draft, each, outgoing)
        return draft.agent_state(grown.genome)

    def _directions(self, agent_state: AgentState, tower: str, look: Look) -> Array:
        """Outgoing weights of the new units, float ``[outputs, <= units]``."""
        slope = look.backward(tower, self.layer + 1)
        pull = slope.T @ look.inputs(tower, self.layer) / len(slope)
        found: Array = np.linalg.svd(pull, full_matrices=False)[0][:, : self.units]
        length = float(weights.outgoing_norms(agent_state, self.layer, tower).mean())
        return length * found

    def _place(self, draft: Draft, tower: str, outgoing: Array) -> None:
        count = outgoing.shape[1]
        incoming, reader = f"{tower}.{self.layer}.weight", self._reader(draft, tower)
        first = draft.parameters[incoming].shape[0] - self.units
        weight, out = draft.parameters[incoming].copy(), draft.parameters[reader].copy()
        weight[first : first + count] = 0.0
        out[:, first : first + count] = outgoing
        draft.parameters[incoming], draft.parameters[reader] = weight, out

    def _reader(self, draft: Draft, tower: str) -> str:
        name = f"{tower}.{self.layer + 1}.weight"
        return name if name in draft.parameters else f"{tower}.head.weight"

    def claim(self, genome: Genome) -> EditClaim:
        """The layer has ``units`` more, and the policy is the same up to rounding."""
        units = self.rewrite(genome).architecture.layers[self.layer].units
        return EditClaim({f"architecture.layers.{self.layer}.units": units}, max_logit_change=1e-5)


def _problem(genome: Genome, index: int) -> str | None:
    architecture = genome.architecture
    layers = architecture.layers
    if layers[index].kind != "dense" or layers[index].density < 1:
        return f"layer {index} is no full dense layer"
    behind = layers[index + 1] if index + 1 < len(layers) else None
    if behind is not None and (behind.kind != "dense" or behind.density < 1):
        return f"layer {index + 1} is no full dense layer: its gradient cannot be read"
    if any(each.kind == "skip" for each in layers[index + 1 :]):
        return "a skip comes later: the new units are read by more than one layer"
    if "relu" in {architecture.activation, architecture.next_activation}:
        return "a rectifier has no slope at 0: the new units would stay dead"
    return None
