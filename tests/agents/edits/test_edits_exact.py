"""Edits that say they change nothing change nothing, whatever the genome and whatever came before.

In float64 by the book, on random genomes of all kinds of layers and random sequences of edits.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.architecture.initial import trainable
from agents.architecture.validity import state_problems
from agents.contract import AgentState, RefusedEditError
from agents.edits.merge import Merge
from agents.edits.prune import Prune
from agents.edits.split_expert import SplitExpert
from agents.edits.widen import Widen
from agents.edits.widen_net2net import WidenNet2net
from agents.edits.widen_normed import WidenNormed
from agents.genome import Architecture, Genome, Layer
from agents.surgery.net2net import replicate
from sandbox.catalogue import catalogue
from tests.agents.agent_states import (
    ACTIONS,
    OBSERVATION,
    a_view,
    an_agent_state,
    any_genomes,
    distance,
    forward,
    frozen_copy,
    same,
)

EDITS = {name: part.load() for name, part in catalogue().parts("edits").items()}
EXACT = 1e-12
SEEN = np.random.default_rng(0).standard_normal((24, 3 * OBSERVATION * 8))


def seen_by(agent_state: AgentState):
    """Observations of the right width: the first columns are the newest."""
    return SEEN[:, : OBSERVATION * agent_state.genome.architecture.history]


def offers(genome: Genome):
    view = a_view(genome, sizes=(OBSERVATION, ACTIONS))
    found = [each for kind in EDITS.values() for each in kind.candidates(view)]
    return [each for each in found if each.part == "architecture"]


def quiet(edit):
    """The exact form of an edit that can be noisy."""
    if isinstance(edit, WidenNet2net):
        return WidenNet2net(edit.layer, edit.units)
    if isinstance(edit, SplitExpert):
        return SplitExpert(edit.layer, edit.expert)
    return edit


@settings(max_examples=40, deadline=None)
@given(any_genomes, st.integers(0, 2**31), st.data())
def test_a_random_run_of_edits_is_exact_where_it_claims_to_be_and_always_sound(genome, seed, data):
    agent_state, rng = an_agent_state(genome, seed), np.random.default_rng(seed)
    for _ in range(data.draw(st.integers(1, 5))):
        choices = offers(agent_state.genome)
        if not choices:
            return
        edit = quiet(data.draw(st.sampled_from(choices)))
        before = frozen_copy(agent_state)
        after = edit.apply(before, rng)
        assert after.genome == edit.rewrite(agent_state.genome)
        assert state_problems(after, OBSERVATION, ACTIONS) == ()
        claim = edit.claim(agent_state.genome)
        if claim.max_logit_change is not None:
            old, new = forward(before, seen_by(before)), forward(after, seen_by(after))
            for tower in old if edit.part == "architecture" else ():
                scale = max(1.0, np.abs(old[tower]).max())
                assert np.abs(old[tower] - new[tower]).max() <= EXACT * scale, edit
        agent_state = after


@settings(max_examples=40, deadline=None)
@given(any_genomes, st.integers(0, 2**31))
def test_every_refusal_names_a_reason_in_one_line(genome, seed):
    agent_state = an_agent_state(genome, seed)
    layers = range(len(genome.architecture.layers) + 1)
    for kind in EDITS.values():
        names = [n for n in kind.__dataclass_fields__ if n in {"layer", "after", "before"}]
        for edit in [kind(**dict.fromkeys(names, i)) for i in layers] if names else [kind()]:
            reason = _refusal(edit, agent_state)
            if reason is None:
                after = edit.apply(agent_state, np.random.default_rng(0))
                assert after.genome == edit.rewrite(genome)
            else:
                assert reason.strip()
                assert "\n" not in reason


def _refusal(edit, agent_state):
    try:
        edit.apply(agent_state, np.random.default_rng(0))
    except RefusedEditError as refusal:
        return str(refusal)
    return None


@settings(max_examples=40, deadline=None)
@given(any_genomes, st.integers(0, 2**31), st.integers(1, 4), st.data())
def test_split_then_merge_is_the_identity(genome, seed, units, data):
    plain = [
        i for i, each in enumerate(genome.architecture.layers) if _can(WidenNet2net, genome, i)
    ]
    if not plain:
        return
    index = data.draw(st.sampled_from(plain))
    agent_state = an_agent_state(genome, seed)
    wider = WidenNet2net(index, units).apply(agent_state, np.random.default_rng(seed))
    back = Merge(index, units).apply(wider, np.random.default_rng(0))
    assert back.genome == agent_state.genome
    for name, value in agent_state.parameters.items():
        assert np.allclose(back.parameters[name], value, rtol=1e-12, atol=1e-13)
    for name, moment in agent_state.moments.items():
        assert np.allclose(back.moments[name].first, moment.first, rtol=1e-9, atol=1e-12)
        assert np.allclose(back.moments[name].second, moment.second, rtol=1e-9, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(any_genomes, st.integers(0, 2**31), st.integers(1, 4), st.data())
def test_widening_then_pruning_the_new_units_is_the_identity_to_the_bit(genome, seed, units, data):
    dense = all(each.density == 1 for each in genome.architecture.layers)
    plain = [i for i, each in enumerate(genome.architecture.layers) if _can(Widen, genome, i)]
    if not plain or not dense:
        return
    index = data.draw(st.sampled_from(plain))
    agent_state = an_agent_state(genome, seed)
    wider = Widen(index, units).apply(agent_state, np.random.default_rng(seed))
    assert same(Prune(index, units).apply(wider, np.random.default_rng(0)), agent_state)


def _can(kind, genome, index):
    try:
        kind(index, 1).rewrite(genome)
    except RefusedEditError:
        return False
    return True


def test_uneven_replication_under_a_norm_is_noticed_and_even_is_not():
    genome = Genome(Architecture((Layer("dense", 6), Layer("norm", 6), Layer("dense", 4))))
    agent_state = an_agent_state(genome)
    even = WidenNormed(0, 3).apply(agent_state, np.random.default_rng(0))
    uneven = replicate(agent_state, 0, np.array([0, 1, 2, 3, 4, 5, 0, 0, 1]))
    assert distance(agent_state, even, SEEN[:, :OBSERVATION]) < EXACT
    assert distance(agent_state, uneven, SEEN[:, :OBSERVATION]) > 1e-3
    with pytest.raises(RefusedEditError, match="norm reads layer 0"):
        Widen(0, 2).apply(agent_state, np.random.default_rng(0))


def test_frozen_layers_have_no_state_and_what_is_fresh_has_none_yet():
    genome = Genome(Architecture((Layer("dense", 6), Layer("dense", 4))))
    after = EDITS["inject_plasticity"](1).apply(an_agent_state(genome), np.random.default_rng(0))
    assert not [name for name in after.moments if name.split(".")[1] == "1"]
    learns = {name for name in after.parameters if trainable(after.genome, name)}
    assert {n for n in learns if ".1." in n} == {
        f"{tower}.1.fresh.0.{leaf}" for tower in ("policy", "value") for leaf in ("weight", "bias")
    }
