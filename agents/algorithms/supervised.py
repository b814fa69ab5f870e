"""A supervised network: cross-entropy on the correct actions of its last rollout.

It acts by sampling, as the other learners do, but learns from the labels that the env gives
afterwards (``label`` in infos), not from rewards. There is a policy tower and nothing else.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from agents.architecture.cost import parameter_shapes, parameters, rollout_flops, training_flops
from agents.architecture.initial import initial_buffers, initial_parameters
from agents.architecture.validity import genome_problems, objective_problems, refuse, state_problems
from agents.arrays import Array
from agents.behaviour import drawn
from agents.contract import AgentState, LiveLearner, LiveObjective, Streams, UpdateReport
from agents.genome import Genome, SupervisedRule
from agents.layers import KINDS
from agents.network import bundle
from agents.network.gradient_step import Row, Stepper, as_input, check_weights
from agents.network.gradients import MOST, LossLook
from agents.network.towers import DORMANT
from agents.training import snapshots
from agents.training.frame_stack import Frames
from agents.training.streams import Chance

TOWER = "policy"
Rows = tuple[Array, Array]
"""What was seen, float32 ``[rows, inputs]``, and what was right, int64 ``[rows]``."""


class SupervisedLearner(LiveLearner):
    """One agent. A collector calls ``begin``, then ``act`` and ``store`` by turns, then ``finish``.

    ``streams`` are this agent's own: ``weights``, ``actions``, ``minibatches`` and ``replacements``
    are drawn from here. Its genome weights objectives as any other, but they train nothing.
    """

    def __init__(
        self,
        *,
        genome: Genome,
        sizes: tuple[int, int],
        num_envs: int,
        live_objectives: Mapping[str, LiveObjective],
        streams: Streams,
    ) -> None:
        refuse(genome_problems(genome))
        self.observation_size, self.actions = sizes
        self._live_objectives, self._chance = dict(live_objectives), Chance(streams)
        self._stepper = Stepper(genome.learning_rule, self._chance("replacements"))
        self._networks = bundle.NetworkBundle(genome)
        self._frames = Frames(num_envs, self.observation_size)
        self._action_stream, self._shuffle = map(self._chance, ("actions", "minibatches"))
        self._starts = np.ones(num_envs, bool)
        self._returns = np.zeros(num_envs)
        self._rows: Rows | None = None  # of the last rollout
        self._gradient_norm, self.updates = 0.0, 0
        self.begin()
        rng = self._chance("weights")
        weights = initial_parameters(genome, *sizes, rng)
        self.install(AgentState(genome, weights, {}, initial_buffers(genome, weights, rng)))

    # --- one rollout and one update ------------------------------------------------------------

    def begin(self) -> None:
        """Start a rollout."""
        self._seen: list[Array] = []
        self._labels: list[Array] = []
        self._finished: list[float] = []
        self._reward_sum = 0.0

    def act(self, observations: Array) -> Array:
        """Sample an action (int64 ``[n]``, from 0) for float32 ``[n, size]`` observations."""
        inputs = self._frames.stack(observations, self._starts)
        self._frames.push(inputs)
        self._seen.append(inputs)
        return drawn(self.logits(inputs), self._action_stream.random((len(inputs), 1)))[0]

    def store(self, labels: Array, reward: Array, ended: Array) -> None:
        """Store the labels of the last observations, int ``[n]``, from 0."""
        if not ((labels >= 0) & (labels < self.actions)).all():
            raise ValueError(f"labels must be in 0..{self.actions - 1}, got {labels}")
        self._labels.append(labels.astype(np.int64))
        self._reward_sum += float(reward.sum())
        self._returns += reward
        self._finished += self._returns[ended].tolist()
        self._returns[ended] = 0.0
        self._starts = ended

    def finish(self) -> UpdateReport:
        """Learn from the rollout.

        Raises ``FloatingPointError`` where the update would make the weights non-finite.
        """
        self.updates += 1
        self._rows = np.concatenate(self._seen), np.concatenate(self._labels)
        losses, steps = self._learn(self._rows), len(self._rows[1])
        return UpdateReport(
            steps=steps,
            flops=self._flops(steps),
            episodes=len(self._finished),
            mean_return=float(np.mean(self._finished)) if self._finished else None,
            rewards={},
            losses=losses,
        )

    def _learn(self, rows: Rows) -> dict[str, float]:
        rule = self.genome.learning_rule
        try:
            found = [self._step(batch) for _ in range(rule.epochs) for batch in self._batches(rows)]
            check_weights(self._networks)
        except FloatingPointError as error:
            raise FloatingPointError(
                f"update {self.updates}: {error} (learning rate {rule.learning_rate:g})"
            ) from error
        loss, self._gradient_norm = torch.stack(found).mean(0).tolist()
        right = self.logits(rows[0]).argmax(1) == rows[1]
        return {
            "loss": loss,
            "gradient_norm": self._gradient_norm,
            "accuracy": float(right.mean()),
            "dormant_share": self._dormant_share(),
        }

    def _batches(self, rows: Rows) -> Iterator[tuple[Tensor, Tensor]]:
        """All rows once, shuffled."""
        seen, labels = (torch.from_numpy(each) for each in rows)
        order = torch.from_numpy(self._shuffle.permutation(len(labels)))
        for chosen in torch.split(order, self.genome.learning_rule.minibatch):
            yield seen[chosen], labels[chosen]

    def _step(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        row, norm = self._stepper.step(
            self._networks, self._optimizer, lambda: self._loss(*batch), {TOWER: batch[0]}
        )
        return torch.stack((*row, norm))

    def _loss(self, seen: Tensor, labels: Tensor) -> tuple[Tensor, Row]:
        loss = functional.cross_entropy(self._networks.tower(TOWER)(seen), labels)
        return loss, (loss.detach(),)

    # --- LiveLearner ---------------------------------------------------------------------------

    def agent_state(self) -> AgentState:
        """Copy of genome, weights, optimiser state and buffers."""
        return bundle.read_agent_state(self.genome, self._networks, self._optimizer)

    def install(self, agent_state: AgentState) -> None:
        """Install this agent state; ``ValueError`` naming every problem, and nothing changed."""
        problems = [*state_problems(agent_state, self.observation_size, self.actions)]
        if not isinstance(agent_state.genome.learning_rule, SupervisedRule):
            problems.append("the agent state has another learning rule, this agent is supervised")
        refuse([*problems, *objective_problems(agent_state.genome, self._live_objectives)])
        order = parameter_shapes(agent_state.genome, self.observation_size, self.actions)
        self._optimizer = bundle.assign(self._networks, agent_state, order)
        self._stepper.adopt(agent_state.genome.learning_rule)
        self._weights, self.genome = agent_state.genome.objective, agent_state.genome
        self._frames.remember(agent_state.genome.architecture.history)

    def effective(self) -> Genome:
        """The genome read back from live parts; only the editor comes from the record."""
        return Genome(
            architecture=bundle.read_architecture(self._networks, self._optimizer),
            learning_rule=bundle.read_rule(self._optimizer, self._stepper.rule),
            objective=self._weights,
            editor=self.genome.editor,
        )

    def parameters(self) -> int:
        """Number of its weights and biases."""
        return parameters(self.effective(), self.observation_size, self.actions)

    def logits(self, observations: Array) -> Array:
        """Policy logits, float32 ``[n, actions]``."""
        with torch.inference_mode():
            found: Array = self._networks.tower(TOWER)(self._input(observations)).numpy()
        return found

    def values(self, observations: Array) -> Array:
        """It has no value function: zeros ``[n]``."""
        return np.zeros(len(observations), np.float32)

    def recent_observations(self, n: int) -> Array:
        """Up to ``n`` observations of the last rollout, evenly spaced, ``[<=n, inputs]``."""
        width = self.observation_size * self.genome.architecture.history
        seen = self._rows[0] if self._rows else np.zeros((0, width), np.float32)
        found: Array = seen[_spread(len(seen), n)]
        return found

    def view(self) -> Mapping[str, Any]:
        """``dormancy``, ``unit_scores`` (ReDo, eq. 1) and ``gradient_norm`` of the last update."""
        seen = self._input(self.recent_observations(MOST))
        use = self._networks.tower(TOWER).unit_use(seen)
        return {**use, "gradient_norm": self._gradient_norm}

    def look(self) -> LossLook | None:
        """The last rollout and the loss on it, up to 1024 steps, evenly spaced."""
        width = self.observation_size * self.genome.architecture.history
        if self._rows is None or self._rows[0].shape[1] != width:
            return None
        rows = _spread(len(self._rows[1]), MOST)
        seen, labels = self._rows[0][rows], torch.from_numpy(self._rows[1][rows])
        return LossLook(
            self._networks, self._optimizer, seen, lambda: self._loss(self._input(seen), labels)[0]
        )

    def live_objectives(self) -> Mapping[str, LiveObjective]:
        """The objectives of the genome; their rewards are not used here."""
        return self._live_objectives

    def snapshot(self) -> tuple[Mapping[str, Any], Mapping[str, Array]]:
        """Everything needed to resume bit for bit, between two updates, except the env."""
        data, arrays = snapshots.take(self, self._chance)
        data |= {"updates": self.updates, "gradient_norm": self._gradient_norm}
        running = {"starts": self._starts, "returns": self._returns, "past": self._frames.past}
        arrays |= {f"running/{name}": each.copy() for name, each in running.items()}
        if self._rows:
            arrays |= {"seen": self._rows[0].copy(), "taught": self._rows[1].copy()}
        return data, arrays

    def resume(self, data: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        """Restore what ``snapshot`` gave; ``ValueError`` where it is from another run."""
        snapshots.restore(self, self._chance, data, arrays)
        self.updates, self._gradient_norm = data["updates"], data["gradient_norm"]
        snapshots.refill(self._returns, arrays["running/returns"])
        self._starts, self._frames.past = (
            arrays[f"running/{name}"].copy() for name in ("starts", "past")
        )
        self._rows = (arrays["seen"].copy(), arrays["taught"].copy()) if "seen" in arrays else None

    # --- parts ---------------------------------------------------------------------------------

    def _input(self, observations: Array) -> Tensor:
        return as_input(observations, self.observation_size * self.genome.architecture.history)

    def _dormant_share(self) -> float:
        """Share of the units that a layer has of its own, over all layers."""
        layers = self.genome.architecture.layers
        scores = [
            each
            for layer, each in zip(layers, self.view()["unit_scores"], strict=True)
            if KINDS[layer.kind].grows
        ]
        return float((np.concatenate(scores) <= DORMANT).mean()) if scores else 0.0

    def _flops(self, steps: int) -> float:
        sizes = (self.genome, self.observation_size, self.actions, steps)
        return rollout_flops(*sizes) + training_flops(*sizes)


def _spread(rows: int, n: int) -> Array:
    """Indices of up to ``n`` of these rows, evenly spaced."""
    return np.linspace(0, max(rows - 1, 0), min(rows, n)).astype(int)
