"""The contender's side of a benchmark: answers questions on standard input, a line of JSON each.

Imports nothing but the standard library, so that a contender may live in any environment. CPU time
of the process is what counts; a shared machine takes wall-clock time from it, not CPU time.
"""

import json
import os
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

EDIT_EVERY = 10  # updates

Answer = Callable[..., dict[str, Any]]


class Training(ABC):
    """One learner in one world; ``learning`` is the CPU time of its gradient steps so far."""

    learning: float = 0.0

    @abstractmethod
    def update(self) -> int:
        """Collect a rollout, learn from it, and return its number of steps."""

    def edit(self, turn: int) -> None:
        """Change the network's shape: wider where ``turn`` is even, narrower where it is odd."""
        raise NotImplementedError(f"{type(self).__name__} has no edits ({turn})")


def plain_window(training: Training, seconds: float) -> dict[str, float]:
    """Updates without edits, until this much CPU time is spent."""
    steps, learning, begun = 0, training.learning, time.process_time()
    while not steps or time.process_time() - begun < seconds:
        steps += training.update()
    spent = time.process_time() - begun
    return {"steps": steps, "seconds": spent, "learning": training.learning - learning}


def period_window(period: Callable[[int], int], seconds: float) -> dict[str, float]:
    """Pairs of whole periods, ``period(0)`` and ``period(1)``, until this much time is spent."""
    steps, begun = 0, time.process_time()
    while not steps or time.process_time() - begun < seconds:
        steps += period(0) + period(1)
    return {"steps": steps, "seconds": time.process_time() - begun}


def edited_period(training: Training) -> Callable[[int], int]:
    """An edit and the updates until the next one."""

    def period(turn: int) -> int:
        training.edit(turn)
        return sum(training.update() for _ in range(EDIT_EVERY))

    return period


def serve(answer: Answer) -> None:
    """Answer until standard input ends; whatever a library prints goes to standard error."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        print(json.dumps(answer(**json.loads(line))), file=replies, flush=True)
