"""The loop that trains one supervised learner on a Gymnasium vector env."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from agents.algorithms.supervised import SupervisedLearner
from agents.arrays import Array
from agents.contract import Objective, Streams, UpdateReport
from agents.genome import Genome
from agents.training.autoreset import check_restarts
from agents.training.population import Resumable
from agents.training.reward_mixing import live_objectives_of
from agents.training.spaces import action_count, flat_size, flatten


class SupervisedLoop(Resumable):
    """One supervised learner on a ``VectorEnv`` that restarts episodes within the step.

    The env must give labels: every step's infos hold ``label``, the correct action, of every copy.
    """

    def __init__(
        self,
        env: Any,
        steps: int,
        genomes: Mapping[str, Genome],
        objectives: Mapping[str, Objective],
        streams: Streams,
    ) -> None:
        if len(genomes) != 1:
            raise ValueError(f"a vector env has one agent, got genomes for {', '.join(genomes)}")
        check_restarts(env)
        ((self._agent, genome),) = genomes.items()
        sizes = flat_size(env.single_observation_space), action_count(env.single_action_space)

        def own(name: str) -> np.random.Generator:
            return streams(f"{self._agent}/{name}")

        self._learner = SupervisedLearner(
            genome=genome,
            sizes=sizes,
            num_envs=env.num_envs,
            live_objectives=live_objectives_of(objectives, sizes, own),
            streams=own,
        )
        self.learners = {self._agent: self._learner}
        self._env, self._steps = env, steps
        self._first_action = int(env.single_action_space.start)
        self._observations = flatten(env.reset()[0], env.num_envs)

    def update(self) -> Mapping[str, UpdateReport]:
        """Collect one rollout and do one update. ``ValueError`` where the env gives no labels."""
        self._learner.begin()
        for _ in range(self._steps):
            self._step()
        return {self._agent: self._learner.finish()}

    def _step(self) -> None:
        actions = self._learner.act(self._observations) + self._first_action
        raw, reward, terminated, truncated, info = self._env.step(actions)
        labels = label_actions(info, len(actions)) - self._first_action
        self._learner.store(labels, np.asarray(reward, np.float64), terminated | truncated)
        self._observations = flatten(raw, self._env.num_envs)


def label_actions(info: Mapping[str, Any], n: int) -> Array:
    """Return the correct actions, int ``[n]``; ``ValueError`` unless every copy has one.

    Gymnasium puts the last step's info of an ended copy under ``final_info``.
    """
    found, known = np.zeros(n, np.int64), np.zeros(n, bool)
    for given in (info, info.get("final_info") or {}):
        if "label" in given:
            here = np.broadcast_to(given.get("_label", True), n)
            found = np.where(here, np.asarray(given["label"]), found).astype(np.int64)
            known = known | here
    if not known.all():
        raise ValueError("this env gives no labels: infos have no 'label', the right action")
    return found
