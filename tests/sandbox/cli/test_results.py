"""``judge`` and ``findings``: the rule on the command line, and what it found as files."""

import json

import pytest

from sandbox.findings import finding, folder

ROWS = [
    (i, name, round(x + i % 3 / 100, 2)) for i in range(8) for name, x in (("a", 0.5), ("b", 0.2))
]


@pytest.fixture
def trials(tmp_path):
    path = tmp_path / "trials.csv"
    lines = ["seed,condition,loss", *(",".join(map(str, each)) for each in ROWS)]
    lines[2] = "0,b,0.21"
    path.write_text("\n".join(lines))
    return path


def test_a_claim_is_judged_and_called_exploratory(sandbox, trials):
    code, out, err = sandbox("judge", trials, "--claim", "loss: b < a by 0.1")
    assert code == 0, err
    assert out.startswith("exploratory: nothing was registered")
    assert "condition a → b makes loss lower by at least 0.1  SUPPORTED" in out
    for words in ("change [98 % interval]", "both tests exclude 0 or less", "resolution: "):
        assert words in out


def test_json_has_what_a_frame_of_verdicts_has(sandbox, trials, tmp_path):
    path = tmp_path / "claims.yaml"
    claim = "{metric: loss, treatment: b, direction: lower, smallest_effect: 0.1}"
    path.write_text(f"claims:\n  - {claim}\n")
    code, out, err = sandbox("judge", trials, "--claim", claim, "--claims", path, "--json")
    assert code == 0, err
    one, other = json.loads(out)
    assert (one["exploratory"], one["status"], one["n"]) == (True, "supported", 8)
    assert [one["alpha"], other["alpha"]] == [0.005, 0.01], "two claims share it, one is decided"
    assert [one["confidence"], other["confidence"]] == [0.99, 0.98]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "no claim to judge; give --claim 'METRIC"),
        (["--claim", "loss: b < c by 0.1"], "no condition is called 'c'; there are a, b"),
        (["--claim", "los: b < a by 0.1"], "no column is called 'los'"),
        (["--claim", "loss: b < a by 0.1 in maze"], "one env without a name; leave out 'in maze'"),
        (["--claim", "loss: b < a by 0.1", "--range", "loss=1:0"], "must be METRIC=LOW:HIGH"),
        (["--claim", "loss: b < a by 0.1", "--range", "los=0:1"], "no claim is about it — did you"),
        (["--claims", "nothing.yaml"], "nothing.yaml: error: cannot be read"),
    ],
)
def test_what_cannot_be_judged_is_bad_input(sandbox, trials, arguments, words):
    code, out, err = sandbox("judge", trials, *arguments)
    assert (code, out) == (2, "")
    assert words in err


FOUND = {
    "format": 1,
    "scenario": "asked",
    "registration": "1",
    "claims": [
        {
            "claim": "dose 0 → 1 makes harm lower by at least 0.1",
            "role": "positive_control",
            "verdict": "refuted (reversed)",
            "estimate": 0.2,
            "low": 0.1,
            "high": 0.3,
            "confidence": 0.98,
            "n": 8,
        }
    ],
}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A folder for which the finding above stands; how one is made is tested elsewhere."""
    monkeypatch.setattr(finding, "finding", lambda path: {**FOUND, "scenario": path.name})
    return tmp_path / "asked"


def test_findings_are_written_and_shown(sandbox, run, tmp_path):
    code, out, err = sandbox("findings", run, "--out", tmp_path / "findings")
    assert code == 0, err
    assert out.splitlines()[0] == f"asked -> {tmp_path / 'findings' / 'asked.json'}"
    assert "positive control: dose 0 → 1" in out
    assert "REFUTED (REVERSED)  +0.2 [+0.1, +0.3], 98 % interval  8" in out
    assert folder.read(tmp_path / "findings" / "asked.json")["before"] == []


def test_as_json_they_are_printed_and_not_written(sandbox, run, tmp_path):
    code, out, err = sandbox("findings", run, "--json", "--out", tmp_path / "findings")
    assert code == 0, err
    assert json.loads(out) == [FOUND]
    assert not (tmp_path / "findings").exists()


def test_two_runs_of_one_scenario_are_refused(sandbox, run, tmp_path):
    code, out, err = sandbox("findings", run, run, "--out", tmp_path / "findings")
    assert (code, out) == (2, "")
    assert "several of these runs are of one scenario: asked" in err
    assert not (tmp_path / "findings").exists()


def test_a_folder_without_a_run_is_refused_and_nothing_is_written(sandbox, tmp_path):
    code, out, err = sandbox("findings", tmp_path, "--out", tmp_path / "findings")
    assert (code, out) == (2, "")
    assert "no run here" in err
    assert not (tmp_path / "findings").exists()
