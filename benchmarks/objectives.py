"""What each objective costs: whole training steps beside PPO without any, and alone beside ``rnd``.

First table: every objective of the shelf beside ``extrinsic``, on one world (``nursery``, with a
caregiver who approves, 64 environments, rollouts of 40 steps, PPO's defaults), by turns, in one
run: CPU time and FLOPs of a whole update, as ratios to those of PPO with ``extrinsic`` alone. The
median of the rounds' ratios, after a warm-up; and two streams of advantages beside one.

Second table: rewarding and learning alone, on 64 environments, 51 features, 4 actions, rollouts of
128 steps, episodes of 50 in the mean. The least of several, in microseconds of CPU time a step of
all environments. Observations are chance bits, so every state is new: the worst there is for those
that keep tables. The third column is how much more a step of eight times as many environments
costs; 8 is what a loop over environments would take.
"""

import statistics
import time
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import torch

from agents.contract import Batch, LiveObjective
from sandbox.catalogue import catalogue
from sandbox.contract import Spec
from sandbox.trial import build, controls
from sandbox.trial.build import Parts
from sandbox.trial.environment import trial_env

N, SIZE, ACTIONS, STEPS, ROUNDS, TURNS = 64, 51, 4, 128, 4, 3
MORE = 8  # times as many environments
WARM, MEASURED = 5, 15
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "extrinsic": {"weight": 1.0},
    "assistance": {"weight": 0.1, "other": [21, 24]},  # where the mess is stands for who is there
}
"""Of the shelf's objectives; the others have their defaults."""


# --- whole training steps ------------------------------------------------------------------------


def spec_of(learner: str, *names: str) -> Spec:
    """A trial of any length with these objectives."""
    chosen = {name: dict(SETTINGS.get(name, {"weight": 0.1})) for name in names}
    return {
        "env": {"id": "sandbox/Nursery-v0", "kwargs": {"patterns": 8, "wage": 1.0}},
        "learner": {learner: {"num_envs": 64, "steps_per_update": 40, "total_steps": 10**9}},
        "architecture": {"layers": [{"kind": "dense", "units": 32}] * 2, "activation": "tanh"},
        "objective": chosen,
        "editor": {"fixed": {}},
        "gate": {},
        "controls": {"caregiver": {"intensity": 1.0, "says": "approval"}},
        "probes": {},
        "seed": 0,
        "salt": 0,
        "condition": {},
    }


def started(spec: Spec) -> Any:
    """The learner, alive."""
    parts = Parts.of(spec)
    place = controls.controlled(spec, trial_env(spec, parts.learner.copies()), 10**9)
    return build.population(spec, parts, place, build.initial_genomes(spec, parts, place.agents))


def arms() -> tuple[dict[str, Spec], dict[str, str]]:
    """What is compared, and why the rest cannot be."""
    found = {"(none)": spec_of("ppo", "extrinsic")}
    skipped: dict[str, str] = {}
    for name in catalogue().names("objectives"):
        spec = spec_of("ppo", *dict.fromkeys(("extrinsic", name)))
        reason = controls.unmet(spec)
        if reason:
            skipped[name] = reason
        elif name != "extrinsic":
            found[name] = spec
    found["two streams, (none)"] = spec_of("ppo_two_streams", "extrinsic")
    found["two streams, rnd"] = spec_of("ppo_two_streams", "extrinsic", "rnd")
    return found, skipped


def training() -> None:
    """Print the first table."""
    specs, skipped = arms()
    alive = {name: started(spec) for name, spec in specs.items()}
    times: dict[str, list[float]] = {name: [] for name in alive}
    flops = dict.fromkeys(alive, 0.0)
    for turn in range(WARM + MEASURED):
        for name, each in alive.items():
            began = time.process_time()
            report = each.update()["agent"]
            if turn >= WARM:
                times[name].append(time.process_time() - began)
                flops[name] += report.flops
    print(f"{'beside extrinsic':28}{'ms an update':>14}{'time':>8}{'FLOPs':>8}   of (none)")
    base = times["(none)"]
    for name, spent in times.items():
        ratio = statistics.median(a / b for a, b in zip(spent, base, strict=True))
        thought = flops[name] / flops["(none)"]
        ms = 1e3 * statistics.median(spent)
        print(f"{name:28}{ms:14.1f}{ratio:8.2f}{thought:8.2f}", flush=True)
    for name, reason in skipped.items():
        print(f"{name:28}left out: {reason}")
    print()


