"""The sections below the verdict, one function each."""

import json
import math
from collections.abc import Sequence

from sandbox.effects import Effect, measure, metric
from sandbox.events import Filmed
from sandbox.film import data_uri, gif, icons
from sandbox.report import figures
from sandbox.report.data import MOST_EDITS, Film, Lineage, Report
from sandbox.report.html import (
    Html,
    figure,
    folded,
    interval_bar,
    join,
    number,
    pre,
    section,
    table,
    text,
)

FILM_WIDTH, SMALLEST_TILE, LARGEST_TILE = 250, 12, 40  # pixels


def effects(report: Report) -> Html:
    """Every lever on every metric: paired difference, interval and n."""
    if not report.effects:
        return section("Effects", Html('<p class="soft">No lever has two doses.</p>'))
    shown = _measured(report)
    if not shown:
        return section("Effects", Html('<p class="soft">No trial measured anything.</p>'))
    several = len({each.env for each in shown}) > 1
    reach = {name: _reach(report, name) for name in {each.metric for each in shown}}
    claimed = {(each.effect_of, each.metric) for each in report.judged}
    rows, before = [], ""
    for each in shown:
        turned = f"{each.lever} {each.base_dose:g} → {each.dose:g}"
        scope = [text(each.env)] if several else []
        lever = text(turned) if turned + each.env != before else Html("")
        name = text(each.metric.replace("_", " "))
        if (each.lever, each.metric) in claimed:
            name = Html(f"<b>{name}</b>")
        name = Html(f'{name}<br><span class="soft small">{_unit(each)}</span>')
        rows.append([lever, *scope, name, *_effect_cells(each, reach[each.metric])])
        before = turned + each.env
    head = ["lever", *(["env"] if several else []), "metric", "at first dose", "at last dose",
            "effect", "95 % interval", "", "p", "n"]  # fmt: skip
    first = 2 + several
    note = Html(
        '<p class="soft small">Paired by seed, all other levers alike. p: exact sign-flip test, two'
        " sides, not adjusted for the number of rows. Only claims (bold) are tests; the rest"
        " describes. Intervals here have 95 %; a verdict rests on the interval of 1 - 2 alpha, 90 %"
        " where alpha is 0.05, because a claim has one side.</p>"
    )
    numbers = [*range(first, first + 4), first + 5, first + 6]
    return section("Effects of the levers", note, table(head, rows, numbers))


def _measured(report: Report) -> list[Effect]:
    """Effects on metrics that any trial at all has measured; ``limits`` names the others."""
    names = {each.metric for each in report.effects}
    trials = report.run.trials
    known = {x for x in names if any(measure(trial, x).value is not None for trial in trials)}
    return [each for each in report.effects if each.metric in known]


def _reach(report: Report, name: str) -> float:
    """Half the width of the interval axis: all effects on this metric fit, noise looks like it."""
    ends = [
        abs(x or 0.0)
        for each in report.effects
        if each.metric == name
        for x in (each.low, each.high, each.estimate)
    ]
    low, high = metric(name).range
    return max([*ends, 0.25 * (high - low) if math.isfinite(high - low) else 0.0])


def _effect_cells(seen: Effect, reach: float) -> list[Html]:
    bar, between = Html(""), Html("")
    if seen.low is not None and seen.high is not None and seen.estimate is not None:
        bar = interval_bar(seen.low, seen.high, seen.estimate, reach)
        between = Html(f"{number(seen.low, sign=True)} to {number(seen.high, sign=True)}")
    return [
        number(seen.base),
        number(seen.treated),
        number(seen.estimate, sign=True),
        between,
        bar,
        text("" if seen.p is None else f"{seen.p:.3g}"),
        text(seen.n),
    ]


def _unit(seen: Effect) -> Html:
    direction = metric(seen.metric).direction
    better = "" if direction == "neutral" else f", {direction} is better"
    return Html(text(seen.unit + better))


def curves(report: Report) -> Html:
    """Training return with the edits on it, and what held-out probes said."""
    safety = report.safety_metric
    return section(
        "Learning",
        Html(
            '<p class="soft small">Thick: mean of the seeds; thin: each seed. Triangles are edits'
            f" that were applied, crosses edits that were refused.{_dashes(report)}"
            f" {text(report.cut)}</p>"
        ),
        figure(figures.learning(report), "No training episode has ended yet."),
        Html(
            '<p class="soft small">A point is the mean return of the episodes that ended since the'
            " last one. The first to end are the short ones, so a curve may start high and fall"
            " before anything is learned.</p>"
        ),
        Html('<div class="pair">'),
        Html(
            f"<div><h3>Held-out capability</h3>"
            f"{figure(figures.held_out(report, 'capability'), 'Not measured.')}</div>"
        ),
        Html(
            f"<div><h3>Held-out {text(safety.replace('_', ' '))}</h3>"
            f"{figure(figures.held_out(report, safety), 'Not measured.')}</div>"
        ),
        Html("</div>"),
    )


def _dashes(report: Report) -> Html:
    told = [f"{agent}: {dash}" for agent, dash in figures.dashes(report).items()]
    shown = f" Thin lines are single agents here ({', '.join(told)})." if told else ""
    return text(shown)


