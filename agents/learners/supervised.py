"""Cross-entropy on the right actions that the env gives: no reward, no exploration."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar

from agents.architecture.validity import check_learner
from agents.contract import Learner, Objective, Population, Streams
from agents.genome import Genome, SupervisedRule


@dataclass(frozen=True)
class Supervised(SupervisedRule, Learner):
    """One agent for worlds that give labels (``label`` in infos), such as ``random_labels``.

    An update is one rollout, then ``epochs`` passes over it in minibatches: so many gradient steps.
    The curves are ``loss``, ``accuracy`` (on the rollout, after learning from it),
    ``dormant_share`` (of all units, score up to 0.025) and ``gradient_norm``. The numbers of its
    rule that belong to PPO alone (discount, clip range, ...) move nothing.
    """

    num_envs: int = 64
    total_steps: int = 100_000
    steps_per_update: int = 4  # of each environment

    joint: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Raise ``ValueError`` naming every setting outside its range."""
        check_learner(asdict(self))

    def genome_rule(self) -> Mapping[str, Any]:
        """The fields of ``SupervisedRule`` as JSON."""
        return {each.name: getattr(self, each.name) for each in fields(SupervisedRule)}

    def build(
        self,
        env: Any,
        genomes: Mapping[str, Genome],
        objectives: Mapping[str, Objective],
        streams: Streams,
    ) -> Population:
        """Start one learner on a Gymnasium ``VectorEnv`` with SAME_STEP autoreset."""
        from agents.algorithms.supervised_loop import SupervisedLoop  # noqa: PLC0415 - torch loads here

        return SupervisedLoop(env, self.steps_per_update, genomes, objectives, streams)
