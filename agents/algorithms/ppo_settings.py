"""Settings that every learner built on PPO has."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from agents.architecture.validity import check_learner
from agents.contract import Learner
from agents.genome import Engine, LearningRule


@dataclass(frozen=True)
class PPOSettings(LearningRule, Learner):
    """The learning rule that the genome starts with, and how experience is gathered for it."""

    num_envs: int = 64
    total_steps: int = 200_000
    steps_per_update: int = 32  # of each environment
    engine: Engine = "auto"
    """What computes the networks: ``numpy`` is several times as fast for small networks, ``torch``
    can compute every kind of layer. A scenario decides ``auto``: ``numpy`` if it computes every
    network that any of its conditions can come to have, else ``torch`` in all of them."""

    def __post_init__(self) -> None:
        """Raise ``ValueError`` naming every setting outside its range."""
        check_learner(asdict(self))

    def genome_rule(self) -> Mapping[str, Any]:
        """The fields of ``LearningRule`` as JSON."""
        return {each.name: getattr(self, each.name) for each in fields(LearningRule)}
