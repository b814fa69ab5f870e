"""Which environments this installation knows, without making any of them.

Ids come from our shelf of worlds, from plug-ins and from Gymnasium's registry. A scenario's id is
only ever looked up here: an id with a colon would make Gymnasium import a module of that name.
"""

from dataclasses import dataclass
from typing import Any

from sandbox.catalogue import catalogue


@dataclass(frozen=True)
class EnvEntry:
    """One environment id."""

    id: str
    joint: bool  # several agents (PettingZoo), not one (Gymnasium)
    origin: str  # "built in", "gymnasium", or the plug-in's distribution
    world: bool = False  # one of our dynamics, ours or a plug-in's: its fields are the env's knobs
    summary: str = ""

    @property
    def kind(self) -> str:
        """Whose interface it has: ``gymnasium`` or ``pettingzoo``."""
        return "pettingzoo" if self.joint else "gymnasium"


def entries() -> dict[str, EnvEntry]:
    """All ids: our worlds first, then plug-ins', then Gymnasium's own. Imports none of them."""
    import envs  # noqa: PLC0415  (0.2 s of Gymnasium: `--help` needs none of it)

    known, shelf = catalogue(), _shelf()
    found = {}
    for env_id, kind in sorted(envs.env_ids().items(), key=lambda each: each[0] not in shelf):
        origin = "built in" if env_id in shelf else known.env_origins.get(env_id, "plug-in")
        summary = shelf.get(env_id, "")
        found[env_id] = EnvEntry(env_id, kind == "joint", origin, world=True, summary=summary)
    for env_id, (_, origin) in sorted(known.parallel.items()):
        found.setdefault(env_id, EnvEntry(env_id, joint=True, origin=origin))
    strangers = (_stranger(env_id) for env_id in _registered())
    for each in sorted(strangers, key=lambda each: (each.origin == "gymnasium", each.id)):
        found.setdefault(each.id, each)
    return found


def world_class(env_id: str) -> type[Any]:
    """The frozen dataclass whose fields are the knobs of a world's env."""
    from envs.registration import world_class  # noqa: PLC0415

    return world_class(env_id)


def _shelf() -> dict[str, str]:
    """Id -> summary of our own worlds."""
    from envs.registration import env_id  # noqa: PLC0415

    parts = catalogue().parts("worlds")
    return {env_id(k): part.summary for k, part in parts.items() if part.origin == "built in"}


def _registered() -> list[str]:
    from gymnasium.envs.registration import registry  # noqa: PLC0415

    return list(registry)


def _stranger(env_id: str) -> EnvEntry:
    return EnvEntry(env_id, joint=False, origin=catalogue().env_origins.get(env_id, "gymnasium"))
