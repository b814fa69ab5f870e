"""The tables of ``scenarios/README.md`` say what findings and files say; its prose no number."""

import json
import re
from pathlib import Path

import pytest

from sandbox.findings.folder import CHECKSUM, checksum
from sandbox.generated import found_tables, scenario_files, scenarios_page
from sandbox.record.run_folder import to_json

SCENARIOS = Path(__file__).resolve().parents[3] / "scenarios"
PAGE = (SCENARIOS / "README.md").read_text(encoding="utf-8")
FILE = """\
schema: 1
question: Does | coverage help?
envs: [sandbox/CoinGrid-v0]
levers: {data_coverage: [0, 0.5], placebo: [0, 1]}
seeds: 8
metrics: [harm, capability]
claims:
  - {metric: harm, effect_of: data_coverage, direction: lower, smallest_effect: 0.05}
  - {metric: capability, effect_of: data_coverage, direction: lower, smallest_effect: 0.1,
     role: negative_control}
"""
CLAIM = {
    "claim": "data_coverage 0 → 0.5 makes harm lower by at least 0.05",
    "role": "claim",
    "metric": "harm",
    "turned": "data_coverage 0 → 0.5",
    "env": "all",
    "verdict": "supported",
    "reason": "both tests exclude 0 or less",
    "estimate": -0.8,
    "low": -1.01,
    "high": -0.59,
    "most": 1.0,
    "confidence": 0.98,
    "n": 8,
    "notes": ["resolution: fine", "capability went from 1 to 0.9"],
}
CONTROL = {
    **CLAIM,
    "claim": "data_coverage 0 → 0.5 makes capability lower by at least 0.1",
    "role": "negative_control",
    "metric": "capability",
    "verdict": "refuted (negligible)",
    "estimate": 0.01,
    "low": 0.0,
    "high": 0.02,
}
MEANS = {"harm": {"mean": 0.9, "low": 0.8, "high": 1.0, "n": 8}}


@pytest.fixture
def folder(tmp_path):
    """One scenario, never found."""
    (tmp_path / "asked.yaml").write_text(FILE)
    (tmp_path / "findings").mkdir()
    old = {
        "registered": False,
        "group": "Old",
        "asked": "?",
        "expected": "By all.",
        "found": "**x**",
    }
    old |= {"verdicts": None, "seeds": None, "commit": None, "command": "sandbox run asked"}
    old |= {"notes": ["It was so."], "changed": "Was another."}
    known = {"groups": {"Old": "Of old."}, "scenarios": {"asked": old}}
    (tmp_path / "earlier.json").write_text(json.dumps(known))
    return tmp_path


@pytest.fixture
def add(folder):
    def added(**changes):
        found = {
            "format": 1,
            "scenario": "asked",
            "question": "Does | coverage help?",
            "scenario_sha256": "other",
            "registration": "1" * 64,
            "registered": "2026-01-01",
            "commit": "abcdef0123",
            "command": "sandbox run asked",
            "seeds": {"first": 0, "last": 7},
            "n": 8,
            "claims": [CLAIM, CONTROL],
            "conditions": [{"condition": "c", "env": "e", "n": 8, "means": MEANS}],
            "tails_of_harm": ["8 seeds cannot exclude a catastrophe rarer than 31 %"],
            "cautions": ["1 trial failed"],
            "verify": {"ok": True, "trials": 24, "head": "f" * 64},
            "before": [],
        } | changes
        whole = {**found, CHECKSUM: checksum(found)}
        (folder / "findings" / "asked.json").write_bytes(to_json(whole))

    return added


def blocks(folder):
    page = scenarios_page.completed(PAGE, folder)
    assert scenarios_page.completed(page, folder) == page
    found = scenarios_page.BLOCK.findall(page)
    return {name: text.replace(found_tables.MINUS, "-") for name, text in found}


def test_the_prose_around_the_tables_holds_no_number():
    assert scenarios_page.numbers_in_prose(PAGE) == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("It rose by 3 %.", True),
        ("A share of -0.77.", True),
        ("Run `sandbox run x --seeds 9`, see [it](a1.yaml).", False),
        ("| a | 5 |", True),
    ],
)
def test_a_number_outside_of_the_tables_is_found(line, found):
    assert bool(scenarios_page.numbers_in_prose(f"{PAGE}\n{line}\n")) == found


def test_every_scenario_is_in_the_tables_and_without_a_finding_it_is_not_registered():
    found, names = blocks(SCENARIOS), {path.stem for path in SCENARIOS.glob("*.yaml")}
    with_finding = {path.stem for path in (SCENARIOS / "findings").glob("*.json")}
    row = re.compile(r"^\| \[(\w+)\]\(", re.MULTILINE)
    linked = {name: set(row.findall(text)) for name, text in found.items()}
    assert linked["files"] == linked["verdicts before and now"] == names
    assert linked["registered"] == with_finding
    others = linked["registered at an earlier commit"] | linked["not registered"]
    assert others == names - with_finding
    lines = found["verdicts before and now"].splitlines()
    said = {row.match(each)[1] for each in lines if each.endswith("not registered |")}
    assert said == names - with_finding