def lineage(report: Report) -> Html:
    """Size over time, edits by kind, and every proposal with what became of it."""
    edits = [(line, edit) for line in report.lineages for edit in line.edits]
    rows = [
        [
            text(f"{line.condition}, seed {line.seed}"),
            text(line.agent),
            text(f"{edit.steps:,}"),
            text(edit.edit),
            text(", ".join(f"{k}={v}" for k, v in sorted(edit.settings.items()))),
            text(edit.part),
            text("applied" if edit.applied else f"refused: {edit.reason}"),
            text(edit.audit.replace("_", " ")),
            text(f"{edit.parameters:,}"),
        ]
        for line, edit in edits[:MOST_EDITS]
    ]
    head = ["trial", "agent", "step", "edit", "settings", "part", "outcome", "claim", "parameters"]
    more = f", first {MOST_EDITS} shown" if len(edits) > MOST_EDITS else ""
    content = [figure(figures.lineage(report), "No update has been recorded yet.")]
    if not edits:
        content.append(Html('<p class="soft">No agent proposed an edit.</p>'))
    if any(line.edits or line.allowed for line in report.lineages):
        content.append(_edit_summary(report.lineages))
    if edits:
        content.append(folded(f"All {len(edits)} proposals{more}", table(head, rows, [2, 8])))
    return section("How the agents rewrote themselves", *content)


def _edit_summary(lines: Sequence[Lineage]) -> Html:
    """Edits by condition and kind, with what the ledger's read-back said of their claims.

    What an editor was allowed to propose and never did has a row too, of zeros.
    """
    groups: dict[tuple[str, str, str], list[bool]] = {}
    audits: dict[tuple[str, str, str], list[str]] = {}
    for line in lines:
        for name in line.allowed:
            groups.setdefault((line.condition, line.agent, name), [])
        for edit in line.edits:
            key = (line.condition, line.agent, edit.edit)
            groups.setdefault(key, []).append(edit.applied)
            audits.setdefault(key, []).append(edit.audit)
    rows = []
    for key, applied in sorted(groups.items()):
        told = audits.get(key, [])
        counts = [len(applied), sum(applied), len(applied) - sum(applied)]
        claims = [told.count(each) for each in ("confirmed", "false_claim", "silent_no_op")]
        rows.append([*map(text, key), *map(text, counts), *map(text, claims)])
    head = [
        "condition",
        "agent",
        "edit",
        "proposed",
        "applied",
        "refused",
        "claim confirmed",
        "false claim",
        "silent no-op",
    ]
    return table(head, rows, range(3, 9))


def films(report: Report) -> Html:
    """Recorded episodes, moving."""
    if not report.films:
        return section("Rollouts", Html('<p class="soft">No episode was filmed.</p>'))
    left = report.filmed - len(report.films)
    told = f"The first {len(report.films)} of {report.filmed} films; the others are in the events."
    note = Html(f'<p class="soft small">{text(told)}</p>' if left else "")
    shown = Html(f'<div class="films">{join(map(_film, report.films))}</div>')
    return section("Rollouts", note, shown)


def _film(film: Film) -> Html:
    shot: Filmed = film.shot
    columns = max(len(row) for board in shot.boards for row in board.split("\n"))
    tile = min(max(FILM_WIDTH // max(columns, 1), SMALLEST_TILE), LARGEST_TILE)
    source = data_uri(gif(shot.boards, shot.rewards, tile, shot.legend, shot.captions))
    caption = f"{film.condition}, seed {film.seed}: {shot.distribution.replace('_', ' ')}"
    total = f"return {sum(shot.rewards):+.3g} in {len(shot.rewards)} steps · {film.env}"
    return Html(
        f'<figure><img src="{source}" alt="{text(shot.boards[0])}">'
        f"<figcaption><b>{text(caption)}</b><br>{text(total)}{_legend(shot)}</figcaption></figure>"
    )


def _legend(shot: Filmed) -> Html:
    """What is on the film: each thing's picture, or its letter, and what it is."""

    def item(letter: str, meaning: str, picture: str) -> Html:
        shown = (
            f'<img src="{picture}" alt="{text(letter)}">' if picture else f"<b>{text(letter)}</b>"
        )
        return Html(f"<li>{shown} {text(meaning)}</li>")

    items = join(item(*each) for each in icons(shot.legend))
    return Html(f'<ul class="legend">{items}</ul>' if items else "")


def ended_early(report: Report) -> Html:
    """Trials without a result, each with its reason."""
    if not report.ended_early:
        return section("Failed trials", Html('<p class="soft">None: every trial is done.</p>'))
    rows = [
        [
            Html(f"<code>{text(trial.id)}</code>"),
            text(trial.condition_name),
            text(trial.spec["seed"]),
            Html(f'<span class="{state}">{text(state)}</span>'),
            text(trial.status.get("reason") or "no result yet"),
        ]
        for trial, state in report.ended_early
    ]
    title = "Failed and unfinished trials"
    return section(title, table(["trial", "condition", "seed", "state", "reason"], rows, [2]))


def manifest(report: Report) -> Html:
    """With what program, on what machine and from which scenario this was run."""
    run = report.run
    rows = [
        [text(k), text(v if isinstance(v, str) else json.dumps(v, sort_keys=True))]
        for k, v in sorted(run.manifest.items())
    ]
    scenario = json.dumps(run.scenario, indent=1, sort_keys=True)
    return section(
        "Manifest",
        Html(
            '<p class="soft small">Trials, events, ledgers and weights lie beside this file;'
            " <code>sandbox verify</code> checks that none of them was changed.</p>"
        ),
        folded("Program, machine and command", table(["what", "value"], rows)),
        folded("Scenario as it was run", pre(scenario)),
    )
