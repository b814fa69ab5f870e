"""Objectives are mixed before any advantage: the weighted sum of the rewards of each."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager

import numpy as np

from agents.arrays import Array
from agents.contract import Batch, LiveObjective, Objective
from agents.objective_contract import WrongShapeError, one_a_row
from agents.part_settings import FAULTS


def live_objectives_of(
    objectives: Mapping[str, Objective],
    sizes: tuple[int, int],
    stream: Callable[[str], np.random.Generator],
) -> dict[str, LiveObjective]:
    """Start every objective on (observation size, actions), each with a stream of its own.

    Raises ``ValueError`` where one refuses, ``TypeError`` where it starts no live objective,
    ``RuntimeError`` where it fails in another way; all of them name the objective.
    """
    found = {}
    for name, each in objectives.items():
        try:
            found[name] = each.start(*sizes, stream(f"objective/{name}"))
        except ValueError as error:
            raise ValueError(f"objective {name}: {error}") from error
        except FAULTS as error:
            raise RuntimeError(_blame(f"objective {name}: it cannot start", error)) from error
        if not isinstance(found[name], LiveObjective):
            kind = type(found[name]).__name__
            raise TypeError(f"objective {name}: start gives {kind}, which is no LiveObjective")
    return found


def mixed(
    batch: Batch,
    weights: Mapping[str, float],
    live_objectives: Mapping[str, LiveObjective],
    totals: MutableMapping[str, float],
    update: int,
) -> Array:
    """Return what a step is worth, float64 ``[n]``, or each step of a rollout, ``[steps, n]``.

    Adds each objective's part to ``totals``. Rows of agents that have left are 0. Objectives with a
    ``share`` (alpha) take it from the others. Raises what ``objective_reward`` raises.
    """
    total = np.zeros(batch.reward.shape)
    alphas = shares(live_objectives, weights)
    for name, weight in weights.items():
        reward = (alphas[name] * weight) * objective_reward(
            name, live_objectives[name], batch, update
        )
        totals[name] += float(reward.sum())
        total += reward
    return total


def shares(live_objectives: Mapping[str, LiveObjective], names: Iterable[str]) -> dict[str, float]:
    """Factor of each objective's weighted reward; 1 each where no objective has a share.

    Of r = (1 - alpha) * others + alpha * mine, for every objective whose ``share`` is an alpha.
    Raises ``ValueError`` naming the objective whose share is not one.
    """
    found = dict.fromkeys(names, 1.0)
    for name in found:
        with _blaming(f"objective {name}: its share fails"):
            share = live_objectives[name].share()
            fits = share is None or 0 <= share <= 1
        if not fits:
            raise ValueError(f"objective {name} takes a share of {share}, not one from 0 to 1")
        if share is None:
            continue
        for other in found:
            found[other] *= share if other == name else 1 - share
    return found


def objective_reward(name: str, live_objective: LiveObjective, batch: Batch, update: int) -> Array:
    """What one objective rewards a step with, float64 ``[n]``, or a rollout, ``[steps, n]``.

    0 where the agent has left. Raises ``FloatingPointError`` where a reward is not finite,
    ``ValueError`` where there is not one a row, ``RuntimeError`` where it fails in another way; all
    of them name the objective.
    """
    where = f"update {update}: objective {name}"
    ask = live_objective.reward if batch.reward.ndim == 1 else live_objective.rewards
    try:
        with _blaming(f"{where}: its reward fails"):
            found = one_a_row(ask(batch.sealed()), batch)
    except WrongShapeError as error:
        raise ValueError(f"{where}: {_said(error)}") from error
    if batch.present is not None:
        found = np.where(batch.present, found, 0.0)
    if not np.isfinite(found).all():
        *step, row = np.argwhere(~np.isfinite(found))[0].tolist()
        worst, at = found[*step, row], "".join(f" of step {t}" for t in step)
        raise FloatingPointError(f"{where}: non-finite reward {worst} in row {row}{at}")
    return found


def update_objectives(
    live_objectives: Mapping[str, LiveObjective], names: Iterable[str], rollout: Batch, update: int
) -> dict[str, float]:
    """Let objectives learn from a rollout; return their reports, ``{objective} {number}``.

    Raises ``RuntimeError``, or for a report that is not finite ``FloatingPointError``, naming the
    objective.
    """
    found: dict[str, float] = {}
    rollout = rollout.sealed()
    for name in names:
        where = f"update {update}: objective {name}"
        with _blaming(f"{where}: it cannot learn"):
            live_objectives[name].update(rollout)
        with _blaming(f"{where}: it cannot report"):
            report = {key: float(each) for key, each in live_objectives[name].report().items()}
        for key, each in report.items():
            if not math.isfinite(each):
                raise FloatingPointError(f"{where}: it reports '{key}' as {each}")
            found[f"{name} {key}"] = each
    return found


@contextmanager
def _blaming(whom: str) -> Iterator[None]:
    """Turn whatever an objective raises into a ``RuntimeError`` that names it."""
    try:
        yield
    except WrongShapeError:
        raise
    except FAULTS as error:
        raise RuntimeError(_blame(whom, error)) from error


def _blame(whom: str, error: BaseException) -> str:
    return f"{whom}: {type(error).__name__}: {_said(error)}"


def _said(error: BaseException) -> str:
    """Its words, and at which step of the rollout where that was noted."""
    notes = getattr(error, "__notes__", ())
    return f"{error} ({', '.join(notes)})" if notes else str(error)
