"""A live population at a checkpoint, as probes see it: they may let it play, not let it learn."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import gymnasium as gym
import numpy as np

from agents.contract import LiveLearner, Streams
from agents.training.frame_stack import Frames
from agents.training.spaces import first_action, flatten
from envs.arrays import Array
from envs.contract import JointWorld, World
from envs.planning.episodes import Act, steps
from envs.planning.idle import references
from sandbox.contract import Episodes, Spec, Subject
from sandbox.errors import TrialError
from sandbox.record.events import Filmed
from sandbox.seeding import integer, trial_streams
from sandbox.trial.environment import TrialEnv

Policy = Callable[[Array], Array]
"""Observations ``[n, size]`` -> actions ``[n]``."""

Anchors = Mapping[str, Mapping[str, Mapping[str, Any]]]

FOREIGN_COPIES = 8
ENDLESS = 100_000
"""Steps after which an episode of a third-party env is taken to have no end."""
FILM_CHOICES = 16
"""Episodes played to film one of them."""


@dataclass
class LiveSubject(Subject):
    """The population after ``update`` updates.

    Every moment and every arm of a seed plays the same levels: what differs is the agents.
    """

    update: int
    steps: int
    place: TrialEnv
    learners: Mapping[str, LiveLearner]
    streams: Streams
    chosen: str = ""
    """Member that represents a population, whose members all play alone; "" for no population."""
    last: bool = False
    """No update will follow."""

    def distributions(self) -> Sequence[str]:
        """See ``World.distributions``; an env that is not ours has one."""
        world = self.place.world
        return tuple(world.distributions()) if world else ("in_distribution",)

    def play(self, distribution: str, episodes: int) -> Mapping[str, Episodes]:
        """Let every agent sample from its policy for ``episodes`` whole episodes.

        Members of a population all play the same levels with the same chance, one after the other.
        """
        if not self.chosen:
            return self._play(distribution, episodes, self.learners)
        alone = {name: {"agent": each} for name, each in self.learners.items()}
        return {k: self._play(distribution, episodes, v)["agent"] for k, v in alone.items()}

    def _play(
        self, distribution: str, episodes: int, learners: Mapping[str, LiveLearner]
    ) -> Mapping[str, Episodes]:
        rng = self._rng(distribution)
        policies = self._policies(learners, rng)
        if self.place.world is None:
            return play_foreign(self.place, policies, episodes, int(rng.integers(2**31)))
        world = self.place.world.distributions()[distribution]
        return play_world(world, policies, episodes, rng)

    def film(self, distribution: str) -> Filmed | None:
        """The middle one of 16 episodes as boards; ``None`` for an env that is not ours.

        Of a population it shows the member that represents it.
        """
        if self.place.world is None:
            return None
        rng = self._rng(f"film {distribution}")
        players = {"agent": self.learners[self.chosen]} if self.chosen else self.learners
        policies = self._policies(players, rng)
        world = self.place.world.distributions()[distribution]
        shot = film(world, policies, rng)
        return Filmed(
            update=self.update,
            distribution=distribution,
            boards=shot.boards,
            rewards=shot.rewards,
            legend={str(letter): str(meaning) for letter, meaning in world.legend.items()},
            captions=shot.captions if any(shot.captions) else (),
            harm=shot.harm,
            among=FILM_CHOICES,
            harmful=shot.harmful,
        )

    def _policies(
        self, learners: Mapping[str, LiveLearner], rng: np.random.Generator
    ) -> Mapping[str, Policy]:
        """Their policies; they see and choose among what an uncontrolled env offers."""
        fit = self.place.silent, self.place.choices
        return {name: sampled(each, rng, *fit) for name, each in learners.items()}

    def _rng(self, name: str) -> np.random.Generator:
        return self.streams(f"probe {name}")


def sampled(
    learner: LiveLearner,
    rng: np.random.Generator,
    silent: Callable[[Array], Array] = lambda seen: seen,
    choices: Callable[[Array], Array] = lambda logits: logits,
) -> Policy:
    """Sample actions from a learner's policy, as it says how.

    ``silent`` fills up what a control added to the observations in training, with nothing in it;
    ``choices`` leaves out what it added to the actions.
    """
    return Sampler(learner, rng, silent, choices)


class Sampler:
    """A policy at play; it remembers what its agent sees beside the newest observation."""

    def __init__(
        self,
        learner: LiveLearner,
        rng: np.random.Generator,
        silent: Callable[[Array], Array],
        choices: Callable[[Array], Array],
    ) -> None:
        self._learner, self._rng = learner, rng
        self._silent, self._choices = silent, choices
        self._history = learner.effective().architecture.history
        self._frames: Frames | None = None

    def __call__(self, seen: Array) -> Array:
        """Sample actions ``[n]`` for observations ``[n, size]`` of the same episodes as before."""
        return self._learner.sample(self._remembered(self._silent(seen)), self._rng, self._choices)

    def restart(self, i: int | None = None) -> None:
        """Episode ``i``, or every one, begins anew: nothing was seen before."""
        if i is None:
            self._frames = None
        elif self._frames is not None:
            self._frames.past[i] = 0.0

    def _remembered(self, seen: Array) -> Array:
        if self._history == 1:
            return seen
        if self._frames is None:
            self._frames = Frames(len(seen), seen.shape[1], self._history)
        stacked = self._frames.stack(seen, np.zeros(len(seen), bool))
        self._frames.push(stacked)
        return stacked


def restart(policy: Policy, i: int | None = None) -> None:
    """Signal to a policy with memory that an episode begins."""
    if isinstance(policy, Sampler):
        policy.restart(i)


def players(world: World, policies: Mapping[str, Policy]) -> Act:
    """Every agent acts on what is seen of a state; agents of a joint world are asked in order."""

    def act(state: Any) -> Array:
        seen = world.observe(state)
        if not isinstance(world, JointWorld):
            return policies["agent"](seen)
        moves = [policies[agent](seen[:, k]) for k, agent in enumerate(world.agents)]
        return np.stack(moves, axis=1)

    return act


def play_world(
    world: World, policies: Mapping[str, Policy], episodes: int, rng: np.random.Generator
) -> Mapping[str, Episodes]:
    """Play ``episodes`` fresh worlds side by side, each to its first end, truth recorded."""
    totals: dict[str, Array] = {}
    for step in steps(world, players(world, policies), episodes, rng):
        outcome = step.outcome
        sums = {"reward": outcome.reward, "length": np.ones(episodes), **outcome.truth}
        for name, values in sums.items():
            column = np.asarray(values, dtype=float).reshape(episodes, -1) * step.alive[:, None]
            totals[name] = totals.get(name, 0.0) + column
    return {agent: _episodes(totals, k) for k, agent in enumerate(world.agents)}


def _episodes(totals: Mapping[str, Array], k: int) -> Episodes:
    def column(name: str) -> tuple[float, ...]:
        values = totals[name]
        return tuple(map(float, values[:, min(k, values.shape[1] - 1)]))

    truth = sorted(set(totals) - {"reward", "length"})
    lengths = tuple(map(int, column("length")))
    return Episodes(column("reward"), lengths, {name: column(name) for name in truth})


@dataclass(frozen=True)
class Shot:
    """One of several episodes; rewards and harm are summed over agents."""

    boards: tuple[str, ...]  # the first before any action
    captions: tuple[str, ...]
    rewards: tuple[float, ...]
    harm: float
    harmful: int  # episodes with any harm, among all that were played


def film(
    world: World,
    policies: Mapping[str, Policy],
    rng: np.random.Generator,
    episodes: int = FILM_CHOICES,
) -> Shot:
    """Play some episodes side by side and show the middle one by harm, then by return.

    Where harm is a matter of yes or no, that is an episode with the more common outcome: one level
    alone may be one on which a wrong goal and the right one coincide. An even number has two in
    the middle; the more harmful is shown.
    """
    states, rewards, harm, lengths = _recorded(world, policies, rng, episodes)
    total = np.where(np.arange(len(rewards))[:, None] < lengths, rewards, 0.0).sum(0)
    i = int(np.lexsort((total, harm))[episodes // 2])
    last = int(lengths[i])
    return Shot(
        boards=tuple(world.render_text(state, i) for state in states[: last + 1]),
        captions=tuple(world.caption(state, i) for state in states[: last + 1]),
        rewards=tuple(map(float, rewards[:last, i])),
        harm=float(harm[i]),
        harmful=int(np.count_nonzero(harm)),
    )


def _recorded(
    world: World, policies: Mapping[str, Policy], rng: np.random.Generator, n: int
) -> tuple[list[Any], Array, Array, Array]:
    """States, rewards ``[steps, n]``, total harm ``[n]`` and lengths ``[n]`` of ``n`` episodes."""
    played = list(steps(world, players(world, policies), n, rng))

    def summed(values: Array) -> Array:
        found: Array = np.asarray(values, dtype=float).reshape(n, -1).sum(1)
        return found

    harm, lengths = np.zeros(n), np.zeros(n, dtype=int)
    for step in played:
        harm += summed(step.outcome.truth["harm"]) * step.alive
        lengths += step.alive
    states = [played[0].state, *(step.after for step in played)]
    return states, np.stack([summed(step.outcome.reward) for step in played]), harm, lengths


def play_foreign(
    place: TrialEnv, policies: Mapping[str, Policy], episodes: int, seed: int
) -> Mapping[str, Episodes]:
    """Play an env that is not ours: every copy plays the same number of episodes.

    Equal shares, not the first to finish: those would be the short ones. Policies see and act as
    in training: flattened observations (bytes divided by 255), actions counted from 0.
    """
    copies = min(episodes, FOREIGN_COPIES)
    quota = -(-episodes // copies)
    env = place.make(copies)
    if isinstance(env, list):
        return _play_parallel(env, place.agents, policies, quota, seed)
    rewards: list[list[float]] = [[] for _ in range(copies)]
    lengths: list[list[int]] = [[] for _ in range(copies)]
    total, length = np.zeros(copies), np.zeros(copies, dtype=int)
    first = first_action(env.single_action_space)
    seen, _ = env.reset(seed=seed)
    while min(map(len, rewards)) < quota:
        actions = policies["agent"](flatten(seen, copies)) + first
        seen, reward, terminated, truncated, _ = env.step(actions)
        total, length = total + reward, length + 1
        if length.max() > ENDLESS:
            what = f"an episode of its evaluation does not end within {ENDLESS:,} steps"
            raise TrialError(
                f"{what}: give the env a limit, as in kwargs: {{max_episode_steps: 500}}"
            )
        for i in np.flatnonzero(terminated | truncated):
            rewards[i].append(float(total[i]))
            lengths[i].append(int(length[i]))
            total[i], length[i] = 0.0, 0
            restart(policies["agent"], int(i))
    env.close()
    shares = [tuple(v for each in part for v in each[:quota]) for part in (rewards, lengths)]
    return {"agent": Episodes(shares[0], tuple(map(int, shares[1])), {})}


def _play_parallel(
    copies: Sequence[Any],
    agents: Sequence[str],
    policies: Mapping[str, Policy],
    quota: int,
    seed: int,
) -> Mapping[str, Episodes]:
    rewards: dict[str, list[float]] = {agent: [] for agent in agents}
    lengths: dict[str, list[int]] = {agent: [] for agent in agents}
    for i, env in enumerate(copies):
        for episode in range(quota):
            seen, _ = env.reset(seed=seed + i * quota + episode)
            for policy in policies.values():
                restart(policy)
            total, length = dict.fromkeys(agents, 0.0), dict.fromkeys(agents, 0)
            while env.agents:
                moves = {
                    agent: int(policies[agent](flatten(seen[agent], 1))[0])
                    + int(env.action_space(agent).start)
                    for agent in env.agents
                }
                seen, reward, _, _, _ = env.step(moves)
                for agent in moves:
                    total[agent] += float(reward[agent])
                    length[agent] += 1
            for agent in agents:
                rewards[agent].append(total[agent])
                lengths[agent].append(length[agent])
        env.close()
    return {a: Episodes(tuple(rewards[a]), tuple(lengths[a]), {}) for a in agents}


# --- anchors of normalised metrics --------------------------------------------------------------


def anchors(spec: Spec, place: TrialEnv, known: Anchors | None = None) -> Anchors:
    """Distribution -> oracle -> its expected totals: what normalised metrics are held against.

    ``known``: as another trial found them in the same env. Those of a world depend on the world
    alone and are taken as they are; those of a third-party env, on the seed.
    """
    if place.world is not None:
        if known is not None:
            return known
        return {
            name: {k: asdict(oracle) for k, oracle in references(world).items()}
            for name, world in place.world.distributions().items()
        }
    if isinstance(place.env, list):
        return {}
    return {"in_distribution": _measured_anchors(spec, place)}


def _measured_anchors(spec: Spec, place: TrialEnv, episodes: int = 32) -> dict[str, dict[str, Any]]:
    """Anchors of a third-party env: a random policy, measured, and its own ``reward_threshold``."""
    policy = {"agent": _random(place, trial_streams(spec)("anchors"))}
    seed = integer(spec["seed"], spec["salt"], "anchors")
    played = play_foreign(place, policy, episodes, seed)["agent"]
    found = {"random": _anchor(float(np.mean(played.reward)), f"measured, {episodes} episodes")}
    threshold = gym.spec(spec["env"]["id"]).reward_threshold
    if threshold is not None:
        found["reward_optimal"] = _anchor(float(threshold), "the env's own reward_threshold")
    return found


def _random(place: TrialEnv, rng: np.random.Generator) -> Callable[[Array], Array]:
    """A policy that takes every action alike: among choices, or between the bounds of a box."""
    space = place.env.single_action_space
    if isinstance(space, gym.spaces.Box):
        shape, dtype = space.shape, space.dtype
        low, high = space.low, space.high
        return lambda seen: rng.uniform(low, high, (len(seen), *shape)).astype(dtype)
    actions = place.choices(np.zeros((1, int(space.n)))).shape[1]
    return lambda seen: rng.integers(actions, size=len(seen))


def _anchor(reward: float, how: str) -> dict[str, Any]:
    return {"reward": reward, "hidden_reward": None, "harm": None, "exact": False, "how": how}
