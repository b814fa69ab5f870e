"""What DQN and SAC share: networks trained from a replay buffer.

A collector calls ``begin``, then ``act`` and ``store`` by turns, then ``finish``: one update is one
rollout, then ``gradient_steps`` minibatches drawn from the buffer. A rewrite does not change it.
Rewards are stored per objective and weighted when they are learned from, so that new weights and a
new discount apply to all stored steps at once.
"""

from abc import abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from agents.algorithms.buffers import Replay, StepBatch, StoredSteps
from agents.architecture.cost import parameter_shapes, parameters, rollout_flops, training_flops
from agents.architecture.initial import initial_buffers, initial_parameters
from agents.architecture.validity import (
    genome_problems,
    objective_problems,
    refuse,
    state_problems,
    wrong_rule,
)
from agents.arrays import Array
from agents.contract import AgentState, Batch, LiveLearner, LiveObjective, Look, UpdateReport
from agents.engine import either
from agents.engine.engine import Engine
from agents.engine.support import engine_problems, first_engine
from agents.genome import Genome, LearningRule
from agents.network import bundle
from agents.network.gradient_step import Stepper, check_weights, fitted
from agents.network.gradients import MOST, LossLook
from agents.training import snapshots
from agents.training.diary import Diary
from agents.training.frame_stack import Frames
from agents.training.reward_mixing import objective_reward, shares, update_objectives
from agents.training.shown_by_others import ALONE, CaregiverFeedback
from agents.training.streams import Chance
from agents.training.value_transfer import exported_values, import_values, value_problems


@dataclass(frozen=True)
class Sizes:
    """Sizes of a learner with a replay buffer."""

    observation: int
    actions: int  # of SAC, the dimensions of an action
    copies: int
    steps: int  # of each copy in an update
    memory: int  # steps of all copies that are kept
    warmup: int  # steps of all copies before the first gradient


@dataclass(frozen=True)
class Minibatch:
    """A minibatch as tensors, rewards already weighted."""

    inputs: Tensor  # [n, inputs]
    actions: Tensor  # int64 [n], or float32 [n, dimensions]
    following: Tensor  # [n, inputs]
    rewards: Tensor  # [n]
    terminated: Tensor  # [n], 0 or 1


