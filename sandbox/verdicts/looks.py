"""How far a run has come on its way to the numbers of seeds at which it is judged."""

from collections import Counter

from sandbox.analysis.effects import state
from sandbox.design import conditions
from sandbox.record.store import RunRecord


def ended_seeds(run: RunRecord) -> int:
    """How many seeds, from the first in written order, have all their trials ended."""
    levers = run.scenario["levers"]
    asked = conditions(levers, run.scenario["design"])
    ended = Counter(
        trial.spec["seed"]
        for trial in run.trials
        if state(trial) in {"done", "failed"} and trial.spec["condition"] in asked
    )
    all_of_one = len(asked) * len(run.scenario["envs"])
    n = 0
    for seed in run.scenario["seeds"]:
        if ended[seed] < all_of_one:
            break
        n += 1
    return n
