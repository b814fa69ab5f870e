"""PPO (Schulman et al. 2017) on one vector env, rewritable between updates."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from agents.algorithms.ppo_settings import PPOSettings
from agents.contract import Objective, Population, Streams
from agents.genome import Genome


@dataclass(frozen=True)
class PPO(PPOSettings):
    """One PPO agent; its learning rule becomes part of the genome, which edits may change."""

    joint: ClassVar[bool] = False

    def build(
        self,
        env: Any,
        genomes: Mapping[str, Genome],
        objectives: Mapping[str, Objective],
        streams: Streams,
    ) -> Population:
        """Start one learner on a Gymnasium ``VectorEnv`` with SAME_STEP autoreset."""
        from agents.algorithms.ppo_start import build_learner  # noqa: PLC0415
        from agents.training.population import Solo  # noqa: PLC0415 - torch loads here

        make = partial(build_learner, engine=self.engine)
        return Solo(env, self.steps_per_update, genomes, objectives, streams, make=make)
