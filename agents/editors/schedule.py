"""Proposes the edits of a written plan, at the updates it names."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np

from agents.contract import Edit, Editor, LiveEditor, View
from agents.part_settings import PlacedProblem, SettingError, tuples


@dataclass(frozen=True)
class Schedule(Editor):
    """An item of the plan names the update, the edit, and the edit's settings.

    ``{update: 10, edit: widen, layer: 0, units: 16}`` proposes once, after update 10.
    ``{every: 8, edit: reset_dormant}`` proposes after updates 8, 16, 24 and so on; an item without
    settings takes the first of the edit's own candidates at that time, if there is one.

    One edit is proposed an update; where several are due they follow at the next updates, in the
    order of the plan. A rejected edit is not tried again.
    """

    level: ClassVar[str] = "scheduled"

    plan: tuple[Mapping[str, Any], ...] = ()

    def __post_init__(self) -> None:
        problems = [
            PlacedProblem(f"plan item {n} {each}", "plan", n - 1)
            for n, each in _problems(self.plan)
        ]
        if problems:
            raise SettingError.of(problems)
        object.__setattr__(self, "plan", tuple(dict(item) for item in self.plan))

    def may_propose(self) -> frozenset[str]:
        """Those of its plan."""
        return frozenset(item["edit"] for item in self.plan)

    def start(self, edits: Mapping[str, type[Edit]], rng: np.random.Generator) -> LiveEditor:
        """Begin following the plan. Raises ``ValueError`` for an unknown edit or setting."""
        del rng
        return _LiveSchedule([_entry(n, item, edits) for n, item in enumerate(self.plan, 1)])


def _problems(plan: Sequence[Any]) -> Iterator[tuple[int, str]]:
    """What is wrong with the items of a plan, each counted from 1, whatever edits there are."""
    for number, item in enumerate(plan, 1):
        if not isinstance(item, Mapping):
            yield number, f"is a mapping, not {item!r}"
            continue
        when = [item[key] for key in ("update", "every") if key in item]
        if len(when) != 1 or type(when[0]) is not int or when[0] < 1:
            yield number, f"needs 'update' or 'every', 1 or more: {dict(item)}"
        if not isinstance(item.get("edit"), str):
            yield number, f"does not name its 'edit': {dict(item)}"


@dataclass(frozen=True)
class _Entry:
    """One item, checked."""

    update: int | None
    every: int | None
    kind: type[Edit]
    settings: Mapping[str, Any]

    def due(self, update: int) -> bool:
        return update == self.update if self.every is None else update % self.every == 0

    def edit(self, view: View) -> Edit | None:
        if self.settings:
            return self.kind(**self.settings)
        return next(iter(self.kind.candidates(view)), None)


def _entry(number: int, item: Mapping[str, Any], edits: Mapping[str, type[Edit]]) -> _Entry:
    name = item["edit"]
    if name not in edits:
        raise ValueError(f"plan item {number}: no edit is called '{name}', only {sorted(edits)}")
    settings = {key: each for key, each in item.items() if key not in ("update", "every", "edit")}
    allowed = [each.name for each in fields(edits[name])]  # type: ignore[arg-type]
    for key in settings:
        if key not in allowed:
            raise ValueError(f"plan item {number}: {name} has no setting '{key}', only {allowed}")
    return _Entry(item.get("update"), item.get("every"), edits[name], tuples(settings))


class _LiveSchedule(LiveEditor):
    def __init__(self, entries: Sequence[_Entry]) -> None:
        self._entries = entries
        self._waiting: list[int] = []  # entries that are due, in order

    def propose(self, view: View) -> Edit | None:
        self._waiting += [i for i, each in enumerate(self._entries) if each.due(view.update)]
        while self._waiting:
            edit = self._entries[self._waiting.pop(0)].edit(view)
            if edit is not None:
                return edit
        return None

    def wants(self, update: int) -> bool:
        return bool(self._waiting) or any(each.due(update) for each in self._entries)

    def state(self) -> Mapping[str, Any]:
        return {"waiting": list(self._waiting)}
