"""Objectives are mixed at the step: the weighted sum of the rewards of each objective."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import Any

import numpy as np

from agents.arrays import Array
from agents.contract import Batch, LiveObjective, Objective
from agents.part_settings import FAULTS


class Diary:
    """The steps of one rollout as the agent saw them, kept in arrays that are used again."""

    def __init__(self, steps: int, n: int, size: int, dimensions: int = 0) -> None:
        self._at, shape = 0, (steps, n)
        seen = np.zeros((2, *shape, size), np.float32)
        acted = np.zeros((*shape, dimensions), np.float32) if dimensions else np.zeros(shape, int)
        self._rollout = Batch(
            observation=seen[0],
            action=acted,
            next_observation=seen[1],
            reward=np.zeros(shape),
            terminated=np.zeros(shape, bool),
            ended=np.zeros(shape, bool),
            present=np.ones(shape, bool),
            approval=np.full(shape, np.nan),
            advice=np.full(shape, -1),
        )
        self._given: set[str] = set()  # fields that the steps of this rollout had

    def begin(self) -> None:
        """Start another rollout over the last one."""
        self._at = 0
        for name in self._given:
            getattr(self._rollout, name)[:] = _NOTHING[name]
        self._given = set()

    def write(self, batch: Batch) -> None:
        """Add one step."""
        for name in _ALWAYS:
            getattr(self._rollout, name)[self._at] = getattr(batch, name)
        for name, nothing in _NOTHING.items():
            value = getattr(batch, name)
            if value is not None:
                self._given.add(name)
                getattr(self._rollout, name)[self._at] = value
            elif name == "present":
                self._rollout.present[self._at] = nothing  # type: ignore[index]
        self._at += 1

    def rollout(self) -> Batch:
        """All steps, ``[steps, n, ...]``: to be read before the next one is written."""
        unsaid: dict[str, Any] = dict.fromkeys({"approval", "advice"} - self._given)
        return replace(self._rollout, **unsaid) if unsaid else self._rollout


_NOTHING: Mapping[str, Any] = {"present": True, "approval": np.nan, "advice": -1}
_ALWAYS = tuple(each.name for each in fields(Batch) if each.name not in _NOTHING)


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
    """Return the step's reward, float64 ``[n]``, and add each objective's part to ``totals``.

    Rows of agents that have left are 0. Objectives with a ``share`` (alpha) take it
    from the others. Raises what ``objective_reward`` raises.
    """
    total = np.zeros(len(batch.reward))
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
    """What one objective rewards a step with, float64 ``[n]``; 0 where the agent has left.

    Raises ``FloatingPointError`` where a reward is not finite, ``ValueError`` where there is not
    one a row, ``RuntimeError`` where it fails in another way; all of them name the objective.
    """
    where = f"update {update}: objective {name}"
    with _blaming(f"{where}: its reward fails"):
        found = np.asarray(live_objective.reward(batch.sealed()), np.float64)
    if found.shape != batch.reward.shape:
        wanted = list(batch.reward.shape)
        raise ValueError(f"{where}: rewards are shaped {list(found.shape)}, not {wanted}, one each")
    if batch.present is not None:
        found = np.where(batch.present, found, 0.0)
    if not np.isfinite(found).all():
        row = int(np.flatnonzero(~np.isfinite(found))[0])
        raise FloatingPointError(f"{where}: non-finite reward {found[row]} in row {row}")
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
    except FAULTS as error:
        raise RuntimeError(_blame(whom, error)) from error


def _blame(whom: str, error: BaseException) -> str:
    return f"{whom}: {type(error).__name__}: {error}"
