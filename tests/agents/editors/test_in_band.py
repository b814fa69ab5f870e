"""Requests made in the world are met: the right ones, often enough, and no more than that."""

from collections import Counter

import numpy as np
import pytest

from agents.contract import RefusedEditError, Reply
from agents.editors.fixed import Fixed
from agents.editors.in_band import InBand
from agents.edits.deepen import Deepen
from agents.edits.prune import Prune
from agents.edits.widen import Widen
from agents.genome import Architecture, Genome, Layer
from tests.agents.agent_states import a_view
from tests.agents.editors.all_edits import EDITS

ASKED = ("widen", "deepen", "prune")
KEPT = {"edits": ASKED, "rule": "keep_all"}


def listener(seed=0, **settings):
    return InBand(**(KEPT | settings)).start(EDITS, np.random.default_rng(seed))


def proposed(live, *requests, update=1, genome=None):
    return live.propose(a_view(genome or Genome(), update=update, requests=requests))


@pytest.mark.parametrize(
    ("requests", "kind"),
    [((3, 2, 0), Widen), ((0, 1, 0), Deepen), ((1, 2, 9), Prune), ((0, 0, 1, 50), Prune)],
)
def test_what_is_asked_for_most_is_proposed(requests, kind):
    assert type(proposed(listener(), *requests)) is kind


@pytest.mark.parametrize("requests", [(), (0, 0, 0), (4, 4, 4), (0, 0, 0, 99)])
def test_less_than_the_threshold_is_ignored(requests):
    assert proposed(listener(threshold=5), *requests) is None


def test_ties_and_candidates_are_drawn_from_the_editors_stream():
    """Of 400 ties of two, 200 +- 4.5 standard deviations go to each; likewise the two layers."""
    found = [proposed(listener(seed), 7, 7, 2) for seed in range(400)]
    kinds = Counter(type(each) for each in found)
    layers = Counter(each.layer for each in found if isinstance(each, Widen))

    assert set(kinds) == {Widen, Deepen}
    assert abs(kinds[Widen] - 200) < 4.5 * 10
    assert abs(layers[0] - kinds[Widen] / 2) < 4.5 * (kinds[Widen] / 4) ** 0.5
    assert found == [proposed(listener(seed), 7, 7, 2) for seed in range(400)]


def test_what_cannot_be_done_now_is_passed_over():
    narrow = Genome(Architecture((Layer("dense", 1),)))
    assert type(proposed(listener(), 1, 0, 9, genome=narrow)) is Widen
    assert proposed(listener(), 0, 0, 9, genome=narrow) is None


@pytest.mark.parametrize("applied", [True, False])
def test_after_an_edit_it_cools_down(applied):
    live = listener(cool_down=3)
    edit = proposed(live, 1, 0, 0, update=1)
    live.receive(Reply(edit, applied, "" if applied else "budget: no"))

    received = [update for update in range(2, 8) if proposed(live, 1, 0, 0, update=update)]
    assert received[0] == 5
    assert live.state()["asked_and_met"] == [
        ["widen", 7, int(applied)],
        ["deepen", 0, 0],
        ["prune", 0, 0],
    ]


def test_what_was_asked_is_not_kept_for_the_next_time():
    live = listener(threshold=5)
    assert [proposed(live, 3, 0, 0, update=update) for update in (1, 2, 3)] == [None] * 3


def test_an_edit_that_did_not_help_is_undone_before_the_next():
    live = InBand(edits=ASKED).start(EDITS, np.random.default_rng(0))
    made = []
    for update in range(1, 9):
        returns = tuple([5.0] * min(update, 3) + [1.0] * max(update - 3, 0))
        requests = (1, 0, 0) if update in (3, 8) else (0, 0, 0)
        edit = live.propose(a_view(Genome(), update=update, returns=returns, requests=requests))
        if edit is not None:
            made.append((update, type(edit).__name__))
            live.receive(Reply(edit, applied=True, reason="", entry=7))

    assert made == [(3, "Widen"), (8, "Undo")]
    assert live.state()["asked_and_met"][0] == ["widen", 2, 1]
    assert live.state()["story"]["undone"] == 1


def test_its_numbers_may_be_rewritten_and_nothing_else():
    live = listener(threshold=5)
    live.adopt(InBand(threshold=1, **KEPT))
    assert live.settings() == InBand(threshold=1, **KEPT)
    assert proposed(live, 3, 0, 0) is not None
    for other in (InBand(edits=("widen",), rule="keep_all"), InBand(edits=ASKED), Fixed()):
        with pytest.raises(RefusedEditError):
            live.adopt(other)
    assert live.settings() == InBand(threshold=1, **KEPT)


def test_bad_settings_are_refused_by_name():
    for settings in ({"threshold": 0}, {"cool_down": -1}, {"threshold": 1.5}):
        with pytest.raises(ValueError, match=next(iter(settings))):
            InBand(**settings)
    with pytest.raises(ValueError, match="no edit is called 'sing'"):
        listener(edits=("sing",))
