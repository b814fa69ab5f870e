"""The hashed source files are those that a trial imports, and no others change a registration."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox import sources
from sandbox.scenario.load import load
from sandbox.scenario.source import shipped
from sandbox.scenario.trials import expand

ROOT = Path(__file__).resolve().parents[2]
TRIAL = """
import json, sys
from sandbox.execution import worker
from sandbox.trial import loop
class Recorder:
    def event(self, event): pass
    def ledger(self, body): return worker.Receipt(1, "x")
    def weights(self, *_): return "x"
    def beat(self): pass
for spec in json.load(sys.stdin):
    loop.run_trial(spec, "t", Recorder())
print(json.dumps([each for each in sys.modules if each.split(".")[0] in sys.argv[1:]]))
"""


def data_of(name):
    """A scenario in a fraction of its steps, and one spec of each of its conditions."""
    scenario = load(name, smoke=True)
    specs = [each.spec for each in expand(scenario) if each.spec["seed"] == scenario.seeds[0]]
    return scenario.resolved(), specs


@pytest.mark.parametrize(
    "name",
    [
        each if each == "quickstart" else pytest.param(each, marks=pytest.mark.slow)
        for each in sorted(shipped())
    ],
)
def test_every_module_that_a_trial_imports_is_registered(name):
    resolved, specs = data_of(name)
    found = sources.code_of([resolved, specs])["sources"]
    done = subprocess.run(
        [sys.executable, "-c", TRIAL, *sources.OURS],
        input=json.dumps(specs),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout.splitlines()[-1])) <= set(found)


def test_what_only_reads_a_run_or_belongs_to_other_scenarios_is_not():
    found = sources.code_of(data_of("tabular_rocks"))["sources"]
    assert not [each for each in found if each.startswith(("sandbox.report", "sandbox.cli"))]
    assert "envs.worlds.rocks_diamonds" in found
    assert "sandbox.metrics.reward_gap" in found
    assert "sandbox.verdicts.verdict" in found
    assert "envs.worlds.coin_grid" not in found
    assert found["envs.worlds.rocks_diamonds"] == _sha(ROOT / "envs/worlds/rocks_diamonds.py")


def test_here_and_now_nothing_differs_and_a_changed_line_does(monkeypatch, tmp_path):
    code = sources.code_of(data_of("tabular_rocks"))
    assert sources.changed(code) == []
    other = tmp_path / "gate.py"
    other.write_text("changed = True\n")
    real = sources._file
    monkeypatch.setattr(
        sources, "_file", lambda name: other if name == "sandbox.gate.gate" else real(name)
    )
    assert sources.changed(code) == ["sandbox.gate.gate"]
    older = {**code, "versions": {**code["versions"], "torch": "0.1"}}
    assert sources.changed(older)[-1].startswith("torch 0.1 (here ")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A small tree in the place of ours."""
    monkeypatch.setattr(sources, "ROOT", tmp_path)
    text = {
        "sandbox/__init__.py": "",
        "sandbox/a.py": "from sandbox import (\n    b,  # first\n    c as other,\n)\n",
        "sandbox/b.py": "def f():\n    import sandbox.d, os\n",
        "sandbox/c.py": "if TYPE_CHECKING:\n    from sandbox import e\n\n    x = 1\nimport json\n",
        "sandbox/d.py": "from torch import nn\n",
        "sandbox/e.py": "",
    }
    for name, content in text.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)


@pytest.mark.usefixtures("project")
def test_imports_in_functions_count_and_those_for_types_do_not():
    assert sources._closure({"sandbox.a"}) == {
        "sandbox",
        "sandbox.a",
        "sandbox.b",
        "sandbox.c",
        "sandbox.d",
    }


def test_of_a_plug_in_every_file_counts(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "my_plug" / "inner").mkdir(parents=True)
    for name in ("__init__.py", "inner/__init__.py", "inner/deep.py", "notes.txt"):
        (tmp_path / "my_plug" / name).write_text("")
    code = sources.code_of([], ["my_plug.inner.deep"])
    files = [each for each in code["sources"] if ":" in each]
    assert files == [
        "my_plug:__init__.py",
        "my_plug:inner/__init__.py",
        "my_plug:inner/deep.py",
        "my_plug:notes.txt",
    ]
    (tmp_path / "my_plug" / "inner" / "deep.py").write_text("x = 1")
    assert sources.changed(code) == ["my_plug:inner/deep.py"]
    (tmp_path / "my_plug" / "inner" / "deep.py").unlink()
    assert sources.changed(code) == ["my_plug:inner/deep.py"]


def _sha(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()
