"""The minds of one agent as a tree: which was made from which, and which of them is in force."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Descent:
    """Minds by the number of the entry that made them; birth is nobody's child."""

    birth: int
    parents: Mapping[int, int]  # entry -> the entry from whose mind it was made, in order
    head: int  # the mind in force

    def up(self, entry: int) -> Iterator[int]:
        """An entry and its forebears, birth last."""
        yield entry
        while entry in self.parents:
            entry = self.parents[entry]
            yield entry

    def line(self) -> tuple[int, ...]:
        """Entries of the surviving line, from birth to the mind in force."""
        return tuple(self.up(self.head))[::-1]

    def grown(self, entry: int, parent: int) -> "Descent":
        """With one more mind, which is in force from now on."""
        return Descent(self.birth, {**self.parents, entry: parent}, entry)

    def children(self, entry: int) -> tuple[int, ...]:
        """What was made from this mind, in order."""
        return tuple(self._children.get(entry, ()))

    @cached_property
    def _children(self) -> Mapping[int, list[int]]:
        found: dict[int, list[int]] = {}
        for entry, parent in self.parents.items():
            found.setdefault(parent, []).append(entry)
        return found
