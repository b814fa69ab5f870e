"""SB3's PPO as a learner that may be rewritten in place between two updates."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces
from stable_baselines3 import PPO
from stable_baselines3.common.logger import Logger
from torch import Tensor

from agents.algorithms.buffers import PrivateRolloutBuffer
from agents.algorithms.ppo_update import LOSSES, ppo_loss, ppo_update
from agents.architecture.cost import parameters, rollout_flops, training_flops
from agents.architecture.initial import initial_buffers, initial_parameters
from agents.architecture.validity import (
    genome_problems,
    objective_problems,
    refuse,
    state_problems,
    wrong_rule,
)
from agents.arrays import Array
from agents.behaviour import drawn
from agents.contract import (
    AgentState,
    Batch,
    LiveLearner,
    LiveObjective,
    Look,
    Streams,
    UpdateReport,
)
from agents.engine import either, updates
from agents.engine.engine import Engine, Head
from agents.engine.look import EngineLook
from agents.engine.losses import Steps
from agents.engine.support import engine_problems, first_engine
from agents.genome import TOWERS, Genome, LearningRule
from agents.network.bundle import read_agent_state, read_architecture
from agents.network.gradient_step import Stepper, fitted
from agents.network.gradients import MOST, LossLook
from agents.network.installation import read_sb3_rule, write_agent_state
from agents.network.sb3_model import NoLoopOfItsOwn
from agents.network.sb3_policy import AgentPolicy
from agents.training import snapshots
from agents.training.diary import Diary
from agents.training.frame_stack import Frames
from agents.training.reward_mixing import mixed, update_objectives
from agents.training.shown_by_others import ALONE, CaregiverFeedback
from agents.training.spaces import action_count, flat_size
from agents.training.streams import Chance
from agents.training.value_transfer import exported_values, import_values, value_problems


class RewritablePPO(NoLoopOfItsOwn, PPO, LiveLearner):  # type: ignore[misc]
    """One agent. A collector calls ``begin``, then ``act`` and ``store`` by turns, then ``finish``.

    ``streams`` are this agent's own: ``weights``, ``actions`` and ``minibatches`` are drawn from
    here. No global random numbers are read, and no environment is touched.
    """

    rule_type: ClassVar[type[LearningRule]] = LearningRule
    policy_type: ClassVar[type[AgentPolicy]] = AgentPolicy
    buffer_type: ClassVar[type[PrivateRolloutBuffer]] = PrivateRolloutBuffer

    def __init__(
        self,
        *,
        genome: Genome,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        num_envs: int,
        steps: int,
        live_objectives: Mapping[str, LiveObjective],
        streams: Streams,
        engine: str = "auto",
    ) -> None:
        refuse([*genome_problems(genome), *self._wrong_rule(genome)])
        self.engine_name = first_engine(engine, genome.architecture)
        self.chance = streams if isinstance(streams, Chance) else Chance(streams)
        streams = self.chance
        self.observation_size = flat_size(observation_space)
        self.actions = action_count(action_space)
        rule = genome.learning_rule
        super().__init__(
            self.policy_type,
            None,
            learning_rate=rule.learning_rate,
            n_steps=steps,
            batch_size=rule.minibatch,
            rollout_buffer_class=self.buffer_type,
            rollout_buffer_kwargs={"rng": streams("minibatches")},
            device="cpu",
            _init_setup_model=False,
        )
        self.observation_space = _inputs_space(self._inputs(genome))
        self.action_space = spaces.Discrete(self.actions)
        self.n_envs = num_envs
        self._setup_model()
        self.set_logger(Logger(folder=None, output_formats=[]))
        self._live_objectives = dict(live_objectives)
        self.stepper = Stepper(rule, streams("replacements"))
        self.epochs_done = 0
        self._frames = Frames(num_envs, self.observation_size)
        self._diary = Diary(steps, num_envs, self.observation_size)
        self._action_stream = streams("actions")
        self._last_episode_starts = np.ones(num_envs, bool)
        self._episode_returns = np.zeros(num_envs)
        self._recent = np.zeros((0, self._inputs(genome)), np.float32)
        self.looked_at: Array | None = None  # rows of the last rollout that its ``Look`` uses
        self.gradient_norm = 0.0
        self.updates = 0
        rng = streams("weights")
        weights = initial_parameters(genome, self.observation_size, self.actions, rng)
        self.install(AgentState(genome, weights, {}, initial_buffers(genome, weights, rng)))

    # --- one rollout and one update ------------------------------------------------------------

    def begin(self) -> None:
        """Start a rollout of ``n_steps`` steps with an empty buffer."""
        buffer = self.rollout_buffer
        self.policy.set_training_mode(False)
        if self.engine:
            self.engine.refresh(self.policy.optimizer, self._learning_towers())
        buffer.reset()
        self._diary.begin(
            observation=buffer.observations[:, :, : self.observation_size],
            action=buffer.actions[:, :, 0],
            present=buffer.present,
        )
        self._draws = self._action_stream.random((buffer.buffer_size, buffer.n_envs, 1))
        self._first_starts = self._last_episode_starts
        self._reward_sums = dict.fromkeys(self._weights, 0.0)

    def act(self, observations: Array, present: Array | None = None) -> Array:
        """Sample an action (int64 ``[n]``, from 0) for float32 ``[n, size]`` observations.

        ``present`` (bool ``[n]``, all by default) is False where this agent has left its episode:
        the row is carried along and never learned from.
        """
        buffer, t = self.rollout_buffer, self.rollout_buffer.pos
        inputs = self._frames.stack(observations, self._last_episode_starts)
        actions, log_p = drawn(self.logits(inputs), self._draws[t])
        buffer.observations[t] = inputs
        self._frames.push(inputs)
        buffer.actions[t, :, 0] = actions
        buffer.log_probs[t] = log_p
        if present is not None:
            buffer.present[t] = present
        return actions

    def store(
        self,
        following: Array,
        reward: Array,
        terminated: Array,
        truncated: Array,
        others: CaregiverFeedback = ALONE,
    ) -> None:
        """Take what the last action led to; ``finish`` mixes the objectives of the whole rollout.

        ``following`` is the observation the step itself led to (float32 ``[n, size]``): the final
        one where the episode ended, not the first of the next. Where both flags are set,
        ``terminated`` wins.
        """
        buffer, ended = self.rollout_buffer, terminated | truncated
        self._diary.followed(following, reward, terminated, ended, others)
        self._last_episode_starts = ended
        buffer.pos += 1
        buffer.full = buffer.pos == buffer.buffer_size

    def finish(self, observations: Array) -> UpdateReport:
        """Reward the rollout, which led to ``observations`` (``[n, size]``), and learn from it.

        Raises ``FloatingPointError`` where the update would make the weights non-finite.
        """
        self.updates += 1
        steps, rollout = int(self.rollout_buffer.present.sum()), self._diary.rollout()
        self._reward_rollout(rollout)
        self._value_rollout(observations)
        finished = self._diary.ended_returns(self._episode_returns)
        self._recent = self.rollout_buffer.observations[self.rollout_buffer.present]
        self.looked_at = np.linspace(0, max(steps - 1, 0), min(steps, MOST)).astype(int)
        losses = self._learn() if steps else {}
        reported = update_objectives(self._live_objectives, self._weights, rollout, self.updates)
        self.num_timesteps += steps
        return UpdateReport(
            steps=steps,
            flops=self._flops(steps),
            episodes=len(finished),
            mean_return=float(np.mean(finished)) if finished else None,
            rewards={name: total / max(steps, 1) for name, total in self._reward_sums.items()},
            losses={**losses, **reported},
        )

    def train(self) -> None:
        """Do the update; the same numbers as SB3's own, and the gradient's norm is kept."""
        self.policy.set_training_mode(True)
        self._update_learning_rate(self.policy.optimizer)
        self._losses = self._update()
        self.gradient_norm = self._losses["gradient_norm"]

    def _update(self) -> dict[str, float]:
        if self.engine:
            return updates.ppo_update(self, self._learning_towers(), LOSSES)
        return ppo_update(self)

    def _loss(self, batch: Any) -> Tensor:
        return ppo_loss(self, batch, self.clip_range(1.0))[0]

    # --- LiveLearner ---------------------------------------------------------------------------

    def agent_state(self) -> AgentState:
        """Copy of genome, weights and optimiser state."""
        values = exported_values(self._live_objectives)
        return read_agent_state(self.genome, self.policy, self.policy.optimizer, values)

    def install(self, agent_state: AgentState) -> None:
        """Install this agent state; ``ValueError`` naming every problem, and nothing changed."""
        problems = [*state_problems(agent_state, self.observation_size, self.actions)]
        problems += self._wrong_rule(agent_state.genome)
        problems += value_problems(agent_state.values, self._live_objectives)
        if self.engine_name == "numpy":
            problems += engine_problems(agent_state.genome.architecture)
        refuse([*problems, *objective_problems(agent_state.genome, self._live_objectives)])
        write_agent_state(self, agent_state)
        import_values(agent_state.values, self._live_objectives)
        self._weights = dict(agent_state.genome.objective)
        self.engine = either.start_engine(
            self.engine_name,
            self.policy,
            self.policy.optimizer,
            agent_state.genome,
            self._learning_towers(),
        )
        self.genome = agent_state.genome
        self._see(agent_state.genome.architecture.history)

    def effective(self) -> Genome:
        """The genome read back from live parts; only the editor's name comes from the record."""
        return Genome(
            architecture=read_architecture(self.policy, self.policy.optimizer),
            learning_rule=read_sb3_rule(self),
            objective=tuple(sorted(self._weights.items())),
            editor=self.genome.editor,
        )

    def parameters(self) -> int:
        """Number of its weights and biases."""
        return parameters(self.effective(), self.observation_size, self.actions)

    def logits(self, observations: Array) -> Array:
        """Policy logits, float32 ``[n, actions]``."""
        return self._run("policy", observations)

    def values(self, observations: Array) -> Array:
        """State values, float32 ``[n]``."""
        return self._worth("value", observations)

    def recent_observations(self, n: int) -> Array:
        """Up to ``n`` observations of the last rollout, evenly spaced, ``[<=n, inputs]``."""
        count = min(n, len(self._recent))
        found: Array = self._recent[np.linspace(0, len(self._recent) - 1, count).astype(int)]
        return found

    def view(self) -> Mapping[str, Any]:
        """``dormancy``, ``unit_scores`` (ReDo, eq. 1) and ``gradient_norm`` of the last update."""
        seen = self._fit(self.recent_observations(MOST))
        use = either.unit_use(self.engine, self.policy, "policy", seen)
        return {**use, "gradient_norm": self.gradient_norm}

    def look(self) -> Look | None:
        """The last rollout and the loss on it, up to 1024 steps, evenly spaced."""
        inputs = self._inputs(self.genome)
        if self.looked_at is None or self.observation_space.shape != (inputs,):
            return None
        if self.rollout_buffer.observations.shape[2] != inputs:
            return None
        if self.engine:
            return self._engine_look(self.engine, self.looked_at)
        batch = self.rollout_buffer.rows(self.looked_at)
        return LossLook(
            self.policy,
            self.policy.optimizer,
            batch.observations.numpy().copy(),
            lambda: self._loss(batch),
        )

    def live_objectives(self) -> Mapping[str, LiveObjective]:
        """The live objectives, by name; those the genome does not name are inactive."""
        return self._live_objectives

    def snapshot(self) -> tuple[Mapping[str, Any], Mapping[str, Array]]:
        """Everything needed to resume bit for bit, between two updates, except the env."""
        return snapshots.take_on_policy(self)

    def resume(self, data: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        """Restore what ``snapshot`` gave; ``ValueError`` where it is from another run."""
        snapshots.restore_on_policy(self, data, arrays)

    def running(self) -> dict[str, Array]:
        """What goes on from one rollout to the next."""
        return {
            "starts": self._last_episode_starts,
            "returns": self._episode_returns,
            "past": self._frames.past,
            "recent": self._recent,
        }

    def go_on(self, running: Mapping[str, Array], looked_at: Array | None) -> None:
        """Take over what ``running`` gave."""
        self._last_episode_starts = running["starts"].copy()
        self._episode_returns = running["returns"].copy()
        self._frames.past, self._recent = running["past"].copy(), running["recent"].copy()
        self.looked_at = looked_at

    # --- parts ---------------------------------------------------------------------------------

    def _wrong_rule(self, genome: Genome) -> list[str]:
        return wrong_rule(genome, self.rule_type)

    def _inputs(self, genome: Genome) -> int:
        """Numbers that the towers read: this observation and those before it."""
        return self.observation_size * genome.architecture.history

    def _fit(self, observations: Array) -> Array:
        return fitted(observations, self._inputs(self.genome))

    def _run(self, tower: str, observations: Array) -> Array:
        return either.outputs(self.engine, self.policy, tower, self._fit(observations))

    def _learning_towers(self) -> tuple[str, ...]:
        """The towers that the next update trains."""
        return TOWERS

    def _engine_look(self, engine: Engine, rows: Array) -> EngineLook:
        inputs, steps = updates.whole_rollout(self, rows)
        head = self._head(steps)
        return EngineLook(engine, self._learning_towers(), inputs, head)

    def _head(self, steps: Steps) -> Head:
        """The loss on these steps, given the towers' outputs."""
        return updates.ppo_head(self, updates.alone(steps))

    def _see(self, history: int) -> None:
        """Keep as many observations as the policy reads; drop a rollout of another width."""
        self._frames.remember(history)
        width = self._inputs(self.genome)
        if self.rollout_buffer.observations.shape[-1] != width:
            self.observation_space = _inputs_space(width)
            self.rollout_buffer.widen(self.observation_space)
            self.looked_at = None

    def _worth(self, tower: str, observations: Array) -> Array:
        return self._run(tower, observations)[:, 0]

    def _reward_rollout(self, rollout: Batch) -> None:
        """Store the mixed reward of every step in the buffer."""
        sources = (self._weights, self._live_objectives, self._reward_sums, self.updates)
        self.rollout_buffer.rewards[:] = mixed(rollout, *sources)

    def _value_rollout(self, observations: Array) -> None:
        buffer, rollout = self.rollout_buffer, self._diary.rollout()
        buffer.episode_starts[0] = self._first_starts
        buffer.episode_starts[1:] = rollout.ended[:-1]
        buffer.episode_starts[~buffer.present] = 1.0
        cut = (rollout.ended & ~rollout.terminated & buffer.present).nonzero()
        size = self._frames.past.shape[1]  # past inputs that stay when one observation is added
        finals = [rollout.next_observation[cut], buffer.observations[cut][:, :size]]
        seen = self._rollout_inputs(observations, np.concatenate(finals, axis=1))
        buffer.judge(self._worth("value", seen), cut, self._last_episode_starts)

    def _rollout_inputs(self, observations: Array, *more: Array) -> Array:
        """All inputs of the rollout, step by step, the next one, and ``more``."""
        ahead = self._frames.stack(observations, self._last_episode_starts)
        seen = self.rollout_buffer.observations
        return np.concatenate([seen.reshape(-1, seen.shape[2]), ahead, *more])

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
        share = self.epochs_done / self.genome.learning_rule.epochs
        thought = rollout_flops(*sizes) + share * training_flops(*sizes)
        return thought + sum(self._live_objectives[name].flops(steps) for name in self._weights)


def _inputs_space(width: int) -> spaces.Box:
    return spaces.Box(-np.inf, np.inf, (width,), np.float32)
