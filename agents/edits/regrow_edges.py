"""Drops the smallest weights of a sparse layer and grows as many edges elsewhere (RigL, SET)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from agents.arrays import Array
from agents.contract import AgentState, Edit, EditClaim, EditEvidence, RefusedEditError, View
from agents.genome import Genome
from agents.surgery import weights
from agents.surgery.weights import Draft

OFFERED_LAYERS = 8


@dataclass(frozen=True)
class RegrowEdges(Edit):
    """The number of edges, and so the cost, stays what it is. New weights are 0: growing is exact.

    ``by: gradient`` grows where the loss is steepest (RigL, Evci et al. 2020) and needs a rollout;
    ``by: chance`` anywhere (SET, Mocanu et al. 2018). Moments of changed edges become 0.
    """

    part: ClassVar[str] = "architecture"
    adds: ClassVar[frozenset[str] | None] = frozenset()

    layer: int = 0
    share: float = 0.3  # of the layer's edges
    by: Literal["gradient", "chance"] = "chance"

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """Each sparse layer; by gradient where there is one."""
        by: Literal["gradient", "chance"] = "chance" if view.look is None else "gradient"
        layers = view.genome.architecture.layers[:OFFERED_LAYERS]
        return tuple(cls(i, by=by) for i, each in enumerate(layers) if each.density < 1)

    def rewrite(self, genome: Genome) -> Genome:
        """Return the same genome, if the layer is sparse."""
        layer = weights.the_layer(genome, self.layer)
        if layer.density == 1:
            raise RefusedEditError(f"layer {self.layer} has all its edges: nothing can be regrown")
        if type(self.share) is not float or not 0 < self.share <= 1:
            raise RefusedEditError(f"share is above 0, at most 1, not {self.share!r}", "share")
        if self.by not in {"gradient", "chance"}:
            raise RefusedEditError(f"by is gradient or chance, not {self.by!r}", "by")
        return genome

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Regrow by chance. Raises ``RefusedEditError`` by gradient: that takes evidence."""
        self.rewrite(agent_state.genome)
        if self.by == "gradient":
            raise RefusedEditError("growing by gradient needs a rollout to look at")
        return self._regrown(agent_state, {}, rng)

    def apply_seeing(
        self, agent_state: AgentState, rng: np.random.Generator, evidence: EditEvidence
    ) -> AgentState:
        """Regrow by the gradient of the last rollout, or by chance."""
        if self.by == "chance" or evidence.look is None:
            return self.apply(agent_state, rng)
        self.rewrite(agent_state.genome)
        return self._regrown(agent_state, dict(evidence.look.gradients()), rng)

    def _regrown(
        self, agent_state: AgentState, gradients: dict[str, Array], rng: np.random.Generator
    ) -> AgentState:
        draft = Draft(agent_state)
        for tower, both in weights.pairs(agent_state.genome):
            name = f"{tower}.{self.layer}.weight"
            mask, weight = agent_state.buffers[f"mask/{name}"], agent_state.parameters[name]
            chance = rng.random(weight.shape)
            wanted = np.abs(gradients[name]) if name in gradients else chance
            gone, come = _exchange(mask, np.abs(weight), wanted, self.share)
            for each in both:
                self._move(draft, f"{each}.{self.layer}.weight", gone, come)
        return draft.agent_state(agent_state.genome)

    def _move(self, draft: Draft, name: str, gone: Array, come: Array) -> None:
        weight, mask = draft.parameters[name].copy(), draft.buffers[f"mask/{name}"].copy()
        weight.flat[gone] = weight.flat[come] = 0.0
        mask.flat[gone], mask.flat[come] = 0.0, 1.0
        draft.parameters[name], draft.buffers[f"mask/{name}"] = weight, mask
        if name in draft.moments:
            was = draft.moments[name]
            first, second = was.first.copy(), was.second.copy()
            for array in (first, second):
                array.flat[gone] = array.flat[come] = 0.0
            draft.moments[name] = replace(was, first=first, second=second)

    def claim(self, genome: Genome) -> EditClaim:
        """As many edges as before; what dropping does to the policy is measured."""
        density = self.rewrite(genome).architecture.layers[self.layer].density
        return EditClaim({f"architecture.layers.{self.layer}.density": density})


def _exchange(mask: Array, size: Array, wanted: Array, share: float) -> tuple[Array, Array]:
    """Flat indices of the edges that go (the smallest) and that come (the most wanted)."""
    there, free = np.flatnonzero(mask), np.flatnonzero(mask == 0)
    count = min(max(round(share * len(there)), 1), len(free))
    gone = there[np.argsort(size.flat[there], kind="stable")[:count]]
    come = free[np.argsort(-wanted.flat[free], kind="stable")[:count]]
    return gone, come
