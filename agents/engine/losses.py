"""Losses and their gradients by the towers' outputs: PPO with one or two values, A2C, DQN.

Each function takes the outputs of the towers that learn, ``[outputs, n]``, and one minibatch, and
returns the loss, what is reported of it, and the gradient by every output. The formulas are those
of Stable-Baselines3: PPO (Schulman et al. 2017, eq. 9), A2C (Mnih et al. 2016), DQN (Mnih et al.
2015).
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
    slopes: tuple[Array, ...]  # gradient by each tower's outputs, float32 [outputs, n]


@dataclass(frozen=True)
class Coefficients:
    """The numbers of a learner of whole rollouts that its loss reads."""

    clip_range: float
    entropy: float
    value: float


class Steps(NamedTuple):
    """A minibatch; all are float32 ``[n]``, but ``at`` is int."""

    at: Array  # flat index of the action's logit in ``[actions, n]``
    old_log_prob: Array
    advantages: Array
    returns: Array
    more_returns: Array | None = None  # of a second value head


class _Choice:
    """The distribution over actions, and the log probability of those that were taken."""

    def __init__(self, logits: Array, at: Array) -> None:
        self._shifted = shifted = logits - np.maximum.reduce(logits, axis=0)
        share = np.exp(shifted)
        total = np.add.reduce(share, axis=0)
        self._p, self._at = np.divide(share, total, out=share), at
        self._mean = np.add.reduce(self._p * shifted, axis=0)
        log_total = np.log(total)
        self.entropies = log_total - self._mean
        self.log_prob = shifted.reshape(-1).take(at) - log_total

    def slope(self, by_log_prob: Array, entropy_coefficient: float) -> Array:
        """The gradient by the logits, given that by ``log_prob``; the mean entropy is rewarded."""
        found: Array = self._shifted - self._mean
        np.multiply(found, np.float32(entropy_coefficient / found.shape[1]), out=found)
        np.subtract(found, by_log_prob, out=found)
        np.multiply(found, self._p, out=found)
        found.reshape(-1)[self._at] += by_log_prob  # one action a row, so no index occurs twice
        return found


def ppo_loss(outputs: Sequence[Array], steps: Steps, coefficients: Coefficients) -> Evaluated:
    """PPO's loss for (policy, value) or (policy, value, second value); advantages as given.

    Row: policy loss, value loss, entropy, approximate KL, share clipped, loss of the second value.
    """
    choice, n, clip = _Choice(outputs[0], steps.at), len(steps.at), coefficients.clip_range
    log_ratio = choice.log_prob - steps.old_log_prob
    ratio = np.exp(log_ratio)
    held = np.minimum(np.maximum(ratio, np.float32(1 - clip)), np.float32(1 + clip))
    plain, clipped = steps.advantages * ratio, steps.advantages * held
    policy = -_mean(np.minimum(plain, clipped))
    entropy = _mean(choice.entropies)
    kl = _mean(ratio - _ONE - log_ratio)
    far = np.count_nonzero(held != ratio) / n
    values, (first, *more) = _values(outputs, steps, coefficients.value)
    value = policy - coefficients.entropy * entropy + coefficients.value * (first + sum(more))
    live = plain <= clipped  # elsewhere the clipped term is the smaller: no gradient
    by_log_prob = plain * live * np.float32(-1 / n)
    slope = choice.slope(by_log_prob, coefficients.entropy)
    return Evaluated(value, (policy, first, entropy, kl, far, *more), (slope, *values))


def a2c_loss(outputs: Sequence[Array], steps: Steps, coefficients: Coefficients) -> Evaluated:
    """A2C's loss for (policy, value). Row: policy loss, value loss, entropy."""
    choice, n = _Choice(outputs[0], steps.at), len(steps.at)
    policy = -_mean(steps.advantages * choice.log_prob)
    entropy = _mean(choice.entropies)
    values, (first,) = _values(outputs, steps, coefficients.value)
    value = policy - coefficients.entropy * entropy + coefficients.value * first
    slope = choice.slope(steps.advantages * np.float32(-1 / n), coefficients.entropy)
    return Evaluated(value, (policy, first, entropy), (slope, *values))


def _mean(values: Array) -> float:
    """The mean of a vector; ``values.mean()`` takes four times as long."""
    return float(np.add.reduce(values)) / len(values)


def _values(
    outputs: Sequence[Array], steps: Steps, coefficient: float
) -> tuple[list[Array], list[float]]:
    """Mean squared errors of the value heads, and the gradients of these times ``coefficient``."""
    wanted = [steps.returns] if len(outputs) == 2 else [steps.returns, steps.more_returns]  # noqa: PLR2004 - policy and value
    slopes, losses, n = [], [], len(steps.at)
    for found, aim in zip(outputs[1:], wanted, strict=True):
        error = found - aim
        losses.append(float(np.dot(error[0], error[0])) / n)
        slopes.append(error * np.float32(2 * coefficient / n))
    return slopes, losses


def dqn_loss(outputs: Sequence[Array], at: Array, wanted: Array) -> Evaluated:
    """Huber loss of width 1 of the taken actions' values. Row: the loss, the mean value.

    ``at``: flat index of each action's value; ``wanted``: float32 ``[n]``.
    """
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

    A last minibatch of one step stays as it is, and so does a rollout of none.
    """
    if not len(advantages):
        return advantages
    whole = len(advantages) // size * size
    parts = [advantages[:whole].reshape(-1, size), advantages[whole:].reshape(1, -1)]
    found = [_standard(each).reshape(-1) for each in parts if each.size]
    return np.concatenate(found)


def _standard(parts: Array) -> Array:
    n = parts.shape[1]
    if n == 1:
        return parts
    centred = parts - parts.mean(1, keepdims=True)
    spread = np.sqrt(np.square(centred).sum(1, keepdims=True) / np.float32(n - 1))
    found: Array = centred / (spread + np.float32(1e-8))
    return found
