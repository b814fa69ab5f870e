"""Edit histories: the genomes of the agents of a few trials as a timeline, a film and a table."""

from collections.abc import Iterator, Sequence

from sandbox.pictures.genome_changes import changes
from sandbox.pictures.genome_svg import svg
from sandbox.pictures.lineage_film import MOST_MOMENTS, film
from sandbox.pictures.lineage_svg import outcome, settings_text, timeline
from sandbox.record.lineage import Node
from sandbox.report.data import MOST_AGENT_RUNS, AgentPanel, Report
from sandbox.report.html import Html, folded, join, number, section, table, text
from sandbox.words import claim_check, counted

MOST_ROWS = 60  # of one agent run's table
CAPS = (
    f"At most {MOST_AGENT_RUNS} agents are drawn, {MOST_MOMENTS} moments of each film and"
    f" {MOST_ROWS} rows of each table; `sandbox show RUN --genome` draws any other."
)


def agent_runs(report: Report) -> Html:
    """Start, end and every edit between them, of the first seed of each env and condition."""
    if not report.agent_runs:
        return section("Edit history", Html('<p class="soft">No trial has begun.</p>'))
    still = all(len(each.lineage.nodes) == 1 for each in report.agent_runs)
    shown = report.agent_runs[:1] if still else report.agent_runs
    left = report.agent_runs_found - len(report.agent_runs)
    more = f" Not drawn: {left} more." if left else ""
    words = (
        "No agent proposed an edit, so only one agent is drawn."
        if still
        else f"Agents of the first seed of each env and condition. {CAPS}{more}"
    )
    note = Html(f'<p class="soft small">{text(words)}</p>')
    return section(
        "Edit history", note, *(_agent_run(each, i == 0) for i, each in enumerate(shown))
    )


def _agent_run(agent_run: AgentPanel, first: bool) -> Html:
    line = agent_run.lineage
    name = f"{agent_run.condition}, seed {agent_run.seed}, {line.agent}"
    if agent_run.env:
        name = f"{agent_run.env} · {name}"
    proposals = len(line.nodes) - 1
    applied = sum(each.applied for each in line.nodes) - 1
    differ = len(changes(line.start_node.genome, line.end.genome))
    summary = (
        f"{counted(proposals, 'proposal')}, {applied} applied, {counted(differ, 'difference')}"
    )
    inside = join(_drawn(agent_run, name) if proposals else [_picture(agent_run, name)])
    opened = " open" if first else ""
    return Html(
        f'<details class="history"{opened}><summary><b>{text(name)}</b>'
        f' <span class="soft">{summary} between start and end</span></summary>{inside}</details>'
    )


def _picture(agent_run: AgentPanel, name: str) -> Html:
    line = agent_run.lineage
    start = None if len(line.nodes) == 1 else line.start_node.genome
    return _wide(svg(line.end.genome, start, title=f"{name}: the end, with what changed"))


def _drawn(agent_run: AgentPanel, name: str) -> Iterator[Html]:
    line = agent_run.lineage
    yield Html("<h3>Every proposal</h3>")
    yield _wide(
        timeline(line, agent_run.steps, title=f"{name}: every proposal over environment steps")
    )
    yield Html("<h3>Genome at the end; changes since the start are marked</h3>")
    yield _picture(agent_run, name)
    if len(line.moments()) > 1:
        yield Html("<h3>Genome from start to end, edit by edit</h3>")
        yield Html(
            '<div class="film"><p class="keys"><button type="button">Pause</button>'
            f' <input type="range" min="1" max="{min(len(line.moments()), MOST_MOMENTS)}"'
            f' value="1" aria-label="Step in the edit history"></p>'
            f"{_wide(film(line, title=f'{name}: from the start to the end'))}</div>"
        )
    yield folded(f"Table of {counted(len(line.nodes) - 1, 'proposal')}", _table(line.nodes))


def _wide(picture: str) -> Html:
    """A picture as wide as the page, and on a narrow one not smaller than it can be read."""
    return Html(f'<div class="scroll wide" tabindex="0">{picture}</div>')


def _table(nodes: Sequence[Node]) -> Html:
    rows = [
        [
            text(node.entry),
            text(f"{node.update:,}"),
            text(node.edit.replace("_", " ")),
            text(settings_text(node.settings)),
            text(node.part.replace("_", " ")),
            text(outcome(node)),
            text(claim_check(node.audit)),
            number(node.kl) if node.kl is not None else Html(""),
            text("" if node.parameters is None else f"{node.parameters:,}"),
        ]
        for node in nodes[1 : MOST_ROWS + 1]
    ]
    head = ["entry", "update", "edit", "settings", "part", "decision", "claim check", "KL, nats",
            "parameters"]  # fmt: skip
    cut = len(nodes) - 1 - len(rows)
    more = (
        f'<p class="soft small">{cut} more are in the ledger (<code>sandbox ledger RUN</code>).</p>'
        if cut
        else ""
    )
    return Html(f"{table(head, rows, [0, 1, 7, 8])}{more}")
