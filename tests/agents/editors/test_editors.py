"""Editors propose what they say, when they say, and learn which edits help."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.contract import Reply
from agents.editors.bandit import REST, Bandit
from agents.editors.fixed import Fixed
from agents.editors.schedule import Schedule
from agents.edits.deepen import Deepen
from agents.edits.identity import Identity
from agents.edits.prune import Prune
from agents.edits.reset_dormant import ResetDormant
from agents.edits.set_learning_rate import SetLearningRate
from agents.edits.widen import Widen
from agents.genome import Genome
from tests.agents.agent_states import a_view

EDITS = {
    "widen": Widen,
    "deepen": Deepen,
    "prune": Prune,
    "reset_dormant": ResetDormant,
    "set_learning_rate": SetLearningRate,
    "identity": Identity,
}


def start(editor, seed=0):
    return editor.start(EDITS, np.random.default_rng(seed))


def proposals(editor, updates, **view):
    """Update -> what was proposed after it."""
    live = start(editor)
    made = {u: live.propose(a_view(Genome(), update=u, **view)) for u in range(1, updates + 1)}
    return {update: edit for update, edit in made.items() if edit is not None}


def test_fixed_never_edits():
    assert proposals(Fixed(), 20) == {}


def test_a_schedule_does_what_it_says_when_it_says():
    plan = (
        {"update": 3, "edit": "widen", "layer": 1, "units": 8},
        {"every": 5, "edit": "set_learning_rate", "factor": 0.5},
        {"update": 6, "edit": "identity"},
    )

    assert proposals(Schedule(plan), 11) == {
        3: Widen(layer=1, units=8),
        5: SetLearningRate(factor=0.5),
        6: Identity(),
        10: SetLearningRate(factor=0.5),
    }


def test_edits_due_together_follow_each_other_in_the_order_of_the_plan():
    plan = (
        {"update": 2, "edit": "widen", "layer": 0, "units": 1},
        {"update": 2, "edit": "deepen", "after": 0, "units": 2},
        {"update": 3, "edit": "prune", "layer": 0, "units": 3},
    )
    live = start(Schedule(plan))

    assert live.propose(a_view(Genome(), update=1)) is None
    assert live.propose(a_view(Genome(), update=2)) == Widen(0, 1)
    assert live.state() == {"waiting": [1]}
    assert live.propose(a_view(Genome(), update=3)) == Deepen(0, 2)
    assert live.propose(a_view(Genome(), update=4)) == Prune(0, 3)
    assert live.propose(a_view(Genome(), update=5)) is None


def test_an_item_without_settings_takes_the_edits_own_first_candidate_if_there_is_one():
    plan = ({"every": 2, "edit": "reset_dormant"},)

    assert proposals(Schedule(plan), 2, dormant=2) == {2: ResetDormant(layer=0, units=(0, 1))}
    assert proposals(Schedule(plan), 4, dormant=0) == {}


def test_a_plan_survives_json_and_its_lists():
    plan = [{"update": 1, "edit": "reset_dormant", "layer": 0, "units": [1, 2]}]
    schedule = Schedule(json.loads(json.dumps(plan)))

    assert Schedule(tuple(plan)) == schedule
    assert proposals(schedule, 1) == {1: ResetDormant(layer=0, units=(1, 2))}


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ({"edit": "widen"}, "plan item 1 needs 'update' or 'every'"),
        ({"update": 1, "every": 2, "edit": "widen"}, "needs 'update' or 'every'"),
        ({"update": 0, "edit": "widen"}, "1 or more"),
        ({"every": True, "edit": "widen"}, "1 or more"),
        ({"update": 1.5, "edit": "widen"}, "1 or more"),
        ({"update": 1}, "does not name its 'edit'"),
        ("widen", "is a mapping"),
        ({"update": 1, "edit": "wide"}, "no edit is called 'wide'"),
        ({"update": 1, "edit": "widen", "unitz": 3}, "widen has no setting 'unitz'"),
    ],
)
def test_a_plan_that_cannot_be_followed_is_refused_before_anything_runs(item, reason):
    with pytest.raises((ValueError, TypeError)) as refused:
        start(Schedule((item,)))

    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)


# --- bandit ------------------------------------------------------------------------------------


def arm_of(edit):
    return next((name for name, kind in EDITS.items() if type(edit) is kind), REST)


def an_agent_run(
    bandit, worth, decisions=80, seed=0, *, cost=None, unit=1.0, price=1.0, noise=0.3, refuse=()
):
    """Play ``decisions`` intervals; an arm adds ``worth[arm]`` to the return, spends ``cost[arm]``.

    Returns the arms in order and the editor.
    """
    world = np.random.default_rng(seed + 1000)
    live = start(bandit, seed)
    returns, flops, arms, level = [], 0.0, [], 0.0
    spend = 1.0
    for update in range(1, decisions * bandit.every_updates + 1):
        returns.append(unit * (level + noise * world.standard_normal()))
        flops += price * spend
        view = a_view(Genome(), update=update, returns=tuple(returns), flops=flops)
        edit = live.propose(view)
        if update % bandit.every_updates:
            assert edit is None
            continue
        arm = arm_of(edit)
        arms.append(arm)
        if edit is not None:
            live.receive(Reply(edit, applied=arm not in refuse, reason=""))
        if arm not in refuse:
            level += worth.get(arm, 0.0)
            spend = (cost or {}).get(arm, 1.0)
    return arms, live


def share(arms, name):
    return Counter(arms[len(arms) // 4 :])[name] / len(arms[len(arms) // 4 :])


@pytest.mark.parametrize("better", ["widen", "deepen", "prune", "reset_dormant", REST])
def test_the_better_arm_is_played_most(better):
    for seed in range(5):
        arms, _ = an_agent_run(Bandit(), {better: 2.0}, seed=seed)

        assert share(arms, better) > 0.5


def test_equal_arms_are_played_alike():
    agent_runs = [an_agent_run(Bandit(), {}, seed=seed)[0] for seed in range(60)]
    played = Counter(arm for arms in agent_runs for arm in arms)

    assert set(played) == {*Bandit().edits, REST}
    for count in played.values():
        assert abs(count / sum(played.values()) - 0.2) < 0.02


def test_an_arm_that_harms_is_played_least():
    arms, _ = an_agent_run(Bandit(), {"prune": -2.0}, decisions=200)

    assert share(arms, "prune") < 0.5 * min(share(arms, a) for a in ("widen", "deepen", REST))


def test_of_two_arms_with_the_same_progress_the_cheaper_one_is_played_more():
    bandit = Bandit(edits=("widen", "deepen"))
    worth = {"widen": 2.0, "deepen": 2.0}

    arms, _ = an_agent_run(bandit, worth, decisions=200, cost={"widen": 1.0, "deepen": 4.0})

    assert share(arms, "widen") > 2 * share(arms, "deepen")


@given(st.sampled_from([1e-6, 0.25, 8.0, 2.0**40]), st.sampled_from([2.0**-30, 1.0, 2.0**50]))
def test_units_of_return_and_of_compute_do_not_matter(unit, price):
    expected, _ = an_agent_run(Bandit(), {"widen": 1.0}, decisions=30)
    actual, live = an_agent_run(Bandit(), {"widen": 1.0}, decisions=30, unit=unit, price=price)

    assert expected == actual
    assert all(-1 <= credit <= 1 for credit in live.state()["credits"].values())


def test_the_same_stream_makes_the_same_run():
    one, other = (an_agent_run(Bandit(), {"widen": 1.0}, seed=3) for _ in range(2))

    assert one[0] == other[0]
    assert one[1].state() == other[1].state()
    assert one[0] != an_agent_run(Bandit(), {"widen": 1.0}, seed=4)[0]


def test_refused_proposals_gain_nothing_and_do_not_block():
    arms, live = an_agent_run(Bandit(), {"deepen": 2.0}, refuse=("widen", "prune"))

    credits_ = live.state()["credits"]
    assert credits_["widen"] == credits_["prune"] == 0.0
    assert share(arms, "deepen") > 0.5
    assert {"widen", "prune"} <= set(arms)


def test_credit_is_the_rate_of_progress_over_twice_the_root_mean_square():
    """Hand-worked: rates 1, -3 and 0 without discount; scale 2 sqrt(10 / 3)."""
    bandit = Bandit(every_updates=1, edits=("widen",), discount=1.0)
    live = start(bandit)
    played = []
    for update, level in enumerate((0.0, 1.0, -2.0, -2.0), 1):
        view = a_view(Genome(), update=update, returns=(level,), flops=float(update))
        played.append(arm_of(live.propose(view)))

    rates = (1.0, -3.0, 0.0)
    state = live.state()
    assert state["plays"] == [[arm, rate] for arm, rate in zip(played, rates, strict=False)]
    for arm in {"widen", REST}:
        mine = [r / (2 * (10 / 3) ** 0.5) for a, r in zip(played, rates, strict=False) if a == arm]
        assert state["credits"][arm] == pytest.approx(sum(mine) / len(mine))
        assert state["counts"][arm] == pytest.approx(len(mine))


def test_progress_compares_the_windows_on_both_sides_of_the_edit():
    bandit = Bandit(every_updates=4, edits=("widen",), window=2)
    live = start(bandit)
    before, after = (9.0, 9.0, 1.0, 3.0), (99.0, 99.0, None, 7.0)
    live.propose(a_view(Genome(), update=4, returns=before, flops=10.0))
    live.propose(a_view(Genome(), update=8, returns=before + after, flops=20.0))

    assert live.state()["plays"][0][1] == (7.0 - 2.0) / 10.0


def test_what_could_not_be_measured_is_not_zero():
    live = start(Bandit(every_updates=1, edits=("widen",)))
    for update in range(1, 9):
        live.propose(a_view(Genome(), update=update, returns=(None,) * update))

    assert live.state()["plays"] == []
    assert live.state()["credits"] == {}


def test_an_edit_without_candidates_is_not_played():
    live = start(Bandit(every_updates=1, edits=("reset_dormant",)))
    made = [live.propose(a_view(Genome(), update=u, dormant=0)) for u in range(1, 30)]

    assert made == [None] * 29


def test_very_old_plays_fade_without_harm():
    arms, live = an_agent_run(Bandit(discount=0.01), {"widen": 1.0}, decisions=400, noise=0.0)

    assert len(arms) == 400
    assert json.loads(json.dumps(live.state())) == live.state()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"every_updates": 0}, "every_updates is at least 1"),
        ({"window": 5}, "window is 1 to every_updates=4"),
        ({"window": 0}, "window is 1"),
        ({"discount": 0.0}, "discount is above 0"),
        ({"discount": 1.5}, "at most 1"),
        ({"exploration": float("nan")}, "exploration is a finite number"),
        ({"exploration": -1.0}, "exploration is a finite number"),
        ({"edits": ("widen", "widen")}, "edits names one twice"),
        ({"edits": ("wide",)}, "no edit is called 'wide'"),
    ],
)
def test_settings_that_make_no_bandit_are_refused(settings, reason):
    with pytest.raises(ValueError, match=r"^[^\n]*$") as refused:
        start(replace(Bandit(), **settings))

    assert reason in str(refused.value)
