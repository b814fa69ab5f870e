"""Heat maps: what probes measured in every cell of a world, one picture per condition."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

from sandbox.analysis.effects import env_name
from sandbox.analysis.metric_base import chosen
from sandbox.record.events import Mapped
from sandbox.record.store import TrialRecord
from sandbox.report.data import Report, short_name
from sandbox.report.html import Html, join, section, text
from sandbox.words import counted

CELL, GAP, EDGE = 24, 1.5, 3  # in the units of a picture
MOST_MAPS = 24
STEPS = 10  # of a colour scale

Rows = tuple[tuple[float | None, ...], ...]
Wall = tuple[int, int, int, int]


class _Kind(NamedTuple):
    """What is compared: pictures of one kind share a scale."""

    env: str
    probe: str
    name: str
    unit: str


@dataclass(frozen=True)
class _Picture:
    """One map, the mean of several seeds'."""

    condition: str  # "" where all conditions have this one
    agent: str  # "" where there is only one
    rows: Rows
    walls: tuple[Wall, ...]
    seeds: int


def maps(report: Report) -> Iterator[Html]:
    """One section; none where nothing was mapped."""
    found = {kind: _merged(pictures) for kind, pictures in _kinds(report).items()}
    if not found:
        return
    total = sum(map(len, found.values()))
    more = f" Only {MOST_MAPS} of {total} maps are drawn." if total > MOST_MAPS else ""
    words = (
        "The last map of every trial, mean over the seeds of a condition. Pictures in a row share"
        " one scale, which is a square-root scale where it starts at 0; thick lines are walls."
        " Point at a cell for its number; a map that all conditions have in common is drawn"
        f" once.{more}"
    )
    note = Html(f'<p class="soft small">{text(words)}</p>')
    yield section("Maps", note, *_drawn(found))


def _kinds(report: Report) -> dict[_Kind, list[_Picture]]:
    """Every picture, conditions in the order of the report."""
    last: dict[tuple[_Kind, str, str], list[Mapped]] = {}
    for trial in report.run.trials:
        env, condition = (
            env_name(report.run, trial),
            short_name(report.run, trial.spec["condition"]),
        )
        for event in _last(trial):
            kind = _Kind(env, event.probe, event.name, event.unit)
            last.setdefault((kind, condition, event.agent), []).append(event)
    order = {name: place for place, name in enumerate(report.conditions)}
    kinds: dict[_Kind, list[_Picture]] = {}
    for (kind, condition, agent), events in sorted(
        last.items(), key=lambda each: (order.get(each[0][1], 0), each[0][2])
    ):
        same = [each for each in events if _shape(each.rows) == _shape(events[0].rows)]
        picture = _Picture(
            condition, agent, _mean([each.rows for each in same]), events[0].walls, len(same)
        )
        kinds.setdefault(kind, []).append(picture)
    return dict(sorted(kinds.items()))


def _last(trial: TrialRecord) -> Iterator[Mapped]:
    """The last map of each name; of a population only that of its representative."""
    speaker = chosen(trial.events)
    last: dict[tuple[str, str, str], Mapped] = {}
    for event in trial.events:
        if isinstance(event, Mapped) and (event.agent == speaker or not speaker):
            last["" if speaker else event.agent, event.probe, event.name] = event
    yield from last.values()


def _shape(rows: Rows) -> tuple[int, ...]:
    return tuple(map(len, rows))


def _mean(several: Sequence[Rows]) -> Rows:
    def cell(values: Sequence[float | None]) -> float | None:
        known = [each for each in values if each is not None]
        return sum(known) / len(known) if known else None

    return tuple(
        tuple(cell(values) for values in zip(*rows, strict=True))
        for rows in zip(*several, strict=True)
    )


def _merged(pictures: Sequence[_Picture]) -> list[_Picture]:
    """One for all where all are the same; no agent's name where there is only one."""
    first, several = pictures[0], len({each.agent for each in pictures}) > 1
    if len(pictures) > 1 and all(each.rows == first.rows for each in pictures):
        return [_Picture("", "", first.rows, first.walls, sum(each.seeds for each in pictures))]
    return [
        _Picture(each.condition, each.agent if several else "", each.rows, each.walls, each.seeds)
        for each in pictures
    ]


# --- drawing -----------------------------------------------------------------------------------


