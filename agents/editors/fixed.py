"""Never edits: the agent that only learns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.contract import Edit, Editor, LiveEditor, View


@dataclass(frozen=True)
class Fixed(Editor):
    """The baseline of every other editor."""

    level: ClassVar[str] = "fixed"

    def may_propose(self) -> frozenset[str]:
        """None."""
        return frozenset()

    def start(self, edits: Mapping[str, type[Edit]], rng: np.random.Generator) -> LiveEditor:
        """Begin a run without edits."""
        del edits, rng
        return _LiveFixed()


class _LiveFixed(LiveEditor):
    def propose(self, view: View) -> Edit | None:
        del view
        return None

    def wants(self, update: int) -> bool:
        del update
        return False
