"""How far actions and values of two agent states differ on the same observations."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from agents.arrays import Array


@dataclass(frozen=True)
class BehaviourChange:
    """What an edit did to behaviour, measured on the same observations before and after."""

    mean_kl: float  # nats, mean over observations of KL(before || after)
    max_logit_change: float  # max |delta logit|
    mean_value_change: float  # mean |delta V|


def behaviour_change(
    logits_before: Array,
    logits_after: Array,
    values_before: Array,
    values_after: Array,
    divergence: Callable[[Array, Array], Array] | None = None,
) -> BehaviourChange:
    """Compare logits ``[n, actions]`` and values ``[n]``; ``n`` must not be 0.

    ``divergence``: KL of the policies given by two arrays of logits; ``kl`` by default.
    """
    if logits_before.shape != logits_after.shape or values_before.shape != values_after.shape:
        raise ValueError(
            f"cannot compare logits {logits_before.shape} with {logits_after.shape} "
            f"and values {values_before.shape} with {values_after.shape}"
        )
    if not logits_before.size or not values_before.size:
        raise ValueError("no observations: a change of behaviour needs at least one")
    logits = [np.asarray(each, np.float64) for each in (logits_before, logits_after)]
    return BehaviourChange(
        mean_kl=float((divergence or kl)(logits[0], logits[1]).mean()),
        max_logit_change=float(np.abs(logits[1] - logits[0]).max()),
        mean_value_change=float(np.abs(np.float64(values_after) - values_before).mean()),
    )


def kl(before: Array, after: Array) -> Array:
    """Return KL(softmax(before) || softmax(after)) of each row, nats, float64 ``[n]``."""
    p, q = log_softmax(before), log_softmax(after)
    found: Array = np.maximum((np.exp(p) * (p - q)).sum(-1), 0.0)  # rounding may fall below 0
    return found


def log_softmax(logits: Array) -> Array:
    """Return log probabilities along the last axis, in the precision of ``logits``."""
    shifted = logits - logits.max(-1, keepdims=True)
    found: Array = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return found


def drawn(logits: Array, draws: Array) -> tuple[Array, Array]:
    """Actions (int64 ``[n]``, from 0) of the soft-max policy, and the log probability of each.

    ``draws``: float64 ``[n, 1]``, uniform in [0, 1). The sums are float64, so that no draw reaches
    the whole, and an action of probability 0 behind the last possible one is never taken.
    """
    shifted = np.subtract(logits, logits.max(-1, keepdims=True), dtype=np.float64)
    running = np.exp(shifted).cumsum(-1)
    whole = running[:, -1:]
    actions: Array = (draws * whole >= running[:, :-1]).sum(-1)
    taken = shifted[np.arange(len(actions)), actions]
    return actions, taken - np.log(whole[:, 0])