def _drawn(found: Mapping[_Kind, Sequence[_Picture]]) -> Iterator[Html]:
    left, several = MOST_MAPS, len({kind.env for kind in found}) > 1
    for kind, pictures in found.items():
        shown = pictures[: max(left, 0)]
        left -= len(shown)
        if not shown:
            continue
        values = [x for each in pictures for row in each.rows for x in row if x is not None]
        low, high = (min(values), max(values)) if values else (0.0, 0.0)
        low = 0.0 if 0 <= low < high / 2 else low
        title = f"{kind.env}: {kind.name}" if several else kind.name
        yield Html(f"<h3>{text(title)}</h3>")
        yield _scale(low, high, kind.unit)
        yield Html('<div class="maps">')
        yield join(_figure(each, low, high, kind) for each in shown)
        yield Html("</div>")


def _figure(picture: _Picture, low: float, high: float, kind: _Kind) -> Html:
    name = picture.condition or "every condition"
    if picture.agent:
        name += f", {picture.agent}"
    seeds = counted(picture.seeds, "map" if not picture.condition else "seed")
    values = [x for row in picture.rows for x in row if x is not None]
    span = (
        f"{_digits(min(values))} to {_digits(max(values))} {kind.unit}" if values else "no number"
    )
    return Html(
        f"<figure>{_svg(picture, low, high, kind, name)}<figcaption><b>{text(name)}</b><br>"
        f"{text(span)}, {text(seeds)}</figcaption></figure>"
    )


def _svg(picture: _Picture, low: float, high: float, kind: _Kind, name: str) -> str:
    columns = max(map(len, picture.rows), default=0)
    width, height = (CELL * each + 2 * EDGE for each in (columns, len(picture.rows)))
    label = text(f"{kind.name}, {name}")
    cells = "".join(
        _cell(row, column, value, _share(value, low, high), kind.unit)
        for row, values in enumerate(picture.rows)
        for column, value in enumerate(values)
    )
    walls = "".join(map(_wall, picture.walls))
    rim = f'<rect class="rim" x="{EDGE}" y="{EDGE}" width="{width - 2 * EDGE}"'
    rim += f' height="{height - 2 * EDGE}"/>'
    return (
        f'<svg class="map" viewBox="0 0 {width} {height}" role="img" aria-label="{label}">'
        f'{cells}{rim}<g class="halo">{walls}</g><g class="wall">{walls}</g></svg>'
    )


def _cell(row: int, column: int, value: float | None, share: float, unit: str) -> str:
    place = f'x="{EDGE + CELL * column}" y="{EDGE + CELL * row}" width="{CELL}" height="{CELL}"'
    reading = "no number" if value is None else f"{_digits(value)} {unit}"
    title = f"<title>{text(f'row {row + 1}, column {column + 1}: {reading}')}</title>"
    look = 'class="none"' if value is None else f'style="--v:{100 * share:.1f}%"'
    return f"<rect {place} {look}>{title}</rect>"


def _wall(wall: Wall) -> str:
    """The line between two neighbours."""
    row, column, to_row, to_column = wall
    if row == to_row:
        x = EDGE + CELL * max(column, to_column)
        y = EDGE + CELL * row
        return f'<path d="M{x} {y}v{CELL}"/>'
    x, y = EDGE + CELL * column, EDGE + CELL * max(row, to_row)
    return f'<path d="M{x} {y}h{CELL}"/>'


def _share(value: float | None, low: float, high: float) -> float:
    """Place on the colour scale, 0 to 1; by the square root where the scale starts at 0."""
    if value is None or high <= low:
        return 0.0
    share = (value - low) / (high - low)
    return share if low else sqrt(share)


def _scale(low: float, high: float, unit: str) -> Html:
    """A bar of colours with numbers below."""
    width = CELL * STEPS
    boxes = "".join(
        f'<rect x="{CELL * i}" y="0" width="{CELL + 0.5}" height="12"'
        f' style="--v:{100 * i / (STEPS - 1):.1f}%"/>'
        for i in range(STEPS)
    )
    middle = (low + high) / 2 if low else high / 4  # as ``_share`` has it
    words = "".join(
        f'<text x="{x}" y="27" text-anchor="{anchor}">{text(_digits(value))}</text>'
        for x, anchor, value in (
            (0, "start", low),
            (width / 2, "middle", middle),
            (width, "end", high),
        )
    )
    return Html(
        f'<p class="scale"><svg class="map" viewBox="0 0 {width} 32" role="img"'
        f' aria-label="colours from {text(_digits(low))} to {text(_digits(high))} {text(unit)}">'
        f'{boxes}{words}</svg> <span class="soft small">{text(unit)}</span></p>'
    )


def _digits(value: float) -> str:
    return f"{value:.3g}" if value else "0"
