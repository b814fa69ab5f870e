"""DQN (Mnih et al. 2015): Q-learning from memory with a target network, rewritable."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from agents.architecture.validity import check_rewritable
from agents.contract import Learner, Objective, Population, Streams
from agents.genome import DQNRule, Engine, Genome


@dataclass(frozen=True)
class DQN(DQNRule, Learner):
    """One agent for discrete actions, which remembers its last ``memory`` steps.

    An update is ``steps_per_update`` steps of every copy, then ``gradient_steps`` minibatches; the
    target follows every ``target_every`` updates. In training it explores on a schedule counted in
    updates; in evaluation, it is greedy except for its rule's ``exploration``. Settings of PPO that
    it does not use stay at their defaults.
    """

    max_grad_norm: float = 10.0
    num_envs: int = 16
    total_steps: int = 200_000
    steps_per_update: int = 8  # of each environment
    memory: int = 50_000  # steps of all copies together
    warmup: int = 1_000  # steps before the first gradient
    engine: Engine = "auto"
    """What computes the networks: ``numpy`` is several times as fast for small networks, ``torch``
    can compute every kind of layer. A scenario decides ``auto``: ``numpy`` if it computes every
    network that any of its conditions can come to have, else ``torch`` in all of them."""

    joint: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Raise ``ValueError`` naming every setting outside its range."""
        check_rewritable(self)

    def genome_rule(self) -> Mapping[str, Any]:
        """The fields of ``DQNRule`` as JSON."""
        return {each.name: getattr(self, each.name) for each in fields(DQNRule)}

    def build(
        self,
        env: Any,
        genomes: Mapping[str, Genome],
        objectives: Mapping[str, Objective],
        streams: Streams,
    ) -> Population:
        """Start one learner on a Gymnasium ``VectorEnv`` with SAME_STEP autoreset."""
        from agents.algorithms.off_policy_start import Remembering  # noqa: PLC0415
        from agents.training.population import Solo  # noqa: PLC0415 - torch loads here

        make = Remembering(self.memory, self.warmup, continuous=False, engine=self.engine)
        return Solo(env, self.steps_per_update, genomes, objectives, streams, make=make)
