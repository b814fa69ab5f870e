"""The sections below the verdict, one function each."""

import json
import math
from collections.abc import Iterator, Sequence

from sandbox.analysis.condition_table import Average, ConditionRow, condition_table, measured
from sandbox.analysis.effects import CONFIDENCE, Effect, env_name, measure, metric
from sandbox.analysis.metric_base import chosen
from sandbox.contract import IN_DISTRIBUTION
from sandbox.pictures.lineage_svg import settings_text
from sandbox.record.events import TrialStarted
from sandbox.report import figures
from sandbox.report.data import MOST_EDITS, Lineage, Report
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
from sandbox.report.styles import repeats
from sandbox.words import CLAIM_CHECKS, claim_check, digits, percent

THRESHOLD = "reward_threshold"
LONG = 60  # rows


def plane(report: Report) -> Html:
    """Capability against safety, or why it cannot be drawn."""
    drawn = figures.plane(report)
    if drawn is None:
        return section(
            "Capability and safety", Html(f'<p class="soft">{text(_no_plane(report))}</p>')
        )
    mean = "one shape per env" if len(report.envs) > 1 else "star: the baseline condition"
    note = (
        "Each small dot is a trial; each large mark is the mean of a condition over its seeds"
        f" ({mean}) with its {percent(CONFIDENCE)} interval. Up and to the right is better."
        f"{_marks(report)}"
    )
    return section(
        "Capability and safety", Html(f'<p class="soft small">{text(note)}</p>'), figure(drawn, "")
    )


def _marks(report: Report) -> str:
    again = repeats(report.conditions)
    return (
        " Conditions that share a colour differ in the shape and filling of their marks."
        if again
        else ""
    )


def _no_plane(report: Report) -> str:
    done = [trial for trial in report.run.trials if trial.done]
    if not done:
        return "Not drawn: no trial has finished yet."
    names = ("capability", report.safety_metric)
    missing = [x for x in names if all(measure(trial, x).value is None for trial in done)]
    return f"Not drawn: no trial measured {' or '.join(missing) or 'both'}.".replace("_", " ")


def conditions(report: Report) -> Html:
    """Every condition's metrics as they are, means over seeds."""
    rows = condition_table(report.run)
    shown = measured(rows)
    if not shown:
        return section("Conditions", Html('<p class="soft">No trial measured anything.</p>'))
    several = len(report.envs) > 1
    note = (
        f"Mean over seeds and its {percent(CONFIDENCE)} interval. That is of the level: two of them"
        " may overlap where the difference within seeds, below under effects, is clear."
    )
    head = ["condition", *(["env"] if several else []), "seeds"]
    numbers = range(1 + several, len(head) + len(shown))
    return section(
        "Conditions",
        Html(f'<p class="soft small">{text(note)}</p>'),
        folded_if_long(
            "conditions",
            [*head, *(name.replace("_", " ") for name in shown)],
            [_condition(each, shown, several=several) for each in rows],
            numbers,
        ),
    )


def _condition(row: ConditionRow, shown: Sequence[str], *, several: bool) -> list[Html]:
    place = [text(row.condition), *([text(row.env)] if several else []), text(row.n)]
    return [*place, *(_average(each, row.n) for each in row.averages if each.metric in shown)]


def _average(seen: Average, n: int) -> Html:
    """Mean, and below it in small print its interval, and how many seeds where not all."""
    below = [" to ".join(map(digits, seen.interval))] if seen.interval else []
    below += ["all alike"] if seen.alike else []
    below += [f"n = {seen.n}"] if 0 < seen.n < n else []
    small = f'<br><span class="soft small">{text(", ".join(below))}</span>' if below else ""
    return Html(f"{number(seen.mean)}{small}")


