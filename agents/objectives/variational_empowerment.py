"""Variational empowerment: a bound from below on bits of influence, learned by two networks."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.arrays import Array
from agents.contract import Batch, LiveObjective, Objective
from agents.models.perceptron import Adam, Perceptron, Weights, cross_entropy
from agents.objective_contract import row_by_row
from agents.part_settings import SettingError


@dataclass(frozen=True)
class VariationalEmpowerment(Objective):
    """Mohamed & Rezende 2015: ``max_w E[log q(A | s, s') - log w(A | s)]`` of the state arrived in.

    ``A`` is a sequence of ``steps`` actions, ``s'`` where it led. ``q`` learns to infer the
    sequence from both ends; ``u(s, A)`` learns the mean of ``log q`` over what ``A`` leads to.
    The best source of sequences is then ``w = exp(u) / Z``, and the bound is ``log2 Z(s)`` with
    ``Z = sum_A exp u(s, A)``: that is the reward.

    Whatever ``q`` is, the bound holds if ``u`` is its mean; a network's error in ``u`` may break it
    by as much (up to 0.2 bits in single states of slippery mazes). It is tight where behaviour
    tries sequences as the best source would. Initially ``u = -log |A|^steps``, so that unseen
    states have reward 0.

    Conventions: sequences are cut out of the rollout wherever no episode ended before their last
    step, and span no two rollouts; the end of an episode (termination, not a cut) has 0 bits; bits
    below 0, which no state has, give 0. The first rollout has reward 0. Networks have one hidden
    layer and see observations as they come. They change between rollouts only.
    """

    unit: ClassVar[str] = "bits"
    scope: ClassVar[str] = "lifelong"
    discrete: ClassVar[bool] = True

    weight: float = 0.1
    steps: int = 1  # length of a sequence of actions
    hidden: int = 64
    learning_rate: float = 1e-3
    most_samples: int = 4096  # sequences of a rollout that are learned from
    minibatch: int = 128
    most_sequences: int = 256  # actions ** steps must not exceed this

    def __post_init__(self) -> None:
        for name in ("steps", "hidden", "most_samples", "minibatch", "most_sequences"):
            if getattr(self, name) < 1:
                raise SettingError(f"{name} is at least 1, not {getattr(self, name)}", name)
        if not 0 < self.learning_rate < math.inf:
            raise SettingError(
                f"learning_rate is a finite number above 0, not {self.learning_rate}",
                "learning_rate",
            )

    def start(self, observation_size: int, actions: int, rng: np.random.Generator) -> LiveObjective:
        """Draw both networks, and a seed for the samples that they will learn from."""
        if actions**self.steps > self.most_sequences:
            raise ValueError(
                f"{actions} actions make {actions**self.steps} sequences of {self.steps}, "
                f"more than most_sequences ({self.most_sequences})"
            )
        return _Bounded(self, observation_size, actions, rng)


class _Bounded(LiveObjective):
    def __init__(
        self, settings: VariationalEmpowerment, size: int, actions: int, rng: np.random.Generator
    ) -> None:
        self._settings, self._actions = settings, actions
        sequences = actions**settings.steps
        self._inverse = Perceptron((2 * size, settings.hidden, sequences), rng)  # q
        self._mean = Perceptron((size, settings.hidden, sequences), rng)  # u
        head, bias = self._mean.weights[-1]
        self._mean.weights[-1] = (np.zeros_like(head), bias - np.float32(math.log(sequences)))
        self._adams = {
            "inverse_adam": Adam(self._inverse.weights, settings.learning_rate),
            "mean_adam": Adam(self._mean.weights, settings.learning_rate),
        }
        self._seed = int(rng.integers(2**62))
        self._updates = 0

    def reward(self, batch: Batch) -> Array:
        if not self._updates:
            return np.zeros(len(batch.terminated))
        worth = self._mean(np.asarray(batch.next_observation, np.float32)).astype(np.float64)
        bits = np.log2(np.exp(np.minimum(worth, 0.0)).sum(-1))  # log q is never above 0
        return np.where(batch.terminated, 0.0, np.maximum(bits, 0.0))

    def rewards(self, rollout: Batch) -> Array:
        return row_by_row(self.reward, rollout)

    def update(self, rollout: Batch) -> None:
        before, done, after = self._sequences(rollout)
        rng = np.random.Generator(np.random.PCG64([self._seed, self._updates]))
        order = rng.permutation(len(done))[: self._settings.most_samples]
        for start in range(0, len(order), self._settings.minibatch):
            part = order[start : start + self._settings.minibatch]
            self._fit(before[part], done[part], after[part])
        self._updates += 1

    def state_dict(self) -> Mapping[str, Array]:
        found = self._inverse.state("inverse") | self._mean.state("mean")
        for name, adam in self._adams.items():
            found |= adam.state(name)
        found["seed"] = np.array(self._seed, np.int64)
        found["updates"] = np.array(self._updates, np.int64)
        return found

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        for name, mine in self.state_dict().items():
            if name not in state or state[name].shape != mine.shape:
                raise ValueError(f"variational_empowerment cannot go on: '{name}' does not fit")
        self._inverse.load(state, "inverse")
        self._mean.load(state, "mean")
        for name, adam in self._adams.items():
            adam.load(state, name)
        self._seed, self._updates = int(state["seed"]), int(state["updates"])

    def flops(self, steps: int) -> float:
        """One look of ``u`` a step; of each, three a sample, a backward pass being two."""
        samples = min(steps, self._settings.most_samples)
        return steps * self._mean.flops() + 3 * samples * (
            self._mean.flops() + self._inverse.flops()
        )

    def _sequences(self, rollout: Batch) -> tuple[Array, Array, Array]:
        """First observation, number of the sequence, and last observation of each."""
        n, length = self._settings.steps, len(rollout.action)
        count = max(length - n + 1, 0)
        code = np.zeros((count, *rollout.action.shape[1:]), np.int64)
        whole = np.ones(code.shape, bool)
        for i in range(n):
            here = slice(i, i + count)
            code = code * self._actions + rollout.action[here]
            if rollout.present is not None:
                whole &= rollout.present[here]
            if i < n - 1:
                whole &= ~rollout.ended[here]
        before, after = rollout.observation[:count], rollout.next_observation[n - 1 : n - 1 + count]
        return before[whole], code[whole], after[whole]

    def _fit(self, before: Array, done: Array, after: Array) -> None:
        ends = self._inverse.activations(np.concatenate([before, after], axis=1))
        surprise, delta = cross_entropy(ends[-1], done)
        share = np.float32(1 / len(done))
        self._move("inverse", self._inverse, self._inverse.backward(ends, delta * share)[0])
        starts, rows = self._mean.activations(before), np.arange(len(done))
        pull = np.zeros_like(starts[-1])
        pull[rows, done] = 2 * share * (starts[-1][rows, done] + surprise)
        self._move("mean", self._mean, self._mean.backward(starts, pull)[0])

    def _move(self, name: str, net: Perceptron, gradients: Weights) -> None:
        self._adams[f"{name}_adam"].step(net.weights, gradients)
