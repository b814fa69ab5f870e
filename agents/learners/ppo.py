"""PPO (Schulman et al. 2017) on one vector env, rewritable between updates."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from agents.contract import Learner, Objective, Population, Streams
from agents.genome import Genome
from agents.validity import RULE_RANGES, check_learner


@dataclass(frozen=True)
class PPO(Learner):
    """Settings of PPO; the last nine become the genome's learning rule, which edits may change."""

    num_envs: int = 64
    total_steps: int = 200_000
    steps_per_update: int = 32  # of each environment
    learning_rate: float = 1e-3
    discount: float = 0.99
    gae_lambda: float = 0.95
    clip_range: float = 0.2
    entropy_coefficient: float = 0.01
    value_coefficient: float = 0.5
    max_grad_norm: float = 0.5
    epochs: int = 4
    minibatch: int = 1024

    joint: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Raise ``ValueError`` naming every setting outside its range."""
        check_learner(asdict(self))

    def genome_rule(self) -> Mapping[str, Any]:
        """The fields of ``LearningRule`` as JSON."""
        return {name: getattr(self, name) for name in RULE_RANGES}

    def build(
        self,
        env: Any,
        genomes: Mapping[str, Genome],
        objectives: Mapping[str, Objective],
        streams: Streams,
    ) -> Population:
        """Start one learner on a Gymnasium ``VectorEnv`` with SAME_STEP autoreset."""
        from agents.population import Solo  # noqa: PLC0415 - torch loads here

        return Solo(env, self.steps_per_update, genomes, objectives, streams)
