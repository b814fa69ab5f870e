"""Mutation whose step sizes are themselves mutated, to any height (Schwefel 1981; Beyer 2001).

A tower of steps ``(s1, ..., sh)``: each is moved by the one above it, ``s' = s exp(s_above N)``,
the last stays as it is. ``s1`` then moves whatever is tuned. Height 1 is plain mutation with a
fixed step; height 2 is sigma-self-adaptation, where ``s2`` is called tau.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from agents.architecture.validity import MORE_RANGES, RULE_RANGES
from agents.genome import LearningRule, TableRule
from agents.part_settings import PlacedProblem

Bounds = tuple[float, float]

DRAW_FLOPS = 40.0
"""What an editor is charged for a normal draw and an exponential: some twenty operations each."""


def stepped(value: float, step: float, noise: float, bounds: Bounds) -> float:
    """``value exp(step noise)``, clamped to ``bounds``; both are above 0, ``noise`` is normal."""
    low, high = bounds
    if step * noise >= math.log(high) - math.log(value):
        return high
    half = math.exp(step * noise / 2)  # the whole may be too large for a float, times value is not
    return min(max(value * half * half, low), high)


def mutated_steps(
    steps: Sequence[float], noise: Sequence[float], bounds: Sequence[Bounds]
) -> tuple[float, ...]:
    """Mutate a tower of steps from the top: ``[h]``, from ``h - 1`` draws and ``h`` bounds."""
    found = [steps[-1]]
    for i in range(len(steps) - 2, -1, -1):
        found.append(stepped(steps[i], found[-1], noise[i], bounds[i]))
    return tuple(reversed(found))


# --- numbers of a learning rule ----------------------------------------------------------------

OFFERED: Mapping[str, Bounds] = {
    "learning_rate": (1e-6, 1e-1),
    "gae_lambda": (0.1, 1.0),
    "clip_range": (0.01, 1.0),
    "entropy_coefficient": (1e-5, 1.0),
    "value_coefficient": (1e-3, 10.0),
    "max_grad_norm": (0.01, 100.0),
    "target_rate": (1e-4, 1.0),
    "exploration": (1e-3, 1.0),
    "temperature": (1e-4, 10.0),
    "pull_to_birth": (1e-7, 1.0),
    "weight_decay": (1e-7, 1.0),
    "momentum": (0.01, 0.99),
    "sam_radius": (1e-4, 1.0),
}
"""Bounds of each number that an editor may tune; a schedule may go beyond."""

_COMMON = ("learning_rate", "pull_to_birth", "weight_decay", "momentum", "sam_radius")
_USED: Mapping[str, tuple[str, ...]] = {
    "ppo": (
        *_COMMON,
        "gae_lambda",
        "clip_range",
        "entropy_coefficient",
        "value_coefficient",
        "max_grad_norm",
    ),
    "a2c": (
        *_COMMON,
        "gae_lambda",
        "entropy_coefficient",
        "value_coefficient",
        "max_grad_norm",
    ),
    "dqn": (*_COMMON, "max_grad_norm", "target_rate", "exploration"),
    "sac": (*_COMMON, "max_grad_norm", "target_rate", "temperature"),
    "supervised": (*_COMMON, "max_grad_norm"),
}
_USED = {**_USED, "ppo_two_streams": _USED["ppo"]}
"""By ``rule``: the numbers that mean something to it; a table has its step size only."""


def tunable(rule: LearningRule) -> dict[str, float]:
    """The numbers that a factor can tune: used by this rule, and above 0 now."""
    if isinstance(rule, TableRule):
        names: Sequence[str] = ("learning_rate",)
    else:
        names = _USED[getattr(rule, "rule", "ppo")]
    found = {name: float(getattr(rule, name)) for name in names}
    return {name: each for name, each in found.items() if each > 0}


def number_problem(rule: LearningRule, name: str, value: Any) -> str | None:
    """Why this rule cannot have this number, or ``None``."""
    ranges = {**RULE_RANGES, **MORE_RANGES.get(getattr(rule, "rule", ""), {})}
    if name not in ranges:
        return f"a learning rule has no number {name!r}, only {', '.join(sorted(ranges))}"
    return ranges[name].problem(name, value)


def numbers_problem(names: Sequence[str]) -> PlacedProblem | None:
    """Why an editor cannot tune the numbers of these names, or ``None``."""
    unknown = [name for name in names if name not in OFFERED]
    if unknown:
        what = f"numbers knows {', '.join(sorted(OFFERED))}, not {', '.join(map(repr, unknown))}"
        return PlacedProblem(what, "numbers")
    if not names or len(set(names)) < len(names):
        what = f"numbers names at least one number, and none twice, not {list(names)}"
        return PlacedProblem(what, "numbers")
    return None


def mutated_numbers(
    rule: LearningRule, draws: Mapping[str, float], step: float
) -> tuple[tuple[str, float], ...]:
    """Names and new values of the numbers drawn for that this rule can tune, within ``OFFERED``.

    The logarithms move isotropically, number by number.
    """
    found = tunable(rule)
    return tuple(
        (name, stepped(found[name], step, noise, OFFERED[name]))
        for name, noise in draws.items()
        if name in found
    )


def normal_draws(rng: np.random.Generator, count: int) -> list[float]:
    """Standard normal draws as plain numbers."""
    return [float(each) for each in rng.standard_normal(count)]
