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


def period_window(
    arms: dict[str, Callable[[int], int]], seconds: float
) -> dict[str, dict[str, float]]:
    """Whole periods of all arms by turns, until this much CPU time is spent; a window an arm.

    The turn, 0 or 1, is what a period is called with; every arm has both equally often.
    """
    found = {arm: {"steps": 0.0, "seconds": 0.0} for arm in arms}
    begun = time.process_time()
    while (
        not any(each["steps"] for each in found.values()) or time.process_time() - begun < seconds
    ):
        for turn in (0, 1):
            for arm, period in arms.items():
                since = time.process_time()
                found[arm]["steps"] += period(turn)
                found[arm]["seconds"] += time.process_time() - since
    return found


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
