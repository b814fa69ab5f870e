"""Which settings of the levers a design asks for, and at which numbers of seeds it is judged."""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.words import Dose

INTERIM_SHARE = 0.1
"""Of alpha, for each interim analysis."""


def conditions(levers: Mapping[str, Sequence[Dose]], design: str) -> list[dict[str, Dose]]:
    """The settings of the levers that a design asks for; the first one is the baseline.

    ``full``: every combination of doses. ``one_at_a_time``: the baseline (first dose of every
    lever), then each other dose of each lever with all the others at their first.
    """
    baseline = {name: doses[0] for name, doses in levers.items()}
    if design == "full":
        return [
            dict(zip(levers, each, strict=True)) for each in itertools.product(*levers.values())
        ]
    varied = [{**baseline, name: dose} for name, doses in levers.items() for dose in doses[1:]]
    return [baseline, *varied]


def count_conditions(levers: Mapping[str, Sequence[Dose]], design: str) -> int:
    """``len(conditions(levers, design))`` without making them."""
    sizes = [len(doses) for doses in levers.values()]
    return math.prod(sizes) if design == "full" else 1 + sum(size - 1 for size in sizes)


def looks_of(scenario: Mapping[str, Any]) -> list[int]:
    """Numbers of seeds at which claims are judged, rising; the last is all of them."""
    return list(scenario.get("looks") or [len(scenario["seeds"])])


def level(alpha: float, looks: list[int], n: int) -> float:
    """Return the share of alpha that the analysis at ``n`` seeds has.

    Every interim analysis has a tenth, the last one the rest (Haybittle 1971, Peto 1976, as a
    Bonferroni split): over all of them a true null is rejected with a chance of at most alpha.
    """
    interim = INTERIM_SHARE * alpha
    return alpha - interim * (len(looks) - 1) if n == looks[-1] else interim
