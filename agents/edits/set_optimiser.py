"""Changes the optimiser, and its learning rate so that the next step is about as long."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from agents.architecture.validity import OPTIMISERS, RULE_RANGES
from agents.contract import AgentState, Edit, EditClaim, OptimiserMoment, RefusedEditError, View
from agents.genome import Genome, LearningRule, TableRule
from agents.part_settings import PlacedProblem

ADAMS = frozenset({"adam", "adamw"})


@dataclass(frozen=True)
class SetOptimiser(Edit):
    """Weights stay, and so does the state that both optimisers share.

    All of it between Adam and AdamW; Adam's first moment becomes SGD's momentum, its second
    RMSprop's mean square; the rest starts afresh.
    """

    part: ClassVar[str] = "learning_rule"

    to: str = "sgd"
    learning_rate: float | None = None  # None: as it is

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """Every other one, at the rate at which its next step is as long as the present one's.

        Without a rollout to look at, at the present rate.
        """
        rule = view.genome.learning_rule
        if isinstance(rule, TableRule):
            return ()
        offers = (cls(to, _matched(view, rule, to)) for to in OPTIMISERS if to != rule.optimiser)
        return tuple(each for each in offers if not _problem(each, view.genome))

    def rewrite(self, genome: Genome) -> Genome:
        """Return the genome with the other optimiser."""
        problem = _problem(self, genome)
        if problem:
            raise RefusedEditError(problem)
        return replace(genome, learning_rule=self._rule(genome.learning_rule))

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Carry over the state that both share."""
        del rng
        genome = self.rewrite(agent_state.genome)
        moments = _carried(
            agent_state.moments, agent_state.genome.learning_rule, genome.learning_rule
        )
        return replace(agent_state, genome=genome, moments=moments)

    def claim(self, genome: Genome) -> EditClaim:
        """Optimiser and rate are the new ones, and the policy is the same."""
        rule = self.rewrite(genome).learning_rule
        changes = {
            "learning_rule.optimiser": rule.optimiser,
            "learning_rule.learning_rate": rule.learning_rate,
        }
        return EditClaim(changes, max_logit_change=1e-5)

    def _rule(self, rule: LearningRule) -> LearningRule:
        rate = rule.learning_rate if self.learning_rate is None else float(self.learning_rate)
        return replace(rule, optimiser=self.to, learning_rate=rate)  # type: ignore[arg-type]


def _problem(edit: SetOptimiser, genome: Genome) -> str | None:
    rule = genome.learning_rule
    if isinstance(rule, TableRule):
        return "a table has no optimiser"
    if edit.to not in OPTIMISERS:
        return PlacedProblem(f"to is one of {', '.join(OPTIMISERS)}, not {edit.to!r}", "to")
    if edit.to == rule.optimiser:
        return f"the optimiser is {edit.to} already"
    if edit.learning_rate is None:
        return None
    return RULE_RANGES["learning_rate"].problem("learning_rate", edit.learning_rate)


def _matched(view: View, rule: LearningRule, to: str) -> float | None:
    if view.look is None:
        return None
    now, then = view.look.step_length(rule.optimiser), view.look.step_length(to)
    rate = rule.learning_rate * now / then if then > 0 else math.nan
    return rate if math.isfinite(rate) and rate > 0 else None


def _carried(
    moments: Mapping[str, OptimiserMoment], was: LearningRule, now: LearningRule
) -> dict[str, OptimiserMoment]:
    """State of the new optimiser, by name; none where nothing can be carried over."""
    if was.optimiser in ADAMS and now.optimiser in ADAMS:
        return dict(moments)
    if was.optimiser in ADAMS and now.optimiser == "rmsprop":
        return {k: replace(each, first=np.zeros_like(each.first)) for k, each in moments.items()}
    if was.optimiser in ADAMS and now.optimiser == "sgd":
        keeps = now.momentum > 0
        zeroed = {k: replace(e, second=np.zeros_like(e.second)) for k, e in moments.items()}
        return zeroed if keeps else {}
    return {}
