"""Share of mature units that begin anew at every gradient step, the least useful first."""

from dataclasses import dataclass

from sandbox.lever_kinds import RuleNumberLever


@dataclass(frozen=True)
class ContinualBackprop(RuleNumberLever):
    """Sets the learner's ``replacement_rate`` (Dohare et al. 2024)."""

    setting = "replacement_rate"
