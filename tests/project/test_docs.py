"""What the README says is there, is there."""

import ast
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import sandbox
from sandbox.catalogue import PART_FOLDERS
from sandbox.findings.folder import read
from sandbox.scenario.strict_yaml import parse
from sandbox.words import bracketed, digits

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"```(python|bash)\n(.*?)```", README, re.DOTALL)[::-1])  # the first wins


def test_the_two_commands_come_first():
    assert BLOCKS["bash"].split("\n")[0].startswith("make demo")
    assert BLOCKS["bash"].split("\n")[1].startswith("make test")
    assert README.count("\n") <= 250
    assert max(map(len, README.splitlines())) <= 130


def test_every_command_is_in_the_readme_and_every_one_named_there_exists():
    named = set(re.findall(r"^sandbox ([a-z-]+)", README, re.MULTILINE))
    named |= {"show"}  # in the line of list
    assert "`sandbox show NAME`" in README
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", "--help"], capture_output=True, text=True, check=True
    )
    block = done.stdout.partition("Commands:")[2].partition("\n\n")[0]
    assert named == set(re.findall(r"^  ([a-z][a-z-]+)  ", block, re.MULTILINE))


def test_the_scenario_of_the_readme_is_the_demo():
    shown = re.search(r"```yaml\n(.*?)```", README, re.DOTALL)[1]
    demo = (ROOT / "scenarios" / "quickstart.yaml").read_text(encoding="utf-8")
    assert parse(shown, "README.md").data == parse(demo, "quickstart.yaml").data


def test_the_output_in_the_readme_is_that_of_the_committed_finding():
    """The run that printed it is the one whose finding lies in ``scenarios/findings``."""
    path = ROOT / "scenarios" / "findings" / "quickstart.json"
    found, shown = read(path), README.partition("`sandbox run quickstart` prints:")[2]
    lines = shown.partition("```text\n")[2].partition("```")[0].splitlines()
    assert f"registered {found['registered']}, before any trial: {found['registration']}" in lines
    for number, claim in enumerate(found["claims"], 1):
        (row,) = [each for each in lines if each.startswith(f"{number}  ")]
        change = bracketed(claim["estimate"], claim["low"], claim["high"])
        words = re.split(r"  +", row)
        assert words[1].endswith(claim["claim"])
        assert words[2:] == [claim["verdict"].upper(), change, str(claim["n"])]
        for text in (claim["reason"], *(f"note: {each}" for each in claim["notes"])):
            assert f"  {text}" in lines
    assert set(found["tails_of_harm"]) <= set(lines)
    for each in found["conditions"]:
        row = [line for line in lines if line.startswith(each["condition"])][-1]
        for name in ("goal_misgeneralisation", "edits_applied", "capability"):
            mean = each["means"][name]
            ends = [digits(mean[end]) for end in ("low", "high") if mean[end] is not None]
            shown = f"{digits(mean['mean'])} [{', '.join(ends)}]" if ends else digits(mean["mean"])
            assert shown in row


def test_the_glossary_is_short_and_in_the_readme():
    page = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    terms = re.findall(r"^\| ([a-z][^|]*) \|", page, re.MULTILINE)[1:]
    assert 20 <= len(terms) <= 30
    assert "(docs/glossary.md)" in README


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_and_part_folders_lead_somewhere(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)]+)\)", text):
        assert target.startswith("https://") or (ROOT / target).exists(), target
    for folder in re.findall(r"`((?:envs|agents|sandbox|scenarios|tests)/\w+)/", text):
        assert (ROOT / folder).is_dir(), folder


def test_every_part_folder_is_in_the_table_of_parts():
    for package, contract in PART_FOLDERS.values():
        assert f"`{package.replace('.', '/')}/" in README
        assert f"`{contract.partition(':')[2]}`" in README


def test_every_make_target_says_what_it_does():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    done = subprocess.run(["make", "-s"], capture_output=True, text=True, check=True, cwd=ROOT)
    for target in ("help", "demo", "test", "test-all", "bench", "lint", "packages", "generated"):
        assert re.search(rf"^{target}:", text, re.MULTILINE)
        assert re.search(rf"^  make {target} +\w", done.stdout, re.MULTILINE)


def test_the_python_of_the_readme_uses_what_exists():
    tree = ast.parse(BLOCKS["python"])
    used = {
        (node.value.id, node.attr)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    for owner, name in used:
        assert hasattr(sandbox if owner == "sandbox" else sandbox.Experiment, name)
    call = next(
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "sandbox.run"
    )
    assert {each.arg for each in call.keywords} <= set(inspect.signature(sandbox.run).parameters)


def test_the_python_of_the_page_on_worlds_runs(tmp_path):
    page = (ROOT / "docs" / "worlds.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", page, re.DOTALL)[1]
    ends = "assert 0 <= hidden <= many.num_envs; assert len(public) == 5"
    (tmp_path / "page.py").write_text(f"{code}\n{ends}\nsticky.reset(seed=0)\n", encoding="utf-8")
    done = subprocess.run([sys.executable, "page.py"], cwd=tmp_path, check=False)
    assert done.returncode == 0


ENDS = """
from agents.genome import Genome
genome = Genome()
(claimed,) = CoolDown().claim(genome).changes.values()
assert CoolDown().rewrite(genome).learning_rule.entropy_coefficient == claimed
assert claimed == genome.learning_rule.entropy_coefficient / 2
"""


def test_the_edit_of_the_page_on_rewriting_does_what_it_says(tmp_path):
    page = (ROOT / "docs" / "rewriting.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", page, re.DOTALL)[1]
    (tmp_path / "page.py").write_text(code + ENDS, encoding="utf-8")
    done = subprocess.run([sys.executable, "page.py"], cwd=tmp_path, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize("name", ["worlds", "rewriting"])
def test_the_scenario_of_a_page_is_sound(tmp_path, name):
    page = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    scenario = tmp_path / "page.yaml"
    scenario.write_text(re.search(r"```yaml\n(.*?)```", page, re.DOTALL)[1], encoding="utf-8")
    done = subprocess.run([sys.executable, "-m", "sandbox", "check", str(scenario)], check=False)
    assert done.returncode == 0


@pytest.mark.slow
def test_the_python_of_the_readme_runs(tmp_path):
    (tmp_path / "first.py").write_text(BLOCKS["python"], encoding="utf-8")
    env = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "first.py"],
        capture_output=True,
        text=True,
        env=env,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "failed" not in done.stdout
    assert (tmp_path / "runs" / "first" / "report.html").is_file()
