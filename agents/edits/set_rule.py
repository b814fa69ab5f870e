"""Sets several numbers of the learning rule at once; the discount is not one of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from agents.contract import AgentState, Edit, EditClaim, RefusedEditError, View
from agents.editing.mutation import OFFERED, number_problem, tunable
from agents.genome import VALUED, Genome

FACTORS = (0.8, 1.25)


@dataclass(frozen=True)
class SetRule(Edit):
    """``numbers``: pairs of name and new value. Weights and moments stay.

    The discount looks like one of these numbers, but it says what the agent values: it is rejected
    here, and ``set_discount`` is an edit of the objective.
    """

    part: ClassVar[str] = "learning_rule"

    numbers: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.numbers, list | tuple):  # lists, as JSON and YAML give them
            pairs = (tuple(each) if isinstance(each, list) else each for each in self.numbers)
            object.__setattr__(self, "numbers", tuple(pairs))

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """One number times 0.8 or 1.25 (Jaderberg et al. 2017), within what is ``OFFERED``."""
        return tuple(
            cls(((name, factor * value),))
            for name, value in tunable(view.genome.learning_rule).items()
            for factor in FACTORS
            if OFFERED[name][0] <= factor * value <= OFFERED[name][1]
        )

    def rewrite(self, genome: Genome) -> Genome:
        """Return the genome with the new numbers."""
        return replace(genome, learning_rule=replace(genome.learning_rule, **self._new(genome)))

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Return the same weights under the new rule."""
        del rng
        return replace(agent_state, genome=self.rewrite(agent_state.genome))

    def claim(self, genome: Genome) -> EditClaim:
        """Every number is the new one, and the policy is the same."""
        changes = {f"learning_rule.{name}": each for name, each in self._new(genome).items()}
        return EditClaim(changes, max_logit_change=1e-5)

    def _new(self, genome: Genome) -> dict[str, Any]:
        """The numbers by name, checked."""
        if not isinstance(self.numbers, tuple) or not self.numbers:
            raise RefusedEditError(
                f"numbers names at least one number, not {self.numbers!r}", "numbers"
            )
        found: dict[str, Any] = {}
        for pair in self.numbers:
            match pair:
                case (str(name), value) if isinstance(pair, tuple):
                    pass
                case _:
                    raise RefusedEditError(
                        f"numbers are pairs of name and value, not {pair!r}", "numbers"
                    )
            if name in found:
                raise RefusedEditError(f"numbers names {name} twice", "numbers")
            found[name] = self._checked(genome, name, value)
        return found

    def _checked(self, genome: Genome, name: str, value: Any) -> Any:
        if name in VALUED:
            raise RefusedEditError(f"{name} says what the agent values: see set_discount")
        problem = number_problem(genome.learning_rule, name, value)
        if problem:
            raise RefusedEditError(problem)
        return value
