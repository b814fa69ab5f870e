"""Growing and plastic editors: on a plateau and not before, where it helps, and no larger."""

from itertools import pairwise

import numpy as np
import pytest

from agents.contract import Look, RefusedEditError, Reply
from agents.editing.trends import RISING, Changes, flat, trend
from agents.editors.growing import Growing
from agents.editors.plastic import Plastic
from agents.edits.deepen import Deepen
from agents.edits.prune import Prune
from agents.edits.reset_dormant import ResetDormant
from agents.edits.widen import Widen
from agents.genome import Architecture, Genome, Layer
from tests.agents.agent_states import a_view
from tests.agents.editors.all_edits import EDITS

TWO = Genome(Architecture((Layer("dense", 4), Layer("dense", 4))))


def started(editor, seed=0):
    return editor.start(EDITS, np.random.default_rng(seed))


def agent_run(live, returns, genome=TWO, answer=True, **view):
    """(update, edit) for every proposal of a run with these returns."""
    made = []
    for update in range(1, len(returns) + 1):
        seen = a_view(genome, update=update, returns=tuple(returns[:update]), **view)
        edit = live.propose(seen)
        if edit is not None:
            made.append((update, edit))
            live.receive(Reply(edit, answer, "" if answer else "budget: no"))
    return made


# --- plateaus ------------------------------------------------------------------------------------


def test_the_trend_is_mann_kendalls():
    """By hand: of 6 pairs of (1, 3, 2, 4) five rise and one falls; variance 4 * 3 * 13 / 18."""
    assert trend([1, 3, 2, 4]) == pytest.approx((4 - 1) / (4 * 3 * 13 / 18) ** 0.5)
    assert trend([4, 2, 3, 1]) == -trend([1, 3, 2, 4])
    assert trend([1, 1, 2]) == pytest.approx((2 - 1) / ((3 * 2 * 11 - 2 * 1 * 9) / 18) ** 0.5)
    assert trend([5, 5, 5]) == trend([7]) == trend([]) == 0


def test_a_flat_curve_is_taken_for_a_rising_one_at_most_as_often_as_said():
    """4000 curves of 12: at most 5 % plus 4.5 standard errors; the statistic moves in steps."""
    curves = np.random.default_rng(0).standard_cauchy((4000, 12))
    rising = np.mean([not flat(each.tolist()) for each in curves])

    assert 0.02 < rising < 0.05 + 4.5 * (0.05 * 0.95 / 4000) ** 0.5
    assert pytest.approx(1.6449, abs=1e-4) == RISING


def test_a_rising_curve_is_no_plateau_and_a_falling_one_is():
    noise = np.random.default_rng(1).standard_normal(12)
    assert not flat((np.arange(12) + 0.5 * noise).tolist())
    assert flat((-np.arange(12) + 0.5 * noise).tolist())


# --- growing -------------------------------------------------------------------------------------


def test_it_grows_on_a_plateau_and_not_while_the_agent_learns():
    rising = [float(each) for each in range(30)]
    noise = np.random.default_rng(2).normal(30, 0.1, 40).tolist()

    assert agent_run(started(Growing(react=False)), rising) == []
    (first, edit), *more = agent_run(started(Growing(react=False)), rising + noise)
    assert 30 < first <= 42
    assert isinstance(edit, Widen)
    times = [first, *(update for update, _ in more)]
    assert all(later - former >= 12 for former, later in pairwise(times))


def test_a_plateau_begins_anew_after_a_change_if_it_reacts():
    flat_line = [1.0] * 40
    novelty = (*np.random.default_rng(1).standard_normal(20), *[9.0] * 20)

    def seen(update):
        returns, signals = tuple(flat_line[:update]), {"novelty": novelty[:update]}
        return a_view(TWO, update=update, returns=returns, signals=signals)

    def grows(react):
        live = started(Growing(window=10, react=react))
        return [update for update in range(1, 41) if live.propose(seen(update)) is not None]

    changes = Changes()
    (alarm,) = [update for update in range(1, 41) if changes.note(seen(update))]
    assert 20 < alarm < 30
    assert grows(react=False) == [10, 20, 30, 40]
    assert grows(react=True) == [10, 20, alarm + 10]


class Lacking(Look):
    """Whatever reads layer ``at`` wants something that depends on it and is not there."""

    def __init__(self, at, n=600):
        rng = np.random.default_rng(5)
        self.observations = rng.standard_normal((n, 3)).astype(np.float32)
        self._puts = [np.tanh(self.observations @ rng.standard_normal((3, 4)))]
        self._puts.append(np.tanh(self._puts[0] @ rng.standard_normal((4, 4))))
        self._slopes = [rng.standard_normal((n, 2)) for _ in range(2)]
        if at is not None:
            source = self.inputs("policy", at)
            wanted = np.tanh(source @ rng.standard_normal(source.shape[1]) + 0.5)
            self._slopes[at][:, 0] += 5 * (wanted - wanted.mean())

    def step_length(self, optimiser):
        raise NotImplementedError  # not called here

    def gradients(self):
        return {"policy.0.weight": np.ones((4, 3)), "policy.1.weight": 2 * np.ones((4, 4))}

    def inputs(self, tower, layer):
        return [self.observations, *self._puts][layer]

    def activations(self, tower, layer):
        return self._puts[layer]

    def backward(self, tower, layer):
        return [None, *self._slopes][layer]


