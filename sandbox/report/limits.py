"""Limitations: what this run could not test, one sentence each."""

from collections.abc import Iterator

from sandbox.analysis.effects import env_name
from sandbox.report.data import Report
from sandbox.verdicts.verdict import PLANNED_SEEDS
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
        yield "This was a smoke run: it tests that all parts work together, and nothing else."


def _scope(report: Report) -> Iterator[str]:
    envs = sorted({env_name(report.run, trial) for trial in report.run.trials})
    yield (
        f"Only {', '.join(envs) or 'no env'} was tested, with these agents; the results"
        " need not hold for others."
    )
    if report.run.scenario.get("design") == "one_at_a_time" and len(report.conditions) > 2:  # noqa: PLR2004
        yield "Interactions between levers were not tested: the design varies one lever at a time."
    if len(report.effects) and not report.judged:
        yield "No claim was tested: the scenario makes none, so the effects above are descriptive."


def _seeds(report: Report) -> Iterator[str]:
    seeds = len(report.run.scenario["seeds"])
    if seeds < FEW_SEEDS:
        yield (
            f"With {counted(seeds, 'paired seed')} the exact sign-flip test cannot give a two-sided"
            f" p below {2.0 ** (1 - seeds):.3g}."
        )
    if seeds < PLANNED_SEEDS:
        were = "was" if seeds == 1 else "were"
        yield (
            f"Small effects may be missed: {counted(seeds, 'seed')} {were} run, and {PLANNED_SEEDS}"
            " are recommended for a claim."
        )
    for each in report.judged:
        if each.verdict.status == "undetermined":
            yield f"Undetermined: “{each.claim}”: {each.verdict.reason}."


def _missing(report: Report) -> Iterator[str]:
    anywhere = {each.metric for each in report.effects if each.estimate is not None}
    unmeasured = sorted({each.metric for each in report.effects} - anywhere)
    if unmeasured:
        yield f"Not measured in any pair of trials: {', '.join(unmeasured)}."
    partly: dict[str, list[str]] = {}
    for each in report.effects:
        if each.estimate is None and each.metric in anywhere:
            where = "" if each.env == "all" else f" in {each.env}"
            partly.setdefault(f"{each.turned}{where}", []).append(each.metric)
    for turned, names in partly.items():
        yield f"Not measured in any pair of trials of {turned}: {', '.join(names)}."
    lost = sorted({seed for each in report.judged for seed in each.effect.missing})
    if lost:
        yield (
            f"Some claims lack seed {', '.join(map(str, lost))}: a trial of the pair has no result."
        )
    unfinished = report.counts["unfinished"]
    if unfinished:
        have = "has" if unfinished == 1 else "have"
        yield (
            f"{counted(unfinished, 'trial')} {have} not finished; the same `sandbox run` command"
            " continues them."
        )


def _controls(report: Report) -> Iterator[str]:
    if report.judged and "placebo" not in report.run.scenario["levers"]:
        yield "The scenario has no placebo lever to show how large an effect chance alone gives."
    for each in report.judged:
        yield from (
            f"Not checked, for the claim about {each.metric}: {check.name}: {check.detail}."
            for check in each.verdict.checks
            if check.passed is None
        )
