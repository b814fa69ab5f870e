"""A population of learners on one Gymnasium vector env: a share of its rows is each one's own."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from agents.arrays import Array
from agents.contract import Objective, Population, Streams, UpdateReport
from agents.genome import Genome
from agents.training.autoreset import check_restarts, final_observations
from agents.training.population import Maker
from agents.training.shown_by_others import caregiver_feedback
from agents.training.spaces import flatten


class Members(Population):
    """Learners without interaction: member ``k`` of ``m`` has rows ``k n/m`` to ``(k+1) n/m``.

    The first draws from the streams of a lone agent, so that a population of one is that agent, to
    the bit; the others have streams of their own names.
    """

    def __init__(
        self,
        env: Any,
        steps: int,
        genomes: Mapping[str, Genome],
        objectives: Mapping[str, Objective],
        streams: Streams,
        *,
        make: Maker,
    ) -> None:
        check_restarts(env)
        if env.num_envs % len(genomes):
            raise ValueError(f"{env.num_envs} copies cannot be shared by {len(genomes)} members")
        share = env.num_envs // len(genomes)
        self._rows = {name: slice(k * share, (k + 1) * share) for k, name in enumerate(genomes)}
        self._learners = {
            name: make(
                name if k else "agent",
                genome,
                spaces=(env.single_observation_space, env.single_action_space),
                shape=(share, steps),
                objectives=objectives,
                streams=streams,
            )
            for k, (name, genome) in enumerate(genomes.items())
        }
        self.learners = self._learners
        self._steps = steps
        self._env, self._first_action = env, int(env.single_action_space.start)
        observations, _ = env.reset()
        self._observations = flatten(observations, env.num_envs)

    def update(self) -> Mapping[str, UpdateReport]:
        """Collect one rollout and do one update, for every member."""
        for learner in self._learners.values():
            learner.begin()
        for _ in range(self._steps):
            self._step()
        return {name: learner.finish(self._seen(name)) for name, learner in self._learners.items()}

    def _seen(self, name: str) -> Array:
        found: Array = self._observations[self._rows[name]]
        return found

    def _step(self) -> None:
        env = self._env
        chosen = [each.act(self._seen(name)) for name, each in self._learners.items()]
        raw, reward, terminated, truncated, info = env.step(
            np.concatenate(chosen) + self._first_action
        )
        observations = flatten(raw, env.num_envs)
        following = final_observations(observations, info, terminated | truncated)
        rewards = np.asarray(reward, np.float64)
        others = caregiver_feedback(info, env.num_envs, self._first_action)
        for name, rows in self._rows.items():
            self._learners[name].store(
                following[rows], rewards[rows], terminated[rows], truncated[rows], others.of(rows)
            )
        self._observations = observations
