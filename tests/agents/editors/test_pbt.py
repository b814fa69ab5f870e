"""Population based training: the paper's toy, who copies whom, and what a copy is."""

import importlib.util
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.contract import EditEvidence, RefusedEditError, Reply
from agents.editing.exploitation import drawn_leader
from agents.editors.pbt import Pbt
from agents.edits.copy_peer import CopyPeer
from agents.genome import EditorGene, Genome, LearningRule
from sandbox.catalogue import catalogue
from sandbox.gate.gate import Gate
from sandbox.record import events
from tests.agents.agent_states import a_view, an_agent_state, genomes, same
from tests.agents.learners.test_population import agent_run, trained

PATH = Path(__file__).resolve().parents[3] / "benchmarks" / "pbt_toy.py"
FOUND = importlib.util.spec_from_file_location("pbt_toy", PATH)
TOY = importlib.util.module_from_spec(FOUND)
FOUND.loader.exec_module(TOY)

EDITS = {name: part.load() for name, part in catalogue().parts("edits").items()}
FAST = Genome(learning_rule=LearningRule(learning_rate=0.01, entropy_coefficient=0.02))


# --- the toy -----------------------------------------------------------------------------------

PUBLISHED = {"PBT": 1.198, "explore only": 1.169, "exploit only": 0.390, "grid search": 0.390}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_toy_of_the_paper_lands_where_it_should(name):
    """The known figures lie between the 5 % and 95 % quantiles of 100 seeds of ours."""
    low, high = np.quantile(TOY.arm(*TOY.ARMS[name], seeds=100), [0.05, 0.95])

    assert low - 5e-4 <= PUBLISHED[name] <= high + 5e-4


def test_in_the_toy_both_halves_are_needed():
    found = {name: TOY.arm(*arm, seeds=100) for name, arm in TOY.ARMS.items()}

    assert (found["PBT"] >= found["explore only"]).mean() > 0.9
    assert np.median(found["PBT"]) > 1.195
    assert np.ptp(found["grid search"]) == 0.0  # 1.2 - 0.81 - (0.9 * 0.98^200)^2
    assert found["grid search"][0] == pytest.approx(0.39 - (0.9 * 0.98**200) ** 2)


# --- who copies whom ---------------------------------------------------------------------------


def drawn(own, peers, share=0.25, seed=0):
    return drawn_leader(own, peers, share, np.random.default_rng(seed))


def test_the_worst_quarter_copies_one_of_the_best():
    peers = {"a": 3.0, "b": 2.0, "c": 1.0}

    assert drawn(0.0, peers) == "a"
    assert drawn(1.5, peers) is None
    assert drawn(4.0, peers) is None
    assert {drawn(0.0, peers | {"d": 3.0}, seed=s) for s in range(20)} == {"a", "d"}
    assert drawn(1.0, {"a": 1.0}) is None
    assert drawn(0.0, {}) is None


@given(st.lists(st.integers(0, 5), min_size=1, max_size=9), st.floats(0.01, 0.5))
def test_an_agent_that_is_copied_stays_as_it_is(scores, share):
    """So the order in which members are asked makes no difference."""
    of = {str(k): float(score) for k, score in enumerate(scores)}
    copies = {
        name: drawn(score, {k: v for k, v in of.items() if k != name}, share)
        for name, score in of.items()
    }
    copied = {name for name in copies.values() if name}

    assert not copied & {name for name, leader in copies.items() if leader}
    assert all(of[leader] > of[name] for name, leader in copies.items() if leader)
    if len(set(scores)) == len(scores):
        count = max(1, int(share * len(scores)))
        assert sum(leader is not None for leader in copies.values()) == (
            count if len(scores) > 1 else 0
        )


# --- the editor --------------------------------------------------------------------------------


def view(own, update=10, **peers):
    """What a member sees that had ``own`` return at every update; peers are of genome FAST."""
    return a_view(
        Genome(),
        update=update,
        returns=(own,) * update,
        peers={name: (each,) * update for name, each in peers.items()},
        peer_genomes=dict.fromkeys(peers, FAST),
    )


def editor(seed=0, **settings):
    return Pbt(**settings).start(EDITS, np.random.default_rng(seed))


