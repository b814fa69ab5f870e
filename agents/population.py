"""The loops that let learners live: one on a Gymnasium vector env, several on PettingZoo copies.

Environments are reset without a seed: whoever makes them seeds them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from agents.contract import Array, Motive, Objective, Population, Streams, UpdateReport
from agents.genome import Genome
from agents.rewritable import RewritablePPO
from agents.spaces import action_count, flat_size, flatten


class Solo(Population):
    """One learner on a Gymnasium ``VectorEnv`` that restarts episodes within the step."""

    def __init__(
        self,
        env: Any,
        steps: int,
        genomes: Mapping[str, Genome],
        objectives: Mapping[str, Objective],
        streams: Streams,
    ) -> None:
        _check_vector(env, genomes)
        (self._agent, genome), *_ = genomes.items()
        spaces = (env.single_observation_space, env.single_action_space)
        self._learner = build_learner(
            self._agent,
            genome,
            spaces=spaces,
            shape=(env.num_envs, steps),
            objectives=objectives,
            streams=streams,
        )
        self.learners = {self._agent: self._learner}
        self._env, self._first_action = env, int(env.single_action_space.start)
        observations, _ = env.reset()
        self._observations = flatten(observations, env.num_envs)

    def update(self) -> Mapping[str, UpdateReport]:
        """Collect one rollout and do one update."""
        self._learner.begin()
        for _ in range(self._learner.n_steps):
            self._step()
        return {self._agent: self._learner.finish(self._observations)}

    def _step(self) -> None:
        env, learner = self._env, self._learner
        actions = learner.act(self._observations) + self._first_action
        raw, reward, terminated, truncated, info = env.step(actions)
        observations = flatten(raw, env.num_envs)
        following = _finals(observations, info, terminated | truncated)
        learner.store(following, np.asarray(reward, np.float64), terminated, truncated)
        self._observations = observations


class Joint(Population):
    """One independent learner per agent on copies of a PettingZoo ``ParallelEnv``.

    Nothing is shared but the world. An agent that leaves early is carried along, unseen by its
    learner, until its copy restarts, which is when all agents are done.
    """

    def __init__(
        self,
        envs: Sequence[Any],
        steps: int,
        genomes: Mapping[str, Genome],
        objectives: Mapping[str, Objective],
        streams: Streams,
    ) -> None:
        _check_joint(envs, genomes)
        self._envs, self._steps, agents = list(envs), steps, envs[0].possible_agents
        self._spaces = {a: (envs[0].observation_space(a), envs[0].action_space(a)) for a in agents}
        self._learners = {
            a: build_learner(
                a,
                genomes[a],
                spaces=self._spaces[a],
                shape=(len(envs), steps),
                objectives=objectives,
                streams=streams,
            )
            for a in agents
        }
        self.learners = self._learners
        shape = {a: (len(envs), each.observation_size) for a, each in self._learners.items()}
        self._observations = {a: np.zeros(shape[a], np.float32) for a in agents}
        self._present = {a: np.zeros(len(envs), bool) for a in agents}
        for i, env in enumerate(self._envs):
            self._see(i, env.reset()[0])

    def update(self) -> Mapping[str, UpdateReport]:
        """Collect one rollout and do one update, for every agent."""
        for learner in self._learners.values():
            learner.begin()
        for _ in range(self._steps):
            self._step()
        return {a: each.finish(self._observations[a]) for a, each in self._learners.items()}

    def _step(self) -> None:
        actions = {
            a: each.act(self._observations[a], self._present[a].copy())
            for a, each in self._learners.items()
        }
        outcomes = {a: _Outcome(self._observations[a]) for a in self._learners}
        for i, env in enumerate(self._envs):
            chosen = {a: self._action(a, actions[a][i]) for a in env.agents}
            raw, reward, terminated, truncated, _ = env.step(chosen)
            for a in chosen:
                outcomes[a].take(i, raw[a], reward[a], terminated[a], truncated[a])
            self._see(i, raw if env.agents else env.reset()[0])
        for a, outcome in outcomes.items():
            self._learners[a].store(
                outcome.following, outcome.reward, outcome.terminated, outcome.truncated
            )

    def _action(self, agent: str, index: int) -> int:
        return int(index) + int(self._spaces[agent][1].start)

    def _see(self, i: int, raw: Mapping[str, Any]) -> None:
        """Note what copy ``i`` shows; agents that have left keep their last observation."""
        for agent in self._learners:
            here = agent in self._envs[i].agents
            self._present[agent][i] = here
            if here:
                self._observations[agent][i] = flatten(raw[agent], 1)[0]


class _Outcome:
    """What one step led one agent to, over the copies; filled in copy by copy."""

    def __init__(self, observations: Array) -> None:
        self.following = observations.copy()
        self.reward = np.zeros(len(observations))
        self.terminated = np.zeros(len(observations), bool)
        self.truncated = np.zeros(len(observations), bool)

    def take(self, i: int, raw: Any, reward: float, terminated: bool, truncated: bool) -> None:
        self.following[i] = flatten(raw, 1)[0]
        self.reward[i] = reward
        self.terminated[i] = terminated
        self.truncated[i] = truncated


def build_learner(
    agent: str,
    genome: Genome,
    *,
    spaces: tuple[Any, Any],
    shape: tuple[int, int],
    objectives: Mapping[str, Objective],
    streams: Streams,
) -> RewritablePPO:
    """Start one agent on ``shape`` = (environments, steps); its streams are ``agent/purpose``."""

    def own(name: str) -> np.random.Generator:
        return streams(f"{agent}/{name}")

    sizes = (flat_size(spaces[0]), action_count(spaces[1]))
    motives: dict[str, Motive] = {
        name: each.start(*sizes, own(f"objective/{name}")) for name, each in objectives.items()
    }
    return RewritablePPO(
        genome=genome,
        observation_space=spaces[0],
        action_space=spaces[1],
        num_envs=shape[0],
        steps=shape[1],
        motives=motives,
        streams=own,
    )


def _finals(observations: Array, info: Mapping[str, Any], ended: Array) -> Array:
    """Return what the step itself led to: the final observation where an episode ended."""
    if not ended.any():
        return observations
    if "final_obs" not in info:
        raise ValueError("an episode ended without info['final_obs']: not a SAME_STEP vector env")
    rows = np.flatnonzero(ended)
    final = info["final_obs"]
    following = observations.copy()
    following[rows] = flatten(np.stack([final[i] for i in rows]), len(rows))
    return following


def _check_vector(env: Any, genomes: Mapping[str, Genome]) -> None:
    if len(genomes) != 1:
        raise ValueError(f"a vector env has one agent, got genomes for {', '.join(genomes)}")
    mode = env.metadata.get("autoreset_mode")
    if mode != AutoresetMode.SAME_STEP:
        raise ValueError(
            f"the vector env restarts episodes by {mode}, this learner needs SAME_STEP: pass "
            "vector_kwargs={'autoreset_mode': AutoresetMode.SAME_STEP} to gymnasium.make_vec"
        )


def _check_joint(envs: Sequence[Any], genomes: Mapping[str, Genome]) -> None:
    if not envs:
        raise ValueError("no copies of the PettingZoo env to learn on")
    agents = list(envs[0].possible_agents)
    if set(agents) != set(genomes):
        raise ValueError(f"the env has agents {agents}, the genomes are for {list(genomes)}")
