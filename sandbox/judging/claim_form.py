"""Claims about the conditions of a table, in the form in which a scenario has them.

On the command line and in Python a claim is one line as well::

    harm: careful < plain by 0.05
    mean_return: careful > plain by 10 in maze
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from sandbox.errors import InputError, Problem
from sandbox.judging.table import CONDITION, label
from sandbox.scenario.findings import Findings
from sandbox.scenario.form import ClaimForm, Form, Number
from sandbox.scenario.strict_yaml import Document, kind, parse, plain, read

ONE_LINE = re.compile(
    r"(?P<metric>[^:]+?)\s*:\s+(?P<treatment>.+?)\s+(?P<sign>[<>])\s+(?P<control>.+?)"
    r"\s+by\s+(?P<size>\S+)(?:\s+in\s+(?P<env>.+))?"
)
SHAPE = "'METRIC: TREATED < CONTROL by SMALLEST', as in 'harm: careful < plain by 0.05'"
DIRECTIONS = {"<": "lower", ">": "higher"}
Given = str | Mapping[str, Any]


class TableClaimForm(ClaimForm):
    """A claim about two conditions of a table."""

    effect_of: Literal["condition"] = "condition"
    treatment: Number | str | None = Field(default=None, description="A condition; `dose`, too.")
    control: Number | str | None = Field(
        default=None, description="What it is held against; null: the other one of two conditions."
    )


class ClaimsForm(Form):
    """A file of claims."""

    claims: list[TableClaimForm] = Field(min_length=1)


Claims = list[dict[str, Any]]
"""As the rule reads them, with ``treatment`` and ``control`` (a name, or ``None``)."""


def from_file(path: str | Path) -> Claims:
    """Read ``claims: [...]``. Raises ``InputError`` with the line of everything that is wrong."""
    written = read(str(path))
    found, own = Findings(written), list(TableClaimForm.model_fields)
    known = {(): ["claims"], ("claims",): own}
    form = _validated(ClaimsForm, written.data, found, known)
    whole = [_claim(found, ("claims", i), each) for i, each in enumerate(form.claims)]
    found.stop()
    return whole


def from_words(given: Given, name: str) -> dict[str, Any]:
    """Read one line, a mapping, or YAML text of one. ``name``: for errors, an ``InputError``."""
    written = _document(given, name)
    found = Findings(written)
    known: dict[Any, list[str]] = {(): list(TableClaimForm.model_fields)}
    claim = _claim(found, (), _validated(TableClaimForm, written.data, found, known))
    found.stop()
    return claim


def _document(given: Given, name: str) -> Document:
    if not isinstance(given, str):
        return Document(name, dict(given), patches={(): name})
    if not given.lstrip().startswith("{"):
        return Document(name, _one_line(given.strip(), name), patches={(): name})
    written = parse(given, name)
    if not isinstance(written.data, dict):
        raise InputError(Problem(name, f"must be a mapping, got {kind(written.data)}"))
    return written


def _one_line(text: str, name: str) -> dict[str, Any]:
    found = ONE_LINE.fullmatch(text)
    if found is None:
        raise InputError(Problem(name, f"must be {SHAPE}, or a claim as in YAML: {{metric: ...}}"))
    try:
        size = plain(found["size"])
    except ValueError as error:
        raise InputError(Problem(name, f"smallest effect: {error}")) from None
    return {
        "metric": found["metric"].strip(),
        "treatment": found["treatment"],
        "control": found["control"],
        "direction": DIRECTIONS[found["sign"]],
        "smallest_effect": size,
        **({"env": found["env"]} if found["env"] else {}),
    }


def _validated(form: Any, data: Any, found: Findings, known: Mapping[Any, list[str]]) -> Any:
    try:
        return form.model_validate_json(json.dumps(data, default=float))
    except ValidationError as error:
        found.form(error.errors(include_url=False), known)
        found.stop()
        raise
    except (TypeError, ValueError) as error:
        raise InputError(Problem(found.document.name, f"cannot be read: {error}")) from None


def _claim(found: Findings, path: tuple[str | int, ...], form: TableClaimForm) -> dict[str, Any]:
    """Check what the keys mean together; ``dose`` is another word for the treatment."""
    names = {_named(each) for each in (form.treatment, form.dose)} - {None}
    if not names:
        found.add(path, "'treatment' is missing: the condition that the claim is about")
    if len(names) > 1:
        found.add((*path, "dose"), "is the treatment, and another one is given; leave one out")
    treatment, control = next(iter(sorted(map(str, names))), ""), _named(form.control)
    if treatment == control:
        found.add((*path, "control"), f"{treatment!r} is the treatment, too")
    own = form.model_dump(exclude={"dose", "treatment", "control"})
    return {**own, "effect_of": CONDITION, "treatment": treatment, "control": control}


def _named(value: float | str | None) -> str | None:
    return None if value is None else label(value)


def all_of(given: Given | Sequence[Given]) -> Iterator[dict[str, Any]]:
    """Read one claim or several, as Python gives them. Raises ``InputError``."""
    several = [given] if isinstance(given, str | Mapping) else list(given)
    if not several:
        raise InputError(f"no claim to judge; give {SHAPE}")
    for number, each in enumerate(several, 1):
        yield from_words(each, f"claim {number}")
