"""Every world on the shelf: what one step costs against how many are stepped at once.

One process, one core, random actions drawn beforehand, observations included. The batch face of
each world is measured at N = 1, 64, 1024 and 8192 beside the same world stepped singly, in turns;
ratios are what counts. Writes a plot beside the table: the page named by ``--plot``.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import envs
from envs.faces.gymnasium import BatchFace, SingleFace
from envs.registration import worlds_by_name

SIZES = (1, 64, 1024, 8192)
REPEATS = 3
SECONDS = 0.06
Run = Callable[[int], int]


def batched(face: Any, world: Any, n: int) -> Run:
    """A native batch of ``n``; a joint world's actions have a column an agent."""
    face.reset(seed=0)
    shape = (16, n, len(world.agents)) if len(world.agents) > 1 else (16, n)
    actions = np.random.default_rng(0).integers(len(world.action_names), size=shape)

    def run(calls: int) -> int:
        for i in range(calls):
            face.step(actions[i % 16])
        return calls * n

    return run


def single(world: Any) -> Run:
    """The Gymnasium face, reset by hand."""
    face = SingleFace(world)
    face.reset(seed=0)
    actions = np.random.default_rng(0).integers(len(world.action_names), size=64)

    def run(calls: int) -> int:
        for i in range(calls):
            _, _, terminated, truncated, _ = face.step(actions[i % 64])
            if terminated or truncated:
                face.reset()
        return calls

    return run


def parallel(name: str) -> Run:
    """The PettingZoo face of a joint world, reset by hand."""
    face = envs.parallel_env(name)
    face.reset(seed=0)
    actions = np.random.default_rng(0).integers(
        len(face.world.action_names), size=(64, len(face.possible_agents))
    )

    def run(calls: int) -> int:
        for i in range(calls):
            if not face.agents:
                face.reset()
            face.step(dict(zip(face.agents, actions[i % 64], strict=True)))
        return calls

    return run


def contestants(name: str) -> dict[str, Run]:
    """The batch face at each size, and the world stepped singly."""
    world, joint = envs.make_world(name), worlds_by_name()[name] == "joint"
    runs: dict[str, Run] = {}
    for n in SIZES:
        face = envs.joint_batch(name, n) if joint else BatchFace(world, n)
        runs[f"N={n}"] = batched(face, world, n)
    runs["single"] = parallel(name) if joint else single(world)
    return runs


def measure(runs: dict[str, Run]) -> dict[str, float]:
    """Median steps per second of each, taking turns."""
    calls = {name: _enough(run) for name, run in runs.items()}
    rates: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(REPEATS):
        for name, run in runs.items():
            start = time.perf_counter()
            steps = run(calls[name])
            rates[name].append(steps / (time.perf_counter() - start))
    return {name: statistics.median(each) for name, each in rates.items()}


def _enough(run: Run) -> int:
    """Warm up, and find a number of calls that takes ``SECONDS``."""
    calls, spent = 1, 0.0
    while spent < SECONDS / 4:
        start = time.perf_counter()
        run(calls)
        spent = time.perf_counter() - start
        calls *= 2
    return max(1, round(calls / 2 * SECONDS / spent))


def plot(rates: dict[str, dict[str, float]], path: Path) -> None:
    """Nanoseconds a step of one world, a row a world and a dot a batch size; logarithmic."""
    import plotly.graph_objects as go  # noqa: PLC0415  (0.3 s)

    names = sorted(rates, key=lambda name: rates[name]["N=1024"])
    shades = ("#c6dbef", "#6baed6", "#2171b5", "#08306b")
    figure = go.Figure()
    for n, shade in zip(SIZES, shades, strict=True):
        costs = [1e9 / rates[name][f"N={n}"] for name in names]
        marker = {"color": shade, "size": 10}
        figure.add_scatter(x=costs, y=names, name=f"N = {n}", mode="markers", marker=marker)
    title = "nanoseconds a step of one world, observation included; N worlds stepped at once"
    figure.update_xaxes(type="log", title=title, dtick=1)
    figure.update_yaxes(dtick=1)
    figure.update_layout(
        title="What a step costs",
        template="plotly_white",
        height=140 + 20 * len(names),
        width=1000,
        legend={"orientation": "h", "y": 1.04, "x": 0},
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(figure.to_html(include_plotlyjs=True), encoding="utf-8")


def main() -> None:
    """Measure the worlds named on the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("worlds", nargs="*", default=sorted(worlds_by_name()))
    parser.add_argument("--plot", type=Path, default=Path("runs/benchmarks/batch_sizes.html"))
    given = parser.parse_args()
    print(f"thousand steps/s, medians of {REPEATS} turns of {SECONDS} s, one process")
    head = "".join(f"{f'N={n}':>10s}" for n in SIZES)
    print(f"{'world':24s}{'single':>10s}{head}{'1024 / N=1':>12s}{'1024/single':>12s}")
    rates = {}
    for name in given.worlds:
        found = rates[name] = measure(contestants(name))
        best, cells = found["N=1024"], [found["single"], *(found[f"N={n}"] for n in SIZES)]
        row = "".join(f"{rate / 1e3:10.1f}" for rate in cells)
        ratios = f"{best / found['N=1']:11.0f}x{best / found['single']:11.0f}x"
        print(f"{name:24s}{row}{ratios}", flush=True)
    least = min(rates, key=lambda name: rates[name]["N=1024"] / rates[name]["N=1"])
    ratio = rates[least]["N=1024"] / rates[least]["N=1"]
    print(f"least gain of the batch over a batch of one: {least}, {ratio:.0f}x (target 100x)")
    plot(rates, given.plot)
    print(f"plot: {given.plot}")


if __name__ == "__main__":
    main()
