"""What this run could not test, listed on the page."""

from collections.abc import Iterator

from sandbox.analysis.effects import env_name
from sandbox.analysis.verdict import PLANNED_SEEDS
from sandbox.report.data import Report
from sandbox.words import counted

FEW_SEEDS = 6  # below, a two-sided sign-flip test cannot reach .05


def limits(report: Report) -> list[str]:
    """Return one sentence a limit."""
    return [
        *_smoke(report),
        *_scope(report),
        *_seeds(report),
        *_missing(report),
        *_controls(report),
    ]


def _smoke(report: Report) -> Iterator[str]:
    if report.smoke:
        yield "Anything: this was a smoke run, which tests only that all parts work together."


def _scope(report: Report) -> Iterator[str]:
    envs = sorted({env_name(report.run, trial) for trial in report.run.trials})
    yield (
        f"Other worlds, sizes and learners: everything here is about {', '.join(envs) or 'no env'},"
        f" at this scale."
    )
    if report.run.scenario.get("design") == "one_at_a_time" and len(report.conditions) > 2:  # noqa: PLR2004
        yield "Interactions between levers: the design varies one lever at a time."
    if len(report.effects) and not report.judged:
        yield "Any claim: the scenario makes no claim, so the effects above are descriptive."


def _seeds(report: Report) -> Iterator[str]:
    seeds = len(report.run.scenario["seeds"])
    if seeds < FEW_SEEDS:
        yield (
            f"Significance by an exact test: {counted(seeds, 'paired seed')} cannot give a"
            f" two-sided p below {2.0 ** (1 - seeds):.3g}."
        )
    if seeds < PLANNED_SEEDS:
        were = "was" if seeds == 1 else "were"
        yield (
            f"Small effects: {counted(seeds, 'seed')} {were} run, {PLANNED_SEEDS} are the plan for"
            f" a claim."
        )
    for each in report.judged:
        if each.verdict.status == "undetermined":
            yield f"“{each.claim}”: {each.verdict.reason}."


def _missing(report: Report) -> Iterator[str]:
    anywhere = {each.metric for each in report.effects if each.estimate is not None}
    unmeasured = sorted({each.metric for each in report.effects} - anywhere)
    if unmeasured:
        yield f"{', '.join(unmeasured)}: not measured in any pair of trials (never shown as 0)."
    partly: dict[str, list[str]] = {}
    for each in report.effects:
        if each.estimate is None and each.metric in anywhere:
            where = "" if each.env == "all" else f" in {each.env}"
            partly.setdefault(f"{each.turned}{where}", []).append(each.metric)
    for turned, names in partly.items():
        yield f"{turned}: no pair of trials measured {', '.join(names)}."
    lost = sorted({seed for each in report.judged for seed in each.effect.missing})
    if lost:
        yield f"The claims at seed {', '.join(map(str, lost))}: a trial of the pair has no result."
    unfinished = report.counts["unfinished"]
    if unfinished:
        have = "has" if unfinished == 1 else "have"
        yield (
            f"{counted(unfinished, 'trial')} that {have} not finished; the same command continues"
            f" what is missing."
        )


def _controls(report: Report) -> Iterator[str]:
    if report.judged and "placebo" not in report.run.scenario["levers"]:
        yield "What chance alone looks like as a lever: the scenario has no placebo."
    for each in report.judged:
        yield from (
            f"{check.name} (claim about {each.metric}): {check.detail}."
            for check in each.verdict.checks
            if check.passed is None
        )
