"""All checks there are: every module of this folder that has some, in order of their ids."""

import importlib
import pkgutil
from collections.abc import Sequence

import sandbox.selftest as folder
from sandbox.errors import InputError, Problem
from sandbox.selftest.check import KnownNumber

TOPICS = {
    "I": "intrinsic objectives: channel capacities, empowerment, exploration, POWER",
    "S": "selection and self-modification",
    "T": "tests: the rule of the verdicts and its statistics",
    "V": "value learning: distances between rewards, soft planning, assistance games, off-switch",
    "W": "optimal returns of the worlds",
}
"""First letter of a check's id -> what the check is about."""


def gathered(only: Sequence[str] = ()) -> list[KnownNumber]:
    """Checks of these ids or topics, or all. Raises ``InputError`` for an unknown one."""
    found: list[KnownNumber] = []
    for each in pkgutil.iter_modules(folder.__path__):
        module = importlib.import_module(f"{folder.__name__}.{each.name}")
        found += getattr(module, "checks", list)()
    found.sort(key=lambda check: _place(check.id))
    known = list(dict.fromkeys(each.id for each in found))
    unknown = [each for each in only if each not in known and each not in TOPICS]
    if unknown:
        what = f"is no check and no topic; checks are {', '.join(known)}; topics {_topics()}"
        raise InputError(Problem(f"--only {unknown[0]}", what))
    return [each for each in found if not only or each.id in only or each.id[0] in only]


def _topics() -> str:
    return ", ".join(TOPICS)


def _place(check_id: str) -> tuple[str, int]:
    """I2 before I10."""
    letters = check_id.rstrip("0123456789")
    return letters, int(check_id[len(letters) :] or 0)
