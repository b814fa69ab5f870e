"""Several PPO agents on copies of one env, as one population: the best by return speaks for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

from agents import contract
from agents.algorithms.ppo_settings import PPOSettings
from agents.contract import Objective, Streams
from agents.genome import Genome
from agents.part_settings import SettingError


@dataclass(frozen=True)
class PopulationPPO(PPOSettings):
    """``members`` PPO agents, each on ``num_envs`` copies of its own; editors let them copy.

    All of them share one budget: ``total_steps`` are steps of all members together, and FLOPs are
    theirs together. Without an editor they share nothing but the world's random stream. A metric
    of the population is that of the member with the best training return of the last updates.
    """

    members: int = 4
    num_envs: int = 16
    spread: float = 1.0
    """The initial learning rates differ, except for the first member's: each is multiplied by a
    log-uniform draw from ``1/spread`` to ``spread``."""

    joint: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Raise ``ValueError`` naming a setting outside its range."""
        super().__post_init__()
        if not 1 <= self.members <= 1000:  # noqa: PLR2004
            raise SettingError(
                f"members must be a whole number in [1, 1000], got {self.members!r}", "members"
            )
        if not 1 <= self.spread <= 1e6:  # noqa: PLR2004
            raise SettingError(
                f"spread must be a number in [1, 1e6], got {self.spread!r}", "spread"
            )

    def copies(self) -> int:
        """Copies of the env: ``num_envs`` for every member."""
        return self.members * self.num_envs

    def initial_genomes(
        self, genome: Genome, agents: Sequence[str], streams: Streams
    ) -> Mapping[str, Genome]:
        """``member_0`` and so on, alike but for the learning rate where there is a ``spread``."""
        del agents
        names = [f"member_{k}" for k in range(self.members)]
        rng = streams("births")
        factors = [1.0, *(self.spread ** rng.uniform(-1, 1, self.members - 1)).tolist()]
        return {name: _faster(genome, by) for name, by in zip(names, factors, strict=True)}

    def build(
        self,
        env: Any,
        genomes: Mapping[str, Genome],
        objectives: Mapping[str, Objective],
        streams: Streams,
    ) -> contract.Population:
        """Start all members on one Gymnasium ``VectorEnv`` with SAME_STEP autoreset."""
        from agents.algorithms.ppo_start import build_learner  # noqa: PLC0415
        from agents.training.members import Members  # noqa: PLC0415 - torch loads here

        make = partial(build_learner, engine=self.engine)
        return Members(env, self.steps_per_update, genomes, objectives, streams, make=make)


def _faster(genome: Genome, factor: float) -> Genome:
    rate = min(1.0, factor * genome.learning_rule.learning_rate)
    return replace(genome, learning_rule=replace(genome.learning_rule, learning_rate=rate))
