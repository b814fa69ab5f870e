"""The doctor finds what is wrong with an installation, and only that."""

import importlib.metadata
import platform

import pytest

from sandbox.catalogue import Catalogue
from sandbox.checkup import doctor


def _failing(look):
    return [each for each in look() if not each.ok]


def test_a_check_that_breaks_is_a_finding(monkeypatch):
    def torch():
        raise OSError("libgomp.so: cannot open shared object file")

    monkeypatch.setattr(doctor, "_LOOKS", (doctor._python, torch))
    python, broken = doctor.examine()
    assert python.ok
    assert platform.python_version() in python.detail
    assert str(broken) == "FAIL torch: OSError: libgomp.so: cannot open shared object file"


@pytest.mark.parametrize("look", [doctor._versions, doctor._names, doctor._tensorboard])
def test_this_installation_is_healthy(look):
    assert _failing(look) == []


def test_a_version_outside_its_range_is_named(monkeypatch):
    have = importlib.metadata.version

    def older(name):
        return "0.29.1" if name == "gymnasium" else have(name)

    monkeypatch.setattr(doctor, "version", older)
    (found,) = _failing(doctor._versions)
    assert "gymnasium 0.29.1 is not" in found.detail


def test_an_old_tensorboard_is_refused_with_the_reason(monkeypatch):
    monkeypatch.setattr(doctor, "version", lambda _: "2.20.0")
    (found,) = _failing(doctor._tensorboard)
    assert "2.21 is needed" in found.detail


def test_a_broken_plug_in_is_named_and_a_good_one_listed(monkeypatch):
    known = Catalogue()
    known.plug("good 1.0", lambda found: found.add("edits", "shuffle", "good.edits:Shuffle"))
    known.plug("bad 2.0", lambda _: 1 / 0)
    monkeypatch.setattr(doctor, "catalogue", lambda: known)
    bad, good = doctor._plug_ins()
    assert str(bad) == "FAIL plug-in bad 2.0: cannot be loaded: ZeroDivisionError: division by zero"
    assert str(good) == "ok   plug-in good 1.0: edit shuffle"


def test_another_owner_of_our_names_is_found_even_if_ours_wins(monkeypatch):
    owners = {"agents": [doctor.OURS, "openai-agents"], "envs": [doctor.OURS]}
    monkeypatch.setattr(doctor, "packages_distributions", lambda: owners)
    (found,) = _failing(doctor._names)
    assert found.detail.startswith("openai-agents installs 'agents' too")
