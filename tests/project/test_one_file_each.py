"""Principle 2: a world, a control, an objective, an edit, a lever and a metric: one new file each.

The test copies the project, adds the six files of ``tests/new_parts``, runs the one command that
writes what is made from the parts, and edits nothing. Then everything must hold there.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NEW = ROOT / "tests" / "new_parts"
PARTS = sorted(str(path.relative_to(NEW)) for path in NEW.rglob("*.py"))
NAMES = [Path(each).stem for each in PARTS]
LEFT = (".git", ".venv", "__pycache__", ".*_cache", ".hypothesis", "*.egg-info", "build", "runs")

SCENARIO = """
schema: 1
question: Do six new files work together?
envs: [sandbox/TwoDoors-v0]
agent:
  learner: {ppo: {num_envs: 8, steps_per_update: 16, total_steps: 512}}
  architecture: {trunk: [4], activation: tanh}
  objective: {extrinsic: 1.0, presence: 0.1}
  editor: {schedule: {plan: [{update: 2, edit: calm_down, to: 0.002}]}}
levers:
  door_reward: [1, 2]
  toll: [0.5, 0]
seeds: 1
metrics: [updates_done, edits_applied]
"""

QUICK = (
    "tests/contracts",
    "tests/envs/controls/test_controls_closely.py",
    "tests/envs/world_kit/test_settings.py",
    "tests/envs/drawing/test_picture.py",
    "tests/agents/edits/test_edits_exact.py",
    "tests/agents/edits/test_edits_live.py",
    "tests/project/test_architecture.py",
    "tests/sandbox/test_catalogue.py",
    "tests/sandbox/cli/test_cli.py",
    "tests/sandbox/generated/test_gallery.py",
)


@pytest.fixture(scope="module")
def project_copy(tmp_path_factory):
    """A copy of the project with six more files in it, and what is made from them."""
    folder = tmp_path_factory.mktemp("one") / "project"
    shutil.copytree(ROOT, folder, symlinks=True, ignore=shutil.ignore_patterns(*LEFT))
    for path in PARTS:
        assert not (folder / path).exists()
        shutil.copy(NEW / path, folder / path)
    (folder / "doors.yaml").write_text(SCENARIO, encoding="utf-8")
    done = _python(folder, "-m", "sandbox.generated")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split() == [
        *("docs/gallery/README.md:", "written", "docs/gallery/two_doors.png:", "written"),
        *("docs/objectives.md:", "written", "scenario.schema.json:", "written"),
    ]
    return folder


def _python(project_copy, *arguments):
    mine = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    env = mine | {"PYTHONPATH": str(project_copy), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, env=env, cwd=project_copy, check=False
    )


def _passed(project_copy, *arguments):
    """Ids of the tests that passed there; none may fail."""
    done = _python(
        project_copy, "-m", "pytest", "-v", "-m", "not slow", "-p", "no:cacheprovider", *arguments
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr
    lines = re.findall(r"^(?:\[gw\d+\] .*PASSED (\S+)|(\S+) PASSED)", done.stdout, re.MULTILINE)
    return [spread or alone for spread, alone in lines]


def test_the_new_parts_are_listed_with_their_summaries(project_copy):
    for kind, name, summary in [
        ("envs", "sandbox/TwoDoors-v0", "Two doors; the left one is rewarded."),
        ("controls", "toll", "Takes something off every reward."),
        ("levers", "toll", "Takes something off every reward."),
        ("edits", "calm_down", "Sets the entropy coefficient"),
    ]:
        done = _python(project_copy, "-m", "sandbox", "list", kind, "--json")
        assert name in done.stdout, done.stdout + done.stderr
        assert summary in done.stdout


def test_a_scenario_runs_with_all_six(project_copy):
    done = _python(project_copy, "-m", "sandbox", "run", "doors.yaml", "--out", "out")
    assert done.returncode == 0, done.stdout + done.stderr
    specs = [
        json.loads(path.read_text())
        for path in sorted((project_copy / "out").glob("trials/*/spec.json"))
    ]
    conditions = [(spec["condition"]["door_reward"], spec["condition"]["toll"]) for spec in specs]
    assert sorted(conditions) == [(1, 0), (1, 0.5), (2, 0.5)]
    assert {spec["env"]["kwargs"].get("reward", 1) for spec in specs} == {1, 2}
    rows = [
        json.loads(line)
        for line in (project_copy / "out" / "results.jsonl").read_text().splitlines()
    ]
    assert [row["updates_done"] for row in rows] == [4.0] * 3
    assert [row["edits_applied"] for row in rows] == [1.0] * 3
    events = "".join(
        path.read_text() for path in (project_copy / "out").glob("trials/*/events.jsonl")
    )
    assert events.count('"entropy_coefficient":0.002') >= 3
    assert '"presence"' in events
    text = [json.loads(line) for line in events.splitlines() if '"event":"controlled"' in line]
    assert len(text) == 2 * 4
    assert {each["measured"]["reward_change"] for each in text} == {0.5}


def test_their_style_is_that_of_the_project(project_copy):
    for words in (("check",), ("format", "--check")):
        done = _python(project_copy, "-m", "ruff", *words, *PARTS)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_contracts_find_them_by_themselves(project_copy):
    passed = _passed(project_copy, *QUICK, "-k", " or ".join(NAMES))
    found = {
        name: sum(bool(re.search(rf"[\[-]{name}\b", each)) for each in passed) for name in NAMES
    }
    assert min(found.values()) > 3, found


def test_what_is_made_from_the_parts_is_up_to_date_there(project_copy):
    assert _python(project_copy, "-m", "sandbox.generated", "--check").stdout == ""


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_whole_suite_holds_there(project_copy):
    done = _python(project_copy, "-m", "mypy")
    assert done.returncode == 0, done.stdout
    assert (
        len(_passed(project_copy, "-n", "2", "--ignore", "tests/project/test_one_file_each.py"))
        > 1000
    )
