"""Puts the report together: one HTML file that opens anywhere, without network or server."""

from collections.abc import Iterator
from pathlib import Path

from sandbox.design import looks_of
from sandbox.record.files import Disk
from sandbox.record.store import read_run
from sandbox.report import sections
from sandbox.report.data import Report, gather
from sandbox.report.data_card import data_card
from sandbox.report.doses import arms, doses
from sandbox.report.edit_history import agent_runs
from sandbox.report.films import films
from sandbox.report.html import (
    Html,
    bullets,
    join,
    number,
    section,
    text,
)
from sandbox.report.limits import limits
from sandbox.report.maps import maps
from sandbox.report.rewards import live_objectives
from sandbox.report.survival import survival
from sandbox.report.tails import tails_of_harm
from sandbox.report.theme import CSS, SCRIPT
from sandbox.verdicts.judged import JudgedClaim
from sandbox.words import counted

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; form-action 'none'; base-uri 'none'"
)
"""Content security policy: the browser itself refuses every request that leaves the file."""

SMOKE = Html(
    '<p class="banner" role="note">Smoke run: a fraction of the steps, to see that everything'
    " works. Its numbers mean nothing; run the scenario without --smoke for a result.</p>"
)


def build(run_folder: str | Path) -> Path:
    """Write ``report.html`` for a run, finished or not; returns its path.

    Raises ``InputError`` where there is no run and ``IntegrityError`` where it is damaged.
    """
    report = gather(read_run(run_folder))
    path = report.run.folder / "report.html"
    Disk().write(path, page(report).encode())
    return path


def page(report: Report) -> Html:
    """Return the whole document."""
    from plotly.offline import get_plotlyjs  # noqa: PLC0415  (large: only a report loads it)

    body = join(_sections(report), "\n")
    title = text(report.run.scenario["question"])
    return Html(
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<link rel="icon" href="data:,">\n<title>{title}</title><style>{CSS}</style></head>\n'
        f"<body><main>\n{body}\n</main>\n<script>{get_plotlyjs()}</script>\n"
        f"<script>{SCRIPT}</script></body></html>\n"
    )


def _sections(report: Report) -> Iterator[Html]:
    yield _head(report)
    if report.smoke:
        yield SMOKE
    yield from map(_verdict, report.judged)
    yield from tails_of_harm(report)
    yield _registration(report)
    if report.ended_early:
        yield sections.ended_early(report)
    yield from arms(report)
    yield from survival(report)
    yield from maps(report)
    yield from doses(report)
    yield sections.conditions(report)
    yield sections.plane(report)
    yield sections.curves(report)
    yield from live_objectives(report)
    yield sections.effects(report)
    yield from data_card(report)
    yield sections.lineage(report)
    yield agent_runs(report)
    yield films(report)
    yield section("Limitations", bullets(limits(report)))
    yield sections.manifest(report)


def _head(report: Report) -> Html:
    scenario, counts = report.run.scenario, report.counts
    facts = [
        (f"{counts['done']} of {counted(len(report.run.trials), 'trial')} done", ""),
        (counted(len(report.conditions), "condition"), ""),
        (counted(len(scenario["seeds"]), "seed"), ""),
        (", ".join(sorted({each["id"] for each in scenario["envs"]})), ""),
    ]
    facts += [(f"{counts[k]} {k}", "bad") for k in ("failed", "unfinished") if counts[k]]
    items = "".join(f'<li class="{kind}">{text(each)}</li>' for each, kind in facts)
    verdict = "" if report.judged else '<p class="claim">The scenario makes no claim.</p>'
    return Html(
        f'<header><div class="kicker">{text(scenario["name"])}</div>'
        f"<h1>{text(scenario['question'])}</h1>"
        f'<ul class="facts">{items}</ul>{verdict}</header>'
    )


def _registration(report: Report) -> Html:
    """What was fixed before the data, when, and every change since."""
    found, scenario = report.run.registration, report.run.scenario
    first, looks = found.before_data, looks_of(scenario)
    when = "before any trial" if not first.begun else f"after {counted(first.begun, 'trial')}"
    sizes = [*map(str, looks[:-1]), counted(looks[-1], "seed")]
    claims = sum(each.role == "claim" for each in report.judged)
    controls = len(report.judged) - claims
    asked = [counted(claims, "claim"), *([counted(controls, "control")] if controls else [])]
    judged = "No claim"
    if report.judged:
        judged = f"{' and '.join(asked)}, judged at {' and '.join(sizes)}"
    commit = f", at commit {first.commit[:12]}" if first.commit else ""
    line = Html(
        f'<p class="claim">Registered {text(first.when)}, {text(when)}{text(commit)}, as'
        f" <code>{text(first.hash)}</code>. {text(judged)}.</p>"
    )
    changes = [f"Changed since: {each}." for each in found.revisions]
    caveat = (
        "To a reader who kept this hash, the chain of hashes proves the order of registration and"
        " trials inside this folder; it cannot show whether the question was run in other folders"
        " before."
    )
    return section(
        "Registration",
        line,
        bullets(changes or ["Nothing was changed since."]),
        Html(f'<p class="soft small">{text(caveat)}</p>'),
    )


def _verdict(judged: JudgedClaim) -> Html:
    found, seen = judged.verdict, judged.effect
    if found.status == "pending":
        return _too_early(judged)
    notes = [found.reason, *found.notes, judged.fragility]
    known = [check for check in found.checks if check.detail and check.passed is not None]
    notes += [f"{check.name}: {check.detail}" for check in known]  # the others are notes already
    measured = Html('<p class="soft">No pair of trials could be compared.</p>')
    if found.estimate is not None:
        between = f" ({judged.confidence})" if found.low is not None else ""
        measured = Html(
            f'<p class="claim">Measured: {text(judged.metric)} changed by'
            f" <b>{text(judged.change)}</b>{text(between)},"
            f" from {number(seen.base)} to {number(seen.treated)};"
            f" n = {counted(found.n, 'paired seed')}.</p>"
        )
    return section(
        "Verdict" if judged.role == "claim" else "Control",
        Html(
            f'<p class="claim"><span class="badge">{text(found.title)}</span>'
            f"{text(_said(judged))}.</p>"
        ),
        measured,
        bullets(dict.fromkeys(filter(None, notes))),
        kind=f"verdict {found.status}",
    )


def _too_early(judged: JudgedClaim) -> Html:
    """A claim whose registered number of seeds has not been reached: no number is shown."""
    return section(
        "Verdict",
        Html(
            f'<p class="claim"><span class="badge">{text(judged.verdict.reason)}</span>'
            f"Claim: {text(judged.claim)}.</p>"
        ),
        bullets(judged.verdict.notes),
        kind="verdict pending",
    )


def _said(judged: JudgedClaim) -> str:
    claim = judged.claim
    return f"Claim: {claim}" if judged.role == "claim" else claim[0].upper() + claim[1:]
