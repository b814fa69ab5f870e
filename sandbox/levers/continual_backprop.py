"""Share of mature units that are reinitialised at every gradient step, least useful first."""

from dataclasses import dataclass

from sandbox.lever_kinds import RuleNumberLever


@dataclass(frozen=True)
class ContinualBackprop(RuleNumberLever):
    """Sets the learner's ``replacement_rate`` (Dohare et al. 2024)."""

    setting = "replacement_rate"
