"""Lineages: what is in force, what was undone, and that the pictures show it."""

import json
import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.pictures.lineage_film import MOST_MOMENTS, film, moments
from sandbox.pictures.lineage_svg import story, timeline
from sandbox.record.events import Edited, TrialStarted
from sandbox.record.lineage import START, behaviour_changes, lineages


def genome(units):
    return {
        "architecture": {"layers": [{"kind": "dense", "units": units}], "activation": "tanh"},
        "learning_rule": {"learning_rate": 0.001},
        "objective": {"extrinsic": 1.0},
        "editor": {"name": "bandit", "settings": {}},
    }


def started(*agents):
    agents = agents or ("agent",)
    return TrialStarted("t", "e", 0, {}, agents, {}, dict.fromkeys(agents, genome(1)))


def edited(number, units, edit="widen", applied=True, agent="agent", **settings):
    reason = "" if applied else "over budget"
    audit = "confirmed" if applied else ""
    return Edited(agent, number, number * 100, number, edit, settings, "architecture", applied,
                  reason, audit, genome(units), units)  # fmt: skip


def one(*edits):
    (found,) = lineages([started(), *edits])
    return found


def test_a_run_without_proposals_is_its_start():
    agent_run = one()

    assert agent_run.start_node is agent_run.end
    assert agent_run.line() == (START,)
    assert lineages([]) == []


def test_rejected_proposals_are_leaves():
    agent_run = one(edited(1, 2), edited(2, 2, applied=False), edited(3, 4))

    assert agent_run.line() == (0, 1, 3)
    assert [each.parent for each in agent_run.nodes] == [0, 0, 1, 1]
    assert [each.entry for each in agent_run.moments()] == [0, 1, 3]


def test_undo_branches_off_before_what_it_takes_back():
    agent_run = one(edited(1, 2), edited(2, 3), edited(3, 4), edited(4, 2, "undo", entry=2),
               edited(5, 9))  # fmt: skip

    assert agent_run.line() == (0, 1, 4, 5)
    assert [each.undone_by for each in agent_run.nodes] == [None, None, 4, 4, None, None]
    assert agent_run.nodes[4].before == 3
    assert [each.genome for each in agent_run.moments()] == [genome(n) for n in (1, 2, 3, 4, 2, 9)]


def test_an_undo_can_be_undone():
    agent_run = one(edited(1, 2), edited(2, 1, "undo", entry=1), edited(3, 2, "undo", entry=2))

    assert agent_run.line() == (0, 1, 3)
    assert [each.undone_by for each in agent_run.nodes] == [None, None, 3, None]


@pytest.mark.parametrize("entry", [7, 2, 0, None])
def test_an_undo_of_what_was_never_done_changes_no_line(entry):
    agent_run = one(edited(1, 2), edited(2, 2, applied=False), edited(3, 2, "undo", entry=entry))

    assert agent_run.line() == (0, 1, 3)
    assert all(each.undone_by is None for each in agent_run.nodes)


def test_a_refused_undo_takes_nothing_back():
    agent_run = one(edited(1, 2), edited(2, 2, "undo", applied=False, entry=1))

    assert agent_run.line() == (0, 1)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 9), max_size=12))
def test_the_line_replays_the_agent_states(draws):
    """Held against a laboratory that keeps the state before each edit, as the real one does."""
    agent_state, past, history = (1,), {}, [started()]
    for entry, draw in enumerate(draws, start=1):
        past[entry] = agent_state
        if draw in past and draw != entry:
            agent_state = past[draw]
            history.append(edited(entry, agent_state[-1], "undo", entry=draw))
        else:
            agent_state = (*agent_state, 100 + entry)
            history.append(edited(entry, agent_state[-1]))
    (agent_run,) = lineages(history)

    by_entry = {each.entry: each for each in agent_run.nodes}
    line = [by_entry[entry] for entry in agent_run.line()]
    made = [each for each in line if each.edit != "undo"]
    assert tuple(each.genome["architecture"]["layers"][0]["units"] for each in made) == agent_state
    assert agent_run.end.genome == genome(agent_state[-1])
    assert {e.entry for e in agent_run.nodes if e.undone_by is None} == set(agent_run.line())


def test_each_agent_has_a_lineage_of_its_own():
    history = [started("a", "b"), edited(1, 2, agent="b"), edited(2, 3, agent="a")]

    assert [(each.agent, each.line()) for each in lineages(history)] == [
        ("a", (0, 2)),
        ("b", (0, 1)),
    ]


def test_the_agent_state_at_an_update():
    agent_run = one(edited(3, 2), edited(7, 4))

    assert [agent_run.at(update).entry for update in (0, 2, 3, 6, 7, 99)] == [0, 0, 3, 3, 7, 7]


