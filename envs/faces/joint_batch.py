"""The batched face of a world in which several agents move at once."""

from typing import Any

import numpy as np
from gymnasium.spaces import Box, MultiDiscrete, Space

from envs.contract import JointWorld, World
from envs.faces.gymnasium import BatchedWorlds


class JointBatchFace(BatchedWorlds):
    """``num_envs`` copies of one joint world in one pass: a ``VectorEnv`` with a row an agent.

    Observations are ``[n, agents, size]``, actions and rewards ``[n, agents]``; both flags are
    ``[n]``, since all agents begin and end together. Otherwise as ``BatchFace``.
    """

    world: JointWorld

    @property
    def possible_agents(self) -> list[str]:
        """Names of the agents, in the order of the agents' axis."""
        return list(self.world.agents)

    def _spaces(self, world: World) -> tuple[Space[Any], Space[Any]]:
        agents = len(world.agents)
        seen = Box(0.0, 1.0, (agents, world.observation_size), np.float32)
        return seen, MultiDiscrete([len(world.action_names)] * agents)
