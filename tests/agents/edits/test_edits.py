"""What each edit refuses, claims, offers and does."""

import json
import math
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.contract import RefusedEditError
from agents.edits.deepen import DEEPEST, Deepen
from agents.edits.identity import Identity
from agents.edits.prune import Prune
from agents.edits.reset_dormant import ResetDormant
from agents.edits.set_learning_rate import SetLearningRate
from agents.edits.widen import WIDEST, Widen
from agents.genome import TOWERS, Architecture, Genome, Layer, LearningRule
from tests.agents.agent_states import (
    OBSERVATION,
    a_view,
    an_agent_state,
    distance,
    forward,
    genomes,
    same,
)

seeds = st.integers(0, 2**32 - 1)
SMALL = Genome(Architecture((Layer("dense", 4), Layer("residual", 3), Layer("dense", 2))))
ONE_UNIT = Genome(Architecture((Layer("dense", 1),)))


def observations(dtype=np.float64):
    return np.random.default_rng(1).standard_normal((64, OBSERVATION)).astype(dtype)


def with_rate(rate):
    return Genome(learning_rule=LearningRule(learning_rate=rate))


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (Widen(layer=3), "there is no layer 3: there are 3, from 0"),
        (Widen(layer=-1), "there is no layer -1"),
        (Widen(layer=True), "a layer is a whole number, not True"),
        (Widen(layer=1.0), "a layer is a whole number, not 1.0"),
        (Widen(units=0), "units is a whole number of at least 1, not 0"),
        (Widen(units=-4), "not -4"),
        (Widen(units=True), "not True"),
        (Widen(units=2.0), "not 2.0"),
        (Widen(units=math.nan), "not nan"),
        (Widen(units="8"), "not '8'"),
        (Deepen(after=3), "there is no layer 3"),
        (Deepen(after=-1), "there is no layer -1"),
        (Deepen(units=0), "not 0"),
        (Deepen(units=False), "not False"),
        (Prune(layer=5), "there is no layer 5"),
        (Prune(units=0), "not 0"),
        (Prune(layer=0, units=4), "layer 0 has 4 units: at most 3 can go, not 4"),
        (Prune(layer=1, units=9), "at most 2 can go, not 9"),
        (ResetDormant(layer=4, units=(0,)), "there is no layer 4"),
        (ResetDormant(), "units names at least one unit, not ()"),
        (ResetDormant(units=3), "units names at least one unit, not 3"),
        (ResetDormant(units=(4,)), "layer 0 has no unit 4: the last one is 3"),
        (ResetDormant(units=(0, -1)), "layer 0 has no unit -1"),
        (ResetDormant(units=(True,)), "layer 0 has no unit True"),
        (ResetDormant(units=(1, 2, 1)), "units names a unit twice: [1, 2, 1]"),
        (ResetDormant(units=(1,), tower="both"), "tower is policy or value, not 'both'"),
        (SetLearningRate(), "give either factor or value"),
        (SetLearningRate(factor=2.0, value=1e-3), "give either factor or value"),
        (SetLearningRate(value=0.0), "value is a finite number above 0, not 0.0"),
        (SetLearningRate(value=-1e-3), "not -0.001"),
        (SetLearningRate(value=math.nan), "not nan"),
        (SetLearningRate(value=math.inf), "not inf"),
        (SetLearningRate(value=True), "not True"),
        (SetLearningRate(value="1e-3"), "not '1e-3'"),
        (SetLearningRate(value=10**400), "value is a finite number above 0"),
        (SetLearningRate(factor=0), "factor is a finite number above 0, not 0"),
        (SetLearningRate(factor=5e-324), "a learning rate of 0.0 is out of range"),
    ],
)
def test_an_edit_that_cannot_be_done_is_refused_with_one_clear_reason(edit, reason):
    with pytest.raises(RefusedEditError) as refused:
        edit.rewrite(SMALL)

    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)
    with pytest.raises(RefusedEditError):
        edit.apply(an_agent_state(SMALL), np.random.default_rng(0))
    with pytest.raises(RefusedEditError):
        edit.claim(SMALL)


