"""Do the trials and the rule of a run stand as they were registered? What does not, in words."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox import sources
from sandbox.record import integrity
from sandbox.record.registration import Registration, code_changes, listed
from sandbox.record.store import RunRecord
from sandbox.words import counted


@dataclass(frozen=True)
class Provenance:
    """Where a run departs from its registration."""

    changed_files: tuple[str, ...]  # files that are not as they were written: nothing can be said
    reasons: tuple[str, ...]  # why every verdict of the run is exploratory; empty: none is
    notes: tuple[str, ...]  # to be named beside the verdicts, which may stand
    registration: Registration

    def because(self, claim: Mapping[str, Any]) -> tuple[str, ...]:
        """Why the verdict on this claim is exploratory; empty where it is as registered."""
        if self.registration.is_registered(claim):
            return self.reasons
        begun = self.registration.begun_before(claim)
        own = f"this claim was written down, or changed, after {counted(begun, 'trial')} had begun"
        return (own, *self.reasons)


def provenance(run: RunRecord) -> Provenance:
    """Hold a run against its registration, and against the code that reads it now."""
    code = run.registration.last.code
    here, judges = sources.changed(code), sources.judging(code)
    judging = [each for each in here if each in judges or each.startswith(("numpy ", "scipy "))]
    others = [each for each in here if each not in judging]
    reasons = [f"changed after trials had begun: {each}" for each in run.registration.decisive]
    reasons += _other_code(run)
    reasons += [
        f"trial {trial} was run more than once, with different results"
        for trial, same in integrity.run_twice(run).items()
        if not same
    ]
    if judging:
        reasons.append(f"judged with other code than was registered: {listed(judging)}")
    unknown = _unregistered_plugins(run)
    if unknown:
        reasons.append(f"run with a plug-in that was not registered: {listed(unknown)}")
    notes = [f"since the registration: {each}" for each in run.registration.revisions]
    notes += [f"trial {each} had ended and was deleted" for each in integrity.gone(run)]
    notes += [
        f"trial {each} had ended, but its status.json is missing: it will run again"
        for each in integrity.ended_before(run)
    ]
    notes += _retried(run)
    if others:
        notes.append(f"the trials ran with other code than is here now: {listed(others)}")
    away = sources.absent(code)
    if away:
        notes.append(f"not installed here, so not compared: plug-in {listed(away)}")
    changed = tuple(integrity.changed(run))
    return Provenance(changed, tuple(reasons), tuple(notes), run.registration)


def differs_from_registration(run: RunRecord) -> list[str]:
    """Everything that is not as it was registered, in words: what ``verify`` prints."""
    found = provenance(run)
    claims = run.registration.last.scenario.get("claims") or []
    own = [
        f"claim {i} is not among those registered before the first trial"
        for i, claim in enumerate(claims, 1)
        if not run.registration.is_registered(claim)
    ]
    return [*found.reasons, *own, *found.notes]


def _other_code(run: RunRecord) -> Iterator[str]:
    """Trials that were run with other code than was registered, by what was other."""
    entries, first = run.registration.entries, run.registration.before_data
    numbers = Counter(ends[-1]["registration"] for ends in run.ends.values())
    for number, trials in sorted(numbers.items()):
        known = entries[number - 1 : number]  # none where the registration was cut: a changed file
        others = [text for each in known for text in code_changes(first.code, each.code)]
        if others:
            yield f"{counted(trials, 'trial')} ran with other code: {'; '.join(others)}"
    edited = integrity.changed_while_run(run)
    if edited:
        names = sorted({name for each in edited.values() for name in each})
        yield f"sources were changed while {counted(len(edited), 'trial')} ran: {listed(names)}"


def _unregistered_plugins(run: RunRecord) -> list[str]:
    """Plug-ins that the last command named, or one in which a trial ran, and no registration."""
    known = {name for each in run.registration.entries for name in each.code.get("plugins", {})}
    commands = [i for i, each in enumerate(run.log) if each["kind"] == "command"]
    found: dict[str, None] = {}
    for start, end in zip(commands, [*commands[1:], len(run.log)], strict=False):
        ran = any(each["kind"] == "trial" for each in run.log[start:end])
        if ran or end == len(run.log):
            found |= dict.fromkeys(run.log[start].get("named_plugins", []))
    return [each for each in found if each not in known]


def _retried(run: RunRecord) -> Iterator[str]:
    for trial, ends in run.ends.items():
        failed = sum(each["state"] == "failed" for each in ends[:-1])
        if failed:
            yield f"trial {trial} had failed {counted(failed, 'time')} before its last run"