@pytest.mark.parametrize("at", [0, 1])
def test_it_grows_where_the_network_lacks_something(at):
    for seed in range(5):
        ((_, edit),) = agent_run(
            started(Growing(), seed), [1.0] * 12, look=Lacking(at), sizes=(3, 2)
        )
        assert (edit.layer if isinstance(edit, Widen) else edit.after) == at


def test_where_nothing_is_lacking_it_stays_as_it_is():
    live = started(Growing(least_score=1.5))
    assert agent_run(live, [1.0] * 30, look=Lacking(None), sizes=(3, 2)) == []
    assert live.flops() > 0
    assert live.flops() == 0
    assert all(score < 1.5 for *_, score in live.state()["scores"])


def test_a_look_that_shows_no_scores_leaves_the_steepest_layer():
    class Blind(Lacking):
        def backward(self, tower, layer):
            raise LookupError

    ((_, edit),) = agent_run(started(Growing()), [1.0] * 12, look=Blind(0), sizes=(3, 2))
    assert edit == Widen(layer=1, units=2)
    ((_, edit),) = agent_run(started(Growing()), [1.0] * 12)
    assert edit == Widen(layer=0, units=2)


def test_it_stays_within_its_parameters():
    """4 + 4 units on 3 inputs and 2 actions are 46 + 41 parameters; two units more are 18 each."""
    view = {"look": Lacking(0), "sizes": (3, 2)}
    assert agent_run(started(Growing(max_parameters=87)), [1.0] * 12, **view) == []
    assert agent_run(started(Growing(max_parameters=500)), [1.0] * 12, **view) != []


def test_it_grows_while_there_is_compute_and_shrinks_when_there_is_not():
    def first(left, **settings):
        seen = {"flops": 1e6, "flops_left": left * 1e6}
        return next(
            iter(agent_run(started(Growing(**settings)), [1.0] * 12, TWO, **seen)), (0, None)
        )[1]

    assert isinstance(first(3.0), Widen)
    assert first(0.2) is None  # a sixth of the whole: too little to grow, too much to shrink
    assert isinstance(first(0.01), Prune)
    assert isinstance(first(0.0), Prune)
    assert first(0.01, min_parameters=10_000) is None
    assert first(0.2, shrink_below=0.5) == Prune(layer=0, units=1)


def test_growing_needs_something_to_grow_by():
    with pytest.raises(ValueError, match="'widen' or 'deepen'"):
        Growing().start({"prune": Prune}, np.random.default_rng(0))
    only = Growing().start({"deepen": Deepen}, np.random.default_rng(0))
    ((_, edit),) = agent_run(only, [1.0] * 12, look=Lacking(0), sizes=(3, 2))
    assert isinstance(edit, Deepen)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (Growing, {"window": 3}),
        (Growing, {"grow_above": 2}),
        (Growing, {"least_score": -1}),
        (Growing, {"max_parameters": 0}),
        (Plastic, {"every_updates": 0}),
        (Plastic, {"dormancy": -0.1}),
        (Plastic, {"rest": 0}),
    ],
)
def test_bad_settings_are_refused_by_name(kind, settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        kind(**settings)


@pytest.mark.parametrize(("kind", "name"), [(Growing, "window"), (Plastic, "rest")])
def test_numbers_may_be_rewritten_in_a_living_editor(kind, name):
    live = started(kind())
    live.adopt(kind(**{name: 5}))
    assert live.settings() == kind(**{name: 5})
    with pytest.raises(RefusedEditError):
        live.adopt(kind(react=False))
    with pytest.raises(RefusedEditError):
        live.adopt(Growing() if kind is Plastic else Plastic())


# --- plastic -------------------------------------------------------------------------------------


def dormant(count, update, **view):
    return a_view(TWO, update=update, dormant=count, returns=(1.0,) * update, **view)


def turns(live, counts, **view):
    made = {}
    for update, count in enumerate(counts, 1):
        edit = live.propose(dormant(count, update, **view))
        if edit is not None:
            made[update] = edit
    return made


def test_it_wakes_the_dormant_at_fixed_times():
    made = turns(started(Plastic(every_updates=5, dormancy=1.0)), [1] * 16)
    assert made == dict.fromkeys((5, 10, 15), ResetDormant(layer=0, units=(0,)))


def test_it_comes_at_once_where_too_many_sleep_but_rests_in_between():
    counts = [0, 0, 1, 2, 2, 2, 2, 2]
    made = turns(started(Plastic(every_updates=100, dormancy=0.4, rest=3)), counts)
    assert made == dict.fromkeys((4, 7), ResetDormant(layer=0, units=(0, 1)))


def test_it_comes_at_once_after_a_change_if_it_reacts():
    novelty = (*np.random.default_rng(1).standard_normal(20), *[9.0] * 10)

    def found(react):
        live = started(Plastic(every_updates=100, dormancy=1.0, react=react))
        views = [
            dormant(1, update, signals={"novelty": novelty[:update]}) for update in range(1, 31)
        ]
        return [view.update for view in views if live.propose(view) is not None]

    assert found(react=False) == []
    (update,) = found(react=True)
    assert 20 < update <= 28


def test_it_leaves_the_topology_alone_and_does_without_what_the_part_folder_lacks():
    assert turns(started(Plastic(edits=("widen", "no_such_edit"), every_updates=1)), [2] * 9) == {}
    live = Plastic(every_updates=1).start({}, np.random.default_rng(0))
    assert turns(live, [2] * 9) == {}