def test_a_layer_never_loses_its_last_unit():
    with pytest.raises(RefusedEditError, match="at most 0 can go"):
        Prune().rewrite(ONE_UNIT)

    assert Prune.candidates(a_view(ONE_UNIT)) == ()


EXACT = st.one_of(
    st.builds(Widen, layer=st.integers(0, 6), units=st.integers(1, 5)),
    st.builds(Deepen, after=st.integers(0, 6), units=st.integers(1, 5)),
    st.builds(SetLearningRate, factor=st.floats(0.5, 2)),
    st.just(Identity()),
)


@given(genomes, seeds, st.lists(EXACT, max_size=6))
def test_edits_that_promise_it_change_no_output_in_any_sequence(genome, seed, edits):
    rng = np.random.default_rng(seed)
    initial = agent_state = an_agent_state(genome, seed)
    for edit in edits:
        try:
            after = edit.rewrite(agent_state.genome)
        except RefusedEditError:
            continue
        agent_state = edit.apply(agent_state, rng)

        assert after == agent_state.genome
    assert distance(initial, agent_state, observations()) <= 1e-12


@given(genomes, seeds, EXACT)
def test_and_keep_their_promise_in_float32(genome, seed, edit):
    initial = an_agent_state(genome, seed, np.float32)
    try:
        promised = edit.claim(genome).max_logit_change
    except RefusedEditError:
        return
    agent_state = edit.apply(initial, np.random.default_rng(seed))

    assert distance(initial, agent_state, observations(np.float32)) <= promised


@given(genomes, seeds, st.data())
def test_pruning_what_was_just_grown_gives_back_the_agent_state_there_was(genome, seed, data):
    agent_state = an_agent_state(genome, seed)
    layer = data.draw(st.integers(0, len(genome.architecture.layers) - 1))
    units = data.draw(st.integers(1, 6))
    wider = Widen(layer, units).apply(agent_state, np.random.default_rng(seed))

    assert same(agent_state, Prune(layer, units).apply(wider, np.random.default_rng(0)))


def test_of_units_with_equal_outgoing_weights_the_newest_goes_first():
    agent_state = an_agent_state(SMALL)
    once = Widen(0, 3).apply(agent_state, np.random.default_rng(1))
    twice = Widen(0, 2).apply(once, np.random.default_rng(2))

    assert same(once, Prune(0, 2).apply(twice, np.random.default_rng(0)))


def test_pruning_takes_the_units_with_the_least_outgoing_weight_in_each_tower_by_itself():
    agent_state = an_agent_state(SMALL, 1)
    weights = {name: value.copy() for name, value in agent_state.parameters.items()}
    for tower, quiet in (("policy", [0, 2]), ("value", [1, 3])):
        weights[f"{tower}.1.inner.weight"][:, quiet] *= 1e-3
        weights[f"{tower}.2.weight"][:, quiet] *= 1e-3
    agent_state = type(agent_state)(SMALL, weights, {})

    smaller = Prune(layer=0, units=2).apply(agent_state, np.random.default_rng(0))

    np.testing.assert_array_equal(
        smaller.parameters["policy.0.weight"], weights["policy.0.weight"][[1, 3]]
    )
    np.testing.assert_array_equal(
        smaller.parameters["value.0.weight"], weights["value.0.weight"][[0, 2]]
    )


def test_resetting_the_value_tower_moves_no_logit_and_says_so():
    agent_state = an_agent_state(SMALL, 1)
    edit = ResetDormant(layer=0, units=(0, 3), tower="value")
    after = edit.apply(agent_state, np.random.default_rng(0))

    assert edit.claim(SMALL).max_logit_change == 0.0
    assert ResetDormant(layer=0, units=(0, 3)).claim(SMALL).max_logit_change is None
    np.testing.assert_array_equal(
        *(forward(m, observations())["policy"] for m in (agent_state, after))
    )
    assert not np.allclose(*(forward(m, observations())["value"] for m in (agent_state, after)))


