"""Three toys of recursion: what tuning the tuner buys, and what it costs. Prints a table each.

Towers of optimisers that tune their own rate, a (1,10) evolution strategy that mutates its own
step size on the sphere, and the same with the rate of that mutation evolving too.
"""

import math
import time
from collections.abc import Sequence

import numpy as np
import torch

from agents.editing.mutation import Bounds
from benchmarks.toys.evolution_strategy import FREE, evolve, sphere
from benchmarks.toys.hypergradient import descend, teacher_problem, tower

torch.set_num_threads(1)

SEEDS = 20
N, GENERATIONS = 20, 600
TAU = 1 / math.sqrt(2 * N)
TOWERS = {"adam": (1e-5, 1e-4, 1e-5, 1e-5), "sgd": (1e-3, 1e-3, 1e-3, 1e-3)}


def towers(steps: int = 600, seeds: int = 3) -> None:
    """Loss of a 20-64-5 net after 600 steps, and what a step costs, by height of the tower."""
    print(f"{'optimiser':12}{'height':>7}{'loss':>12}{'rate':>12}{'ms a step':>12}   rates")
    for kind, rates in TOWERS.items():
        for height in range(len(rates)):
            found, began = [], time.process_time()
            for seed in range(seeds):
                loss, start = teacher_problem(np.random.default_rng(seed))
                optimiser = tower(kind, rates[: height + 1])  # type: ignore[arg-type]
                found.append(descend(loss, start, optimiser, steps))
            each = (time.process_time() - began) / steps / seeds * 1e3
            mean, rate = np.mean(found, axis=0)
            print(
                f"{kind:12}{height:7}{mean:12.2g}{rate:12.2g}{each:12.2f}   {rates[: height + 1]}"
            )


def magnitudes(steps: Sequence[float], bounds: Sequence[Bounds] | None = None) -> list[float]:
    """log10 of the last loss on the sphere, by seed."""
    start = np.full(N, 5.0)
    return [
        math.log10(
            evolve(
                sphere,
                start,
                steps,
                np.random.default_rng(seed),
                generations=GENERATIONS,
                bounds=bounds,
            )[0]
        )
        for seed in range(SEEDS)
    ]


def line(name: str, found: Sequence[float], plain: Sequence[float] | None = None) -> None:
    """Median and range, and in how many seeds it ended worse than plain self-adaptation."""
    beside = "" if plain is None else f"{sum(a > b for a, b in zip(found, plain, strict=True)):9}"
    print(f"{name:44}{np.median(found):9.1f}{min(found):9.1f}{max(found):9.1f}{beside}")


def evolution() -> None:
    """The sphere: fixed against adapted steps, then steps whose adaptation evolves too."""
    print(f"\nlog10 of the loss, {SEEDS} seeds{'median':>26}{'least':>9}{'most':>9}{'worse':>9}")
    for sigma in (1.0, 0.001, 100.0):
        line(f"sigma {sigma:g}, fixed", magnitudes((sigma,)))
        line(f"sigma {sigma:g}, adapted, tau {TAU:.3f}", magnitudes((sigma, TAU)))
    plain = magnitudes((1.0, TAU))
    for rate in (TAU, 0.3):
        line(f"tau evolves too, rate {rate:.3f}, free", magnitudes((1.0, TAU, rate)), plain)
        held = [FREE, (TAU / 3, TAU * 3), FREE]
        within = magnitudes((1.0, TAU, rate), held)
        line(f"tau evolves too, rate {rate:.3f}, within x3", within, plain)


if __name__ == "__main__":
    towers()
    evolution()
