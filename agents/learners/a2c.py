"""A2C (Mnih et al. 2016): one step on each whole rollout, rewritable between updates."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, ClassVar, Literal

from agents.architecture.validity import check_rewritable
from agents.contract import Learner, Objective, Population, Streams
from agents.genome import A2CRule, Engine, Genome


@dataclass(frozen=True)
class A2C(A2CRule, Learner):
    """One agent; one gradient step on ``num_envs * steps_per_update`` steps, used once.

    Its optimiser is torch's RMSprop, unlike SB3's by default, which adds epsilon inside the root
    and starts the mean square at 1. ``clip_range``, ``epochs``, ``minibatch`` and ``target_kl`` are
    PPO's and rest at their defaults.
    """

    learning_rate: float = 7e-4
    optimiser: Literal["adam", "adamw", "sgd", "rmsprop"] = "rmsprop"
    num_envs: int = 16
    total_steps: int = 200_000
    steps_per_update: int = 5  # of each environment
    engine: Engine = "auto"
    """What computes the networks: ``numpy`` is several times as fast for small networks, ``torch``
    can compute every kind of layer. A scenario decides ``auto``: ``numpy`` if it computes every
    network that any of its conditions can come to have, else ``torch`` in all of them."""

    joint: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Raise ``ValueError`` naming every setting outside its range."""
        check_rewritable(self)

    def genome_rule(self) -> Mapping[str, Any]:
        """The fields of ``A2CRule`` as JSON."""
        return {each.name: getattr(self, each.name) for each in fields(A2CRule)}

    def build(
        self,
        env: Any,
        genomes: Mapping[str, Genome],
        objectives: Mapping[str, Objective],
        streams: Streams,
    ) -> Population:
        """Start one learner on a Gymnasium ``VectorEnv`` with SAME_STEP autoreset."""
        from agents.algorithms.a2c import RewritableA2C  # noqa: PLC0415
        from agents.algorithms.ppo_start import build_learner  # noqa: PLC0415
        from agents.training.population import Solo  # noqa: PLC0415 - torch loads here

        make = partial(build_learner, kind=RewritableA2C, engine=self.engine)
        return Solo(env, self.steps_per_update, genomes, objectives, streams, make=make)