def test_what_was_never_found_is_listed_with_what_was_found_earlier(folder):
    found = blocks(folder)
    assert "None yet" in found["registered"]
    assert "### Old\n\nOf old.\n" in found["not registered"]
    assert (
        "| [asked](asked.yaml) | ? | By all. | **x** | `sandbox run asked` |"
        in found["not registered"]
    )
    assert "- **asked.** It was so." in found["not registered"]
    assert "all | not registered: **x** | not registered |" in found["verdicts before and now"]


def test_a_finding_takes_the_place_of_what_was_found_earlier(folder, add):
    add()
    found = blocks(folder)
    (row,) = [each for each in found["registered"].splitlines() if each.startswith("| [asked]")]
    assert "Does &#124; coverage help?" in row
    assert "**Supported.** data_coverage 0 → 0.5: harm -0.8 [-1.01, -0.59]†, 98 % interval" in row
    assert "Negative control: **Refuted (negligible).** data_coverage 0 → 0.5: capability" in row
    assert "| 8, from 0 | abcdef0; the file has changed since | `sandbox run asked` |" in row
    for words in (
        "1 trial failed",
        "By all.",
        "capability went from 1",
        "rarer than 31 %",
        "0.9 [0.8, 1]",
    ):
        assert words in found["registered"]
    assert "resolution" not in found["registered"]
    assert "None: every scenario has a finding" in found["not registered"]
    lines = found["verdicts before and now"].splitlines()
    first, second = [each for each in lines if each.startswith("| [asked]")]
    assert "| not registered: **x** | **supported** -0.8 [-1.01, -0.59]†, 98 % interval |" in first
    assert "| negative control: data_coverage" in second
    assert "| as above |" in second


def test_the_verdict_before_is_that_of_the_same_claim(folder, add):
    old = {**CLAIM, "verdict": "undetermined", "estimate": -0.1, "low": -0.3, "high": 0.1}
    add(before=[{"registration": "0", "commit": "c", "claims": [old]}])
    rows = blocks(folder)["verdicts before and now"]
    assert "| **undetermined** -0.1 [-0.3, +0.1], 98 % interval | **supported** -0.8" in rows
    assert "| not claimed | **refuted (negligible)**" in rows


def test_a_file_says_of_itself_what_it_claims(folder):
    row = blocks(folder)["files"].splitlines()[-2]
    claim = "data_coverage 0 → 0.5: harm ↓ 0.05"
    control = "- data_coverage 0 → 0.5: capability ↓ 0.1"
    assert row == f"| [asked](asked.yaml) | 8 | {claim} | {control} | yes | Was another. |"


def test_claims_alike_stand_together():
    scenario = {"levers": {"arm": ["base", *"abcdefgh"]}}
    claim = {"metric": "m", "effect_of": "arm", "direction": "higher", "smallest_effect": 2}
    three = [{**claim, "dose": dose, "env": env} for dose in "ab" for env in ("x", "y")]
    assert scenario_files.summary(scenario, three) == ["a, b: m ↑ 2 in x and y"]
    many = [{**claim, "dose": dose} for dose in "abcdefgh"]
    assert scenario_files.summary(scenario, many) == ["each of 8 arms: m ↑ 2"]


def test_no_cell_breaks_its_row():
    assert found_tables.table(["a"], [["x | y\nz"]])[-1] == "| x &#124; y z |"


def test_a_finding_of_no_scenario_here_is_refused(folder, add):
    add()
    (folder / "asked.yaml").rename(folder / "other.yaml")
    with pytest.raises(LookupError, match="no scenario is called asked"):
        scenarios_page.completed(PAGE, folder)


def test_a_page_without_a_block_is_refused(folder):
    with pytest.raises(LookupError, match="must have the blocks registered"):
        scenarios_page.completed(PAGE.replace("<!-- made: files -->", ""), folder)


def test_no_text_of_a_finding_ends_a_made_block():
    text = "Is it?\r\n<!-- end: registered -->"
    assert found_tables.cell(text) == "Is it? &lt;!-- end: registered -->"


def test_verdicts_of_an_earlier_commit_stand_at_their_claims():
    """In the order of the file's claims: every control of those runs was supported."""
    earlier = json.loads((SCENARIOS / "earlier.json").read_text(encoding="utf-8"))["scenarios"]
    seen = 0
    for name, old in earlier.items():
        finding = SCENARIOS / "findings" / f"{name}.json"
        if old["verdicts"] and finding.exists():
            claims = json.loads(finding.read_text(encoding="utf-8"))["claims"]
            pairs = zip(claims, old["verdicts"], strict=True)
            controls = [verdict for claim, verdict in pairs if claim["role"] == "positive_control"]
            assert set(controls) <= {"supported"}, name
            seen += len(controls)
    assert seen >= 3
