"""A run's finding as JSON: what was registered, what was found, what is to be known of it.

The same run gives the same bytes: nothing of this machine or this moment is in it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sandbox.analysis.condition_table import ConditionRow, condition_table
from sandbox.analysis.effects import metric
from sandbox.errors import InputError, Problem
from sandbox.execution.verify import VerifyReport, verify
from sandbox.findings.refusals import cautions, lasting, refusals
from sandbox.record.store import RunRecord, read_run
from sandbox.verdicts.claims import verdicts
from sandbox.verdicts.judged import JudgedClaim, in_words
from sandbox.verdicts.tails import sentences, tails

FORMAT = 1
Finding = dict[str, Any]
OF_THIS_MACHINE = ("--out", "--workers")
"""Options of ``sandbox run`` that no number depends on."""


def finding(folder: str | Path) -> Finding:
    """Read what a run found. Raises ``InputError`` where it can have no finding.

    ``IntegrityError`` where its record was changed.
    """
    run = read_run(folder)
    checked = verify(folder)
    judged = verdicts(run)
    reasons = list(refusals(run, judged))
    if reasons:
        raise InputError(*(Problem(str(folder), each) for each in reasons))
    registered = run.registration.before_data
    used = run.scenario["seeds"][: max(each.seeds for each in judged)]
    return {
        "format": FORMAT,
        "scenario": run.scenario["name"],
        "question": run.scenario["question"],
        "scenario_sha256": hashlib.sha256(registered.yaml.encode()).hexdigest(),
        "registration": registered.hash,
        "registered": registered.when,
        "commit": registered.commit,
        "command": command(run),
        "seeds": _seeds(used),
        "n": len(used),
        "claims": [_claim(each) for each in judged],
        "conditions": [_condition(each) for each in condition_table(run)],
        "tails_of_harm": list(sentences(tails(run), judged)),
        "cautions": cautions(run, checked),
        "verify": _verified(checked),
    }


def command(run: RunRecord) -> str:
    """The command that began its trials, without what no number depends on and without folders."""
    given = _first(run.log)
    words = [str(each) for each in given.get("argv", [])[1:]]
    if words[:1] != ["run"]:
        return _from_python(run.scenario["name"], given.get("changed"))
    kept: list[str] = []
    skip = False
    for word in words:
        name = word.partition("=")[0]
        if not skip and name not in OF_THIS_MACHINE:
            kept.append(Path(word).name if word.startswith(("/", "~", "..")) else word)
        skip = not skip and word in OF_THIS_MACHINE
    return " ".join(["sandbox", *(each if " " not in each else f"'{each}'" for each in kept)])


def _first(log: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The last command before the first trial began: an earlier one may have had other words."""
    found: Mapping[str, Any] = {}
    for each in log:
        if each.get("kind") == "began":
            break
        found = each if each.get("kind") == "command" else found
    return found


def _from_python(name: str, changed: Sequence[str] | None) -> str:
    """Without a command line: the scenario, and what was other than its file."""
    if changed is None:
        return f"sandbox.run({name!r}, ...), arguments not recorded"
    return f"sandbox.run({name!r})" + (f" with {' '.join(changed)}" if changed else "")


def _seeds(used: Sequence[int]) -> dict[str, Any]:
    """``{"first": 1000, "last": 1009}``, or all of them where one between them is left out."""
    whole = list(used) == list(range(used[0], used[-1] + 1))
    return {"first": used[0], "last": used[-1]} if whole else {"all": list(used)}


def _claim(judged: JudgedClaim) -> Finding:
    """One claim; estimate and interval are what the metric itself did, below 0 where it fell."""
    found, seen = judged.verdict, judged.effect
    sign = 1 if judged.direction == "higher" else -1
    ends = sorted(sign * each for each in (found.low, found.high) if each is not None)
    low, high = ends or (None, None)
    return {
        "claim": in_words(
            seen.turned, judged.metric, judged.direction, judged.smallest_effect, seen.env
        ),
        "role": judged.role,
        "metric": judged.metric,
        "turned": seen.turned,
        "env": seen.env,
        "direction": judged.direction,
        "smallest_effect": judged.smallest_effect,
        "verdict": found.title,
        "status": found.status,
        "kind": found.kind,
        "reason": found.reason,
        "base": seen.base,
        "treated": seen.treated,
        "estimate": None if found.estimate is None else sign * found.estimate,
        "low": low,
        "high": high,
        "most": _most(judged.metric),
        "confidence": round(1 - 2 * found.alpha, 12),
        "n": found.n,
        "resolution": found.resolution,
        "notes": lasting(found.notes),
        "fragility": judged.fragility,
    }


def _most(name: str) -> float | None:
    """By how much a metric can change at all; ``None`` where it has no finite range."""
    low, high = metric(name).range
    return high - low if abs(high - low) < float("inf") else None


def _condition(row: ConditionRow) -> Finding:
    values = {
        each.metric: {
            "mean": each.mean,
            "low": each.interval.low if each.interval else None,
            "high": each.interval.high if each.interval else None,
            "n": each.n,
        }
        for each in row.averages
        if each.n
    }
    return {"condition": row.condition, "env": row.env, "n": row.n, "means": values}


def _verified(checked: VerifyReport) -> Mapping[str, Any]:
    return {
        "ok": True,  # or there is no finding
        "trials": checked.trials,
        "ledger_lines": checked.entries,
        "files": checked.files,
        "head": checked.head,
    }
