"""Finds an agent that goes in circles: A to B and back to A."""

from collections.abc import Sequence
from typing import Literal

from agents.genome import Genome

MARK = "oscillation"
Answer = Literal["refuse", "mark", "ignore"]


def steps_back(before: Genome, after: Genome, left: Sequence[str], window: int) -> int:
    """How many applied edits ago the genome ``after`` was left; 0 where it was not.

    ``left``: digests of the genomes that the applied edits left, oldest first; the last ``window``
    count. An edit that keeps the genome (a reset of units) goes nowhere, so not back either.
    """
    if window < 1 or before == after:
        return 0
    digest = after.digest()
    for steps, each in enumerate(reversed(left[-window:]), start=1):
        if each == digest:
            return steps
    return 0
