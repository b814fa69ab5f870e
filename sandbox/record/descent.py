"""The states of one agent as a tree: which was made from which, and which is in force."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Descent:
    """Agent states by the number of the entry that made them; the start has no parent."""

    start_node: int
    parents: Mapping[int, int]  # entry -> the entry from whose state it was made, in order
    head: int  # entry of the state in force

    def up(self, entry: int) -> Iterator[int]:
        """An entry and its ancestors, the start last."""
        yield entry
        while entry in self.parents:
            entry = self.parents[entry]
            yield entry

    def line(self) -> tuple[int, ...]:
        """Entries of the surviving line, from the start to the agent state in force."""
        return tuple(self.up(self.head))[::-1]

    def grown(self, entry: int, parent: int) -> "Descent":
        """With one more state, which is in force from now on."""
        return Descent(self.start_node, {**self.parents, entry: parent}, entry)

    def children(self, entry: int) -> tuple[int, ...]:
        """Entries made from this state, in order."""
        return tuple(self._children.get(entry, ()))

    @cached_property
    def _children(self) -> Mapping[int, list[int]]:
        found: dict[int, list[int]] = {}
        for entry, parent in self.parents.items():
            found.setdefault(parent, []).append(entry)
        return found
