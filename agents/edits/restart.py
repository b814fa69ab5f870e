"""Begins again: fresh weights and no memory of learning, under other numbers or another trunk."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from agents.architecture.cost import parameter_shapes, sizes
from agents.architecture.initial import initial_buffers, initial_parameters
from agents.contract import AgentState, Edit, EditClaim, RefusedEditError, View
from agents.editing.mutation import number_problem
from agents.genome import VALUED, Genome, Layer, TableRule
from agents.models.orthogonal import drawing_flops


@dataclass(frozen=True)
class Restart(Edit):
    """The agent starts again in the same world; what objectives have learned, and replay, stay.

    ``numbers``: pairs of name and new value of the learning rule, the discount excepted, which says
    what the agent values. ``trunk``: units of the dense layers that replace all layers; empty: the
    layers stay. With neither, the same agent is initialised again.
    """

    part: ClassVar[str] = "learning_rule"
    also: ClassVar[tuple[str, ...]] = ("architecture",)
    adds: ClassVar[frozenset[str] | None] = frozenset({"dense"})

    numbers: tuple[tuple[str, float], ...] = ()
    trunk: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.numbers, list | tuple):  # lists, as JSON and YAML give them
            pairs = (tuple(each) if isinstance(each, list) else each for each in self.numbers)
            object.__setattr__(self, "numbers", tuple(pairs))
        if isinstance(self.trunk, list):
            object.__setattr__(self, "trunk", tuple(self.trunk))

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """The same agent, initialised again."""
        return () if isinstance(view.genome.learning_rule, TableRule) else (cls(),)

    def rewrite(self, genome: Genome) -> Genome:
        """Return the genome with the new numbers and layers."""
        if isinstance(genome.learning_rule, TableRule):
            raise RefusedEditError("a table has no weights that could be drawn again")
        rule = replace(genome.learning_rule, **self._new(genome))
        return replace(genome, learning_rule=rule, architecture=self._architecture(genome))

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Return an initial agent state, with the weights' types of the old one."""
        genome = self.rewrite(agent_state.genome)
        found = initial_parameters(genome, *sizes(agent_state), rng)
        return AgentState(genome, found, {}, initial_buffers(genome, found, rng))

    def claim(self, genome: Genome) -> EditClaim:
        """The numbers and layers are the new ones; nothing of the policy is kept."""
        after = self.rewrite(genome).to_json()
        changes: dict[str, Any] = {f"learning_rule.{k}": v for k, v in self._new(genome).items()}
        if self.trunk:
            changes["architecture.layers"] = after["architecture"]["layers"]
        return EditClaim(changes)

    def cost(self, genome: Genome) -> float:
        """Drawing every matrix; an observation counts as wide as the first layer, as in ``widen``.

        Of actions, which a genome does not know, there is one.
        """
        after = self.rewrite(genome)
        widths = after.architecture.widths() or (1,)
        shapes = parameter_shapes(after, max(widths[0], 1), 1)
        return math.fsum(drawing_flops(*each) for each in shapes.values() if len(each) == 2)  # noqa: PLR2004

    def _architecture(self, genome: Genome) -> Any:
        if not isinstance(self.trunk, tuple) or any(type(each) is not int for each in self.trunk):
            raise RefusedEditError(f"trunk is a list of whole numbers, not {self.trunk!r}", "trunk")
        if any(each < 1 for each in self.trunk):
            raise RefusedEditError(f"a layer has at least one unit: {list(self.trunk)}")
        if not self.trunk:
            return genome.architecture
        return replace(genome.architecture, layers=tuple(Layer("dense", n) for n in self.trunk))

    def _new(self, genome: Genome) -> dict[str, Any]:
        """The numbers by name, checked."""
        found: dict[str, Any] = {}
        for pair in self.numbers if isinstance(self.numbers, tuple) else (self.numbers,):
            match pair:
                case (str(name), value) if isinstance(pair, tuple):
                    pass
                case _:
                    raise RefusedEditError(
                        f"numbers are pairs of name and value, not {pair!r}", "numbers"
                    )
            if name in found:
                raise RefusedEditError(f"numbers names {name} twice", "numbers")
            if name in VALUED:
                raise RefusedEditError(f"{name} says what the agent values: see set_discount")
            problem = number_problem(genome.learning_rule, name, value)
            if problem:
                raise RefusedEditError(problem)
            found[name] = value
        return found
