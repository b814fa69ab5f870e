"""What a step of each objective costs: rewarding it and learning from it, beside ``rnd``.

64 environments, 51 features, 4 actions, rollouts of 128 steps, episodes of 50 in the mean. By
turns, in one run, the least of several: microseconds of CPU time a step of all environments.
Observations are chance bits, so every state is new: the worst there is for those that keep tables.
"""

import time
from dataclasses import fields

import numpy as np

from agents.contract import Batch, Motive
from sandbox.catalogue import catalogue

N, SIZE, ACTIONS, STEPS, ROUNDS, TURNS = 64, 51, 4, 128, 4, 3


def rollout(seed: int = 0) -> Batch:
    """Chance bits, actions and ends."""
    rng = np.random.default_rng(seed)
    seen = rng.integers(0, 2, (STEPS + 1, N, SIZE)).astype(np.float32)
    action = rng.integers(0, ACTIONS, (STEPS, N))
    ended, none = rng.random((STEPS, N)) < 1 / 50, np.zeros((STEPS, N), bool)
    return Batch(seen[:-1], action, seen[1:], np.zeros((STEPS, N)), none, ended, ~none)


def cost(motive: Motive, lived: Batch) -> tuple[float, float]:
    """Microseconds a step of rewarding, and of learning."""
    names = [each.name for each in fields(Batch)]
    steps = [Batch(**{name: getattr(lived, name)[t] for name in names}) for t in range(STEPS)]
    motive.update(lived)  # the first rollout is another thing
    rewarding, learning = [], []
    for _ in range(ROUNDS):
        began = time.process_time()
        for each in steps:
            motive.reward(each)
        between = time.process_time()
        motive.update(lived)
        rewarding.append(between - began)
        learning.append(time.process_time() - between)
    return min(rewarding) / STEPS * 1e6, min(learning) / STEPS * 1e6


def main() -> None:
    """Print a line an objective."""
    lived, parts = rollout(), catalogue().parts("objectives")
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in parts}
    for _ in range(TURNS):
        for name, part in parts.items():
            motive = part.load()().start(SIZE, ACTIONS, np.random.default_rng(1))
            found[name].append(cost(motive, lived))
    least = {
        name: [min(each) for each in zip(*costs, strict=True)] for name, costs in found.items()
    }
    print(f"{'objective':24}{'reward':>10}{'learning':>10}{'in all':>10}{'of rnd':>8}   us a step")
    for name, (rewarding, learning) in least.items():
        total = rewarding + learning
        share = total / sum(least["rnd"])
        print(f"{name:24}{rewarding:10.1f}{learning:10.1f}{total:10.1f}{share:8.2f}")


if __name__ == "__main__":
    main()
