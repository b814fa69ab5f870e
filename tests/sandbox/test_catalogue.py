"""The folder listing is the registry; listing imports nothing; a broken plug-in stops no other."""

import subprocess
import sys

import pytest

from sandbox.catalogue import OF_CONTROL, PART_FOLDERS, Catalogue, plug_module
from sandbox.errors import InputError
from sandbox.lever_kinds import ControlLever


@pytest.mark.parametrize("kind", PART_FOLDERS)
def test_every_part_of_every_kind_loads_and_says_what_it_is(kind):
    known = Catalogue()
    for name, part in known.parts(kind).items():
        if part.target == OF_CONTROL:
            assert part.load().control == name
        else:
            assert part.load().__module__.endswith(f".{name}")
        assert part.summary, f"{kind}/{name} has no docstring"
        assert part.origin == "built in"


def test_listing_imports_no_part():
    program = (
        "import sys; from sandbox.catalogue import PART_FOLDERS, Catalogue; known = Catalogue();"
        "[known.parts(kind) for kind in PART_FOLDERS];"
        "print([m for m in sys.modules if m.split('.')[0] in {'torch', 'agents', 'gymnasium'}])"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


TOLL = """
'Takes something off every reward.'
from dataclasses import dataclass
from envs.control_kit.control import Control
from sandbox.contract import Lever

@dataclass(frozen=True)
class Toll(Control):
    unit = "toll"
    def around(self, env, rng, clock): ...

@dataclass(frozen=True)
class OtherToll(Lever):
    family, neutral = "oversight", 1.0
    def apply(self, spec, dose): ...
    def manipulation_check(self, events, dose): ...
"""


def test_a_control_is_a_lever_too_until_one_of_that_name_is_written(tmp_path, monkeypatch):
    (tmp_path / "toll_pack.py").write_text(TOLL)
    monkeypatch.syspath_prepend(tmp_path)
    known = Catalogue()
    known.add("controls", "toll_booth", "toll_pack:Toll", "Takes something off every reward.")

    part, made = known.part("levers", "toll_booth"), known.load("levers", "toll_booth")

    assert (part.summary, part.origin) == ("Takes something off every reward.", "this program")
    assert made is Catalogue(known.plugged).load("levers", "toll_booth")
    assert (made.__name__, made.control, made.family) == ("TollBooth", "toll_booth", "data")
    assert issubclass(made, ControlLever)
    known.add("levers", "toll_booth", "toll_pack:OtherToll")
    assert known.load("levers", "toll_booth").family == "oversight"
    with pytest.raises(InputError, match="exists already"):
        known.add("levers", "toll_booth", "toll_pack:OtherToll")


def test_a_report_checks_a_lever_without_its_control():
    program = (
        "import sys; from sandbox.catalogue import catalogue;"
        "from sandbox.record.events import Updated;"
        "lever = catalogue().load('levers', 'sticky_actions')();"
        "print(lever.manipulation_check([Updated('agent', 1, 1, 0.0, 1, 1, 0.0)], 0.5));"
        "print([m for m in sys.modules if m.split('.')[0] in {'torch', 'agents', 'envs'}])"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert found.stdout.split() == ["False", "[]"]


def test_a_wrong_name_gets_a_suggestion():
    with pytest.raises(InputError, match=r"no edit is called 'widn'.*did you mean 'widen'"):
        Catalogue().part("edits", "widn")


def test_a_plug_in_adds_parts_under_its_own_name(tmp_path, monkeypatch):
    (tmp_path / "their_pack.py").write_text(
        "from agents.edits.identity import *\n"
        "from dataclasses import dataclass\n"
        "from agents.edits import identity\n"
        "@dataclass(frozen=True)\nclass Mine(identity.Identity):\n    'Mine.'\n"
        "def register(known):\n    known.add('edits', 'mine', 'their_pack:Mine', 'Mine.')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    known = Catalogue()

    plug_module(known, "their_pack")

    assert known.part("edits", "mine").origin == "their_pack"
    assert known.load("edits", "mine").__name__ == "Mine"
    assert "widen" in known.names("edits")


def test_a_module_that_cannot_be_plugged_in_is_refused_with_a_hint(tmp_path, monkeypatch):
    (tmp_path / "not_on_the_path.py").write_text("def register(known): ...\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"No module named 'not_on_the_path'; .* PYTHONPATH=\."):
        plug_module(Catalogue(), "not_on_the_path")


def test_a_broken_plug_in_is_named_and_stops_no_other_part():
    known = Catalogue()
    known.plug("broken 1.0", lambda _: 1 / 0)
    assert known.broken == {"broken 1.0": "ZeroDivisionError: division by zero"}
    assert known.names("edits")


def test_a_name_is_taken_only_once():
    known = Catalogue()
    with pytest.raises(InputError, match="exists already"):
        known.add("edits", "widen", "x:Y")
    with pytest.raises(InputError, match="did you mean 'edits'"):
        known.add("edit", "mine", "x:Y")


@pytest.mark.parametrize("target", [print, "their_pack", "their_pack:", ":make", "a b:c", 3])
def test_what_no_trial_could_import_is_refused_at_once(target):
    known = Catalogue()
    with pytest.raises(InputError, match=r"add_parallel_env\('mine-v0'\).*'module:factory'"):
        known.add_parallel_env("mine-v0", target)
    with pytest.raises(InputError, match=r"add\('mine'\).*'module:Class'"):
        known.add("edits", "mine", target)
    assert not known.parallel
    assert not known.plugged
