"""Findings as Markdown: the table of verdicts, the details below it, old verdict -> new verdict."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sandbox.words import bracketed, digits, percent

JSON = Mapping[str, Any]
MINUS = "\N{MINUS SIGN}"
NOT_REGISTERED = "not registered"
FINE_PRINT = ("resolution: ", "floor and ceiling is inconclusive")
"""Notes that neither overrule nor caution."""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A Markdown table; no cell may break its row."""
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(map(cell, line))} |" for line in lines]


def cell(text: str) -> str:
    """A text that stays within its cell."""
    return " ".join(str(text).splitlines()).replace("|", "&#124;").replace("<!--", "&lt;!--")


def registered(
    findings: Mapping[str, JSON], files: Mapping[str, Path], earlier: Mapping[str, JSON]
) -> Iterator[str]:
    """One row a finding, and below the table what is to be known of each."""
    head = ("scenario", "asks", "found", "seeds", "commit", "command")
    yield from table(head, [_row(name, x, files[name]) for name, x in findings.items()])
    for name, each in findings.items():
        yield from ("", f"<details><summary>{name}: means, notes, checks</summary>", "")
        yield from _details(each)
        if expected := earlier.get(name, {}).get("expected"):
            yield f"- published, exact or expected: {cell(expected)}"
        yield from ("", "</details>")


def _row(name: str, found: JSON, file: Path) -> list[str]:
    commit = str(found["commit"] or "unknown")[:7]
    if hashlib.sha256(file.read_bytes()).hexdigest() != found["scenario_sha256"]:
        commit += "; the file has changed since"
    claims = "<br>".join(map(_claim, found["claims"]))
    cells = [f"[{name}]({name}.yaml)", found["question"], claims, _seeds(found), commit]
    return [*cells, f"`{found['command']}`"]


def _seeds(found: JSON) -> str:
    seeds = found["seeds"]
    which = f"from {seeds['first']}" if "first" in seeds else "not in a row"
    return f"{found['n']}, {which}"


def _claim(claim: JSON) -> str:
    """``**Supported.** data_coverage 0 → 0.5: harm +0.8 [+0.7, +0.9], 98 % interval``."""
    where = "" if claim["env"] == "all" else f" in {claim['env']}"
    role = "" if claim["role"] == "claim" else f"{claim['role'].replace('_', ' ').capitalize()}: "
    short = f" (n = {claim['n']})" if claim["notes"] and _lost(claim) else ""
    return (
        f"{role}**{claim['verdict'].capitalize()}.** {claim['turned']}: {claim['metric']}{where}"
        f" {change(claim)}{short}"
    )


def _lost(claim: JSON) -> bool:
    return any("could not be compared" in each for each in claim["notes"])


def change(claim: JSON) -> str:
    """The change of the metric with its interval; † where that leaves what is possible."""
    if claim["estimate"] is None:
        return "not measured"
    ends = [claim[key] for key in ("low", "high") if claim[key] is not None]
    most = claim["most"]
    mark = "†" if most is not None and any(abs(each) > most for each in ends) else ""
    text = minus(bracketed(claim["estimate"], *ends)) + mark
    return text + (f", {percent(claim['confidence'])} interval" if ends else "")


def minus(text: str) -> str:
    """With the sign that people read."""
    return text.replace("-", MINUS)


def _details(found: JSON) -> Iterator[str]:
    """Means of every condition, then what overrules or cautions, then where it comes from."""
    names = list(dict.fromkeys([*(x["metric"] for x in found["claims"]), "capability", "harm"]))
    names = [x for x in names if any(x in row["means"] for row in found["conditions"])]
    several = len({row["env"] for row in found["conditions"]}) > 1
    head = ["condition", *(["env"] if several else []), "n", *names]
    yield from table(head, [_means(row, names, several=several) for row in found["conditions"]])
    yield ""
    for number, claim in enumerate(found["claims"], 1):
        notes = [x for x in claim["notes"] if not x.startswith(FINE_PRINT)]
        yield from (f"- {number}: {cell(each)}" for each in (claim["reason"], *notes))
    yield from (f"- {cell(each)}" for each in (*found["cautions"], *found["tails_of_harm"]))
    checked = found["verify"]
    yield f"- `sandbox verify`: {checked['trials']} trials unchanged, head `{checked['head'][:12]}`"
    yield f"- registered {found['registered']}: `{found['registration']}`"


def _means(row: JSON, names: Sequence[str], *, several: bool) -> list[str]:
    means = [_mean(row["means"].get(name)) for name in names]
    return [row["condition"], *([row["env"]] if several else []), str(row["n"]), *means]


def _mean(found: JSON | None) -> str:
    if found is None:
        return "—"
    ends = [found[key] for key in ("low", "high") if found[key] is not None]
    between = f" [{', '.join(map(digits, ends))}]" if ends else ""
    return minus(f"{digits(found['mean'])}{between}")


def changes(
    files: Mapping[str, Path], findings: Mapping[str, JSON], earlier: Mapping[str, JSON]
) -> list[str]:
    """Every claim of every finding, verdict before and now; a row for what has no finding."""
    rows: list[list[str]] = []
    for name in files:
        old = earlier.get(name)
        if name in findings:
            rows += _changed(name, findings[name], old)
        else:
            rows.append([f"[{name}]({name}.yaml)", "all", _said(old), NOT_REGISTERED])
    return table(("scenario", "claim", "verdict before", "verdict now"), rows)


def _changed(name: str, found: JSON, old: JSON | None) -> Iterator[list[str]]:
    for i, claim in enumerate(found["claims"]):
        role = "" if claim["role"] == "claim" else f"{claim['role'].replace('_', ' ')}: "
        words = f"{role}{claim['claim']}"
        yield [f"[{name}]({name}.yaml)", words, _before(found, claim, old, i), _now(claim)]


def _now(claim: JSON) -> str:
    return f"**{claim['verdict']}** {change(claim)}"


def _before(found: JSON, claim: JSON, old: JSON | None, i: int) -> str:
    """Of an earlier finding, the same claim; else what an earlier version said."""
    if found["before"]:
        last = found["before"][0]
        same = [each for each in last["claims"] if each["claim"] == claim["claim"]]
        return _now(same[0]) if same else "not claimed"
    verdicts = old["verdicts"] if old else None
    if verdicts and len(verdicts) == len(found["claims"]):
        return f"{verdicts[i]} ({old['commit']})"  # type: ignore[index]
    return _said(old) if i == 0 else "as above"


def _said(old: JSON | None) -> str:
    """What an earlier version found, as it was written down then."""
    if old is None:
        return "never asked"
    if old["verdicts"]:
        return f"{'; '.join(old['verdicts'])} ({old['commit']})"
    return f"{NOT_REGISTERED}: {old['found']}"
