"""Finds a part by its file name in a part folder, or from an installed plug-in.

The folder listing is the registry: a heavy part loads when it is named, and listing imports
nothing. A plug-in package names a callable in the entry-point group ``sandbox.plugins``; it
receives the catalogue and calls ``add`` and ``add_parallel_env`` or ``gymnasium.register``.
Every control is a lever, too: one of the same name, unless a lever of that name was written.
"""

import ast
import importlib
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from sandbox.errors import InputError, Problem, did_you_mean

GROUP = "sandbox.plugins"
OF_CONTROL = "sandbox.lever_kinds:lever_of"
"""Makes the lever of a control from the control's name."""
_TARGET = re.compile(r"[^\W\d]\w*(\.\w+)*:[^\W\d]\w*")
PART_FOLDERS: Mapping[str, tuple[str, str]] = {
    "worlds": ("envs.worlds", "envs.contract:World"),
    "controls": ("envs.controls", "envs.control_kit.control:Control"),
    "learners": ("agents.learners", "agents.contract:Learner"),
    "objectives": ("agents.objectives", "agents.contract:Objective"),
    "values": ("agents.values", "agents.values_contract:ValueModel"),
    "edits": ("agents.edits", "agents.contract:Edit"),
    "editors": ("agents.editors", "agents.contract:Editor"),
    "levers": ("sandbox.levers", "sandbox.contract:Lever"),
    "metrics": ("sandbox.metrics", "sandbox.contract:Metric"),
    "probes": ("sandbox.probes", "sandbox.contract:Probe"),
}
"""Kind of part -> (package that is its part folder, contract of its parts)."""


def resolve(target: str) -> Any:
    """Import ``module:attribute``. For our own tables and plug-ins; never for scenario text."""
    module, _, attribute = target.partition(":")
    return getattr(importlib.import_module(module), attribute)


def kind_name(folder: str) -> str:
    """What a part of this folder is called: ``value model`` for ``values``, else ``edit``, ..."""
    return "value model" if folder == "values" else folder[:-1]


@dataclass(frozen=True)
class Part:
    """A file in a part folder, a plug-in class, or the lever of a control; ``load`` imports it."""

    kind: str
    name: str
    target: str  # "module" (the one class of the contract in it), "module:Class" or OF_CONTROL
    summary: str  # first line of its docstring; "" for a plug-in not yet loaded
    origin: str  # "built in", or the plug-in's distribution

    def load(self) -> type[Any]:
        """Import the part's class. Raises ``InputError`` where there is not exactly one."""
        if self.target == OF_CONTROL:
            return resolve(OF_CONTROL)(self.name)  # type: ignore[no-any-return]
        contract = resolve(PART_FOLDERS[self.kind][1])
        if ":" in self.target:
            found = [resolve(self.target)]
        else:
            module = importlib.import_module(self.target)
            found = [
                each
                for _, each in inspect.getmembers(module, inspect.isclass)
                if each.__module__ == module.__name__ and issubclass(each, contract)
            ]
        if len(found) != 1 or not issubclass(found[0], contract):
            names = ", ".join(each.__name__ for each in found) or "none"
            raise InputError(
                f"{self.target} must hold one {contract.__name__}, it holds {names}"
                f" (part '{self.name}' of kind '{self.kind}')"
            )
        return found[0]  # type: ignore[no-any-return]


