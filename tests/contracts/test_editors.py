"""Every editor there is keeps the contract, without being asked by name."""

import json
import subprocess
import sys
from dataclasses import asdict, fields, is_dataclass

import numpy as np
import pytest

from agents.contract import Edit, RefusedEditError, Reply
from agents.genome import Architecture, Genome, TableRule
from sandbox.catalogue import catalogue
from tests.agents.agent_states import a_view

KINDS = {name: part.load() for name, part in catalogue().parts("editors").items()}
EDITS = {name: part.load() for name, part in catalogue().parts("edits").items()}


def an_agent_run(editor, seed, applied=True):
    """What a short run proposes, and the states it goes through."""
    live = editor.start(EDITS, np.random.default_rng(seed))
    world = np.random.default_rng(0)
    returns, made, states = [], [], []
    for update in range(1, 25):
        returns.append(None if update < 3 else float(world.standard_normal()))
        asked = tuple(map(int, world.integers(0, 3, size=4)))
        view = a_view(Genome(), update=update, returns=tuple(returns), requests=asked)
        edit = live.propose(view)
        if edit is not None:
            live.receive(Reply(edit, applied, "" if applied else "over budget", entry=update))
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
    one, other = (an_agent_run(KINDS[name](), 3, applied) for _ in range(2))

    assert one == other
    assert all(edit is None or isinstance(edit, Edit) for edit in one[0])


@pytest.mark.parametrize("name", KINDS)
def test_two_runs_of_one_editor_know_nothing_of_each_other(name):
    editor = KINDS[name]()
    first = an_agent_run(editor, 3)
    an_agent_run(editor, 4)

    assert first == an_agent_run(editor, 3)


@pytest.mark.parametrize("name", KINDS)
def test_what_it_proposes_can_be_done(name):
    """Editors that never propose by default pass by proposing nothing; see the next test."""
    proposed = [edit for edit in an_agent_run(KINDS[name](), 1)[0] if edit is not None]

    assert all(isinstance(edit.rewrite(Genome()), Genome) for edit in proposed)


@pytest.mark.parametrize("name", KINDS)
def test_where_it_does_not_want_to_look_it_has_nothing_to_propose(name):
    """The laboratory makes no view for it then; an editor that always looks passes, too."""
    plan = {"plan": ({"every": 3, "edit": "identity"}, {"update": 5, "edit": "identity"})}
    live = KINDS[name](**(plan if name == "schedule" else {})).start(
        EDITS, np.random.default_rng(1)
    )
    for update in range(1, 13):
        wanted = live.wants(update)
        edit = live.propose(a_view(Genome(), update=update, returns=(0.0,) * update))

        assert wanted or edit is None
        if edit is not None:
            live.receive(Reply(edit, True, ""))
    assert not (name == "fixed" and wanted)


def test_this_suite_sees_proposals():
    """By default ``fixed`` and ``schedule`` rest; the bandit and a planned schedule must not."""
    plan = ({"update": 3, "edit": "widen", "layer": 0, "units": 4},)
    for editor in (KINDS["bandit"](), KINDS["schedule"](plan=plan)):
        proposed = [edit for edit in an_agent_run(editor, 1)[0] if edit is not None]
        assert proposed
        assert any(edit.rewrite(Genome()) != Genome() for edit in proposed)  # a reset keeps it


# --- what it may propose -------------------------------------------------------------------------


class OnlyThose(dict):
    """All edits are known to it by name, and it gives out no others than these."""

    def __init__(self, allowed):
        super().__init__(EDITS)
        self.allowed = allowed

    def __getitem__(self, name):
        assert name in self.allowed, f"it asks for {name}, which it may not propose"
        return super().__getitem__(name)


def settings_of(name):
    """The defaults, both rules, other edits, and a plan, as far as it has such settings."""
    kind, plan = KINDS[name], ({"every": 3, "edit": "widen"}, {"update": 4, "edit": "set_rule"})
    has = {each.name for each in fields(kind)}
    tried = [{}, {"rule": "keep_all"}, {"rule": "success_story"}, {"edits": ("sparsify",)}]
    tried += [{"plan": plan}, {"keep": True, "try_updates": 2}, {"depth": 3}, {"try_updates": 2}]
    return [kind(**each) for each in tried if set(each) <= has]


@pytest.mark.parametrize("name", KINDS)
def test_it_proposes_and_holds_no_edit_but_those_it_says_it_may(name):
    peers = {"peers": {"other": (5.0,) * 40}, "peer_genomes": {"other": Genome()}}
    for editor in settings_of(name):
        allowed = editor.may_propose()
        assert allowed is not None, "say what it may propose"
        assert allowed <= {*EDITS}
        live = editor.start(OnlyThose(allowed), np.random.default_rng(0))
        falling = np.linspace(1, -1, 41)
        for update in range(1, 41):
            returns = tuple(falling[:update].tolist())
            asked = (3, 3, 3, 3)
            shown = {"returns": returns, "requests": asked, "flops_left": 1e9, **peers}
            edit = live.propose(a_view(Genome(), update=update, **shown))
            if edit is not None:
                assert type(edit).__module__.rpartition(".")[2] in allowed
                live.receive(Reply(edit, True, "", entry=update))


