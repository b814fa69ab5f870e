"""Why a run has no finding: unfinished, exploratory, judged by other code, a smoke run."""

from collections.abc import Iterator, Sequence

from sandbox.analysis.effects import claims_of, state
from sandbox.design import conditions, looks_of
from sandbox.execution.verify import VerifyReport
from sandbox.record.store import RunRecord
from sandbox.verdicts.judged import JudgedClaim
from sandbox.verdicts.looks import ended_seeds
from sandbox.verdicts.provenance import provenance
from sandbox.verdicts.verdict import DECIDED
from sandbox.words import counted


def refusals(run: RunRecord, judged: Sequence[JudgedClaim]) -> Iterator[str]:
    """Everything that keeps a run from having a finding, in words; the record itself is whole."""
    if run.scenario.get("smoke"):
        yield "is a smoke run: its numbers mean nothing"
    if not claims_of(run):
        yield "claims nothing, so nothing was found"
    yield from _exploratory(run)
    yield from _unfinished(run, judged)


def _exploratory(run: RunRecord) -> Iterator[str]:
    story = provenance(run)
    for each in story.reasons:
        yield f"is exploratory: {each}"
    for number, claim in enumerate(claims_of(run), 1):
        own = [each for each in story.because(claim) if each not in story.reasons]
        yield from (f"is exploratory: claim {number}: {each}" for each in own)


def _unfinished(run: RunRecord, judged: Sequence[JudgedClaim]) -> Iterator[str]:
    """Not all of its registered seeds have ended, and not all is decided at an earlier analysis."""
    due, ended = _due(run, judged), ended_seeds(run)
    if ended < due:
        again = "`sandbox run` with the same arguments goes on"
        yield f"is unfinished: {ended} of {counted(due, 'seed')} have ended; {again}"
        return
    seeds = set(run.scenario["seeds"][:due])
    asked = conditions(run.scenario["levers"], run.scenario["design"])
    open_ = [
        each.id
        for each in run.trials
        if state(each) == "unfinished"
        and each.spec["seed"] in seeds
        and each.spec["condition"] in asked
    ]
    if open_:
        yield f"is unfinished: {counted(len(open_), 'trial')} have no end ({', '.join(open_[:5])})"


def _due(run: RunRecord, judged: Sequence[JudgedClaim]) -> int:
    """At how many seeds the run ends: the last analysis, or one at which every claim is decided."""
    looks = looks_of(run.scenario)
    claims = [each.verdict.status for each in judged if each.role == "claim"]
    stopped = max((each.seeds for each in judged), default=0)
    early = bool(claims) and DECIDED.issuperset(claims) and stopped in looks
    return stopped if early else looks[-1]


def cautions(run: RunRecord, checked: VerifyReport) -> list[str]:
    """What a reader must know of the whole run, beside the notes of each claim."""
    failed = [each for each in run.trials if state(each) == "failed"]
    found = [f"{counted(len(failed), 'trial')} failed"] if failed else []
    if run.manifest.get("dirty"):
        found.append("the checkout held changes that are in no commit")
    return [*found, *lasting(checked.notes)]


def lasting(notes: Sequence[str]) -> list[str]:
    """Notes on the run, without those on the code that happens to be here when it is read."""
    return [each for each in notes if not each.startswith(OF_THE_READER)]


OF_THE_READER = ("the trials ran with other code than is here now", "not installed here")