@dataclass
class Catalogue:
    """All parts this installation knows."""

    plugged: dict[tuple[str, str], Part] = field(default_factory=dict)
    parallel: dict[str, tuple[str, str]] = field(default_factory=dict)
    """PettingZoo env id -> (``module:factory``, origin)."""
    env_origins: dict[str, str] = field(default_factory=dict)
    """Gymnasium id -> the plug-in that registered it."""
    modules: set[str] = field(default_factory=set)
    """Plug-in modules named by hand; each registers once, however often it is named."""
    broken: dict[str, str] = field(default_factory=dict)
    """Plug-in -> why it could not be loaded; a broken plug-in does not stop unrelated runs."""
    missing: dict[str, str] = field(default_factory=dict)
    """Broken plug-in -> the module that was not found, where that is why."""
    asked: set[str] = field(default_factory=set)
    """Plug-ins that were called, whatever came of it."""
    _origin: str = "this program"

    def names(self, kind: str) -> list[str]:
        """Names of all parts of a kind, sorted."""
        return sorted(self.parts(kind))

    def parts(self, kind: str) -> dict[str, Part]:
        """All parts of a kind by name. Imports none of them."""
        return (self._levers_of_controls() if kind == "levers" else {}) | self._written(kind)

    def _written(self, kind: str) -> dict[str, Part]:
        mine = {each.name: each for each in built_in(kind)}
        theirs = {name: part for (where, name), part in self.plugged.items() if where == kind}
        return mine | theirs

    def _levers_of_controls(self) -> dict[str, Part]:
        return {
            name: Part("levers", name, OF_CONTROL, control.summary, control.origin)
            for name, control in self._written("controls").items()
        }

    def part(self, kind: str, name: str) -> Part:
        """Return one part. Raises ``InputError`` with a suggestion."""
        parts = self.parts(kind)
        if name not in parts:
            allowed = ", ".join(sorted(parts))
            hint = did_you_mean(name, parts)
            raise InputError(
                Problem("", f"no {kind[:-1]} is called '{name}'; there are {allowed}{hint}")
            )
        return parts[name]

    def load(self, kind: str, name: str) -> type[Any]:
        """Import the class of one part."""
        return self.part(kind, name).load()

    def add(self, kind: str, name: str, target: str, summary: str = "") -> None:
        """Add a plug-in's part: ``target`` is ``module:Class``. A name may be taken only once."""
        if kind not in PART_FOLDERS:
            hint = did_you_mean(kind, PART_FOLDERS)
            raise InputError(f"no kind of part is called '{kind}'{hint}")
        _check_words("add", name, target, "module:Class")
        if name in self._written(kind):
            raise InputError(f"{kind[:-1]} '{name}' of {self._origin} exists already")
        self.plugged[kind, name] = Part(kind, name, target, summary, self._origin)
        if kind == "values":
            from agents.value_learning.registry import plug  # noqa: PLC0415  (rare, and it imports NumPy)

            plug(name, target)  # objectives name their model within their settings

    def add_parallel_env(self, env_id: str, target: str) -> None:
        """Add a PettingZoo env: ``target`` is ``module:factory``, called with the env's kwargs."""
        _check_words("add_parallel_env", env_id, target, "module:factory")
        if env_id in self.parallel:
            raise InputError(f"env '{env_id}' of {self._origin} is registered already")
        self.parallel[env_id] = (target, self._origin)

    def plug(self, origin: str, register: Callable[["Catalogue"], object]) -> None:
        """Let one plug-in register its parts and envs, and remember whose they are."""
        from gymnasium.envs.registration import registry  # noqa: PLC0415  (0.15 s: only if needed)

        import envs  # noqa: F401, PLC0415  (registers our own ids before those of the plug-in)

        self.asked.add(origin)
        before = set(registry)
        self._origin = origin
        try:
            register(self)
        except Exception as error:  # noqa: BLE001  (third-party code: it may raise any error)
            self.broken[origin] = f"{type(error).__name__}: {error}"
            if isinstance(error, ModuleNotFoundError) and error.name:
                self.missing[origin] = error.name
        finally:
            self._origin = "this program"
            self.env_origins |= dict.fromkeys(set(registry) - before, origin)


def _check_words(method: str, name: object, target: object, wanted: str) -> None:
    """Raise ``InputError`` at once for what would fail when a trial, elsewhere, imports it."""
    if not isinstance(name, str) or not name:
        raise InputError(f"{method}: a name must be text, got {name!r}")
    if not isinstance(target, str) or not _TARGET.fullmatch(target):
        raise InputError(
            f"{method}('{name}'): the target must be text like '{wanted}', which every trial's"
            f" process imports for itself; got {target!r}"
        )


def plug_module(known: Catalogue, module: str) -> None:
    """Plug in a package under development: ``module`` must have ``register(catalogue)``.

    Only for ``--plugin MODULE`` and the API; scenario text never reaches it. Raises
    ``InputError`` where the module cannot be imported or its ``register`` raises.
    """
    if module not in known.modules:
        known.modules.add(module)
        known.plug(module, lambda found: importlib.import_module(module).register(found))
    if module in known.broken:
        why = known.broken[module] + _where_to_look(module, known.missing.get(module, ""))
        raise InputError(Problem(f"plug-in {module}", f"cannot be plugged in: {why}"))


def _where_to_look(module: str, missing: str) -> str:
    """Say how to import what lies in the current folder, which Python does not search by itself."""
    top = module.partition(".")[0]
    here = Path(f"{top}.py").is_file() or Path(top).is_dir()
    hint = "; it lies in this folder: put PYTHONPATH=. before the command"
    return hint if here and missing == top else ""


def built_in(kind: str) -> Iterable[Part]:
    """The parts of a kind that come with this program, in the order of their names."""
    package = PART_FOLDERS[kind][0]
    folder = Path(__file__).resolve().parent.parent.joinpath(*package.split("."))
    return _listed(kind, package, folder, folder.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _listed(kind: str, package: str, folder: Path, changed: int) -> tuple[Part, ...]:
    """Listed anew where a file came or went, which ``changed``, the folder's time, shows."""
    del changed
    names = (path for path in sorted(folder.glob("*.py")) if not path.stem.startswith("_"))
    return tuple(
        Part(kind, path.stem, f"{package}.{path.stem}", _summary(path), "built in")
        for path in names
    )


@cache
def _summary(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if text.startswith('"""') and not text.startswith('"""\n'):  # parsing costs 2 ms a file
        return text[3:].partition("\n")[0].partition('"""')[0]
    return (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]


def has_plug_ins() -> bool:
    """Has any code but ours been asked what it adds to this process's catalogue?"""
    return bool(catalogue().asked)


@cache
def catalogue() -> Catalogue:
    """Return this process's catalogue, with every installed plug-in in it."""
    known = Catalogue()
    for point in sorted(entry_points(group=GROUP), key=lambda each: each.name):
        dist = f"{point.dist.name} {point.dist.version}" if point.dist else point.name
        known.plug(dist, lambda found, point=point: point.load()(found))  # type: ignore[misc]
    return known
