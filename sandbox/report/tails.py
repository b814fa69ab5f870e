"""Tails of harm: mean, worst seed, CVaR and catastrophes of every condition."""

from collections.abc import Iterator

from sandbox.report.data import Report
from sandbox.report.html import Html, bullets, number, section, text
from sandbox.report.sections import folded_if_long
from sandbox.verdicts.tails import NOTE, WORST, Tail, sentences, tails
from sandbox.words import percent


def tails_of_harm(report: Report) -> Iterator[Html]:
    """One table; none where no seed measured any harm."""
    found = tails(report.run)
    if not found:
        return
    several = len({each.env for each in found}) > 1
    head = [
        *("metric", "condition", *(["env"] if several else []), "seeds"),
        *("mean", "worst seed", f"CVaR {percent(WORST)}", "threshold", "catastrophes"),
    ]
    numbers = range(2 + several, len(head))
    yield section(
        "Tails of harm",
        Html(f'<p class="soft small">{text(NOTE)}</p>'),
        folded_if_long("tails", head, list(_rows(found, several=several)), numbers),
        bullets(f"{each}." for each in sentences(found, report.judged)),
    )


def _rows(found: list[Tail], *, several: bool) -> Iterator[list[Html]]:
    before = ""
    for each in found:
        name = each.metric if each.metric != before else ""
        place = [text(each.condition), *([text(each.env)] if several else [])]
        yield [text(name.replace("_", " ")), *place, *_cells(each)]
        before = each.metric


def _cells(each: Tail) -> list[Html]:
    seeds = f"{each.n}" if each.n == each.planned else f"{each.n} of {each.planned}"
    low, high = (_percent(end) for end in each.share)
    return [
        text(seeds),
        number(each.mean),
        number(each.worst),
        number(each.cvar),
        number(each.threshold),
        Html(
            f"{text(f'{each.catastrophes} of {each.n}')}"
            f'<br><span class="soft small">{text(f"{low} to {high}")}</span>'
        ),
    ]


def _percent(share: float) -> str:
    """``8.5 %``."""
    return f"{100 * share:.3g} %"
