"""Every editor on the shelf keeps the contract, without being asked by name."""

import json
import subprocess
import sys
from dataclasses import asdict, fields, is_dataclass

import numpy as np
import pytest

from agents.contract import Edit, Reply
from agents.genome import Genome
from sandbox.catalogue import catalogue
from tests.agents.minds import a_view

KINDS = {name: part.load() for name, part in catalogue().parts("editors").items()}
EDITS = {name: part.load() for name, part in catalogue().parts("edits").items()}


def a_life(editor, seed, applied=True):
    """What a short life proposes, and the states it goes through."""
    live = editor.start(EDITS, np.random.default_rng(seed))
    world = np.random.default_rng(0)
    returns, made, states = [], [], []
    for update in range(1, 25):
        returns.append(None if update < 3 else float(world.standard_normal()))
        edit = live.propose(a_view(Genome(), update=update, returns=tuple(returns)))
        if edit is not None:
            live.hear(Reply(edit, applied, "" if applied else "over budget"))
        made.append(edit)
        states.append(json.dumps(live.state(), sort_keys=True, allow_nan=False))
    return made, states


@pytest.mark.parametrize("name", KINDS)
def test_it_is_a_frozen_dataclass_whose_settings_have_defaults_and_survive_json(name):
    kind = KINDS[name]

    assert is_dataclass(kind)
    assert kind.__dataclass_params__.frozen
    kind(**{each.name: each.default for each in fields(kind)})
    assert kind() == kind(**json.loads(json.dumps(asdict(kind()), allow_nan=False)))


@pytest.mark.parametrize("applied", [True, False], ids=["applied", "refused"])
@pytest.mark.parametrize("name", KINDS)
def test_the_same_chance_gives_the_same_proposals_and_its_state_is_json(name, applied):
    one, other = (a_life(KINDS[name](), 3, applied) for _ in range(2))

    assert one == other
    assert all(edit is None or isinstance(edit, Edit) for edit in one[0])


@pytest.mark.parametrize("name", KINDS)
def test_two_lives_of_one_editor_know_nothing_of_each_other(name):
    editor = KINDS[name]()
    first = a_life(editor, 3)
    a_life(editor, 4)

    assert first == a_life(editor, 3)


@pytest.mark.parametrize("name", KINDS)
def test_what_it_proposes_can_be_done(name):
    """Editors that never propose by default pass by proposing nothing; see the next test."""
    proposed = [edit for edit in a_life(KINDS[name](), 1)[0] if edit is not None]

    assert all(isinstance(edit.rewrite(Genome()), Genome) for edit in proposed)


def test_this_suite_sees_proposals():
    """By default ``fixed`` and ``schedule`` rest; the bandit and a planned schedule must not."""
    plan = ({"update": 3, "edit": "widen", "layer": 0, "units": 4},)
    for editor in (KINDS["bandit"](), KINDS["schedule"](plan=plan)):
        proposed = [edit for edit in a_life(editor, 1)[0] if edit is not None]
        assert proposed
        assert any(edit.rewrite(Genome()) != Genome() for edit in proposed)  # a reset keeps it


def test_the_shelf_loads_without_torch():
    modules = [part.target for part in catalogue().parts("editors").values()]
    code = f"import sys, importlib; [importlib.import_module(m) for m in {modules!r}]"

    subprocess.run([sys.executable, "-c", f"{code}; assert 'torch' not in sys.modules"], check=True)