def test_the_worst_proposes_a_perturbed_copy_when_it_is_ready():
    assert editor().propose(view(0.0, update=9, a=1.0)) is None
    edit = editor().propose(view(0.0, a=1.0, b=2.0, c=0.5))

    assert isinstance(edit, CopyPeer)
    assert edit.peer == "b"
    rule = edit.rewrite(Genome()).learning_rule
    assert rule.learning_rate / 0.01 in (0.8, 1.2)
    assert rule.entropy_coefficient / 0.02 == pytest.approx(0.8) or (
        rule.entropy_coefficient / 0.02 == pytest.approx(1.2)
    )
    assert replace(rule, learning_rate=0.01, entropy_coefficient=0.02) == FAST.learning_rule


def test_all_others_and_a_lone_agent_rest():
    assert editor().propose(view(3.0, a=1.0, b=2.0)) is None
    assert editor().propose(view(1.5, a=1.0, b=2.0)) is None
    assert editor().propose(view(0.0)) is None
    assert editor().propose(view(None, a=1.0)) is None
    assert editor().propose(view(0.0, a=None)) is None


def test_factors_are_drawn_evenly_and_independently():
    """400 pairs: each of four outcomes 100 times, standard deviation 9."""
    live = editor()
    seen = [dict(live.propose(view(0.0, a=1.0)).numbers) for _ in range(400)]
    pairs = [(each["learning_rate"] > 0.01, each["entropy_coefficient"] > 0.02) for each in seen]

    assert all(abs(pairs.count((a, b)) - 100) < 40 for a in (True, False) for b in (True, False))


def test_numbers_stay_within_what_is_offered_and_zero_rests():
    slow = Genome(learning_rule=LearningRule(learning_rate=1e-6, entropy_coefficient=0.0))
    seen = replace(view(0.0, a=1.0), peer_genomes={"a": slow})
    found = [dict(editor(s, factors=(0.5,)).propose(seen).numbers) for s in range(5)]

    assert found == [{"learning_rate": 1e-6}] * 5


def test_it_is_charged_for_its_draws_once():
    live = editor()
    live.propose(view(0.0, a=1.0))

    assert live.flops() > 0
    assert live.flops() == 0


def test_it_remembers_whom_it_copied_and_may_be_edited_itself():
    live = editor()
    edit = live.propose(view(0.0, a=1.0))
    live.receive(Reply(edit, False, "budget"))
    assert live.state() == {"copied": []}
    live.receive(Reply(edit, True, ""))
    assert live.state() == {"copied": ["a"]}
    live.adopt(Pbt(every_updates=4))
    assert live.settings() == Pbt(every_updates=4)
    with pytest.raises(RefusedEditError, match="only every_updates and share"):
        live.adopt(Pbt(factors=(2.0,)))


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"every_updates": 0}, "every_updates is at least 1"),
        ({"share": 0.6}, "share is above 0"),
        ({"factors": ()}, "factors are one or more"),
        ({"factors": (0.0,)}, "factors are one or more"),
        ({"window": 0}, "window is at least 1"),
        ({"numbers": ("speed",)}, "numbers knows .* not 'speed'"),
    ],
)
def test_settings_that_mean_nothing_are_named(settings, reason):
    with pytest.raises(ValueError, match=reason):
        Pbt(**settings)


def test_it_needs_its_edit():
    with pytest.raises(ValueError, match="needs the edit 'copy_peer'"):
        Pbt().start({}, np.random.default_rng(0))


# --- the edit ----------------------------------------------------------------------------------


def seeing(**peers):
    return EditEvidence(None, lambda _: None, {k: (lambda v=v: v) for k, v in peers.items()})


@given(genomes, genomes)
def test_a_copy_has_the_peers_agent_state_and_its_own_rest(mine, other):
    mine = replace(mine, objective=(("rnd", 2.0),), editor=EditorGene.of("pbt", {"share": 0.5}))
    agent_state, peer = an_agent_state(mine), an_agent_state(other, seed=1)
    edit = CopyPeer.of("a", other, (("learning_rate", 0.05),))
    after = edit.apply_seeing(agent_state, np.random.default_rng(0), seeing(a=peer))

    assert after.genome == edit.rewrite(mine)
    assert after.genome.objective == mine.objective
    assert after.genome.editor == mine.editor
    assert same(replace(after, genome=other), peer)
    assert edit == CopyPeer(**json.loads(json.dumps(asdict(edit))))


