"""Holds a run of an earlier version against the same run now, through a table of renamed words.

``python tests/project/renamed_records.py OLD NEW`` reads two run folders of one scenario and
applies ``renamed_records.tsv`` to the old one. Then every event, ledger entry and weight must be
equal; left out are the chain's hashes, trial ids and the number of the format. Ends with 1 where
anything differs.
"""

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

TABLE = Path(__file__).with_name("renamed_records.tsv")
LEFT_OUT = {"hash", "previous", "schema", "trial", "ledger_head"}

Rows = list[dict[str, str]]
Json = Any


def table() -> Rows:
    """Rows of ``file``, ``what`` (key, value or text), ``at``, ``old`` and ``new``."""
    with TABLE.open(encoding="utf-8") as text:
        return list(csv.DictReader(text, delimiter="\t"))


def renamed(entry: Json, file: str, kind: str, rows: Rows) -> Json:
    """One line of the old record in the words of now; ``kind``: of the event or entry."""
    mine = [
        each for each in rows if each["file"] == file and each["at"].split(".")[0] in {kind, "*"}
    ]
    keys = {each["old"]: each["new"] for each in mine if each["what"] == "key"}
    values = {
        (each["at"].partition(".")[2], each["old"]): each["new"]
        for each in mine
        if each["what"] == "value"
    }
    texts = {each["old"]: each["new"] for each in mine if each["what"] == "text"}
    kept = {key: value for key, value in entry.items() if key not in LEFT_OUT}
    return {
        keys.get(key, key): values.get((key, value), value)
        if isinstance(value, str)
        else _texts(value, texts)
        for key, value in kept.items()
    }


def _texts(value: Json, texts: dict[str, str]) -> Json:
    """The same value with its inner texts exchanged: legends and captions of films."""
    if isinstance(value, dict) and texts:
        return {key: _texts(each, texts) for key, each in value.items()}
    if isinstance(value, list) and texts:
        return [_texts(each, texts) for each in value]
    return texts.get(value, value) if isinstance(value, str) else value


def lines(path: Path) -> Iterator[Json]:
    """The entries of a file of JSON lines."""
    with path.open(encoding="utf-8") as text:
        yield from map(json.loads, text)


def trials(run: Path) -> dict[str, Path]:
    """What a trial is of -> its folder."""
    found = {}
    for spec in sorted(run.glob("trials/*/spec.json")):
        data = json.loads(spec.read_text(encoding="utf-8"))
        found[json.dumps([data["condition"], data["env"], data["seed"]], sort_keys=True)] = (
            spec.parent
        )
    return found


def differences(old: Path, new: Path) -> Iterator[str]:
    """Everything in which two trials differ, one line each."""
    rows = table()
    for name, word in (("events.jsonl", "event"), ("ledger.jsonl", "kind")):
        before = [renamed(each, name, each[word], rows) for each in lines(old / name)]
        after = [
            {key: value for key, value in each.items() if key not in LEFT_OUT}
            for each in lines(new / name)
        ]
        if len(before) != len(after):
            yield f"{old.name}/{name}: {len(before)} lines, now {len(after)}"
        for number, (one, other) in enumerate(zip(before, after, strict=False), 1):
            for key in sorted(one.keys() | other.keys()):
                if one.get(key) != other.get(key):
                    yield f"{old.name}/{name}:{number}: {key}"
    yield from _weights(old, new)


def _weights(old: Path, new: Path) -> Iterator[str]:
    for path in sorted(old.glob("checkpoints/*/*.safetensors")):
        place = path.relative_to(old)
        before, after = load_file(path), load_file(new / place)
        if before.keys() != after.keys():
            yield f"{place}: other tensors"
        yield from (
            f"{place}: {name}"
            for name in before.keys() & after.keys()
            if not np.array_equal(before[name], after[name])
        )


def main(arguments: list[str]) -> int:
    """Print what differs, then how many trials were compared."""
    before, after = (trials(Path(each)) for each in arguments)
    wrong = [] if before.keys() == after.keys() else ["the runs hold different trials"]
    for name in sorted(before.keys() & after.keys()):
        wrong += differences(before[name], after[name])
    sys.stdout.writelines(f"{each}\n" for each in wrong)
    sys.stdout.write(f"{len(before)} trials compared, {len(wrong)} differences\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