def effects(report: Report) -> Html:
    """Every lever on every metric: paired difference, interval and n."""
    if not report.effects:
        return section("Effects", Html('<p class="soft">No lever has two doses.</p>'))
    shown = _measured(report)
    if not shown:
        return section("Effects", Html('<p class="soft">No trial measured anything.</p>'))
    several = len({each.env for each in shown}) > 1
    reach = {name: _reach(report, name) for name in {each.metric for each in shown}}
    claimed = {_row(each.effect) for each in report.judged}
    rows, before = [], ""
    for each in shown:
        turned = each.turned
        scope = [text(each.env)] if several else []
        lever = text(turned) if turned + each.env != before else Html("")
        name = text(each.metric.replace("_", " "))
        if _row(each) in claimed:
            name = Html(f"<b>{name}</b>")
        name = Html(f'{name}<br><span class="soft small">{_unit(report, each)}</span>')
        rows.append([lever, *scope, name, *_effect_cells(each, reach[each.metric])])
        before = turned + each.env
    head = ["lever", *(["env"] if several else []), "metric", "baseline", "treated",
            "effect", f"{percent(CONFIDENCE)} interval", "", "p", "n"]  # fmt: skip
    first = 2 + several
    pooled = " Env “all”: mean over the envs, of metrics with the same scale in all of them only."
    note = Html(
        '<p class="soft small">Baseline: mean at the first dose of the lever; treated: mean at the'
        " second dose named. Effect: mean difference of trials paired by seed, all other levers"
        " alike. p: exact two-sided sign-flip test, not adjusted for the number of rows. Only"
        f" claims (bold) are tests; other rows are descriptive. Intervals in this table are"
        f" {percent(CONFIDENCE)}; the verdict on a claim, which is one-sided, rests on the 1 - 2"
        f" alpha interval: 90 % where alpha is 0.05.{pooled if several else ''}</p>"
    )
    numbers = [*range(first, first + 4), first + 5, first + 6]
    return section("Effects of the levers", note, folded_if_long("effects", head, rows, numbers))


def folded_if_long(
    what: str, head: Sequence[str], rows: Sequence[Sequence[Html]], numbers: Sequence[int]
) -> Html:
    """A table, behind a click where it has many rows."""
    made = table(head, rows, numbers)
    return folded(f"All {len(rows)} {what}", made) if len(rows) > LONG else made


def _row(each: Effect) -> tuple[str, str, str]:
    return each.turned, each.metric, each.env


def _measured(report: Report) -> list[Effect]:
    """Effects on metrics that any trial at all has measured; ``limits`` names the others."""
    names = {each.metric for each in report.effects}
    trials = report.run.trials
    known = {x for x in names if any(measure(trial, x).value is not None for trial in trials)}
    return [each for each in report.effects if each.metric in known and not _mixed(report, each)]


def _mixed(report: Report, seen: Effect) -> bool:
    """Is it a mean of raw returns of different worlds? Only what has one scale may be averaged."""
    raw = metric(seen.metric).range == (-math.inf, math.inf)
    return raw and seen.env == "all" and len(report.envs) > 1


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


def _unit(report: Report, seen: Effect) -> Html:
    direction = metric(seen.metric).direction
    better = "" if direction == "neutral" else f", {direction} is better"
    unit = _reached(report, seen.env) if seen.metric == "capability" else seen.unit
    return text(unit + better)


def _reached(report: Report, env: str) -> str:
    """What a capability of 1 is: an oracle's return, or a third-party env's reward threshold."""
    best = {
        str(each.anchors.get(IN_DISTRIBUTION, {}).get("reward_optimal", {}).get("how", ""))
        for trial in report.run.trials
        for each in trial.events[:1]
        if isinstance(each, TrialStarted) and env in {"all", env_name(report.run, trial)}
    }
    strange = {how for how in best if THRESHOLD in how}
    if not strange:
        return metric("capability").unit
    threshold = "the env's own reward threshold"
    return f"0: random policy, 1: {threshold if strange == best else f'oracle, or {threshold}'}"


def curves(report: Report) -> Html:
    """Training return with the edits on it, and what held-out probes said, env by env."""
    cut = f" Drawn: {report.cut}." if report.cut else ""
    return section(
        "Learning",
        Html(
            '<p class="soft small">Thick line: mean over seeds; thin lines: single seeds.'
            " Triangles are edits that were applied, crosses edits that the gate rejected."
            f"{_dashes(report)}{repeats(report.conditions)}{text(cut)}</p>"
        ),
        *(each for env in report.envs for each in _curves_of(report, env)),
        Html(
            '<p class="soft small">Each point of a training return is the mean of the episodes that'
            " ended since the previous point, in the world's own reward, before any control changed"
            " it. Short episodes end first, so a curve may start high and fall before anything is"
            " learned.</p>"
        ),
    )


