"""Starts a learner that collects whole rollouts: PPO, or a learner built on it."""

from collections.abc import Mapping
from typing import Any

from agents.algorithms.ppo import RewritablePPO
from agents.contract import Objective, Streams
from agents.genome import Genome
from agents.training.population import chance_of
from agents.training.reward_mixing import live_objectives_of
from agents.training.spaces import action_count, flat_size


def build_learner(
    agent: str,
    genome: Genome,
    *,
    spaces: tuple[Any, Any],
    shape: tuple[int, int],
    objectives: Mapping[str, Objective],
    streams: Streams,
    kind: type[RewritablePPO] = RewritablePPO,
    engine: str = "auto",
) -> RewritablePPO:
    """Start one agent on ``shape`` = (environments, steps); its streams are ``agent/purpose``."""
    own = chance_of(agent, streams)
    sizes = (flat_size(spaces[0]), action_count(spaces[1]))
    return kind(
        genome=genome,
        observation_space=spaces[0],
        action_space=spaces[1],
        num_envs=shape[0],
        steps=shape[1],
        live_objectives=live_objectives_of(objectives, sizes, own),
        streams=own,
        engine=engine,
    )