def test_refusals_have_clear_reasons():
    agent_state, chance = an_agent_state(Genome()), np.random.default_rng(0)
    edit = CopyPeer.of("a", FAST)
    cases = [
        (edit, seeing(b=an_agent_state(FAST)), "no peer 'a', only b"),
        (edit, seeing(), "no peer 'a', only none"),
        (edit, seeing(a=an_agent_state(Genome())), "peer 'a' is not as it was"),
        (CopyPeer("a", "{"), seeing(a=agent_state), "'genome' is not the JSON text of a genome"),
        (CopyPeer.of("a", FAST, (("speed", 1.0),)), seeing(a=agent_state), "no number 'speed'"),
        (CopyPeer.of("a", FAST, (("discount", 2.0),)), seeing(a=agent_state), "discount must be"),
        (replace(edit, editor="[1]"), seeing(a=agent_state), "'editor' is not the JSON text"),
    ]
    for each, evidence, reason in cases:
        with pytest.raises(RefusedEditError, match=reason):
            each.apply_seeing(agent_state, chance, evidence)
    with pytest.raises(RefusedEditError, match="needs the agent states of the population"):
        edit.apply(agent_state, chance)


def test_better_peers_are_offered_to_other_editors():
    assert CopyPeer.candidates(view(1.0, a=0.0, b=2.0, c=3.0)) == (
        CopyPeer.of("b", FAST),
        CopyPeer.of("c", FAST),
    )
    assert CopyPeer.candidates(a_view(Genome())) == ()


def test_each_part_that_a_copy_changes_may_be_protected():
    grown = replace(FAST, architecture=replace(FAST.architecture, activation="relu"))

    def judged(edit, *protect):
        return Gate(protect=protect).judge(edit, Genome(), (4, 3), 0.0, 0)

    assert judged(CopyPeer.of("a", grown)).allowed
    assert not judged(CopyPeer.of("a", grown), "architecture").allowed
    assert judged(CopyPeer.of("a", FAST), "architecture").allowed
    assert not judged(CopyPeer.of("a", FAST), "learning_rule").allowed


def test_a_live_copy_behaves_exactly_as_its_peer_and_goes_on_with_its_optimiser():
    population, _ = trained(2)
    one, other = population.learners.values()
    peer = other.agent_state()
    edit = CopyPeer.of("member_1", other.effective())
    one.install(
        edit.apply_seeing(one.agent_state(), np.random.default_rng(0), seeing(member_1=peer))
    )
    seen = other.recent_observations(64)

    assert np.max(np.abs(one.logits(seen) - other.logits(seen))) == 0.0
    assert np.max(np.abs(one.values(seen) - other.values(seen))) == 0.0
    assert same(one.agent_state(), peer)
    assert one.agent_state().moments
    population.update()
    assert not same(one.agent_state(), other.agent_state())  # own rows, own chance


# --- in the laboratory -------------------------------------------------------------------------


def population_based():
    return agent_run(
        editor={"pbt": {"every_updates": 2, "factors": [0.8, 1.2]}},
        settings={"members": 4, "total_steps": 2000},
        probes={"held_out": {"episodes": 2, "every_updates": 100}},
    )


@pytest.fixture(scope="module")
def notes():
    return population_based()


def test_a_trial_with_pbt_copies_and_every_copy_is_confirmed(notes):
    made = notes.of(events.Edited)

    assert made
    assert {each.edit for each in made} == {"copy_peer"}
    assert all(each.applied and each.audit == "confirmed" for each in made)
    assert all(each.update % 2 == 0 for each in made)
    rates = dict.fromkeys(notes.of(events.TrialStarted)[0].agents, 1e-3)
    for each in made:  # the peer's of that moment, times a factor
        rate = each.genome["learning_rule"]["learning_rate"]
        assert round(rate / rates[each.settings["peer"]], 9) in (0.8, 1.2)
        rates[each.agent] = rate


def test_the_ledger_holds_whom_and_what_was_copied(notes):
    for entry in (each for each in notes.entries() if each["kind"] == "proposal"):
        assert entry["settings"]["peer"] != entry["agent"]
        assert entry["optimiser"]["after"] > 0
        assert entry["weights_before"] != entry["weights_after"]
        Genome.from_json(json.loads(entry["settings"]["genome"]))


def test_the_same_spec_gives_the_same_bytes_with_copies(notes):
    again = population_based()

    assert again.lines == notes.lines
    assert again.tensors == notes.tensors
