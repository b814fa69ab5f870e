"""Which environments this installation knows, without making any of them.

Ids come from our shelf of worlds, from plug-ins and from Gymnasium's registry. A scenario's id is
only ever looked up here: an id with a colon would make Gymnasium import a module of that name.
"""

from dataclasses import dataclass
from typing import Any

from sandbox.catalogue import Part, catalogue


@dataclass(frozen=True)
class EnvEntry:
    """One environment id."""

    id: str
    joint: bool  # several agents (PettingZoo), not one (Gymnasium)
    origin: str  # "built in", "gymnasium", or the plug-in's distribution
    world: str = ""  # its name on the shelf of worlds; "" for somebody else's
    summary: str = ""

    @property
    def kind(self) -> str:
        """Whose interface it has: ``gymnasium`` or ``pettingzoo``."""
        return "pettingzoo" if self.joint else "gymnasium"


def entries() -> dict[str, EnvEntry]:
    """All ids: our worlds first, then plug-ins', then Gymnasium's own. Imports none of them."""
    import envs  # noqa: PLC0415  (0.2 s of Gymnasium: `--help` needs none of it)

    known, worlds = catalogue(), _worlds()
    found = {
        env_id: _ours(env_id, kind == "joint", worlds[env_id])
        for env_id, kind in envs.env_ids().items()
        if env_id in worlds
    }
    for env_id, kind in envs.env_ids().items():
        origin = known.env_origins.get(env_id, "plug-in")
        found.setdefault(env_id, EnvEntry(env_id, kind == "joint", origin))
    for env_id, (_, origin) in sorted(known.parallel.items()):
        found.setdefault(env_id, EnvEntry(env_id, joint=True, origin=origin))
    strangers = (_stranger(env_id) for env_id in _registered())
    for each in sorted(strangers, key=lambda each: (each.origin == "gymnasium", each.id)):
        found.setdefault(each.id, each)
    return found


def world_class(name: str) -> type[Any]:
    """The frozen dataclass whose fields are the env's knobs."""
    return catalogue().load("worlds", name)


def _worlds() -> dict[str, Part]:
    from envs.registration import env_id  # noqa: PLC0415

    parts = catalogue().parts("worlds")
    return {env_id(name): part for name, part in parts.items() if part.origin == "built in"}


def _ours(env_id: str, joint: bool, part: Part) -> EnvEntry:
    return EnvEntry(env_id, joint, "built in", part.name, part.summary)


def _registered() -> list[str]:
    from gymnasium.envs.registration import registry  # noqa: PLC0415

    return list(registry)


def _stranger(env_id: str) -> EnvEntry:
    return EnvEntry(env_id, joint=False, origin=catalogue().env_origins.get(env_id, "gymnasium"))