def test_resetting_units_that_are_silent_and_without_outgoing_weight_is_exact():
    grown = Widen(0, 3).apply(an_agent_state(SMALL, 1), np.random.default_rng(0))
    fresh = ResetDormant(0, (4, 5, 6)).apply(grown, np.random.default_rng(1))

    assert distance(grown, fresh, observations()) <= 1e-12
    assert not same(grown, fresh)


def test_the_learning_rate_is_what_was_asked_for_and_the_weights_are_the_same_arrays():
    agent_state = an_agent_state(SMALL)

    halved = SetLearningRate(factor=0.5).apply(agent_state, np.random.default_rng(0))
    fixed = SetLearningRate(value=3).apply(agent_state, np.random.default_rng(0))

    assert halved.genome.learning_rule.learning_rate == 5e-4
    assert fixed.genome.learning_rule.learning_rate == 3.0
    assert all(halved.parameters[name] is value for name, value in agent_state.parameters.items())
    assert halved.moments == agent_state.moments


def test_identity_leaves_everything_to_the_bit_and_draws_nothing():
    agent_state, rng = an_agent_state(SMALL), np.random.default_rng(0)
    before = rng.bit_generator.state

    assert same(agent_state, Identity().apply(agent_state, rng))
    assert before == rng.bit_generator.state


def test_a_genome_without_layers_offers_and_takes_no_edit_of_layers():
    bare = Genome(Architecture(()))
    for kind in (Widen, Deepen, Prune, ResetDormant):
        assert kind.candidates(a_view(bare)) == ()
        with pytest.raises(RefusedEditError, match="there is no layer 0: this agent has no layers"):
            kind().rewrite(bare)


def test_candidates_stop_where_it_is_enough():
    huge = Genome(Architecture((Layer("dense", WIDEST), Layer("dense", WIDEST - 3))))
    deep = Genome(Architecture((Layer("dense", 4),) * DEEPEST))

    assert Widen.candidates(a_view(huge)) == (Widen(layer=1, units=3),)
    assert Deepen.candidates(a_view(deep)) == ()
    assert [e.factor for e in SetLearningRate.candidates(a_view(with_rate(1.5e-6)))] == [2.0]
    assert [e.factor for e in SetLearningRate.candidates(a_view(with_rate(0.09)))] == [0.5]


def test_dormant_units_are_offered_layer_by_layer_the_worst_first():
    genome = Genome(Architecture((Layer("dense", 4), Layer("dense", 4), Layer("dense", 4))))
    scores = (np.array([0, 1, 1, 1.0]), np.array([1, 1, 1, 1.0]), np.array([0.025, 1, 0, 0.026]))
    view = a_view(genome, unit_scores=scores)

    expected = (ResetDormant(layer=2, units=(0, 2)), ResetDormant(layer=0, units=(0,)))
    assert expected == ResetDormant.candidates(view)


@given(genomes, st.integers(0, 3))
def test_whatever_is_offered_can_be_done_is_few_and_survives_json(genome, dormant):
    view = a_view(genome, dormant=dormant)
    for kind in (Widen, Deepen, Prune, ResetDormant, SetLearningRate, Identity):
        offered = kind.candidates(view)

        assert len(offered) <= 8
        for edit in offered:
            edit.rewrite(genome)
            assert edit == kind(**json.loads(json.dumps(asdict(edit))))
            assert 0 <= edit.cost(genome) < 1e9


def test_cost_of_growth_is_the_orthogonalisation_of_the_new_rows_of_both_towers():
    genome = Genome(Architecture((Layer("dense", 8), Layer("dense", 4))))

    assert Widen(layer=1, units=3).cost(genome) == len(TOWERS) * 2 * 8 * 3**2
    assert Widen(layer=1, units=11).cost(genome) == len(TOWERS) * 2 * 8 * (8**2 + 3**2)
    assert Deepen(after=0, units=3).cost(genome) == len(TOWERS) * 2 * 8 * 3**2
    assert Identity().cost(genome) == 0