# --- odd runs -----------------------------------------------------------------------------------

TABLE = Genome(Architecture(()), TableRule())
NAN, INF = float("nan"), float("inf")
ODD = {
    "no returns": {"returns": lambda update: (None,) * update},
    "returns that explode": {"returns": lambda update: (0.0, NAN, INF, -INF)[:update]},
    "nothing left": {"flops_left": 0.0},
    "less than nothing left": {"flops_left": -1e6},
    "nothing spent": {"flops": 0.0},
    "no curves": {"signals": {}},
    "curves that explode": {"signals": {"novelty": (NAN, INF) * 12, "gradient_norm": (0.0,) * 24}},
    "a table": {"genome": TABLE, "dormancy": (), "unit_scores": ()},
    "more requests than edits": {"requests": (9,) * 99},
    "a peer": {"peers": {"other": (None, 1.0, INF)}, "peer_genomes": {"other": Genome()}},
}
"""What a view may hold without anything being wrong; functions are called with the update."""


def an_odd_run(editor, odd):
    """Ends with the last state; whatever is proposed is refused, or it fits the genome."""
    live = editor.start(EDITS, np.random.default_rng(0))
    for update in range(1, 41):
        changes = {k: v(update) if callable(v) else v for k, v in ODD[odd].items()}
        genome = changes.pop("genome", Genome())
        view = a_view(genome, **{"update": update, "look": None, **changes})
        edit = live.propose(view)
        if edit is not None:
            live.receive(Reply(edit, bool(update % 2), "" if update % 2 else "no", entry=update))
        assert live.flops() >= 0
    return json.dumps(live.state(), sort_keys=True, allow_nan=False)


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", KINDS)
def test_no_view_makes_it_raise_and_its_state_stays_json(name, odd):
    assert json.loads(an_odd_run(KINDS[name](), odd)) is not None


# --- what it reacts to ---------------------------------------------------------------------------

REACTING = [name for name, kind in KINDS.items() if "react" in {f.name for f in fields(kind)}]


def a_shifting_run(editor, updates=80):
    """Calm for 60 updates, then everything is novel: proposals and states."""
    live = editor.start(EDITS, np.random.default_rng(0))
    calm = np.random.default_rng(1).random(60).tolist()
    novelty, reported = (*calm, *[9.0] * 20), []
    for update in range(1, updates + 1):
        returns = tuple(np.sin(range(update)).tolist())
        signals = {"novelty": novelty[:update]}
        view = a_view(Genome(), update=update, returns=returns, signals=signals, dormant=0)
        edit = live.propose(view)
        if edit is not None:
            live.receive(Reply(edit, applied=False, reason="no"))
        state = json.dumps(live.state(), sort_keys=True, allow_nan=False)
        reported.append((edit, state))
    return reported


@pytest.mark.parametrize("name", REACTING)
def test_who_says_it_reacts_acts_otherwise_after_a_change_and_not_before(name):
    dormant, reacting = (a_shifting_run(KINDS[name](react=react)) for react in (False, True))

    assert dormant[:60] == reacting[:60]
    assert dormant[60:] != reacting[60:]


# --- being edited --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", KINDS)
def test_settings_are_read_back_adopted_and_bounded_or_not_at_all(name):
    editor = KINDS[name]()
    live = editor.start(EDITS, np.random.default_rng(0))
    if live.settings() is None:
        with pytest.raises(RefusedEditError):
            live.adopt(editor)
        return
    assert live.settings() == editor
    for setting, (low, high) in getattr(KINDS[name], "bounds", {}).items():
        assert low <= getattr(editor, setting) <= high
    third_party = KINDS["schedule" if name == "fixed" else "fixed"]()
    with pytest.raises(RefusedEditError):
        live.adopt(third_party)
    live.adopt(editor)
    assert live.settings() == editor


def test_the_part_folder_loads_without_torch():
    modules = [part.target for part in catalogue().parts("editors").values()]
    code = f"import sys, importlib; [importlib.import_module(m) for m in {modules!r}]"

    subprocess.run([sys.executable, "-c", f"{code}; assert 'torch' not in sys.modules"], check=True)


LEVELS = [
    "fixed",
    "scheduled",
    "random",
    "self-tuned",
    "plastic",
    "growing",
    "learned",
    "in-band",
    "recursive",
]


@pytest.mark.parametrize("name", sorted(catalogue().parts("editors")))
def test_it_says_how_far_it_reaches(name):
    assert catalogue().load("editors", name).level in LEVELS
