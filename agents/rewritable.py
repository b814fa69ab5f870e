"""SB3's PPO as a mind at work that may be rewritten between two updates, in place."""

from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3 import PPO
from stable_baselines3.common.logger import Logger

from agents.behaviour import log_softmax
from agents.compute import rollout_flops, training_flops
from agents.contract import Array, Batch, LiveLearner, Mind, Motive, Streams, UpdateReport
from agents.genome import Genome, TableRule
from agents.installation import (
    read_architecture,
    read_moments,
    read_parameters,
    read_rule,
    write_mind,
)
from agents.mixing import Diary, mixed
from agents.network import initial_parameters
from agents.policy import MindPolicy
from agents.ppo_update import ppo_update
from agents.rollout import PrivateRolloutBuffer
from agents.spaces import action_count, flat_size
from agents.validity import genome_problems, mind_problems, objective_problems

DORMANT = 0.025
"""Units with a normalised activation up to this are dormant (Sokar et al. 2023)."""
_VIEWED = 1024  # observations behind dormancy and unit scores


class RewritablePPO(PPO, LiveLearner):  # type: ignore[misc]
    """One agent. A collector calls ``begin``, then ``act`` and ``store`` by turns, then ``finish``.

    ``streams`` are this agent's own: ``weights``, ``actions`` and ``minibatches`` are drawn from
    here. No global random numbers are read, and no environment is touched.
    """

    def __init__(
        self,
        *,
        genome: Genome,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        num_envs: int,
        steps: int,
        motives: Mapping[str, Motive],
        streams: Streams,
    ) -> None:
        _refuse(genome_problems(genome))
        self.observation_size = flat_size(observation_space)
        self.actions = action_count(action_space)
        rule = genome.learning_rule
        super().__init__(
            MindPolicy,
            None,
            learning_rate=rule.learning_rate,
            n_steps=steps,
            batch_size=rule.minibatch,
            rollout_buffer_class=PrivateRolloutBuffer,
            rollout_buffer_kwargs={"rng": streams("minibatches")},
            policy_kwargs={"optimizer_kwargs": {"eps": 1e-5, "fused": True}},
            device="cpu",
            _init_setup_model=False,
        )
        self.observation_space = spaces.Box(-np.inf, np.inf, (self.observation_size,), np.float32)
        self.action_space = spaces.Discrete(self.actions)
        self.n_envs = num_envs
        self._setup_model()
        self.set_logger(Logger(folder=None, output_formats=[]))
        self._motives = dict(motives)
        self._diary = Diary(steps, num_envs, self.observation_size)
        self._action_stream = streams("actions")
        self._last_episode_starts = np.ones(num_envs, bool)
        self._episode_returns = np.zeros(num_envs)
        self._recent = np.zeros((0, self.observation_size), np.float32)
        self._gradient_norm = 0.0
        self.updates = 0
        sizes = (genome.architecture, self.observation_size, self.actions)
        self.install(Mind(genome, initial_parameters(*sizes, streams("weights")), {}))

    # --- one rollout and one update ------------------------------------------------------------

    def begin(self) -> None:
        """Start a rollout of ``n_steps`` steps with an empty buffer."""
        self.policy.set_training_mode(False)
        self.rollout_buffer.reset()
        self._diary.begin()
        self._cut: list[tuple[int, Array]] = []  # (step, environments truncated there)
        self._earned = dict.fromkeys(self._weights, 0.0)
        self._finished: list[float] = []

    def act(self, observations: Array, present: Array | None = None) -> Array:
        """Sample an action (int64 ``[n]``, from 0) for float32 ``[n, size]`` observations.

        ``present`` (bool ``[n]``, all by default) is False where this agent has left its episode:
        the row is carried along and never learned from.
        """
        buffer, t = self.rollout_buffer, self.rollout_buffer.pos
        log_p = log_softmax(self.logits(observations).astype(np.float64))
        thresholds = np.exp(log_p).cumsum(1)[:, :-1]  # the last action takes what rounding leaves
        draws = self._action_stream.random((len(observations), 1))
        actions: Array = (draws >= thresholds).sum(1)
        buffer.observations[t] = observations
        buffer.actions[t, :, 0] = actions
        buffer.log_probs[t] = log_p[np.arange(len(actions)), actions]
        if present is not None:
            buffer.present[t] = present
        buffer.episode_starts[t] = self._last_episode_starts | ~buffer.present[t]
        return actions

    def store(self, following: Array, reward: Array, terminated: Array, truncated: Array) -> None:
        """Take what the last action led to; objectives are mixed here, before any advantage.

        ``following`` is the observation the step itself led to (float32 ``[n, size]``): the final
        one where the episode ended, not the first of the next. Where both flags are set,
        ``terminated`` wins.
        """
        buffer, t = self.rollout_buffer, self.rollout_buffer.pos
        present, ended = buffer.present[t], terminated | truncated
        actions = buffer.actions[t, :, 0]
        seen = buffer.observations[t]
        batch = Batch(seen, actions, following, reward, terminated, ended, present)
        sources = (self._weights, self._motives, self._earned, self.updates + 1)
        buffer.rewards[t] = mixed(batch, *sources)
        self._diary.write(batch)
        cut = np.flatnonzero(truncated & ~terminated & present)
        if cut.size:
            self._cut.append((t, cut))
        self._count_episodes(reward * present, ended & present)
        self._last_episode_starts = ended
        buffer.pos = t + 1
        buffer.full = buffer.pos == buffer.buffer_size

    def finish(self, observations: Array) -> UpdateReport:
        """Value the rollout, which led to ``observations`` (``[n, size]``), and learn from it.

        Raises ``FloatingPointError`` where the update would make the mind non-finite.
        """
        self.updates += 1
        steps = int(self.rollout_buffer.present.sum())
        self._value_rollout(observations)
        self._recent = self.rollout_buffer.observations[self.rollout_buffer.present]
        losses = self._learn() if steps else {}
        for name in self._weights:
            self._motives[name].update(self._diary.rollout())
        self.num_timesteps += steps
        return UpdateReport(
            steps=steps,
            flops=self._flops(steps),
            episodes=len(self._finished),
            mean_return=float(np.mean(self._finished)) if self._finished else None,
            intrinsic={name: total / max(steps, 1) for name, total in self._earned.items()},
            losses=losses,
        )

    def train(self) -> None:
        """Do PPO's update; the same numbers as SB3's own, and the gradient's norm is kept."""
        self.policy.set_training_mode(True)
        self._update_learning_rate(self.policy.optimizer)
        self._losses = ppo_update(self)
        self._gradient_norm = self._losses["gradient_norm"]

    # --- LiveLearner ---------------------------------------------------------------------------

    def mind(self) -> Mind:
        """Copy of genome, weights and optimiser state."""
        return Mind(self.genome, read_parameters(self.policy), read_moments(self.policy))

    def install(self, mind: Mind) -> None:
        """Become this mind; ``ValueError`` naming all that is wrong with it, nothing changed."""
        problems = [*mind_problems(mind, self.observation_size, self.actions)]
        if isinstance(mind.genome.learning_rule, TableRule):
            problems.append("the mind keeps a table, this agent is a network")
        _refuse([*problems, *objective_problems(mind.genome, self._motives)])
        write_mind(self, mind)
        self._weights = dict(mind.genome.objective)
        self.genome = mind.genome

    def effective(self) -> Genome:
        """The genome read back from live parts; only the editor's name comes from the record."""
        return Genome(
            architecture=read_architecture(self.policy),
            learning_rule=read_rule(self),
            objective=tuple(sorted(self._weights.items())),
            editor=self.genome.editor,
        )

    def logits(self, observations: Array) -> Array:
        """Policy logits, float32 ``[n, actions]``."""
        with torch.inference_mode():
            found: Array = self.policy.policy(_input(observations)).numpy()
        return found

    def values(self, observations: Array) -> Array:
        """State values, float32 ``[n]``."""
        with torch.inference_mode():
            found: Array = self.policy.value(_input(observations)).numpy()[:, 0]
        return found

    def recent_observations(self, n: int) -> Array:
        """Up to ``n`` observations of the last rollout, evenly spaced, float32 ``[<=n, size]``."""
        count = min(n, len(self._recent))
        found: Array = self._recent[np.linspace(0, len(self._recent) - 1, count).astype(int)]
        return found

    def view(self) -> Mapping[str, Any]:
        """``dormancy``, ``unit_scores`` (ReDo, eq. 1) and ``gradient_norm`` of the last update."""
        seen = _input(self.recent_observations(_VIEWED))
        with torch.inference_mode():
            layers = [each.abs().mean(0).numpy() for each in self.policy.policy.activations(seen)]
        scores = tuple(unit_scores(each if len(seen) else np.ones_like(each)) for each in layers)
        return {
            "dormancy": tuple(float((each <= DORMANT).mean()) for each in scores),
            "unit_scores": scores,
            "gradient_norm": self._gradient_norm,
        }

    def motives(self) -> Mapping[str, Motive]:
        """The objectives at work, by name; those the genome does not name rest."""
        return self._motives

    # --- SB3's doors that stay shut ------------------------------------------------------------

    def learn(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse: SB3's loop would mix nothing and step an environment of its own."""
        raise TypeError("a rewritable PPO learns through its population's update()")

    def save(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse: SB3's zip is executable code to whoever opens it."""
        raise TypeError("save a mind with agents.checkpoint, not as an SB3 zip")

    @classmethod
    def load(cls, *_: Any, **__: Any) -> NoReturn:
        """Refuse: opening an SB3 zip runs code from it."""
        raise TypeError("load a mind with agents.checkpoint, not from an SB3 zip")

    # --- parts ---------------------------------------------------------------------------------

    def _count_episodes(self, reward: Array, ended: Array) -> None:
        self._episode_returns += reward
        self._finished += self._episode_returns[ended].tolist()
        self._episode_returns[ended] = 0.0

    def _value_rollout(self, observations: Array) -> None:
        """Fill in values, the bootstraps of cut episodes, and advantages.

        A truncated episode would have gone on: its last reward gets the discounted value of the
        state it was cut at (Pardo et al. 2018), as SB3 does for time-outs. A death is worth 0.
        """
        buffer = self.rollout_buffer
        following = self._diary.rollout().next_observation
        finals = [following[t, cut] for t, cut in self._cut]
        flat = buffer.observations.reshape(-1, self.observation_size)
        values = self.values(np.concatenate([flat, observations, *finals]))
        buffer.values[:] = values[: len(flat)].reshape(buffer.values.shape)
        last, beyond = np.split(values[len(flat) :], [self.n_envs])
        for t, cut in self._cut:
            buffer.rewards[t, cut] += self.gamma * beyond[: cut.size]
            beyond = beyond[cut.size :]
        buffer.compute_returns_and_advantage(torch.from_numpy(last), self._last_episode_starts)

    def _learn(self) -> Mapping[str, float]:
        try:
            self.train()
        except FloatingPointError as error:
            rule = self.genome.learning_rule
            raise FloatingPointError(
                f"update {self.updates}: {error} (learning rate {rule.learning_rate:g})"
            ) from error
        return self._losses

    def _flops(self, steps: int) -> float:
        sizes = (self.genome, self.observation_size, self.actions, steps)
        thought = rollout_flops(*sizes) + training_flops(*sizes)
        return thought + sum(self._motives[name].flops(steps) for name in self._weights)


def _input(observations: Array) -> torch.Tensor:
    """Copy into torch's own memory: the caller's may be read-only or of another precision."""
    return torch.tensor(observations, dtype=torch.float32)


def unit_scores(mean_activation: Array) -> Array:
    """Return each unit's mean |activation| over the layer's mean (ReDo, eq. 1); 0 if all are 0."""
    mean = mean_activation.mean()
    scores: Array = mean_activation / mean if mean > 0 else np.zeros_like(mean_activation)
    return scores


def _refuse(problems: Iterable[str]) -> None:
    found = list(problems)
    if found:
        raise ValueError("; ".join(found))
