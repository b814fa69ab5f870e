"""World steps per second, our batch face beside the ordinary ways, all in one run.

Ratios are what counts; the machine is shared, so the contestants take turns and each figure is the
median of ``REPEATS`` turns. Random actions are drawn beforehand and observations are included.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np

import envs
from benchmarks.contenders.plain_worlds import PlainCoinGrid, PlainSokoban
from envs.faces.gymnasium import BatchFace, SingleFace

REPEATS = 5
SECONDS = 0.25
WORLDS = {"coin_grid": PlainCoinGrid, "side_effects_sokoban": PlainSokoban}
Run = Callable[[int], int]


def batch(world: Any, n: int) -> Run:
    """Our native vector env."""
    return vector(BatchFace(world, n), n)


def vector(env: Any, n: int) -> Run:
    """Any Gymnasium vector env of ``n``."""
    env.reset(seed=0)
    actions = np.random.default_rng(0).integers(env.single_action_space.n, size=(64, n))

    def run(calls: int) -> int:
        for i in range(calls):
            env.step(actions[i % 64])
        return calls * n

    return run


def single(env: Any) -> Run:
    """Any Gymnasium env, reset by hand."""
    env.reset(seed=0)
    actions = np.random.default_rng(0).integers(env.action_space.n, size=64)

    def run(calls: int) -> int:
        for i in range(calls):
            _, _, terminated, truncated, _ = env.step(actions[i % 64])
            if terminated or truncated:
                env.reset()
        return calls

    return run


def dummy(make: Callable[[], Any], n: int) -> Run:
    """Stable-Baselines3's DummyVecEnv over ``n`` single envs."""
    from stable_baselines3.common.vec_env import DummyVecEnv  # noqa: PLC0415  (imports torch)

    env = DummyVecEnv([make] * n)
    env.seed(0)
    env.reset()
    actions = np.random.default_rng(0).integers(4, size=(64, n))

    def run(calls: int) -> int:
        for i in range(calls):
            env.step(actions[i % 64])
        return calls * n

    return run


def measure(runs: dict[str, Run]) -> dict[str, float]:
    """Median steps per second of each, taking turns."""
    calls: dict[str, int] = {}
    for name, run in runs.items():  # warm up, and find a number of calls that takes SECONDS
        calls[name], spent = 1, 0.0
        while spent < SECONDS / 8:
            calls[name] *= 2
            spent = _timed(run, calls[name])[1]
        calls[name] = max(1, round(calls[name] * SECONDS / spent))
    rates: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(REPEATS):
        for name, run in runs.items():
            steps, spent = _timed(run, calls[name])
            rates[name].append(steps / spent)
    return {name: statistics.median(each) for name, each in rates.items()}


def _timed(run: Run, calls: int) -> tuple[int, float]:
    start = time.perf_counter()
    steps = run(calls)
    return steps, time.perf_counter() - start


def contestants(name: str) -> dict[str, Run]:
    """All ways to step one world."""
    world, plain = envs.make_world(name), WORLDS[name]
    runs = {f"batch face, N={n}": batch(world, n) for n in (1, 64, 1024)}
    runs["single face"] = single(SingleFace(world))
    runs["plain Python env"] = single(plain())
    for n in (64, 1024):
        runs[f"DummyVecEnv of plain Python, N={n}"] = dummy(plain, n)
    return runs


def report(name: str, rates: dict[str, float], peers: dict[str, float]) -> None:
    """Print the rates of one world and the ratios that have a target."""
    print(f"\n{name}: {envs.make_world(name)}")
    for run, rate in rates.items():
        print(f"  {run:36s} {rate / 1e3:10.1f} k steps/s")
    best = rates["batch face, N=1024"]
    rows = [
        ("batch N=64 / DummyVecEnv N=64", rates["batch face, N=64"], rates[f"{_DUMMY}64"], ">= 3"),
        ("batch N=1024 / DummyVecEnv N=1024", best, rates[f"{_DUMMY}1024"], ">= 20"),
        ("batch N=1024 / batch of one", best, rates["batch face, N=1"], ">= 100"),
        ("batch N=1024 / single face", best, rates["single face"], ""),
        ("batch N=1024 / minigrid Empty", best, peers["minigrid Empty-8x8"], ""),
        ("batch N=1024 / original engine's 13 k", best, 13e3, ">= 100 (13 k: published here)"),
        ("batch N=1024 / vector CartPole N=1024", best, peers["vector CartPole, N=1024"], ""),
    ]
    for what, ours, theirs, target in rows:
        print(f"  {what:40s} {ours / theirs:8.1f} x   {'target ' + target if target else ''}")


_DUMMY = "DummyVecEnv of plain Python, N="


def others() -> dict[str, Run]:
    """Envs of other projects."""
    runs = {
        "vector CartPole, N=64": vector(gymnasium.make_vec("CartPole-v1", num_envs=64), 64),
        "vector CartPole, N=1024": vector(gymnasium.make_vec("CartPole-v1", num_envs=1024), 1024),
    }
    try:
        import minigrid  # noqa: F401, PLC0415  (an extra)
    except ImportError:
        print("minigrid is not installed (extra: bench); its row is left out")
    else:
        runs["minigrid Empty-8x8"] = single(gymnasium.make("MiniGrid-Empty-8x8-v0"))
    return runs


def main() -> None:
    """Run everything once and print it."""
    print(f"world steps/s, random actions, one process; medians of {REPEATS} turns of {SECONDS} s")
    peers = measure(others())
    for name, rate in peers.items():
        print(f"  {name:36s} {rate / 1e3:10.1f} k steps/s")
    peers.setdefault("minigrid Empty-8x8", float("nan"))
    for name in WORLDS:
        report(name, measure(contestants(name)), peers)


if __name__ == "__main__":
    main()
