"""An edit history as a timeline: every proposal, with branches where edits were undone."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from sandbox.pictures.genome_changes import JSON, value_text
from sandbox.pictures.genome_shapes import Line, Sheet, Word, wide
from sandbox.pictures.genome_svg import drawn, framed
from sandbox.record.lineage import Lineage, Node
from sandbox.words import claim_check

WIDTH, LEFT, RIGHT = 1040.0, 24.0, 1010.0
TOP, LANE = 46.0, 30.0
PARTS: Mapping[str, tuple[str, str]] = {  # in light and in dark
    "architecture": ("#2563eb", "#7aa7ff"),
    "learning_rule": ("#d97706", "#fbbf24"),
    "objective": ("#9333ea", "#c4b5fd"),
    "editor": ("#059669", "#34d399"),
}
MOST_SETTING = 60  # letters of one setting
CSS = (
    "".join(f".genome .{part}{{--part:{light}}}" for part, (light, _) in PARTS.items())
    + "@media(prefers-color-scheme:dark){"
    + "".join(f".genome .{part}{{--part:{dark}}}" for part, (_, dark) in PARTS.items())
    + "}.genome circle{fill:var(--part,var(--gi));stroke:var(--part,var(--gi));stroke-width:2}"
    ".genome circle.rejected{fill:var(--gp)}.genome circle.undone{opacity:.45}"
)


def settings_text(settings: JSON) -> str:
    """``layer=0, units=8``; a long setting is cut, one without a value left out."""
    said = (
        (key, value_text(value)) for key, value in sorted(settings.items()) if value is not None
    )
    cut = ((k, v if len(v) <= MOST_SETTING else f"{v[: MOST_SETTING - 1]}…") for k, v in said)
    return ", ".join(f"{key}={value}" for key, value in cut)


def outcome(node: Node) -> str:
    """The outcome of a proposal, in words."""
    if not node.applied:
        return f"rejected: {node.reason}"
    gone = f", undone by entry {node.undone_by}" if node.undone_by is not None else ""
    return f"applied{gone}"


def story(node: Node) -> str:
    """A node in one line."""
    if not node.entry:
        return "start"
    parts = [f"{node.edit}({settings_text(node.settings)})", outcome(node)]
    parts += [f"claim check: {claim_check(node.audit)}"] if node.audit else []
    parts += [f"KL {node.kl:.3g} nats"] if node.kl is not None else []
    parts += [f"{node.parameters:,} parameters"] if node.parameters is not None else []
    return f"entry {node.entry}, step {node.steps:,}: {'; '.join(parts)}"


def timeline(agent_run: Lineage, steps: int, *, title: str = "Lineage") -> str:
    """Return an SVG of an agent run of this many environment steps."""
    lanes = _lanes(agent_run)
    height = TOP + LANE * max(lanes.values()) + 72
    sheet = Sheet(WIDTH, height)
    last = max([steps, *(each.steps for each in agent_run.nodes), 1])
    spots = {each.entry: (_x(each.steps, last), TOP + LANE * lanes[each.entry])
             for each in agent_run.nodes}  # fmt: skip
    sheet.add(*_edges(agent_run, spots))
    sheet.add(*_axis(last, height - 46))
    sheet.add(*_labels(agent_run, spots))
    dots = "".join(_dot(each, spots[each.entry]) for each in agent_run.nodes)
    inside = "".join(drawn(each) for each in sheet.shapes) + dots + _legend(agent_run, height - 10)
    said = f"{len(agent_run.nodes) - 1} proposals. " + "; ".join(
        story(each) for each in agent_run.nodes if each.entry and each.applied
    )
    return framed(sheet, inside, title, said, CSS)


def _x(steps: int, last: int) -> float:
    return LEFT + (RIGHT - LEFT) * steps / last


def _lanes(agent_run: Lineage) -> dict[int, int]:
    """Entry -> row: 0 for the surviving line, below it each branch in the first free row."""
    found = dict.fromkeys(agent_run.line(), 0)
    by_entry = {each.entry: each for each in agent_run.nodes}
    branches: dict[int, list[Node]] = {}
    for node in agent_run.nodes:
        if node.applied and node.undone_by is not None:
            branches.setdefault(node.undone_by, []).append(node)
    ends: list[float] = []  # of the branches in each row
    for by, branch in sorted(branches.items(), key=lambda each: (each[1][0].steps, each[0])):
        start = by_entry[branch[0].parent].steps
        row = next((i for i, end in enumerate(ends) if end <= start), len(ends))
        ends[row : row + 1] = [by_entry[by].steps]
        found |= {each.entry: row + 1 for each in branch}
    # A rejected proposal stands on the line of the agent state that it was made to.
    return found | {each.entry: found[each.before] for each in agent_run.nodes if not each.applied}


Spots = Mapping[int, tuple[float, float]]


def _edges(agent_run: Lineage, spots: Spots) -> Iterator[Line]:
    for node in agent_run.nodes[1:]:
        if node.applied:
            (x0, y0), (x, y) = spots[node.parent], spots[node.entry]
            way = ((x0, y0), (x, y)) if y0 == y else ((x0, y0), (x0, y), (x, y))
            yield Line(f"to{node.entry}", way)
            if node.before != node.parent:
                x0, y0 = spots[node.before]
                yield Line(f"back{node.entry}", ((x0, y0), (x, y0), (x, y + 9)), arrow=True,
                           mark="removed")  # fmt: skip
    yield Line(
        "on", (spots[agent_run.end.entry], (RIGHT + 14, spots[agent_run.end.entry][1])), arrow=True
    )


def _axis(last: int, y: float) -> Iterator[Line | Word]:
    yield Line("axis", ((LEFT, y), (RIGHT, y)))
    for k in range(5):
        x = LEFT + (RIGHT - LEFT) * k / 4
        yield Line(f"tick{k}", ((x, y), (x, y + 4)))
        anchor = {0: "start", 4: "end"}.get(k, "middle")
        unit = " steps" if k == 4 else ""  # noqa: PLR2004
        yield Word(f"at{k}", x, y + 15, f"{last * k // 4:,}{unit}", 11, anchor, soft=True)  # type: ignore[arg-type]


def _labels(agent_run: Lineage, spots: Spots) -> Iterator[Word]:
    """Names above the surviving line, as many as fit beside each other."""
    free = 0.0
    by_entry = {each.entry: each for each in agent_run.nodes}
    for entry in agent_run.line():
        x, y = spots[entry]
        name = Word(f"name{entry}", x, y - 12, by_entry[entry].edit.replace("_", " "), 11.5)
        long = wide(name.text, name)
        start = min(max(x - long / 2, 4), WIDTH - long - 4)
        if start >= free:
            yield Word(name.key, start, name.y, name.text, name.size)
            free = start + long + 8


def _dot(node: Node, spot: tuple[float, float]) -> str:
    part = node.part if node.part in PARTS else ""
    state = "rejected" if not node.applied else "undone" if node.undone_by is not None else ""
    kind = " ".join(filter(None, (part, state)))
    size = 6 if node.applied else 4.5
    place = f'cx="{spot[0]:.5g}" cy="{spot[1]:.4g}" r="{size}"'
    return f'<circle class="{kind}" {place}><title>{escape(story(node))}</title></circle>'


def _legend(agent_run: Lineage, y: float) -> str:
    """What the colours and shapes mean that are on this picture."""
    parts = [part for part in PARTS if any(each.part == part for each in agent_run.nodes)]
    items: Sequence[tuple[str, str]] = [(part, part.replace("_", " ")) for part in parts]
    if any(not each.applied for each in agent_run.nodes):
        items = [*items, ("rejected", "hollow: rejected")]
    if any(each.undone_by is not None for each in agent_run.nodes):
        items = [*items, ("undone", "faint, on a branch: undone")]
    x, made = LEFT, ""
    for kind, meaning in items:
        word = Word("", x + 11, y, meaning, 11.5, soft=True)
        made += f'<circle class="{kind}" cx="{x + 2:.5g}" cy="{y - 4:.4g}" r="5"/>{drawn(word)}'
        x += wide(meaning, word) + 34
    return made
