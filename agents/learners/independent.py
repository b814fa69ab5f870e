"""One independent PPO per agent of a PettingZoo env: nothing shared but the world."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from agents.algorithms.ppo_settings import PPOSettings
from agents.contract import Objective, Population, Streams
from agents.genome import Genome


@dataclass(frozen=True)
class Independent(PPOSettings):
    """Settings of every agent's PPO; ``num_envs`` copies of the env are played side by side."""

    num_envs: int = 16
    total_steps: int = 50_000
    minibatch: int = 256

    joint: ClassVar[bool] = True

    def build(
        self,
        env: Any,
        genomes: Mapping[str, Genome],
        objectives: Mapping[str, Objective],
        streams: Streams,
    ) -> Population:
        """Start one learner per agent on a joint batch or a list of ``ParallelEnv`` copies."""
        from agents.algorithms.ppo_start import build_learner  # noqa: PLC0415
        from agents.training.population import Joint  # noqa: PLC0415 - torch loads here

        make = partial(build_learner, engine=self.engine)
        return Joint(env, self.steps_per_update, genomes, objectives, streams, make=make)
