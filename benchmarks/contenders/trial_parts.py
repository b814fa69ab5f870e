"""The trial of ``scenarios/quickstart.yaml`` in this process, with timers around its parts.

Also answers for an older commit, whose parts had other names: a part is timed wherever one of its
names exists, and what has no name here is in ``rest``. CPU milliseconds.
"""

import importlib
import time
from collections.abc import Callable
from functools import cache, wraps
from typing import Any

import torch
from contenders.answering import serve

PARTS = {
    "learning": (
        "agents.algorithms.ppo:RewritablePPO.train",
        "agents.rewritable:RewritablePPO.train",
    ),
    "act": (
        "agents.algorithms.ppo:RewritablePPO.act",
        "agents.rewritable:RewritablePPO.act",
    ),
    "store": (
        "agents.algorithms.ppo:RewritablePPO.store",
        "agents.rewritable:RewritablePPO.store",
    ),
    "rewards": (
        "agents.algorithms.ppo:RewritablePPO._store_reward",
        "agents.algorithms.ppo:RewritablePPO._reward_rollout",
        "agents.rewritable:RewritablePPO._pay",
    ),
    "values, advantages": (
        "agents.algorithms.ppo:RewritablePPO._value_rollout",
        "agents.rewritable:RewritablePPO._value_rollout",
    ),
    "objectives learn": (
        "agents.algorithms.ppo:update_objectives",
        "agents.rewritable:taught",
    ),
    "environment": (
        "envs.faces.gymnasium:BatchedWorlds.advance",
        "envs.faces:Batch.step",
    ),
    "recorder": (
        "sandbox.trial.recorder:GroundTruthRecorder.take",
        "sandbox.trial.recorder:Recorder.means",
        "sandbox.recorder:Recorder.take",
        "sandbox.recorder:Recorder.means",
        "sandbox.footprints:Footprints.take",
    ),
    "probes": ("sandbox.trial.loop:_probe", "sandbox.loop:_probe"),
    "editor's view": ("sandbox.trial.loop:_view", "sandbox.loop:_view"),
    "editor's proposal": (
        "agents.editors.bandit:_LiveBandit.propose",
        "agents.editors.bandit:_Gambler.propose",
    ),
    "consider": ("sandbox.trial.loop:consider", "sandbox.loop:consider"),
    "start and end": (
        "sandbox.trial.loop:begin",
        "sandbox.trial.loop:_start",
        "sandbox.trial.loop:_finish",
        "sandbox.loop:begin",
        "sandbox.loop:_start",
        "sandbox.loop:_finish",
    ),
}
WHOLE = {"probes", "consider", "start and end"}  # keep what they call; others give it up


class Timers:
    """CPU seconds by part; what one part calls of another is the other's."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self._open: list[str] = []
        self._since = 0.0

    def _switch(self) -> None:
        now = time.process_time()
        if self._open:
            part = self._open[-1]
            self.spent[part] = self.spent.get(part, 0.0) + now - self._since
        self._since = now

    def around(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, timed."""

        @wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            if self._open and self._open[-1] in WHOLE:
                return function(*args, **kwargs)
            self._switch()
            self._open.append(part)
            try:
                return function(*args, **kwargs)
            finally:
                self._switch()
                self._open.pop()

        return timed

    def place(self) -> None:
        """Put timers around every part that exists."""
        for part, names in PARTS.items():
            for name in names:
                module, _, path = name.partition(":")
                *owners, last = path.split(".")
                try:
                    owner = importlib.import_module(module)
                    for each in owners:
                        owner = getattr(owner, each)
                    setattr(owner, last, self.around(part, getattr(owner, last)))
                except (ImportError, AttributeError):
                    continue


def here() -> tuple[Any, Any, Any, Any]:
    """(load, expand, the trial's loop, a recorder that keeps nothing), by their names here."""
    try:
        load = importlib.import_module("sandbox.scenario.load").load
    except ImportError:
        scenario, trials = map(importlib.import_module, ("sandbox.scenario", "sandbox.trials"))
        rehearsal = importlib.import_module("sandbox.rehearsal")
        return scenario.load, trials.expand, importlib.import_module("sandbox.loop"), rehearsal.Deaf
    expand = importlib.import_module("sandbox.scenario.trials").expand
    rehearsal = importlib.import_module("sandbox.trial.rehearsal")
    loop = importlib.import_module("sandbox.trial.loop")
    return load, expand, loop, rehearsal.NullRecorder


@cache
def spec(arm: str, steps: int) -> dict[str, Any]:
    """Of the baseline of the scenario, with its editor or frozen."""
    load, expand, _, _ = here()
    overrides = (f"agent.learner.ppo.total_steps={steps}",)
    wanted = {"data_coverage": 0, "freeze_editor": int(arm == "frozen"), "placebo": 0}
    found: dict[str, Any] = next(
        each.spec
        for each in expand(load("quickstart", overrides=overrides))
        if all(wanted[name] == dose for name, dose in each.spec["condition"].items())
    )
    return found


@cache
def timers() -> Timers:
    """Placed once, after a short trial in which everything was done for the first time."""
    _, _, loop, recorder = here()
    loop.run_trial(spec("edits", 20_480), "warm", recorder())
    made = Timers()
    made.place()
    return made


def answer(*, arm: str, seed: int, steps: int) -> dict[str, Any]:
    """One trial: its steps, CPU seconds, milliseconds by part, and what it computed."""
    _, _, loop, recorder = here()
    clock, events = timers(), []
    clock.spent.clear()
    kept = recorder()
    kept.event = events.append
    begun = time.process_time()
    loop.run_trial({**spec(arm, steps), "seed": seed}, "benchmark", kept)
    seconds = time.process_time() - begun
    parts = {part: 1000 * spent for part, spent in clock.spent.items()}
    parts["rest"] = 1000 * seconds - sum(parts.values())
    gigaflops = events[-1].flops / 1e9  # networks grow as their edits have it, by chance
    return {"steps": steps, "seconds": seconds, "parts": parts, "gigaflops": gigaflops}


if __name__ == "__main__":
    torch.set_num_threads(1)
    serve(answer)
