"""This project's PPO, alone: its own population on a batched world, 64 copies x 32 steps.

Also answers for an older commit: run it with the Python of that checkout. What is imported here has
had these names since commit 36685ec; what has not is asked for by ``getattr``.
"""

import time
from functools import cache
from typing import Any

import gymnasium
import numpy as np
import torch
from contenders.answering import (
    EDIT_EVERY,
    Training,
    edited_period,
    period_window,
    plain_window,
    serve,
)
from contenders.batched_worlds import BatchedCartPole, BatchedStream

import envs  # noqa: F401  (registers the worlds)
from agents.edits.prune import Prune
from agents.edits.widen import Widen
from agents.genome import Architecture, Genome, Layer, LearningRule
from agents.learners.ppo import PPO
from agents.objectives.extrinsic import Extrinsic
from sandbox.seeding import stream

COPIES, STEPS, UNITS, MORE = 64, 32, 64, 8


def world(name: str) -> Any:
    """Its copies in one pass."""
    if name == "cartpole":
        return BatchedCartPole(COPIES)
    if name == "stream":
        return BatchedStream(COPIES)
    made = gymnasium.make_vec("sandbox/CoinGrid-v0", COPIES, coverage=0.5)
    made.reset(seed=0)
    return made


class Ours(Training):
    """A learner with two layers, the first of ``units``; an edit is an edit, then ``install``."""

    def __init__(self, name: str, minibatch: int, epochs: int, engine: str, units: int) -> None:
        chosen = {"engine": engine} if engine else {}
        learner = PPO(minibatch=minibatch, epochs=epochs, steps_per_update=STEPS, **chosen)
        layers = (Layer("dense", units), Layer("dense", UNITS))
        genome = Genome(Architecture(layers), LearningRule(**learner.genome_rule()))
        objectives = {"extrinsic": Extrinsic()}
        self.population = learner.build(
            world(name), {"agent": genome}, objectives, lambda purpose: stream(0, purpose)
        )
        self.live: Any = self.population.learners["agent"]
        self.train, self.live.train = self.live.train, self._timed_train
        self.rng = np.random.default_rng(0)

    def _timed_train(self) -> None:
        begun = time.process_time()
        self.train()
        self.learning += time.process_time() - begun

    def update(self) -> int:
        """One rollout and one update."""
        return self.population.update()["agent"].steps

    def edit(self, turn: int) -> None:
        """Eight units more in layer 0, then eight fewer."""
        edit = Prune(layer=0, units=MORE) if turn % 2 else Widen(layer=0, units=MORE)
        read = getattr(self.live, "agent_state", None) or self.live.mind
        self.live.install(edit.apply(read(), self.rng))


@cache
def training(arm: str, name: str, minibatch: int, epochs: int, *, engine: str, units: int) -> Ours:
    """A learner that has learned and been edited, so that nothing is done for the first time."""
    del arm  # each has learners of its own
    made = Ours(name, minibatch, epochs, engine, units)
    made.update()
    return made


def answer(*, arm: str, seconds: float, **case: Any) -> dict[str, Any]:
    """One window of ``plain`` or ``edits``; or both ``edits`` and ``fixed``, period by period.

    ``fixed`` is the same sizes by turns and never edited. The two differ by a few percent, so they
    are not asked in windows that are seconds apart.
    """
    edited = training("edits", **case, units=UNITS) if arm != "plain" else None
    if edited is None:
        return plain_window(training(arm, **case, units=UNITS), seconds)
    if arm == "edits":
        return period_window({"edits": edited_period(edited)}, seconds)["edits"]
    pair = [training("fixed", **case, units=units) for units in (UNITS + MORE, UNITS)]
    fixed = lambda i: sum(pair[i].update() for _ in range(EDIT_EVERY))  # noqa: E731
    return period_window({"edits": edited_period(edited), "fixed": fixed}, seconds)


if __name__ == "__main__":
    torch.set_num_threads(1)
    serve(answer)
