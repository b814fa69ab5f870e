"""The import graph of the three packages, lazy and typing imports counted.

``python tests/project/import_graph.py`` prints every package in the order of CONTRIBUTING.md with
its number of files and what it imports, then every circle and every import against the order.
"""

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

TOPS = ("agents", "envs", "sandbox")
MOST_FILES = 16
"""Files in a package that is no part folder, ``__init__.py`` not counted."""

Imports = Mapping[str, frozenset[str]]
"""Module -> the modules of ours that it imports."""


@dataclass(frozen=True)
class Row:
    """One line of the table in CONTRIBUTING.md: a package, or top files that belong together."""

    names: tuple[str, ...]  # dotted
    sentence: str


@dataclass(frozen=True)
class Source:
    """A checkout, read and not imported."""

    root: Path

    @cached_property
    def modules(self) -> dict[str, Path]:
        """Dotted name -> file."""
        files = (path for top in TOPS for path in sorted((self.root / top).rglob("*.py")))
        return {self._name(path): path for path in files}

    @cached_property
    def packages(self) -> dict[str, list[str]]:
        """Package -> its own modules, ``__init__`` left out."""
        found = {name: [] for name, path in self.modules.items() if path.name == "__init__.py"}
        for name, path in self.modules.items():
            if path.name != "__init__.py":
                found.setdefault(name.rpartition(".")[0], []).append(name)
        return found

    @cached_property
    def imports(self) -> Imports:
        """Every import there is: at the top, inside functions, and for type checkers."""
        return {name: frozenset(self.imported(path)) for name, path in self.modules.items()}

    def imported(self, path: Path) -> Iterator[str]:
        """Modules of ours that one file imports."""
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [each.name for each in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [self.origin(str(node.module), each.name) for each in node.names]
            else:
                continue
            yield from (name for name in names if name in self.modules)

    def origin(self, module: str, name: str) -> str:
        """``from sandbox import words`` is a module, ``from sandbox.words import Dose`` is none."""
        whole = f"{module}.{name}"
        return whole if whole in self.modules else module

    @cached_property
    def order(self) -> tuple[Row, ...]:
        """The rows of the table in CONTRIBUTING.md, in order."""
        text = (self.root / "CONTRIBUTING.md").read_text(encoding="utf-8")
        section = text.partition("## The packages, in order")[2].partition("\n## ")[0]
        rows = re.findall(r"^\| (`[^|]+`) \| ([^|]+) \|", section, re.MULTILINE)
        return tuple(Row(tuple(map(_dotted, re.findall(r"`([^`]+)`", a))), b) for a, b in rows)

    def rank(self, module: str) -> int:
        """Place of a module's row; -1 where no row names it."""
        ranks = {name: i for i, row in enumerate(self.order) for name in row.names}
        while module and module not in ranks:
            module = module.rpartition(".")[0] if module not in self.packages else ""
        return ranks.get(module, -1)

    def against_the_order(self) -> list[str]:
        """Imports of what stands in a lower row."""
        return [
            f"{name} -> {target}"
            for name, targets in self.imports.items()
            for target in sorted(targets)
            if self.rank(target) > self.rank(name)
        ]

    def _name(self, path: Path) -> str:
        parts = path.relative_to(self.root).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def circles(graph: Imports) -> list[list[str]]:
    """Sets of modules that reach one another, each sorted (Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for target in sorted(graph.get(name, ())):
            if target not in index:
                visit(target)
            if target in stack:
                low[name] = min(low[name], low[target])
        if low[name] == index[name]:
            at = stack.index(name)
            found.append(sorted(stack[at:]))
            del stack[at:]

    for name in sorted(graph):
        if name not in index:
            visit(name)
    return [each for each in found if len(each) > 1]


def by_row(source: Source) -> dict[str, set[str]]:
    """The same graph between the rows of CONTRIBUTING.md; a row is called by its first name."""
    names = [row.names[0] for row in source.order]
    graph: dict[str, set[str]] = {name: set() for name in names}
    for module, targets in source.imports.items():
        mine = names[source.rank(module)]
        graph[mine] |= {names[source.rank(each)] for each in targets} - {mine}
    return graph


def _dotted(path: str) -> str:
    return path.strip("/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def main() -> int:
    """Print packages, files, circles; 1 where there is a circle or a wrong import."""
    source = Source(Path(__file__).resolve().parents[2])
    graph = by_row(source)
    for row in source.order:
        files = sum(source.rank(name) == source.rank(row.names[0]) for name in source.modules)
        below = ", ".join(sorted(graph[row.names[0]])) or "nothing"
        sys.stdout.write(f"{' '.join(row.names)}: {files} files, imports {below}\n")
    wrong, rings = source.against_the_order(), circles(source.imports)
    rings += circles({name: frozenset(each) for name, each in graph.items()})
    sys.stdout.writelines(f"circle: {' '.join(each)}\n" for each in rings)
    sys.stdout.writelines(f"against the order: {each}\n" for each in wrong)
    total = f"{len(source.packages)} packages, {len(source.modules)} files"
    sys.stdout.write(f"{total}, {len(rings)} circles, {len(wrong)} imports against the order\n")
    return int(bool(rings or wrong))


if __name__ == "__main__":
    sys.exit(main())
