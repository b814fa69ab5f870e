"""PPO's and A2C's update on the engine: the same minibatches and numbers as under torch."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from agents.arrays import Array
from agents.engine.engine import Head
from agents.engine.losses import Coefficients, Steps, a2c_loss, normalised, ppo_loss
from agents.genome import TOWERS
from agents.network.gradient_step import check_weights

_KL = 3  # place of the approximate KL in a row
_TOLERANCE = 1.5  # as in SB3, which stops within the epoch


def ppo_update(model: Any, towers: Sequence[str], names: Sequence[str]) -> dict[str, float]:
    """Run every epoch over ``model.rollout_buffer``; return the mean of each of ``names``.

    ``towers``: the policy, the value, and the second value where it is trained. No further epoch is
    begun once the mean KL of one is over 1.5 times ``target_kl``. Raises ``FloatingPointError``
    before a step that would make the weights non-finite.
    """
    coefficients, rows = coefficients_of(model), list[tuple[float, ...]]()
    model.epochs_done = 0
    with model.engine.learning(model.policy.optimizer, towers):
        for _ in range(model.n_epochs):
            first = len(rows)
            for inputs, steps in _minibatches(model):
                head = partial(ppo_loss, steps=steps, coefficients=coefficients)
                row, norm = model.engine.step(model.stepper, inputs, head)
                rows.append((*row, norm))
            model._n_updates += 1  # noqa: SLF001 - SB3's counter of epochs
            model.epochs_done += 1
            kl = np.mean([row[_KL] for row in rows[first:]])
            if model.target_kl and kl > _TOLERANCE * model.target_kl:
                break
    return _report(model, rows, names)


def a2c_update(model: Any, names: Sequence[str]) -> dict[str, float]:
    """Do one step on the whole of ``model.rollout_buffer``; return each of ``names``.

    Raises ``FloatingPointError`` before a step that would make the weights non-finite.
    """
    inputs, steps = whole_rollout(model)
    with model.engine.learning(model.policy.optimizer, TOWERS):
        row, norm = model.engine.step(model.stepper, inputs, a2c_head(model, steps))
    model._n_updates += 1  # noqa: SLF001 - SB3's counter
    model.epochs_done = 1
    return _report(model, [(*row, norm)], names)


def alone(steps: Steps) -> Steps:
    """The steps with their advantages normalised as one minibatch."""
    return steps._replace(advantages=normalised(steps.advantages, len(steps.advantages)))


def ppo_head(model: Any, steps: Steps) -> Head:
    """PPO's loss on these steps, given the towers' outputs; advantages as they are."""
    return partial(ppo_loss, steps=steps, coefficients=coefficients_of(model))


def a2c_head(model: Any, steps: Steps) -> Head:
    """A2C's loss on these steps, given the towers' outputs."""
    return partial(a2c_loss, steps=steps, coefficients=coefficients_of(model))


def coefficients_of(model: Any) -> Coefficients:
    """The numbers of the loss, from where Stable-Baselines3 keeps them."""
    return Coefficients(float(model.clip_range(1.0)), float(model.ent_coef), float(model.vf_coef))


def whole_rollout(model: Any, chosen: Array | None = None) -> tuple[Array, Steps]:
    """All steps that are present, env by env, or the ``chosen`` of these; advantages as stored."""
    columns = model.rollout_buffer.columns()
    rows = model.rollout_buffer.rows_present()
    rows = rows if chosen is None else rows[chosen]
    inputs, actions, *rest = (column[rows] for column in columns)
    return inputs, Steps(_places(actions, len(rows)), *rest)


def _minibatches(model: Any) -> Iterator[tuple[Array, Steps]]:
    """Shuffled minibatches of the steps that are present, once through; advantages normalised."""
    buffer, size = model.rollout_buffer, model.batch_size
    order = buffer.shuffled_rows()
    inputs, actions, old_log_prob, advantages, *rest = (
        column.take(order, axis=0) for column in buffer.columns()
    )
    at = _places(actions, size)
    columns = (at, old_log_prob, normalised(advantages, size), *rest)
    for start in range(0, len(order), size):
        part = slice(start, start + size)
        yield inputs[part], Steps(*(column[part] for column in columns))


def _places(actions: Array, size: int) -> Array:
    """Flat index of each action's logit, ``[actions, rows]``, within its minibatch of ``size``."""
    rows = np.arange(len(actions))
    lengths = np.minimum(size, len(actions) - rows // size * size)  # the last may be shorter
    found: Array = actions.astype(np.int64) * lengths + rows % size
    return found


def _report(model: Any, rows: list[tuple[float, ...]], names: Sequence[str]) -> dict[str, float]:
    if not model.engine.finite():
        check_weights(model.policy)
    found = np.array(rows).mean(0).tolist()
    missing = len(names) - len(found)  # a second value that is not trained has no loss
    return dict(zip(names, [*found[:-1], *[0.0] * missing, found[-1]], strict=True))