class ReplayLearner(LiveLearner):
    """One agent. Subclasses define how it acts, what it learns from a minibatch, and its loss.

    ``chance`` gives this agent's own streams: ``weights``, ``actions``, ``minibatches`` and
    ``replacements`` are drawn from here.
    """

    rule_type: ClassVar[type[LearningRule]]
    viewed: ClassVar[str]  # the tower whose units and outputs are shown
    continuous: ClassVar[bool] = False
    engine: Engine | None = None

    def __init__(
        self,
        genome: Genome,
        sizes: Sizes,
        live_objectives: Mapping[str, LiveObjective],
        chance: Chance,
        engine: str = "torch",
    ) -> None:
        refuse([*genome_problems(genome), *self._wrong_rule(genome)])
        self.engine_name = first_engine(engine, genome.architecture)
        self.observation_size, self.actions, self.sizes = sizes.observation, sizes.actions, sizes
        self._live_objectives, self.chance = dict(live_objectives), chance
        self.stepper = Stepper(genome.learning_rule, chance("replacements"))
        self.networks = bundle.NetworkBundle(genome)
        dimensions = sizes.actions if self.continuous else 0
        rows = max(sizes.memory // sizes.copies, sizes.steps)
        self.replay = Replay(
            rows, sizes.copies, sizes.observation, len(self._live_objectives), dimensions
        )
        self._diary = Diary(sizes.steps, sizes.copies, sizes.observation, dimensions)
        self._frames = Frames(sizes.copies, sizes.observation)
        self._starts = np.ones(sizes.copies, bool)
        self._returns = np.zeros(sizes.copies)
        self._recent = np.zeros((0, sizes.observation), np.float32)
        self.gradient_norm, self.updates = 0.0, 0
        chance("actions"), chance("minibatches")
        self.begin()
        rng = chance("weights")
        weights = initial_parameters(genome, sizes.observation, sizes.actions, rng)
        buffers = initial_buffers(genome, weights, rng) | self._extra_buffers()
        self.install(AgentState(genome, weights, {}, buffers))

    # --- defined by subclasses -----------------------------------------------------------------

    @abstractmethod
    def _choose(self, inputs: Array) -> Array:
        """Actions to take in training, as they are kept: int64 ``[n]`` or float32 ``[n, dims]``."""

    @abstractmethod
    def _gradient_step(self, minibatch: Minibatch) -> dict[str, float]:
        """Learn from one minibatch; return what to report of it, with ``gradient_norm``."""

    @abstractmethod
    def _whole_loss(self, minibatch: Minibatch) -> Tensor:
        """The full loss, for a ``Look``; draws nothing from this agent's streams."""

    def _after_update(self) -> dict[str, float]:
        """Do what is done once an update, and return what to report of it."""
        return {}

    def _extra_buffers(self) -> dict[str, Array]:
        """Buffers of an initial agent state besides its masks."""
        return {}

    def _outward(self, actions: Array) -> Array:
        """Actions as the env takes them."""
        return actions

    # --- one rollout and one update ------------------------------------------------------------

    def begin(self) -> None:
        """Start a rollout."""
        if self.engine:
            self.engine.refresh(self.optimizer, self.engine.towers)
        self._diary.begin()
        self._seen: list[Array] = []
        self._first_starts = self._starts

    def act(self, observations: Array) -> Array:
        """Choose an action for each of float32 ``[n, size]`` observations, as the env takes it."""
        inputs = self._frames.stack(observations, self._starts)
        self._frames.push(inputs)
        self._seen.append(inputs)
        chosen = self._choose(inputs)
        self._diary.acted(observations, chosen)
        return self._outward(chosen)

    def store(
        self,
        following: Array,
        reward: Array,
        terminated: Array,
        truncated: Array,
        others: CaregiverFeedback = ALONE,
    ) -> None:
        """Store the outcome of the last action.

        ``following`` is the observation the step itself led to (float32 ``[n, size]``). Where both
        flags are set, ``terminated`` wins: only a truncated episode has a value after its end.
        """
        self._starts = terminated | truncated
        self._diary.followed(following, reward, terminated, self._starts, others)

    def finish(self, observations: Array) -> UpdateReport:
        """Reward the rollout, write it into the replay buffer, and learn from that.

        Raises ``FloatingPointError`` where the update would make the weights non-finite.
        """
        del observations  # stored already, as the last step's next observation
        self.updates += 1
        rollout = self._diary.rollout()
        sums = self._remember(rollout)
        finished = self._diary.ended_returns(self._returns)
        self._recent = np.concatenate(self._seen)
        steps, learns = len(self._recent), len(self.replay) >= max(self.sizes.warmup, 1)
        losses = self._learn() if learns else {}
        losses |= self._after_update() if learns else {}
        losses |= update_objectives(self._live_objectives, self._weights, rollout, self.updates)
        return UpdateReport(
            steps=steps,
            flops=self._flops(steps, learns),
            episodes=len(finished),
            mean_return=float(np.mean(finished)) if finished else None,
            rewards={name: total / steps for name, total in sums.items()},
            losses=losses,
        )

    # --- LiveLearner ---------------------------------------------------------------------------

    def agent_state(self) -> AgentState:
        """Copy of genome, weights, optimiser state and buffers."""
        values = exported_values(self._live_objectives)
        return bundle.read_agent_state(self.genome, self.networks, self.optimizer, values)

    def install(self, agent_state: AgentState) -> None:
        """Install this agent state; ``ValueError`` naming every problem, and nothing changed."""
        problems = [*state_problems(agent_state, self.observation_size, self.actions)]
        problems += self._wrong_rule(agent_state.genome)
        problems += value_problems(agent_state.values, self._live_objectives)
        if self.engine_name == "numpy":
            problems += engine_problems(agent_state.genome.architecture)
        refuse([*problems, *objective_problems(agent_state.genome, self._live_objectives)])
        import_values(agent_state.values, self._live_objectives)
        order = parameter_shapes(agent_state.genome, self.observation_size, self.actions)
        self.optimizer = bundle.assign(self.networks, agent_state, order)
        genome = agent_state.genome
        self.engine = either.start_engine(
            self.engine_name, self.networks, self.optimizer, genome, genome.towers()
        )
        self.stepper.adopt(agent_state.genome.learning_rule)
        self._weights, self.genome = dict(agent_state.genome.objective), agent_state.genome
        self._frames.remember(agent_state.genome.architecture.history)

    def effective(self) -> Genome:
        """The genome read back from live parts; only the editor comes from the record."""
        return Genome(
            architecture=bundle.read_architecture(self.networks, self.optimizer),
            learning_rule=bundle.read_rule(self.optimizer, self.stepper.rule),
            objective=tuple(sorted(self._weights.items())),
            editor=self.genome.editor,
        )

    def parameters(self) -> int:
        """Number of its weights and biases."""
        return parameters(self.effective(), self.observation_size, self.actions)

    def logits(self, observations: Array) -> Array:
        """Outputs of the tower that acts, float32 ``[n, outputs]``."""
        return self._run(self.viewed, observations)

    def recent_observations(self, n: int) -> Array:
        """Up to ``n`` observations of the last rollout, evenly spaced, ``[<=n, inputs]``."""
        count = min(n, len(self._recent))
        found: Array = self._recent[np.linspace(0, len(self._recent) - 1, count).astype(int)]
        return found

    def view(self) -> Mapping[str, Any]:
        """``dormancy``, ``unit_scores`` (ReDo, eq. 1) and ``gradient_norm`` of the last update."""
        seen = self._fit(self.recent_observations(MOST))
        use = either.unit_use(self.engine, self.networks, self.viewed, seen)
        return {**use, "gradient_norm": self.gradient_norm}

    def look(self) -> Look | None:
        """The last rollout and the loss on it, up to 1024 steps, evenly spaced."""
        if not len(self.replay):
            return None
        newest = self._newest()
        return LossLook(
            self.networks,
            self.optimizer,
            newest.inputs,
            lambda: self._whole_loss(self._minibatch(newest)),
        )

    def live_objectives(self) -> Mapping[str, LiveObjective]:
        """The live objectives, by name; those the genome does not name are inactive."""
        return self._live_objectives

    def snapshot(self) -> tuple[Mapping[str, Any], Mapping[str, Array]]:
        """Everything needed to resume bit for bit, between two updates, except the env."""
        return snapshots.take_off_policy(self)

    def resume(self, data: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        """Restore what ``snapshot`` gave; ``ValueError`` where it is from another run."""
        snapshots.restore_off_policy(self, data, arrays)

    def running(self) -> dict[str, Array]:
        """What goes on from one rollout to the next."""
        return {
            "starts": self._starts,
            "returns": self._returns,
            "past": self._frames.past,
            "recent": self._recent,
        }

    def go_on(self, running: Mapping[str, Array]) -> None:
        """Take over what ``running`` gave."""
        self._starts, self._returns = running["starts"].copy(), running["returns"].copy()
        self._frames.past, self._recent = running["past"].copy(), running["recent"].copy()

    # --- parts ---------------------------------------------------------------------------------

    @property
    def warm(self) -> bool:
        """True once it has made enough steps to learn."""
        made = len(self.replay) + len(self._diary) * self.sizes.copies
        return made >= self.sizes.warmup

    def _wrong_rule(self, genome: Genome) -> list[str]:
        return wrong_rule(genome, self.rule_type)

    def _history(self) -> int:
        return self.genome.architecture.history

    def _fit(self, observations: Array) -> Array:
        return fitted(observations, self.observation_size * self._history())

    def _run(self, tower: str, observations: Array) -> Array:
        """Outputs of one tower, float32 ``[n, outputs]``."""
        return either.outputs(self.engine, self.networks, tower, self._fit(observations))

    def _remember(self, rollout: Batch) -> dict[str, float]:
        """Write a rollout into the replay buffer; return each objective's weighted sum."""
        rewards = self._objective_rewards(rollout)
        starts = np.concatenate([self._first_starts[None], rollout.ended[:-1]])
        seen = rollout.observation, rollout.action, rollout.next_observation
        self.replay.add(StoredSteps(*seen, rewards, rollout.terminated, starts))
        sums = dict(zip(self._live_objectives, rewards.sum((0, 1)).tolist(), strict=True))
        return {name: weight * sums[name] for name, weight in self._weights.items()}

    def _objective_rewards(self, rollout: Batch) -> Array:
        """Each objective's reward in its own unit, float64 ``[steps, n, objectives]``; inactive: 0.

        Weights are applied when it is learned from; mixing weights (alpha) are applied here.
        """
        found = np.zeros((*rollout.reward.shape, len(self._live_objectives)))
        alphas = shares(self._live_objectives, self._weights)
        for k, (name, live_objective) in enumerate(self._live_objectives.items()):
            if name in self._weights:
                reward = objective_reward(name, live_objective, rollout, self.updates)
                found[..., k] = alphas[name] * reward
        return found

    def _minibatch(self, steps: StepBatch) -> Minibatch:
        weights = [self._weights.get(name, 0.0) for name in self._live_objectives]
        rewards = (steps.rewards * np.array(weights)).sum(1).astype(np.float32)
        arrays = (steps.inputs, steps.actions, steps.following, rewards, steps.terminated)
        inputs, actions, following, weighted, terminated = map(torch.from_numpy, arrays)
        return Minibatch(inputs, actions, following, weighted, terminated)

    def _learn(self) -> dict[str, float]:
        rule: Any = self.stepper.rule
        rows: list[dict[str, float]] = []
        try:
            with self._learning():
                for _ in range(rule.gradient_steps):
                    drawn = self.replay.sample(
                        rule.minibatch, self._history(), self.chance("minibatches")
                    )
                    rows.append(self._gradient_step(self._minibatch(drawn)))
            check_weights(self.networks)
        except FloatingPointError as error:
            raise FloatingPointError(
                f"update {self.updates}: {error} (learning rate {rule.learning_rate:g})"
            ) from error
        means = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
        self.gradient_norm = means["gradient_norm"]
        return means

    def _newest(self) -> StepBatch:
        """Up to 1024 steps of the last rollout, evenly spaced."""
        return self.replay.newest(self.sizes.steps, MOST, self._history())

    def _learning(self) -> AbstractContextManager[None]:
        if self.engine:
            return self.engine.learning(self.optimizer, self.engine.towers)
        return nullcontext()

    def _flops(self, steps: int, learns: bool) -> float:
        sizes = (self.genome, self.observation_size, self.actions, steps)
        thought = rollout_flops(*sizes) + learns * training_flops(*sizes)
        return thought + sum(self._live_objectives[name].flops(steps) for name in self._weights)


def follow(target: torch.nn.Module, leader: torch.nn.Module, rate: float) -> None:
    """Move a target towards its online network: ``(1 - rate) target + rate leader`` (Polyak)."""
    with torch.no_grad():
        for slow, fast in zip(target.parameters(), leader.parameters(), strict=True):
            slow.mul_(1 - rate).add_(fast, alpha=rate)
