"""From ``new env`` to a result: a package this repository does not know, installed with pip."""

import subprocess
import sys


def test_a_new_env_is_installed_listed_with_its_origin_and_runs_from_a_scenario(sandbox):
    """``--target`` stands for the venv, so that the test leaves it as it was."""
    code, printed = sandbox("new", "env", "my_maze")
    assert code == 0, printed
    package, site = sandbox.folder / "my_maze", sandbox.folder / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--target", str(site), str(package)], check=True, timeout=120)

    code, printed = sandbox("list", "envs", path=site)
    assert code == 0, printed
    listed = [line for line in printed.splitlines() if "my-maze" in line or "MyMaze" in line]
    assert "my-maze 0.1.0" in " ".join(listed)

    (scenario,) = package.glob("**/*.yaml")
    words = ("run", str(scenario), "--smoke", "--seeds", "1", "--out", "run")
    code, printed = sandbox(*words, path=site)
    assert code == 0, printed
    assert (sandbox.folder / "run" / "report.html").exists()

    code, printed = sandbox("run", str(scenario), "--out", "other")
    assert code == 2
    assert "my_maze.yaml:3:8: error: no env is called 'my_maze/MyMaze-v0'" in printed
