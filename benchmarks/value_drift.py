"""How far a learned value moves when it is copied again and again: by which law does D_k grow?

D_k is EPIC between what is believed after ``k`` rewrites and before the first, over every state and
action of the nursery. Copies with an error are a walk without aim: their distance should grow as
the root of k, a slope of 1/2 in log D_k against log k, until nothing is left (EPIC 0.707). Tetek,
Sklenka & Gavenciak 2021 (arXiv:2011.06275) show that misalignment can grow exponentially where an
agent errs in choosing among rewrites, which would be a line of log D_k against k itself. Both are
fitted, trial by trial; intervals are two-sided 95 % t intervals of the slopes.

``value_drift.py RUN`` reads a run of the scenario ``drift``; without one, a value model is fitted
all there is to know and copied 19 times, 20 times over, in no agent's life.
"""

import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from agents.agent_state import AgentState
from agents.arrays import Array
from agents.contract import Batch, Edit
from agents.edits.copy_values import CopyValues
from agents.edits.reset_values import ResetValues
from agents.genome import Genome
from agents.values.approval import Approval
from agents.values_contract import Evidence, Valuer
from envs.registration import make_world
from sandbox.analysis.learned_values import value_histories
from sandbox.analysis.statistics import t_interval
from sandbox.measuring.reward_distances import epic_by_action
from sandbox.measuring.value_tables import Questions, questions
from sandbox.record.store import read_run

COPIES, SEEDS, DISCOUNT, ROLLOUTS = 19, 20, 0.9, 40
EDITS = {
    "error 0": CopyValues(0.0),
    "error 0.02": CopyValues(0.02),
    "error 0.1": CopyValues(0.1),
    "error 0.5": CopyValues(0.5),
    "reset": ResetValues(),
}
SHOWN = (1, 2, 5, 10, 19)


def told(known: Questions, seed: int) -> Valuer:
    """A value model that was shown the worth of every step, again and again."""
    size, actions = known.batch.observation.shape[1], known.truth.shape[1]
    valuer = Approval().start(size, actions, np.random.default_rng(seed))
    rows = {name: each[None] for name, each in vars(known.batch).items() if each is not None}
    worth = known.truth.reshape(-1)[known.cell]
    for _ in range(ROLLOUTS):
        valuer.learn(Evidence(Batch(**rows, approval=worth[None])))
    return valuer


def believed(known: Questions, valuer: Valuer) -> Array:
    """Its table."""
    table = np.bincount(known.cell, known.chance * valuer.reward(known.batch), known.truth.size)
    return table.reshape(known.truth.shape)


def walked(edit: Edit, seed: int) -> list[float]:
    """D_1 to D_19 of one value model."""
    known = questions(make_world("nursery"), 4096)
    valuer, rng = told(known, seed), np.random.default_rng([seed, 1])
    first, found = believed(known, valuer), []
    for _ in range(COPIES):
        values = {f"value/{name}": each for name, each in valuer.transferable_parameters().items()}
        after = edit.apply(AgentState(Genome(), {}, {}, values=values), rng).values
        valuer.import_parameters(
            {name.removeprefix("value/"): each for name, each in after.items()}
        )
        found.append(epic_by_action(believed(known, valuer), first, DISCOUNT).value)
    return found


def histories(folder: str) -> Mapping[str, list[list[float]]]:
    """D_k of the agents of a run, arm by arm."""
    found = defaultdict(list)
    for trial in read_run(folder).trials:
        for agent_run in value_histories(trial.events):
            after = [each for each in agent_run.measured if each.moment == "after edit"]
            found[str(trial.spec["condition"]["arm"])].append([e.values["net"] for e in after])
    return found


def slopes(distances: Sequence[float]) -> list[float]:
    """Slope of log D_k on k and on log k, and the shares of variance that the two lines explain."""
    k, logs = np.arange(1, len(distances) + 1), np.log(distances)
    found = []
    for x in (k.astype(float), np.log(k)):
        slope, offset = np.polyfit(x, logs, 1)
        left = np.square(logs - offset - slope * x).sum()
        found += [slope, 1 - left / np.square(logs - logs.mean()).sum()]
    return found


def line(arm: str, trials: Sequence[Sequence[float]]) -> str:
    """What is printed of one arm."""
    trials = [each for each in trials if each]
    if not any(any(each) for each in trials):
        return f"{arm:12s} {len(trials):3d}   D_k is exactly 0 after every rewrite"
    seen = [np.mean([each[k - 1] for each in trials if len(each) >= k]) for k in SHOWN]
    fits = np.array([slopes(each) for each in trials if len(each) > 2 and all(each)])
    linear, power = (t_interval(fits[:, i]) for i in (0, 2))
    means = fits.mean(axis=0)
    return (
        f"{arm:12s} {len(fits):3d}  {' '.join(f'{each:6.4f}' for each in seen)}"
        f"  {means[0]:6.3f} [{linear.low:6.3f}, {linear.high:6.3f}] {means[1]:5.2f}"
        f"  {means[2]:6.3f} [{power.low:6.3f}, {power.high:6.3f}] {means[3]:5.2f}"
        f"  {np.mean(fits[:, 3] > fits[:, 1]):5.2f}"
    )


def main() -> None:
    """Print a table: D_k at some k, both fits, and how often the power law fits better."""
    arms = (
        histories(sys.argv[1])
        if len(sys.argv) > 1
        else {name: [walked(edit, seed) for seed in range(SEEDS)] for name, edit in EDITS.items()}
    )
    heads = " ".join(f"D_{k}".rjust(6) for k in SHOWN)
    fits = "log D on k, R2".rjust(30) + "log D on log k, R2".rjust(32)
    print(f"{'arm':12s}   n  {heads}{fits}  power better")
    for arm, trials in arms.items():
        print(line(arm, trials))


if __name__ == "__main__":
    main()
