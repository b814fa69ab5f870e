"""The section on what drove an agent, from runs whose answer is known."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from sandbox.record.events import Updated
from sandbox.record.store import TrialRecord
from sandbox.report import rewards as section
from sandbox.report.data import training_returns
from sandbox.report.rewards import MOST_PANELS, MOST_POINTS, live_objectives
from tests.sandbox.synthetic_run import as_record

STEPS = 10
ARMS = ("never", "late <b>", "added", "plain")


def update(nth, reward, losses=None, agent="agent"):
    return Updated(agent, nth, STEPS * nth, 0.0, 1, 0, None, rewards=reward, losses=losses or {})


def agent_run(arm, seed, updates=20):
    """``late`` hands over after update 8 + seed; ``added`` has no alpha."""
    for nth in range(1, updates + 1):
        if arm == "plain":
            yield update(nth, {"extrinsic": 1.0}, {"value loss": 3.0})
            continue
        share = float(arm == "late <b>" and nth >= 8 + seed)
        losses = {
            "friend fidelity": 0.9,
            "friend fidelity_at_least": nth / 100,
            "friend lessons": 7.0 * nth,
        }
        losses |= {} if arm == "added" else {"friend alpha": share}
        yield update(nth, {"count": (1 - share) * (1 + seed), "friend": share}, losses)


def a_report(agent_runs=agent_run, arms=ARMS, envs=("home",), seeds=3):
    trials = []
    for env in envs:
        for arm in arms:
            for seed in range(seeds):
                spec = {"env": {"id": env, "name": env}, "seed": seed, "condition": {"arm": arm}}
                made = TrialRecord(Path("run"), f"{env}-{arm}-{seed}", spec, {"state": "done"})
                made.__dict__.update(events=[*agent_runs(arm, seed)])
                trials.append(made)
    scenario = {"levers": {"arm": list(arms)}, "envs": [{"id": env, "name": env} for env in envs]}
    run = as_record(Path("run"), scenario, trials)
    names = tuple(f"arm={arm}" for arm in arms)
    return SimpleNamespace(run=run, conditions=names, base=names[0], envs=tuple(envs))


def written(report):
    return "".join(live_objectives(report))


def figures(page):
    found = re.findall(r'<script type="application/json">(.*?)</script>', page)
    return [json.loads(each) for each in found]


def panel(figure, heading):
    """(name -> (x, y)) of the lines in one panel; thin ones have no name."""
    titles = [each["text"] for each in figure["layout"]["annotations"]]
    (nth,) = [i for i, each in enumerate(titles, 1) if heading in each]
    axis = "x" if nth == 1 else f"x{nth}"
    return {
        each.get("name", "thin"): (each["x"], each["y"])
        for each in figure["data"]
        if each["xaxis"] == axis
    }


def cells(page):
    rows = re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)[1:]
    return [re.findall(r"<td[^>]*>(.*?)</td>", each, re.DOTALL) for each in rows]


def test_reward_is_the_mean_over_seeds_of_each_arm():
    (figure,) = figures(written(a_report()))
    count = panel(figure, "count: reward")

    assert set(count) == {"arm=never", "arm=late &lt;b&gt;", "arm=added"}
    assert count["arm=never"] == ([STEPS * n for n in range(1, 21)], [2.0] * 20)
    assert set(panel(figure, "extrinsic: reward")) == {"arm=plain"}
    late = panel(figure, "friend: alpha")["arm=late &lt;b&gt;"][1]
    assert (
        late
        == [0] * 7 + [pytest.approx(1 / 3, rel=1e-4), pytest.approx(2 / 3, rel=1e-4)] + [1] * 11
    )
    assert panel(figure, "friend: fidelity")["thin"][1][-1] == 0.2
    assert not [each for each in figure["layout"]["annotations"] if "value" in each["text"]]


def test_the_table_states_whether_and_when_it_was_handed_over():
    rows = {row[0]: row[1:] for row in cells(written(a_report()))}

    assert rows["arm=never"] == ["friend", "0", "0", "0 of 3", "never", "0.2", "140"]
    assert rows["arm=late &lt;b&gt;"][:5] == ["friend", "0", "1", "3 of 3", "90 (80 to 100)"]
    assert rows["arm=added"][:2] == ["friend", "no alpha"]
    assert "arm=plain" not in rows


def test_a_trial_that_never_handed_over_is_not_in_the_median():
    def unsure(arm, seed):
        return agent_run("never" if seed == 2 else arm, seed)

    rows = {row[0]: row[1:] for row in cells(written(a_report(unsure)))}

    assert rows["arm=late &lt;b&gt;"][3:5] == ["2 of 3", "85 (80 to 90)"]


def test_half_of_the_say_is_handed_over_and_less_is_not():
    def rising(arm, _):
        top = 0.5 if arm == "half" else 0.49
        for nth, share in enumerate((0.0, top, 0.0), 1):
            yield update(nth, {"friend": share}, {"friend alpha": share})

    rows = {row[0]: row[2:6] for row in cells(written(a_report(rising, arms=("half", "less"))))}

    assert rows["arm=half"] == ["0", "0", "3 of 3", "20"]
    assert rows["arm=less"] == ["0", "0", "0 of 3", "never"]


def test_there_is_no_section_where_only_the_env_gives_reward():
    assert written(a_report(arms=("plain",))) == ""
    assert written(a_report(lambda *_: [])) == ""
    drives = written(a_report(lambda *_: [update(1, {"extrinsic": 1.0, "count": 0.5})]))
    assert "Reward by objective" in drives
    assert "hand over" not in drives


def test_agents_of_a_trial_are_averaged_before_its_seeds():
    def two(_, seed):
        yield update(1, {"count": 1.0}, agent="a")
        if seed:
            yield update(1, {"count": 4.0}, agent="b")

    (figure,) = figures(written(a_report(two, arms=("one",), seeds=2)))

    assert panel(figure, "count")["arm=one"] == ([STEPS], [1.75])  # not the mean of three, 2


def test_a_long_run_is_drawn_in_few_points_and_loses_nothing_of_its_mean():
    def long(_, seed):
        return (update(n, {"count": n + seed}) for n in range(1, 1001))

    (figure,) = figures(written(a_report(long, arms=("one",))))
    x, y = panel(figure, "count")["arm=one"]

    assert len(x) == MOST_POINTS
    assert (x[0], x[-1]) == (STEPS * 10, STEPS * 1000)
    assert sum(y) / len(y) == pytest.approx(501.5, rel=1e-4)


def test_figures_and_rows_are_few_and_what_is_left_out_is_stated(monkeypatch):
    monkeypatch.setattr(section, "MOST_ENVS", 2)
    monkeypatch.setattr(section, "MOST_ROWS", 4)
    envs = tuple(f"env {n}" for n in range(5))
    page = written(a_report(envs=envs, seeds=1))

    def drives(*_):
        return [update(1, {f"drive {n}": 1.0 for n in range(MOST_PANELS + 3)})]

    (crowded,) = figures(written(a_report(drives, seeds=1)))

    assert len(figures(page)) == 2
    assert "3 more envs are not drawn" in page
    assert len(cells(page)) == 4
    assert "11 more rows are left out" in page
    assert len(crowded["layout"]["annotations"]) == MOST_PANELS


def test_names_from_outside_do_not_become_markup():
    page = written(a_report())

    assert "late <b>" not in page
    assert "late &lt;b&gt;" in page


def test_a_curve_of_training_return_is_in_the_reward_of_the_world():
    """A control of rewards delivered 182 where the world gave -96; nothing ended in the second."""
    poisoned = Updated("agent", 1, STEPS, 0.0, 1, 1, 182.0, world_return=-96.0)
    silent = Updated("agent", 2, 2 * STEPS, 0.0, 1, 0, None)

    assert training_returns([poisoned, silent]) == {STEPS: -96.0}
