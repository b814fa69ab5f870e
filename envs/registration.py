"""Every world in the part folder ``envs/worlds`` gets a Gymnasium id; a new file is a new id.

Registration reads the file names in the folder and, to distinguish worlds of one agent from joint
ones, the base class in the syntax tree: no world is imported before it is made.
"""

import ast
import importlib
import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Literal

import gymnasium
from gymnasium.error import Error as GymnasiumError

from envs.contract import JointWorld, World
from envs.faces.gymnasium import BatchFace, SingleFace
from envs.faces.joint_batch import JointBatchFace

Kind = Literal["single", "joint"]
NAMESPACE = "sandbox"
_FOLDER = Path(__file__).resolve().parent / "worlds"


@dataclass(frozen=True)
class _Entry:
    env_id: str
    target: str  # "module" of a file in the part folder, or "module:Class"
    kind: Kind


_ENTRIES: dict[str, _Entry] = {}
"""Id -> how to make it."""


def env_id(name: str) -> str:
    """``coin_grid`` -> ``sandbox/CoinGrid-v0``."""
    return f"{NAMESPACE}/{''.join(word.capitalize() for word in name.split('_'))}-v0"


@cache
def worlds_by_name() -> dict[str, Kind]:
    """World names in the part folder, sorted, and whether one agent or several act in them."""
    paths = sorted(_FOLDER.glob("*.py"))
    return {path.stem: _kind(path) for path in paths if not path.stem.startswith("_")}


def _kind(path: Path) -> Kind:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    classes = [each for each in tree.body if isinstance(each, ast.ClassDef)]
    bases = {base.id for each in classes for base in each.bases if isinstance(base, ast.Name)}
    return "joint" if "JointWorld" in bases else "single"


def register() -> None:
    """Give every world in the part folder its id. Doing it twice changes nothing."""
    for name, kind in worlds_by_name().items():
        register_world(env_id(name), f"envs.worlds.{name}", kind=kind)


def register_world(new_id: str, target: str, *, kind: Kind = "single") -> None:
    """Give a world class (``module:Class``) a Gymnasium id; for plug-ins too.

    Gymnasium cannot make a joint world: its id raises an error that names ``parallel_env``.
    """
    entry = _Entry(new_id, target, kind)
    if _ENTRIES.get(new_id, entry) != entry:
        raise ValueError(f"env '{new_id}' is registered already, for {_ENTRIES[new_id].target}")
    _ENTRIES[new_id] = entry
    if new_id not in gymnasium.registry:
        gymnasium.register(
            new_id,
            # The id is in the attribute's name, not in kwargs: kwargs are a scenario's to set.
            entry_point=f"{__name__}:single {new_id}",
            vector_entry_point=f"{__name__}:batch {new_id}",
        )


def env_ids() -> dict[str, Kind]:
    """All ids made here, plug-ins' included, and whether one agent or several act in them."""
    return {each.env_id: each.kind for _, each in sorted(_ENTRIES.items())}


def target_of(known_id: str) -> str:
    """Where the world of a registered id is: ``module`` in the part folder, or ``module:Class``."""
    return _ENTRIES[known_id].target


def make_world(name: str, **settings: Any) -> World:
    """Build the world called ``name`` (a file in ``envs/worlds``, or a registered id).

    Raises ``ValueError`` for an unknown name or setting, with a suggestion and what there is.
    """
    kind = world_class(name)
    known = [each.name for each in fields(kind)]  # type: ignore[arg-type]
    for setting in settings:
        if setting not in known:
            raise ValueError(_unknown(f"setting of {name}", setting, known))
    return kind(**settings)


def world_class(name: str) -> type[World]:
    """The class behind a world's name or registered id. Raises ``ValueError`` if there is none."""
    return _class(_entry(name).target)


def parallel_env(name: str, *, render_mode: str | None = None, **settings: Any) -> Any:
    """Build the PettingZoo ``ParallelEnv`` of a joint world, by name or id."""
    world = _joint_world(name, "make", settings)
    from envs.faces.pettingzoo import ParallelFace  # noqa: PLC0415  (0.13 s of PettingZoo)

    return ParallelFace(world, render_mode=render_mode)


def joint_batch(
    name: str, num_envs: int = 1, *, render_mode: str | None = None, **settings: Any
) -> JointBatchFace:
    """Build the batch of a joint world, by name or id: ``num_envs`` copies in one pass."""
    return JointBatchFace(
        _joint_world(name, "make_vec", settings), num_envs, render_mode=render_mode
    )


def _joint_world(name: str, instead: str, settings: Mapping[str, Any]) -> JointWorld:
    entry = _entry(name)
    if entry.kind != "joint":
        raise ValueError(f"{entry.env_id} has one agent: use gymnasium.{instead}('{entry.env_id}')")
    world = make_world(entry.env_id, **settings)
    if not isinstance(world, JointWorld):
        raise TypeError(f"{entry.target} is registered as a joint world but is none")
    return world


def _entry(name: str) -> _Entry:
    full = name if name in _ENTRIES else env_id(name)
    if full not in _ENTRIES or not (name in _ENTRIES or name in worlds_by_name()):
        given, allowed = (name, list(_ENTRIES)) if "/" in name else (name, list(worlds_by_name()))
        raise ValueError(_unknown("world", given, allowed))
    return _ENTRIES[full]


def _unknown(what: str, given: str, allowed: list[str]) -> str:
    near = get_close_matches(given.lower(), {each.lower(): 0 for each in allowed}, n=1)
    spelt = {each.lower(): each for each in allowed}
    hint = f" — did you mean '{spelt[near[0]]}'?" if near else ""
    return f"no {what} is called '{given}'; there are: {', '.join(allowed) or 'none'}{hint}"


@cache
def _class(target: str) -> type[World]:
    module_name, _, name = target.partition(":")
    module = importlib.import_module(module_name)
    if name:
        found = [getattr(module, name)]
    else:
        classes = inspect.getmembers(module, inspect.isclass)
        own = [each for _, each in classes if each.__module__ == module_name]
        found = [each for each in own if issubclass(each, World)]
    if len(found) != 1 or not issubclass(found[0], World):
        raise ValueError(f"{target} must hold exactly one World, it holds {len(found)}")
    chosen: type[World] = found[0]
    return chosen


@dataclass(frozen=True)
class _Maker:
    """What an entry point names: builds one face of one registered world."""

    entry: _Entry
    face: type[SingleFace] | type[BatchFace]

    @property
    def metadata(self) -> dict[str, Any]:
        return self.face.metadata

    def __call__(self, render_mode: str | None = None, **settings: Any) -> SingleFace | BatchFace:
        if self.entry.kind == "joint":
            raise GymnasiumError(
                f"{self.entry.env_id} has several agents: "
                f"use envs.parallel_env('{self.entry.env_id}') for its PettingZoo face, "
                f"envs.joint_batch('{self.entry.env_id}') for many copies"
            )
        if self.face is SingleFace:
            return SingleFace(make_world(self.entry.env_id, **settings), render_mode=render_mode)
        num_envs = settings.pop("num_envs", 1)
        return BatchFace(
            make_world(self.entry.env_id, **settings), num_envs, render_mode=render_mode
        )


_ENTRY_POINT = re.compile(r"(single|batch) (.+)")


def __getattr__(name: str) -> Any:
    """Entry points: ``single <id>`` and ``batch <id>``."""
    match = _ENTRY_POINT.fullmatch(name)
    if match is None or match[2] not in _ENTRIES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _Maker(_ENTRIES[match[2]], SingleFace if match[1] == "single" else BatchFace)
