"""Strength of an L2 pull of all weights towards their initial values."""

from dataclasses import dataclass

from sandbox.lever_kinds import RuleNumberLever


@dataclass(frozen=True)
class PullToBirth(RuleNumberLever):
    """Sets the learner's ``pull_to_birth`` (regenerative regularisation, Kumar et al. 2023)."""

    setting = "pull_to_birth"