# --- alone ---------------------------------------------------------------------------------------


def rollout(copies: int = N, seed: int = 0) -> Batch:
    """Chance bits, actions and ends."""
    rng = np.random.default_rng(seed)
    seen = rng.integers(0, 2, (STEPS + 1, copies, SIZE)).astype(np.float32)
    action = rng.integers(0, ACTIONS, (STEPS, copies))
    ended, none = rng.random((STEPS, copies)) < 1 / 50, np.zeros((STEPS, copies), bool)
    paid, approval = np.zeros((STEPS, copies)), rng.random((STEPS, copies))
    return Batch(seen[:-1], action, seen[1:], paid, none, ended, ~none, approval)


def steps_of(batch: Batch) -> list[Batch]:
    """The rollout, step by step."""
    columns = {each.name: getattr(batch, each.name) for each in fields(Batch)}
    said = {name: each for name, each in columns.items() if each is not None}
    return [Batch(**{name: each[t] for name, each in said.items()}) for t in range(STEPS)]


def cost(live_objective: LiveObjective, batch: Batch, steps: list[Batch]) -> tuple[float, float]:
    """Microseconds a step of rewarding, and of learning."""
    live_objective.update(batch)  # the first rollout is another thing
    rewarding, learning = [], []
    for _ in range(ROUNDS):
        began = time.process_time()
        for each in steps:
            live_objective.reward(each)
        between = time.process_time()
        live_objective.update(batch)
        rewarding.append(between - began)
        learning.append(time.process_time() - between)
    return min(rewarding) / STEPS * 1e6, min(learning) / STEPS * 1e6


def growth(live_objective: LiveObjective) -> float:
    """How much more rewarding a step takes with ``MORE`` times the environments."""
    spent = []
    for copies in (N, MORE * N):
        batch = rollout(copies)
        steps, found = steps_of(batch), []
        for _ in range(ROUNDS):
            began = time.process_time()
            for each in steps[:32]:
                live_objective.reward(each)
            found.append(time.process_time() - began)
        spent.append(min(found))
    return spent[1] / spent[0]


def alone() -> None:
    """Print the second table."""
    shelf = catalogue().parts("objectives")
    parts = {name: part for name, part in shelf.items() if not part.load()().needs()}
    batch = rollout()
    steps = steps_of(batch)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in parts}
    for _ in range(TURNS):
        for name, part in parts.items():
            live_objective = part.load()().start(SIZE, ACTIONS, np.random.default_rng(1))
            found[name].append(cost(live_objective, batch, steps))
    least = {
        name: [min(each) for each in zip(*costs, strict=True)] for name, costs in found.items()
    }
    titles = ("reward", "learning", "in all", "of rnd", f"x{MORE} envs")
    print(f"{'alone, all states new':24}{''.join(f'{each:>10}' for each in titles)}   us a step")
    for name, (rewarding, learning) in least.items():
        total = rewarding + learning
        live_objective = parts[name].load()().start(SIZE, ACTIONS, np.random.default_rng(1))
        live_objective.update(batch)
        row = (rewarding, learning, total)
        more = f"{total / sum(least['rnd']):10.2f}{growth(live_objective):10.1f}"
        print(f"{name:24}{''.join(f'{each:10.1f}' for each in row)}{more}", flush=True)


def main() -> None:
    """Print both tables."""
    torch.set_num_threads(1)
    training()
    alone()


if __name__ == "__main__":
    main()
