"""Losses and their gradients by the towers' outputs: PPO with one or two values, A2C, DQN.

Each function takes the outputs of the towers that learn and one minibatch, and returns the loss,
what is reported of it, and the gradient by every output. The formulas are those of Stable-
Baselines3: PPO (Schulman et al. 2017, eq. 9), A2C (Mnih et al. 2016), DQN (Mnih et al. 2015).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from agents.arrays import Array

_ONE = np.float32(1)


class Evaluated(NamedTuple):
    """A loss on one minibatch."""

    value: float
    row: tuple[float, ...]  # what is reported of it
    slopes: tuple[Array, ...]  # gradient by each tower's outputs, float32 [n, outputs]


@dataclass(frozen=True)
class Coefficients:
    """The numbers of a learner of whole rollouts that its loss reads."""

    clip_range: float
    entropy: float
    value: float


class Steps(NamedTuple):
    """A minibatch; float32 ``[n]`` but for ``at``, the flat index of the action's logit."""

    at: Array
    old_log_prob: Array
    advantages: Array
    returns: Array
    more_returns: Array | None = None  # of a second value head


class _Choice:
    """The distribution over actions, and the log probability of those that were taken."""

    def __init__(self, logits: Array, at: Array) -> None:
        shifted = logits - np.maximum.reduce(logits, axis=1, keepdims=True)
        share = np.exp(shifted)
        total = np.add.reduce(share, axis=1, keepdims=True)
        self.log_p = np.subtract(shifted, np.log(total), out=shifted)
        self.p, self._at = np.divide(share, total, out=share), at
        self._weighted = self.p * self.log_p
        self.entropies = -np.add.reduce(self._weighted, axis=1)
        self.log_prob = self.log_p.reshape(-1).take(at)

    def slope(self, by_log_prob: Array, entropy_coefficient: float) -> Array:
        """The gradient by the logits, given that by ``log_prob``; the mean entropy is rewarded."""
        found: Array = np.multiply(self.p, -by_log_prob[:, None])
        if entropy_coefficient:
            by_entropy = self._weighted + self.p * self.entropies[:, None]
            found += by_entropy * np.float32(entropy_coefficient / len(found))
        found.reshape(-1)[self._at] += by_log_prob  # one action a row, so no index occurs twice
        return found


def ppo_loss(outputs: Sequence[Array], steps: Steps, coefficients: Coefficients) -> Evaluated:
    """PPO's loss for (policy, value) or (policy, value, second value); advantages as given.

    Row: policy loss, value loss, entropy, approximate KL, share clipped, loss of the second value.
    """
    choice, n = _Choice(outputs[0], steps.at), np.float32(len(steps.at))
    clip = np.float32(coefficients.clip_range)
    log_ratio = choice.log_prob - steps.old_log_prob
    ratio = np.exp(log_ratio)
    change = ratio - _ONE
    plain = steps.advantages * ratio
    clipped = steps.advantages * np.minimum(np.maximum(ratio, _ONE - clip), _ONE + clip)
    inside = (ratio >= _ONE - clip) & (ratio <= _ONE + clip)
    live = (plain < clipped) | inside  # elsewhere the clipped term is the smaller: no gradient
    policy = -float(np.minimum(plain, clipped).mean())
    entropy = float(choice.entropies.mean())
    values, (first, *more) = _values(outputs, steps, coefficients.value)
    row = (policy, first, entropy, float((change - log_ratio).mean()))
    row = (*row, float((np.abs(change) > clip).mean()), *more)
    value = policy - coefficients.entropy * entropy + coefficients.value * (first + sum(more))
    slope = choice.slope((plain * live) * (-_ONE / n), coefficients.entropy)
    return Evaluated(value, row, (slope, *values))


def a2c_loss(outputs: Sequence[Array], steps: Steps, coefficients: Coefficients) -> Evaluated:
    """A2C's loss for (policy, value). Row: policy loss, value loss, entropy."""
    choice, n = _Choice(outputs[0], steps.at), np.float32(len(steps.at))
    policy = -float((steps.advantages * choice.log_prob).mean())
    entropy = float(choice.entropies.mean())
    values, (first,) = _values(outputs, steps, coefficients.value)
    value = policy - coefficients.entropy * entropy + coefficients.value * first
    slope = choice.slope(steps.advantages * (-_ONE / n), coefficients.entropy)
    return Evaluated(value, (policy, first, entropy), (slope, *values))


def _values(
    outputs: Sequence[Array], steps: Steps, coefficient: float
) -> tuple[list[Array], list[float]]:
    """Mean squared errors of the value heads, and the gradients of these times ``coefficient``."""
    wanted = [steps.returns] if len(outputs) == 2 else [steps.returns, steps.more_returns]  # noqa: PLR2004 - policy and value
    slopes, losses, n = [], [], len(steps.at)
    for found, aim in zip(outputs[1:], wanted, strict=True):
        error = found - aim[:, None]  # type: ignore[index]
        losses.append(float(np.square(error).mean()))
        slopes.append(error * np.float32(2 * coefficient / n))
    return slopes, losses


def dqn_loss(outputs: Sequence[Array], at: Array, wanted: Array) -> Evaluated:
    """Huber loss of width 1 of the taken actions' values. Row: the loss, the mean value."""
    (q,) = outputs
    taken = q.reshape(-1).take(at)
    error = taken - wanted
    size = np.abs(error)
    loss = float(np.where(size < 1, 0.5 * np.square(error), size - np.float32(0.5)).mean())
    slope = np.zeros_like(q)
    slope.reshape(-1)[at] = np.clip(error, -_ONE, _ONE) * np.float32(1 / len(at))
    return Evaluated(loss, (loss, float(taken.mean())), (slope,))


def normalised(advantages: Array, size: int) -> Array:
    """Advantages less their mean over their standard deviation, in minibatches of ``size``.

    A last minibatch of one step stays as it is.
    """
    whole = len(advantages) // size * size
    parts = [advantages[:whole].reshape(-1, size), advantages[whole:].reshape(1, -1)]
    found = [_standard(each).reshape(-1) for each in parts if each.size]
    return np.concatenate(found) if found else advantages


def _standard(parts: Array) -> Array:
    n = parts.shape[1]
    if n == 1:
        return parts
    centred = parts - parts.mean(1, keepdims=True)
    spread = np.sqrt(np.square(centred).sum(1, keepdims=True) / np.float32(n - 1))
    found: Array = centred / (spread + np.float32(1e-8))
    return found
