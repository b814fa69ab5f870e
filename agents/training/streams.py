"""An agent's own random streams, kept so that their states can be saved and set."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from agents.contract import Streams


class Chance:
    """Hands out streams by name; each name once, as an agent has one of each."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._given: dict[str, np.random.Generator] = {}

    def __call__(self, name: str) -> np.random.Generator:
        """Return the stream of this name, where it is now."""
        if name not in self._given:
            self._given[name] = self._streams(name)
        return self._given[name]

    def state(self) -> dict[str, Any]:
        """Where every stream is, JSON data."""
        return {name: _plain(each.bit_generator.state) for name, each in self._given.items()}

    def go_to(self, state: Mapping[str, Any]) -> None:
        """Set every stream to where it was; ``ValueError`` where others were handed out."""
        if set(state) != set(self._given):
            raise ValueError(f"streams {sorted(state)} were saved, this agent has {[*self._given]}")
        for name, each in state.items():
            self._given[name].bit_generator.state = each


def _plain(value: Any) -> Any:
    """JSON data: some generators keep small arrays, which NumPy takes back as lists."""
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value
