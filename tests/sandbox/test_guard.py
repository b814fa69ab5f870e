"""Other distributions install ``agents`` and ``envs`` too; the user reads whose they are."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _start(path, code="import sandbox; sandbox.World", cwd=None):
    """A fresh interpreter that looks for packages in ``path`` first."""
    env = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path))}
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, env=env, cwd=cwd, check=False)


@pytest.fixture
def foreign(tmp_path):
    """A site folder into which another distribution installed ``agents``."""
    site = tmp_path / "site"
    (site / "agents").mkdir(parents=True)
    (site / "agents" / "__init__.py").write_text("raise RuntimeError('imported')\n")
    info = site / "openai_agents-0.24.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: openai-agents\nVersion: 0.24.0\n")
    (info / "RECORD").write_text(
        "agents/__init__.py,,\nopenai_agents-0.24.0.dist-info/METADATA,,\n"
    )
    return site


def _copy(folder):
    for name in ("sandbox", "envs", "agents"):
        skip = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=skip)


def test_ours_pass_from_any_folder(tmp_path):
    assert _start([ROOT], cwd=tmp_path).returncode == 0


def test_a_foreign_agents_found_first_is_named_and_not_imported(foreign, tmp_path):
    done = _start([foreign, ROOT], cwd=tmp_path)
    last = done.stderr.strip().splitlines()[-1]
    assert "package 'agents' comes from openai-agents 0.24.0" in last
    assert "use a separate environment for sandbox-lab" in last
    assert "RuntimeError: imported" not in done.stderr


def test_a_foreign_agents_that_overwrote_ours_in_place_is_named(foreign, tmp_path):
    """As pip does it, without a word, when both are installed into one environment."""
    _overwrite(foreign)
    done = _start([foreign], cwd=tmp_path)
    assert "package 'agents' comes from openai-agents 0.24.0" in done.stderr


def _overwrite(site):
    theirs = (site / "agents" / "__init__.py").read_text()
    shutil.rmtree(site / "agents")
    _copy(site)
    (site / "agents" / "__init__.py").write_text(theirs)


def test_a_package_that_went_with_anothers_uninstall_is_missed(tmp_path):
    _copy(tmp_path)
    shutil.rmtree(tmp_path / "agents")
    code = "from sandbox.guard import clashes; print(*clashes())"
    done = _start([tmp_path], code, cwd=tmp_path)
    assert "package 'agents'" in done.stdout
    assert "use a separate environment" in done.stdout


def test_the_command_line_ends_with_one_line_and_exit_2(foreign, tmp_path):
    code = "import sys; sys.argv = ['sandbox', 'list', 'envs'];"
    code += "from sandbox.cli.main import main; main()"
    done = _start([foreign, ROOT], code, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.strip().startswith("error: package 'agents' comes from openai-agents")
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_check_is_cheap():
    code = (
        "import time, sandbox.guard as g; s = time.perf_counter(); g.check_names();"
        "print(time.perf_counter() - s)"
    )
    assert float(_start([ROOT], code).stdout) < 0.05
