"""All checks there are: every module of this folder that has some, in order of its pages."""

import importlib
import pkgutil
from collections.abc import Sequence

import sandbox.selftest as folder
from sandbox.errors import InputError, Problem
from sandbox.selftest.check import KnownNumber


def gathered(pages: Sequence[str] = ()) -> list[KnownNumber]:
    """Checks of these pages, or all. Raises ``InputError`` for an unknown page."""
    found: list[KnownNumber] = []
    for each in pkgutil.iter_modules(folder.__path__):
        module = importlib.import_module(f"{folder.__name__}.{each.name}")
        found += getattr(module, "checks", list)()
    found.sort(key=lambda check: _place(check.page))
    known = list(dict.fromkeys(each.page for each in found))
    unknown = [page for page in pages if page not in known]
    if unknown:
        what = f"no known number is filed under it; there are {', '.join(known)}"
        raise InputError(Problem(f"--only {unknown[0]}", what))
    return [each for each in found if not pages or each.page in pages]


def _place(page: str) -> tuple[str, int]:
    """I2 before I10."""
    letters = page.rstrip("0123456789")
    return letters, int(page[len(letters) :] or 0)
