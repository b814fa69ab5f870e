"""Which environments this installation knows, without making any of them.

Ids come from the folder of our worlds, from plug-ins and from Gymnasium's registry. A scenario's id
is only looked up here: an id with a colon would make Gymnasium import a module of that name.
"""

import ast
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from sandbox.catalogue import catalogue
from sandbox.errors import did_you_mean


@dataclass(frozen=True)
class EnvEntry:
    """One environment id."""

    id: str
    joint: bool  # several agents (PettingZoo), not one (Gymnasium)
    origin: str  # "built in", "gymnasium", or the plug-in's distribution
    world: bool = False  # a ``World``, ours or a plug-in's: its fields are the env's settings
    summary: str = ""

    @property
    def kind(self) -> str:
        """Whose interface it has: ``gymnasium`` or ``pettingzoo``."""
        return "pettingzoo" if self.joint else "gymnasium"


def entries() -> dict[str, EnvEntry]:
    """All ids: our worlds first, then plug-ins', then Gymnasium's own. Imports none of them."""
    import envs  # noqa: PLC0415  (0.2 s of Gymnasium: `--help` needs none of it)

    known, ours = catalogue(), _our_worlds()
    found = {}
    for env_id, kind in sorted(envs.env_ids().items(), key=lambda each: each[0] not in ours):
        origin = "built in" if env_id in ours else known.env_origins.get(env_id, "plug-in")
        summary = ours[env_id] if env_id in ours else _summary(env_id)
        found[env_id] = EnvEntry(env_id, kind == "joint", origin, world=True, summary=summary)
    for env_id, (_, origin) in sorted(known.parallel.items()):
        found.setdefault(env_id, EnvEntry(env_id, joint=True, origin=origin))
    third_party_envs = (_third_party(env_id) for env_id in _registered())
    for each in sorted(third_party_envs, key=lambda each: (each.origin == "gymnasium", each.id)):
        found.setdefault(each.id, each)
    return found


def world_class(env_id: str) -> type[Any]:
    """The frozen dataclass whose fields are the settings of a world's env."""
    from envs.registration import world_class  # noqa: PLC0415

    return world_class(env_id)


def _our_worlds() -> dict[str, str]:
    """Id -> summary of our own worlds."""
    from envs.registration import env_id  # noqa: PLC0415

    parts = catalogue().parts("worlds")
    return {env_id(k): part.summary for k, part in parts.items() if part.origin == "built in"}


def did_you_mean_env(given: str, others: Iterable[str], ids: Iterable[str]) -> str:
    """As ``did_you_mean``, also for an id without its namespace and version: ``my_maze``."""
    others, ids = list(others), list(ids)
    short = {_plain(each.rpartition("/")[2]): each for each in ids}
    short |= {_plain(each): each for each in others}
    hint = "" if _plain(given) in short else did_you_mean(given, [*others, *ids])
    near = get_close_matches(_plain(given), short, n=1, cutoff=0.8)
    return f" — did you mean '{short[near[0]]}'?" if near and not hint else hint


def _plain(name: str) -> str:
    return re.sub(r"-v\d+$", "", name).replace("_", "").replace("-", "").lower()


def _summary(env_id: str) -> str:
    """First line of what a plug-in's source says of its world, read and not imported."""
    from envs.registration import target_of  # noqa: PLC0415

    module, _, name = target_of(env_id).partition(":")
    try:
        tree = ast.parse(_source(module).read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError):
        return ""
    said: list[str | None] = [ast.get_docstring(tree)]
    said += [
        ast.get_docstring(each)
        for each in tree.body
        if isinstance(each, ast.ClassDef) and each.name == name
    ]
    if any(isinstance(each, ast.FunctionDef) and each.name == "register" for each in tree.body):
        said.reverse()  # the module's own words are about the plug-in
    return next(filter(None, said), "").partition("\n")[0]


def _source(module: str) -> Path:
    """File of a module whose package is imported already. Raises ``OSError`` elsewhere."""
    package, _, leaf = module.rpartition(".")
    folders = getattr(sys.modules.get(package), "__path__", ()) if package else sys.path
    for folder in folders:
        for path in (Path(folder) / f"{leaf}.py", Path(folder) / leaf / "__init__.py"):
            if path.is_file():
                return path
    raise FileNotFoundError(module)


def _registered() -> list[str]:
    from gymnasium.envs.registration import registry  # noqa: PLC0415

    return list(registry)


def _third_party(env_id: str) -> EnvEntry:
    return EnvEntry(env_id, joint=False, origin=catalogue().env_origins.get(env_id, "gymnasium"))
