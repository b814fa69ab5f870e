"""Soft actor-critic (Haarnoja et al. 2018) for continuous actions, rewritable."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from agents.architecture.validity import check_rewritable
from agents.contract import Learner, Objective, Population, Streams
from agents.genome import Genome, SACRule


@dataclass(frozen=True)
class SAC(SACRule, Learner):
    """One agent for envs whose actions are a bounded ``Box``; it remembers ``memory`` steps.

    An update is ``steps_per_update`` steps of every copy, then ``gradient_steps`` minibatches; it
    acts at random until ``warmup``. ``temperature: 0`` tunes the temperature towards an entropy of
    minus the dimensions of an action. Gradients of critics and policy are clipped each for itself;
    the default bound clips nothing, as SB3. Settings of PPO that it does not use stay at their
    defaults.
    """

    max_grad_norm: float = 1e6
    num_envs: int = 4
    total_steps: int = 50_000
    steps_per_update: int = 8  # of each environment
    memory: int = 100_000  # steps of all copies together
    warmup: int = 1_000  # steps at random before the first gradient

    joint: ClassVar[bool] = False
    continuous: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Raise ``ValueError`` naming every setting outside its range."""
        check_rewritable(self)

    def genome_rule(self) -> Mapping[str, Any]:
        """The fields of ``SACRule`` as JSON."""
        return {each.name: getattr(self, each.name) for each in fields(SACRule)}

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

        make = Remembering(self.memory, self.warmup, continuous=True)
        return Solo(env, self.steps_per_update, genomes, objectives, streams, make=make)