def test_kl_comes_from_the_ledger_if_there_is_one(tmp_path):
    lines = [{"entry": 1, "behaviour": {"mean_kl": 0.25}}, {"entry": 2, "behaviour": None}]
    assert behaviour_changes(tmp_path) == {}
    (tmp_path / "ledger.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines) + "[\n3\n")
    kls = behaviour_changes(tmp_path)
    (agent_run,) = lineages([started(), edited(1, 2)], kls)

    assert kls == {1: 0.25}
    assert [each.kl for each in agent_run.nodes] == [None, 0.25]


# --- pictures ----------------------------------------------------------------------------------

RUN = (edited(1, 2), edited(2, 3), edited(3, 3, applied=False), edited(4, 4),
        edited(5, 2, "undo", entry=2), edited(6, 9))  # fmt: skip


def parsed(text):
    return list(ET.fromstring(text).iter())  # noqa: S314  (our own text)


def dots(text):
    """Title -> (x, y, classes) of every mark of a timeline."""
    marks = [each for each in parsed(text) if each.tag.endswith("circle") and len(each)]
    return {
        each[0].text.partition(":")[0]: (
            float(each.get("cx")),
            float(each.get("cy")),
            each.get("class").split(),
        )
        for each in marks
    }


def test_the_timeline_has_every_proposal_at_its_step_and_branches_what_was_undone():
    found = dots(timeline(one(*RUN), 1000))
    spots = [found["start"], *(found[f"entry {n}, step {n}00"] for n in range(1, 7))]
    xs, ys = [x for x, _, _ in spots], [y for _, y, _ in spots]

    assert len(found) == len(RUN) + 1
    assert [x - xs[0] for x in xs] == pytest.approx([n * (xs[1] - xs[0]) for n in range(7)])
    assert ys[0] == ys[1] == ys[5] == ys[6]
    assert ys[2] == ys[3] == ys[4] > ys[0]
    assert ["undone" in kinds for _, _, kinds in spots] == [n in {2, 4} for n in range(7)]
    assert ["rejected" in kinds for _, _, kinds in spots] == [n == 3 for n in range(7)]
    assert all("architecture" in kinds for _, _, kinds in spots[1:])


def test_branches_at_the_same_time_stand_in_rows_of_their_own():
    """The first undo takes back entry 3; the second everything since entry 1, the first too."""
    agent_run = one(edited(1, 2), edited(2, 3), edited(3, 4), edited(4, 3, "undo", entry=3),
               edited(5, 1, "undo", entry=1))  # fmt: skip
    found = dots(timeline(agent_run, 600))

    heights = [found[f"entry {n}, step {n}00"][1] for n in (5, 1, 2, 4, 3)]
    assert heights[1] == heights[2] == heights[3]
    assert len({heights[0], heights[1], heights[4]}) == 3


def test_a_story_says_all_that_is_known_of_a_proposal():
    long = edited(2, 1, "undo", entry=1, genome="x" * 500)
    agent_run = lineages([started(), edited(1, 2, layer=0), long], {1: 1e-9})[0]

    assert story(agent_run.nodes[1]) == (
        "entry 1, step 100: widen(layer=0); applied, undone by entry 2; claim check: confirmed;"
        " KL 1e-09 nats; 2 parameters"
    )
    assert len(story(agent_run.nodes[2])) < 200


def keyframes(text):
    """Name -> [(share of the film, CSS)]."""
    found = re.findall(r"@keyframes (\w+)\{((?:[\d.]+%\{[^}]*\})+)\}", text)
    return {
        name: [(float(at), css) for at, css in re.findall(r"([\d.]+)%\{([^}]*)\}", body)]
        for name, body in found
    }


def test_the_film_moves_through_the_widths_of_a_layer():
    """Units 1, 2, 3, 4, 2, 9 on one scale: 9 units are as wide as anything may be."""
    text = film(one(*RUN))
    grown = [
        frames for frames in keyframes(text).values() if re.search(r"width:196px", str(frames))
    ]
    (frames,) = grown
    widths = [float(re.search(r";width:([\d.]+)px", css)[1]) for _, css in frames]

    # Every change is a pair: what was, held until then, and what is.
    assert widths[1:-1:2] == pytest.approx([196 * n / 9 for n in (1, 2, 3, 4, 2)], rel=1e-3)
    assert widths[2:-1:2] == pytest.approx([196 * n / 9 for n in (2, 3, 4, 2, 9)], rel=1e-3)
    assert [at for at, _ in frames[1:-1:2]] == pytest.approx(
        [100 * i / 6 for i in range(1, 6)], abs=0.01
    )
    assert (frames[0][0], frames[-1][0]) == (0, 100)


def test_a_film_keeps_still_for_who_wants_no_motion_and_of_who_never_changed():
    moving, still = film(one(*RUN)), film(one(edited(1, 1, applied=False)))

    assert "prefers-reduced-motion:reduce" in moving
    assert "@keyframes" not in still
    assert "Start" in still
    assert parsed(still)


def test_a_film_shows_so_many_moments_with_beginning_and_end():
    agent_run = one(*(edited(n, n + 1) for n in range(1, 100)))
    shown = moments(agent_run)

    assert len(shown) == MOST_MOMENTS
    assert (shown[0], shown[-1]) == (agent_run.start_node, agent_run.end)
    assert len(film(agent_run).encode()) < 250_000


def test_the_same_run_gives_the_same_bytes():
    assert film(one(*RUN)) == film(one(*RUN))
    assert timeline(one(*RUN), 900) == timeline(one(*RUN), 900)