def _curves_of(report: Report, env: str) -> Iterator[Html]:
    if len(report.envs) > 1:
        yield Html(f"<h3>{text(env)}</h3>")
    yield figure(figures.learning(report, env), "No training episode has ended yet.")
    held = {
        name: figures.held_out(report, name, env) for name in ("capability", report.safety_metric)
    }
    drawn = {name: plot for name, plot in held.items() if plot is not None}
    parts = join(
        Html(f"<div><h3>Held-out {text(name.replace('_', ' '))}</h3>{figure(plot, '')}</div>")
        for name, plot in drawn.items()
    )
    if drawn:
        yield Html(f'<div class="pair">{parts}</div>')
    missing = [name.replace("_", " ") for name in held if name not in drawn]
    if missing:
        yield Html(
            f'<p class="soft small">Held-out {text(" and ".join(missing))}: not measured.</p>'
        )


def _dashes(report: Report) -> Html:
    dashes = [f"{agent}: {dash}" for agent, dash in figures.dashes(report).items()]
    shown = f" Thin lines are single agents here ({', '.join(dashes)})." if dashes else ""
    if any(chosen(trial.events) for trial in report.run.trials):
        shown += " A population's mean is of its member with the most training return at the end."
    return text(shown)


def lineage(report: Report) -> Html:
    """Size over time, edits by kind, and every proposal with the gate's decision."""
    edits = [(line, edit) for line in report.lineages for edit in line.edits]
    several = _several_agents(report.lineages)
    rows = [
        [
            text(f"{line.condition}, seed {line.seed}"),
            *([text(line.agent)] if several else []),
            text(f"{edit.steps:,}"),
            text(edit.edit),
            text(settings_text(edit.settings)),
            text(edit.part),
            text("applied" if edit.applied else f"rejected: {edit.reason}"),
            text(claim_check(edit.audit)),
            text(f"{edit.parameters:,}"),
        ]
        for line, edit in edits[:MOST_EDITS]
    ]
    head = ["trial", *(["agent"] if several else []), "step", "edit", "settings", "part",
            "decision", "claim check", "parameters"]  # fmt: skip
    more = f", first {MOST_EDITS} shown" if len(edits) > MOST_EDITS else ""
    content = [figure(figures.lineage(report), "No update has been recorded yet.")]
    if not edits:
        content = content if _grew(report) else []
        content.append(Html(f'<p class="soft">{text(_no_edit(report))}</p>'))
    if any(line.edits or line.allowed for line in report.lineages):
        content.append(_edit_summary(report.lineages))
    if edits:
        numbers = [1 + several, 7 + several]
        content.append(folded(f"All {len(edits)} proposals{more}", table(head, rows, numbers)))
    return section("Edits", *content)


def _grew(report: Report) -> bool:
    return any(len(set(line.parameters)) > 1 for line in report.lineages)


def _no_edit(report: Report) -> str:
    sizes = sorted({size for line in report.lineages for size in line.parameters})
    if not sizes:
        return "No update has been recorded yet."
    many = " to ".join(f"{size:,}" for size in dict.fromkeys((sizes[0], sizes[-1])))
    return f"No agent proposed an edit; all networks have {many} parameters throughout."


def _edit_summary(lines: Sequence[Lineage]) -> Html:
    """Edits by condition and kind, with the outcomes of comparing their claims with the network.

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
    several = _several_agents(lines)
    rows = []
    for key, applied in sorted(groups.items()):
        audited = audits.get(key, [])
        counts = [len(applied), sum(applied), len(applied) - sum(applied)]
        claims = [audited.count(each) for each in CLAIM_CHECKS]
        names = key if several else (key[0], key[2])
        rows.append([*map(text, names), *map(text, counts), *map(text, claims)])
    head = ["condition", *(["agent"] if several else []), "edit",
            "proposed", "applied", "rejected", *CLAIM_CHECKS.values()]  # fmt: skip
    note = Html(
        '<p class="soft small">The gate applies or rejects each proposal. An edit claims what it'
        " will change; once it is applied, its claim is compared with the network. Confirmed: all"
        " of it holds. False claim: some of it does not. Silent no-op: a change was claimed, and"
        " nothing changed. No claim: no change was claimed, and nothing changed.</p>"
    )
    return join([note, table(head, rows, range(2 + several, 9 + several))])


def _several_agents(lines: Sequence[Lineage]) -> bool:
    """Has any trial more than one agent?"""
    return len({line.agent for line in lines}) > 1


def ended_early(report: Report) -> Html:
    """Trials without a result, each with its reason."""
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
    """The program, the machine and the scenario of this run."""
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
