"""The page on objectives: its table lists all parts, its scenario is sound, its program runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.catalogue import catalogue
from sandbox.generated import objectives_page

AGAIN = "run: make generated"
PAGE = (Path(__file__).resolve().parents[3] / "docs" / "objectives.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(\w+)` \| .+ \| (\w+) \| (\S+) \|$", PAGE, re.MULTILINE)


def block(language):
    return re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[1]


def test_every_objective_has_a_row_with_its_scope_and_normaliser():
    kinds = {name: part.load() for name, part in catalogue().parts("objectives").items()}

    assert {row[0] for row in ROWS} == set(kinds), AGAIN
    assert len(ROWS) == len(kinds)
    for name, scope, normaliser in ROWS:
        assert scope == kinds[name].scope, name
        assert normaliser == getattr(kinds[name](), "normaliser", "-"), name


def test_every_value_model_is_named_with_what_it_learns_from():
    table = PAGE.partition("| Model | Learns from |")[2].partition("\n\n")[0]
    expected = {
        name: learns
        for names, learns in re.findall(r"^\| (`[^|]+`) \| (\w+) \|", table, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", names)
    }

    kinds = {name: part.load() for name, part in catalogue().parts("values").items()}
    assert expected == {name: kind.learns_from for name, kind in kinds.items()}, AGAIN


def test_a_part_without_a_row_gets_one_a_part_that_is_gone_loses_its_own_and_the_rest_stays():
    assert objectives_page.completed(PAGE) == PAGE
    less = re.sub(r"^\| `(count|preferences)` .*\n", "", PAGE, flags=re.MULTILINE)
    again = objectives_page.completed(less)

    assert PAGE.count("\n") == again.count("\n") == less.count("\n") + 2
    row_text = "Novelty by exact counts: 1/sqrt(n) for the n-th visit to a state"
    assert f"\n| `count` | {row_text} | lifelong | - |\n\n## Conventions" in again
    assert re.search(r"\| `preferences` \| comparisons \| .+ \|\n\nAdvice makes", again)
    assert objectives_page.completed(again) == again
    gone = PAGE.replace("| `count` |", "| `gone` | x | lifelong | - |\n| `count` |")
    assert objectives_page.completed(gone) == PAGE
    with pytest.raises(LookupError, match="'Objective'"):
        objectives_page.completed("")


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("controls", {"skill", "caregiver"}),
        ("edits", {"copy_values", "reset_values"}),
        ("learners", {"ppo_two_streams"}),
        ("probes", {"values"}),
        ("metrics", {"substitution_index", "retention"}),
    ],
)
def test_what_else_it_names_is_there(kind, names):
    assert names <= set(catalogue().names(kind))
    assert all(f"`{name}`" in PAGE or f"{name}`" in PAGE for name in names)


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
def test_its_programs_end_in_an_assertion_and_run(tmp_path, code):
    assert code.strip().splitlines()[-1].startswith("assert ")
    (tmp_path / "page.py").write_text(code, encoding="utf-8")

    assert subprocess.run([sys.executable, "page.py"], cwd=tmp_path, check=False).returncode == 0


def test_its_scenario_is_sound(tmp_path):
    (tmp_path / "page.yaml").write_text(block("yaml"), encoding="utf-8")
    command = [sys.executable, "-m", "sandbox", "check", "page.yaml"]

    assert subprocess.run(command, cwd=tmp_path, check=False).returncode == 0
