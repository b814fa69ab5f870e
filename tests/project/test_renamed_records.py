"""The comparison of records across a change of words sees what the table does not explain."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.project.renamed_records import main, renamed, table


@pytest.fixture
def run(tmp_path):
    """Writes a run of one trial; returns its folder."""

    def write(name, event, entry, weight=1.0):
        trial = tmp_path / name / "trials" / name
        (trial / "checkpoints" / "000001").mkdir(parents=True)
        spec = {"condition": {"a": 1}, "env": {"id": "x"}, "seed": 0, "salt": name}
        (trial / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
        (trial / "events.jsonl").write_text(json.dumps(event) + "\n", encoding="utf-8")
        (trial / "ledger.jsonl").write_text(json.dumps(entry) + "\n", encoding="utf-8")
        save_file({"w": np.array([weight])}, trial / "checkpoints" / "000001" / "a.safetensors")
        return str(tmp_path / name)

    return write


OLD = {"event": "updated", "intrinsic": {"rnd": 0.5}, "steps": 3}
NEW = {"event": "updated", "rewards": {"rnd": 0.5}, "steps": 3}
FIRST, START = {"kind": "birth", "hash": "a"}, {"kind": "start", "hash": "b"}


def test_what_the_table_explains_is_no_difference(run, capsys):
    assert main([run("old", OLD, FIRST), run("new", NEW, START)]) == 0
    assert capsys.readouterr().out == "1 trials compared, 0 differences\n"


@pytest.mark.parametrize(
    ("event", "entry", "weight"),
    [
        ({**NEW, "steps": 4}, START, 1.0),
        ({**NEW, "rewards": {"rnd": 0.6}}, START, 1.0),
        ({**NEW, "more": 1}, START, 1.0),
        (NEW, {"kind": "proposal"}, 1.0),
        (NEW, START, 1.5),
        (OLD, START, 1.0),
    ],
)
def test_anything_else_is(run, event, entry, weight):
    assert main([run("old", OLD, FIRST), run("new", event, entry, weight)]) == 1


def test_a_word_is_renamed_only_where_the_table_says():
    rows = table()
    assert renamed({"kind": "edited", "reason": "birth"}, "ledger.jsonl", "edited", rows) == {
        "kind": "edited",
        "reason": "birth",
    }
    assert "intrinsic" in renamed({"intrinsic": 1}, "events.jsonl", "probed", rows)
