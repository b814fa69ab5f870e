"""Starts the learners with a replay buffer on a Gymnasium vector env."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agents.algorithms.dqn import DeepQ
from agents.algorithms.off_policy import ReplayLearner, Sizes
from agents.algorithms.sac import SoftActorCritic
from agents.contract import Objective, Streams
from agents.genome import Genome
from agents.training.population import chance_of
from agents.training.reward_mixing import live_objectives_of
from agents.training.spaces import action_box, action_count, flat_size


@dataclass(frozen=True)
class Remembering:
    """Starts one learner that keeps ``memory`` steps and learns once it has seen ``warmup``."""

    memory: int
    warmup: int
    continuous: bool
    engine: str = "torch"

    def __call__(
        self,
        agent: str,
        genome: Genome,
        *,
        spaces: tuple[Any, Any],
        shape: tuple[int, int],
        objectives: Mapping[str, Objective],
        streams: Streams,
    ) -> ReplayLearner:
        """Start it on ``shape`` = (environments, steps)."""
        actions = self._actions(spaces[1], objectives)
        sizes = Sizes(flat_size(spaces[0]), actions, *shape, self.memory, self.warmup)
        own = chance_of(agent, streams)
        live_objectives = live_objectives_of(objectives, (sizes.observation, actions), own)
        if self.continuous:
            return SoftActorCritic(genome, sizes, live_objectives, own, spaces[1])
        return DeepQ(genome, sizes, live_objectives, own, self.engine)

    def _actions(self, space: Any, objectives: Mapping[str, Objective]) -> int:
        if not self.continuous:
            return action_count(space)
        discrete = [name for name, each in objectives.items() if each.discrete]
        if discrete:
            raise ValueError(
                f"objectives {', '.join(discrete)} distinguish actions: they need Discrete ones"
            )
        return int(action_box(space).low.size)
