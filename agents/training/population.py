"""The training loops: one learner on a Gymnasium vector env, several on a joint one.

Environments are reset without a seed: the caller that makes them seeds them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from gymnasium.spaces import Box, Discrete
from gymnasium.vector import VectorEnv

from agents.arrays import Array
from agents.contract import Objective, Population, Streams, UpdateReport
from agents.genome import Genome
from agents.training.autoreset import check_restarts, final_observations
from agents.training.shown_by_others import caregiver_feedback
from agents.training.spaces import first_action, flat_size, flatten
from agents.training.streams import Chance


class Resumable(Population):
    """Leaves keep their env and what its copies show now."""

    _env: Any
    _observations: Array

    def snapshot(self) -> tuple[Mapping[str, Any], Mapping[str, Array]]:
        """The learner's, and what it sees now; the env is not in it."""
        (learner,) = self.learners.values()
        data, arrays = learner.snapshot()
        return data, {**arrays, "observations": self._observations.copy()}

    def resume(self, env: Any, data: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        """Go on in this env, which is as it was when ``snapshot`` gave these."""
        (learner,) = self.learners.values()
        learner.resume(data, arrays)
        self._env, self._observations = env, arrays["observations"].copy()


class Collected(Protocol):
    """A learner that a loop collects experience for."""

    def begin(self) -> None:
        """Start a rollout."""

    def act(self, observations: Array) -> Array:
        """Choose actions for float32 ``[n, size]`` observations."""

    def store(self, following: Array, reward: Array, terminated: Array, truncated: Array) -> None:
        """Take what they led to."""

    def finish(self, observations: Array) -> UpdateReport:
        """Learn from the rollout, which led to these observations."""


class Maker(Protocol):
    """Starts one learner on ``shape`` = (environments, steps)."""

    def __call__(
        self,
        agent: str,
        genome: Genome,
        *,
        spaces: tuple[Any, Any],
        shape: tuple[int, int],
        objectives: Mapping[str, Objective],
        streams: Streams,
    ) -> Any:
        """Return a ``LiveLearner`` that is ``Collected``."""


class Solo(Resumable):
    """One learner on a Gymnasium ``VectorEnv`` that restarts episodes within the step."""

    _learner: Any  # both a LiveLearner and Collected

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
        _check_vector(env, genomes)
        (self._agent, genome), *_ = genomes.items()
        spaces = (env.single_observation_space, env.single_action_space)
        self._learner = make(
            self._agent,
            genome,
            spaces=spaces,
            shape=(env.num_envs, steps),
            objectives=objectives,
            streams=streams,
        )
        self.learners = {self._agent: self._learner}
        self._env, self._first_action = env, first_action(env.single_action_space)
        self._steps = steps
        observations, _ = env.reset()
        self._observations = flatten(observations, env.num_envs)

    def update(self) -> Mapping[str, UpdateReport]:
        """Collect one rollout and do one update."""
        self._learner.begin()
        for _ in range(self._steps):
            self._step()
        return {self._agent: self._learner.finish(self._observations)}

    def _step(self) -> None:
        env, learner = self._env, self._learner
        actions = learner.act(self._observations) + self._first_action
        raw, reward, terminated, truncated, info = env.step(actions)
        observations = flatten(raw, env.num_envs)
        following = final_observations(observations, info, terminated | truncated)
        others = caregiver_feedback(info, env.num_envs, self._first_action)
        learner.store(following, np.asarray(reward, np.float64), terminated, truncated, others)
        self._observations = observations


class Joint(Population):
    """One independent learner per agent, on the batch of a joint world or on PettingZoo copies.

    Nothing is shared but the world. The batch is a ``VectorEnv`` whose observations, actions and
    rewards have a row an agent; the copies are a list of ``ParallelEnv``. After an agent
    leaves a copy early, its rows there are ignored until that copy restarts.
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
        _check_joint(env, genomes)
        stage: _Batch | _Copies = _Batch(env) if isinstance(env, VectorEnv) else _Copies(env)
        self._stage, self._steps = stage, steps
        self._learners = {
            a: make(
                a,
                genomes[a],
                spaces=spaces,
                shape=(stage.copies, steps),
                objectives=objectives,
                streams=streams,
            )
            for a, spaces in stage.spaces.items()
        }
        self.learners = self._learners
        stage.reset()

    def update(self) -> Mapping[str, UpdateReport]:
        """Collect one rollout and do one update, for every agent."""
        for learner in self._learners.values():
            learner.begin()
        for _ in range(self._steps):
            self._step()
        return {a: each.finish(self._stage.observations[a]) for a, each in self._learners.items()}

    def _step(self) -> None:
        stage = self._stage
        actions = {
            a: each.act(stage.observations[a], stage.present(a))
            for a, each in self._learners.items()
        }
        for a, outcome in stage.step(actions).items():
            self._learners[a].store(
                outcome.following, outcome.reward, outcome.terminated, outcome.truncated
            )


@dataclass
class _Outcome:
    """What one step led one agent to, over the copies."""

    following: Array  # float32 [n, size]
    reward: Array
    terminated: Array
    truncated: Array

    @classmethod
    def nothing(cls, observations: Array) -> "_Outcome":
        n = len(observations)
        return cls(observations.copy(), np.zeros(n), np.zeros(n, bool), np.zeros(n, bool))

    def take(self, i: int, raw: Any, reward: float, terminated: bool, truncated: bool) -> None:
        self.following[i] = flatten(raw, 1)[0]
        self.reward[i] = reward
        self.terminated[i] = terminated
        self.truncated[i] = truncated


class _Batch:
    """All copies of a joint world in one pass; every agent is there at every step."""

    def __init__(self, env: Any) -> None:
        self._env, self.copies = env, int(env.num_envs)
        rows = env.single_observation_space
        seen = Box(rows.low[0], rows.high[0], dtype=rows.dtype)
        acts = [Discrete(int(n)) for n in env.single_action_space.nvec]
        self.spaces: dict[str, tuple[Any, Any]] = {
            a: (seen, each) for a, each in zip(env.possible_agents, acts, strict=True)
        }
        self.observations: dict[str, Array] = {}

    def present(self, agent: str) -> None:
        del agent

    def reset(self) -> None:
        self.observations = self._by_agent(self._env.reset()[0])

    def step(self, actions: Mapping[str, Array]) -> dict[str, _Outcome]:
        joint = np.stack([actions[a] for a in self.spaces], axis=1)
        raw, reward, terminated, truncated, info = self._env.step(joint)
        following = self._by_agent(final_observations(raw, info, terminated | truncated))
        self.observations = self._by_agent(raw)
        return {
            a: _Outcome(following[a], reward[:, k], terminated, truncated)
            for k, a in enumerate(self.spaces)
        }

    def _by_agent(self, raw: Array) -> dict[str, Array]:
        return {a: flatten(raw[:, k], self.copies) for k, a in enumerate(self.spaces)}


class _Copies:
    """PettingZoo ``ParallelEnv`` copies, stepped one after the other."""

    def __init__(self, envs: Sequence[Any]) -> None:
        self._envs, self.copies, agents = list(envs), len(envs), envs[0].possible_agents
        self.spaces: dict[str, tuple[Any, Any]] = {
            a: (envs[0].observation_space(a), envs[0].action_space(a)) for a in agents
        }
        self.observations: dict[str, Array] = {}
        self._present = {a: np.zeros(self.copies, bool) for a in agents}

    def present(self, agent: str) -> Array:
        return self._present[agent].copy()

    def reset(self) -> None:
        sizes = {a: flat_size(seen) for a, (seen, _) in self.spaces.items()}
        self.observations = {a: np.zeros((self.copies, n), np.float32) for a, n in sizes.items()}
        for i, env in enumerate(self._envs):
            self._see(i, env.reset()[0])

    def step(self, actions: Mapping[str, Array]) -> dict[str, _Outcome]:
        outcomes = {a: _Outcome.nothing(seen) for a, seen in self.observations.items()}
        for i, env in enumerate(self._envs):
            chosen = {a: self._action(a, actions[a][i]) for a in env.agents}
            raw, reward, terminated, truncated, _ = env.step(chosen)
            for a in chosen:
                outcomes[a].take(i, raw[a], reward[a], terminated[a], truncated[a])
            self._see(i, raw if env.agents else env.reset()[0])
        return outcomes

    def _action(self, agent: str, index: int) -> int:
        return int(index) + int(self.spaces[agent][1].start)

    def _see(self, i: int, raw: Mapping[str, Any]) -> None:
        """Note what copy ``i`` shows; agents that have left keep their last observation."""
        for agent in self.spaces:
            here = agent in self._envs[i].agents
            self._present[agent][i] = here
            if here:
                self.observations[agent][i] = flatten(raw[agent], 1)[0]


def chance_of(agent: str, streams: Streams) -> Chance:
    """The streams of one agent."""
    return Chance(lambda name: streams(f"{agent}/{name}"))


def _check_vector(env: Any, genomes: Mapping[str, Genome]) -> None:
    if len(genomes) != 1:
        raise ValueError(f"a vector env has one agent, got genomes for {', '.join(genomes)}")
    check_restarts(env)


def _check_joint(env: Any, genomes: Mapping[str, Genome]) -> None:
    if isinstance(env, VectorEnv):
        check_restarts(env)
        if not hasattr(env, "possible_agents"):
            raise ValueError("a vector env of several agents needs possible_agents: none here")
        agents = list(env.possible_agents)
    elif not env:
        raise ValueError("no copies of the PettingZoo env to learn on")
    else:
        agents = list(env[0].possible_agents)
    if set(agents) != set(genomes):
        raise ValueError(f"the env has agents {agents}, the genomes are for {list(genomes)}")
