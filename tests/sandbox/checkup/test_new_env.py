"""What ``sandbox new env`` writes works as it stands, and nothing is ever overwritten."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from sandbox.checkup.new_env import write
from sandbox.errors import InputError

ROOT = Path(__file__).resolve().parents[3]


def _python(*arguments, cwd):
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(cwd), str(ROOT)])}
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=env, cwd=cwd, check=False)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("new")
    write("my_maze", folder)
    return folder / "my_maze"


def test_it_writes_a_project_with_its_entry_point(project):
    files = {str(each.relative_to(project)) for each in project.rglob("*") if each.is_file()}
    assert files == {
        "pyproject.toml",
        "README.md",
        "my_maze.yaml",
        "my_maze/__init__.py",
        "my_maze/world.py",
        "tests/test_my_maze.py",
    }
    data = tomllib.loads((project / "pyproject.toml").read_text())
    assert data["project"]["entry-points"]["sandbox.plugins"] == {"my_maze": "my_maze:register"}
    blanks = [re.findall(r"@\w+@", (project / name).read_text()) for name in files]
    assert not any(blanks)


def test_plug_ins_use_the_public_api_only(project):
    for path in (project / "my_maze").glob("*.py"):
        tree = ast.parse(path.read_text())
        modules = {each.module for each in ast.walk(tree) if isinstance(each, ast.ImportFrom)}
        ours = {each for each in modules if each.split(".")[0] in {"sandbox", "envs", "agents"}}
        assert ours == {"sandbox"}


def test_its_code_is_clean(project):
    rules = ["--config", str(ROOT / "pyproject.toml"), "--ignore", "INP001"]
    for command in (["check", *rules], ["format", "--check", *rules[:2]]):
        done = _python("-m", "ruff", *command, str(project), cwd=project)
        assert done.returncode == 0, done.stdout


def test_its_own_tests_pass_under_any_name(tmp_path):
    write("a1_deep_b", tmp_path)
    folder = tmp_path / "a1_deep_b"
    done = _python("-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout


def test_a_smoke_run_of_its_scenario_through_the_plugin_door(project):
    done = _python(
        *("-m", "sandbox", "run", "my_maze.yaml", "--plugin", "my_maze"),
        *("--smoke", "--seeds", "1", "--out", "out"),
        cwd=project,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("My-Maze", "did you mean 'my_maze'?"),
        ("MyMaze", "did you mean 'my_maze'?"),
        ("7up", "did you mean 'up'?"),
        ("", "small letters"),
        ("../evil", "did you mean 'evil'?"),
        ("class", "Python's own"),
        ("random", "Python's own"),
        ("agents", "installed package"),
        ("torch", "installed package"),
        ("a" * 41, "more than 40"),
    ],
)
def test_a_name_that_will_not_do_is_refused_with_advice(name, says, tmp_path):
    with pytest.raises(InputError) as caught:
        write(name, tmp_path)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_already_stays(tmp_path):
    write("my_maze", tmp_path)
    world = tmp_path / "my_maze" / "my_maze" / "world.py"
    world.write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        write("my_maze", tmp_path)
    assert world.read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_an_input_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written: Not a directory"):
        write("my_maze", tmp_path / "file" / "below")
