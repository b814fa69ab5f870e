"""Populations on an env of one agent: the member that represents it, and steps taken."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from agents.contract import UpdateReport

WINDOW = 10
"""Updates whose mean training return decides which member represents a population."""


def is_population(agents: Sequence[str], living: Iterable[str]) -> bool:
    """Do several learners, or one by another name, act in an env of one agent?"""
    return tuple(agents) != tuple(living)


def best(returns: Mapping[str, Sequence[float | None]]) -> tuple[str, float | None]:
    """Member with the largest mean training return over its last updates, and that; first of ties.

    The ground truth is not used.
    """
    scores = {name: _recent(each) for name, each in returns.items()}
    measured = {name: score for name, score in scores.items() if score is not None}
    name = max(measured or dict.fromkeys(scores, 0.0), key=lambda each: measured.get(each, 0.0))
    return name, scores[name]


def _recent(returns: Sequence[float | None]) -> float | None:
    found = [each for each in returns[-WINDOW:] if each is not None]
    return float(np.mean(found)) if found else None


def steps_taken(agents: Sequence[str], reports: Mapping[str, UpdateReport]) -> int:
    """Env steps of one update: agents share a world's step, members of a population do not."""
    steps = [report.steps for report in reports.values()]
    return sum(steps) if is_population(agents, reports) else max(steps)
