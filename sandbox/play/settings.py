"""``KEY=VALUE`` words of the command line, and the worlds that they set up."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sandbox.errors import InputError, Problem

if TYPE_CHECKING:
    from envs.contract import World


def assigned(words: Sequence[str], option: str = "--set") -> dict[str, Any]:
    """Read ``size=7`` and the like, values as in YAML. Raises ``InputError``."""
    from sandbox.scenario.strict_yaml import parse  # noqa: PLC0415

    found = {}
    for word in words:
        key, sign, value = word.partition("=")
        if not sign or not key:
            raise InputError(Problem(f"{option} {word}", "must be KEY=VALUE, as in size=7"))
        found[key] = parse(value, f"{option} {word}").data
    return found


def world(name: str, settings: dict[str, Any]) -> "World | None":
    """The world of this name or id with these settings; ``None`` for a third-party env.

    Raises ``InputError``, with a suggestion where nothing at all has this name.
    """
    from envs.registration import env_ids, make_world  # noqa: PLC0415  (Gymnasium: 0.2 s)
    from sandbox.catalogue import catalogue  # noqa: PLC0415
    from sandbox.env_index import did_you_mean_env, entries  # noqa: PLC0415

    parts = catalogue().parts("worlds")
    if name not in parts and name not in env_ids():
        known = entries()
        if name not in known:
            hint = did_you_mean_env(name, parts, known)
            raise InputError(Problem("", f"no world or env is called '{name[:80]}'{hint}"))
        return None
    try:
        if name in parts and parts[name].origin != "built in":
            made: World = parts[name].load()(**settings)
            return made
        return make_world(name, **settings)
    except (ValueError, TypeError) as error:
        raise InputError(Problem(name, str(error))) from None
