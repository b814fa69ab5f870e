"""Surgery moves weights and moments without changing what it must not change."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.contract import AgentState
from agents.genome import TOWERS, Architecture, Genome, Layer
from agents.models.orthogonal import orthogonal
from agents.surgery import weights as surgery
from agents.surgery.layers import insert_block, remove_layer
from tests.agents.agent_states import (
    ACTIONS,
    OBSERVATION,
    an_agent_state,
    distance,
    forward,
    frozen_copy,
    genomes,
    gradients,
    same,
    shapes,
)

seeds = st.integers(0, 2**32 - 1)
STREAM = Genome(
    Architecture((Layer("dense", 4), Layer("residual", 3), Layer("residual", 2), Layer("dense", 3)))
)


def some_observations(dtype=np.float64, n=64):
    return np.random.default_rng(1).standard_normal((n, OBSERVATION)).astype(dtype)


def a_layer(data, agent_state):
    return data.draw(st.integers(0, len(agent_state.genome.architecture.layers) - 1), label="layer")


def an_exact_operation(data, agent_state, rng):
    layer, units = a_layer(data, agent_state), data.draw(st.integers(1, 5), label="units")
    if data.draw(st.booleans(), label="grow"):
        return surgery.grow_units(agent_state, layer, units, rng)
    return insert_block(agent_state, layer, units, rng)


@given(genomes, seeds, st.data())
def test_growth_and_new_blocks_change_no_output_however_often_they_are_mixed(genome, seed, data):
    rng = np.random.default_rng(seed)
    initial = agent_state = an_agent_state(genome, seed)
    for _ in range(data.draw(st.integers(1, 5), label="operations")):
        agent_state = an_exact_operation(data, agent_state, rng)

        assert {name: value.shape for name, value in agent_state.parameters.items()} == shapes(
            agent_state.genome
        )
        assert all(
            agent_state.parameters[n].shape == m.first.shape for n, m in agent_state.moments.items()
        )
        assert all(
            agent_state.parameters[n].shape == m.second.shape
            for n, m in agent_state.moments.items()
        )
    assert distance(initial, agent_state, some_observations()) <= 1e-12


@given(genomes, seeds, st.data())
def test_in_float32_too_up_to_rounding_and_in_float32_only(genome, seed, data):
    initial = an_agent_state(genome, seed, np.float32)
    agent_state = an_exact_operation(data, initial, np.random.default_rng(seed))

    assert {value.dtype for value in agent_state.parameters.values()} == {np.dtype(np.float32)}
    assert {m.second.dtype for m in agent_state.moments.values()} == {np.dtype(np.float32)}
    assert distance(initial, agent_state, some_observations(np.float32)) <= 1e-5


@given(genomes, seeds, st.data())
def test_dropping_what_was_grown_and_removing_what_was_inserted_is_undoing(genome, seed, data):
    rng = np.random.default_rng(seed)
    agent_state = an_agent_state(genome, seed)
    layer, units = a_layer(data, agent_state), data.draw(st.integers(1, 5), label="units")
    old = genome.architecture.layers[layer].units
    new = np.arange(old, old + units)

    wider = surgery.grow_units(agent_state, layer, units, rng)
    deeper = insert_block(agent_state, layer, units, rng)

    assert same(agent_state, surgery.drop_units(wider, layer, dict.fromkeys(TOWERS, new)))
    assert same(agent_state, remove_layer(deeper, layer + 1))


@given(genomes, seeds, st.data())
def test_the_agent_state_operated_on_stays_as_it_was(genome, seed, data):
    rng = np.random.default_rng(seed)
    agent_state = an_agent_state(genome, seed)
    layer = a_layer(data, agent_state)
    before = frozen_copy(agent_state)

    surgery.grow_units(agent_state, layer, 2, rng)
    insert_block(agent_state, layer, 2, rng)
    surgery.reset_units(agent_state, layer, "policy", np.array([0]), rng)
    surgery.drop_units(agent_state, layer, dict.fromkeys(TOWERS, np.array([0])))

    assert same(before, agent_state)


@pytest.mark.parametrize("layer", range(4))
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_widening_leaves_old_gradients_alone_and_lets_new_units_learn_their_outgoing_weights(
    layer, activation
):
    genome = Genome(Architecture(STREAM.architecture.layers, activation))
    agent_state = an_agent_state(genome, 3)
    wider = surgery.grow_units(agent_state, layer, 4, np.random.default_rng(0))
    observations = some_observations(n=16)
    rng = np.random.default_rng(2)
    pull = {
        t: rng.standard_normal(out.shape) for t, out in forward(agent_state, observations).items()
    }

    before, after = gradients(agent_state, observations, pull), gradients(wider, observations, pull)

    for name, old in before.items():
        kept = after[name][tuple(slice(size) for size in old.shape)]
        np.testing.assert_allclose(kept, old, rtol=1e-12, atol=1e-12)
    for tower in TOWERS:
        received = [
            s for s in surgery.seats(genome.architecture, layer, tower) if s.role == "outgoing"
        ]
        new = [after[s.name][:, -4:] for s in received]
        listens = sum(np.abs(each).sum(axis=0) for each in new) > 0
        assert np.all(listens) if activation == "tanh" else np.any(listens)  # ReLU may be off


@pytest.mark.parametrize("layer", range(4))
def test_moments_of_old_weights_are_kept_and_of_new_ones_are_zero_and_mean(layer):
    agent_state = an_agent_state(STREAM, 5)
    wider = surgery.grow_units(agent_state, layer, 3, np.random.default_rng(0))

    for seat in surgery.seats(STREAM.architecture, layer, "value"):
        old, new = agent_state.moments[seat.name], wider.moments[seat.name]
        kept = tuple(slice(size) for size in old.first.shape)
        added = (slice(None),) * seat.axis + (slice(-3, None),)
        np.testing.assert_array_equal(new.first[kept], old.first)
        np.testing.assert_array_equal(new.second[kept], old.second)
        np.testing.assert_array_equal(new.first[added], 0.0)
        np.testing.assert_allclose(new.second[added], old.second.mean(), rtol=1e-12)
        assert new.step == old.step


def test_a_new_block_starts_without_moments_and_later_layers_take_theirs_along():
    agent_state = an_agent_state(STREAM, 5)
    deeper = insert_block(agent_state, 0, 3, np.random.default_rng(0))

    assert not [name for name in deeper.moments if name.startswith(("policy.1.", "value.1."))]
    assert deeper.moments["policy.4.weight"] is agent_state.moments["policy.3.weight"]
    assert deeper.parameters["value.2.outer.bias"] is agent_state.parameters["value.1.outer.bias"]
    assert deeper.parameters["value.head.weight"] is agent_state.parameters["value.head.weight"]


def test_agent_states_that_were_never_stepped_can_be_operated_on():
    agent_state = an_agent_state(STREAM, stepped=False)
    rng = np.random.default_rng(0)

    assert surgery.grow_units(agent_state, 0, 2, rng).moments == {}
    assert insert_block(agent_state, 0, 2, rng).moments == {}
    assert surgery.reset_units(agent_state, 0, "value", np.array([1]), rng).moments == {}
    assert surgery.drop_units(agent_state, 0, dict.fromkeys(TOWERS, np.array([1]))).moments == {}


@given(genomes, seeds, st.data())
def test_dropping_is_the_same_as_zero_outgoing_weights(genome, seed, data):
    """Deleting units gives the outputs of all units with the outgoing weights of these at 0."""
    agent_state = an_agent_state(genome, seed)
    layer = a_layer(data, agent_state)
    units = genome.architecture.layers[layer].units
    count = data.draw(st.integers(0, units - 1), label="count")
    rng = np.random.default_rng(seed)
    dropped = {tower: np.sort(rng.choice(units, count, replace=False)) for tower in TOWERS}
    parameters = {name: value.copy() for name, value in agent_state.parameters.items()}
    for tower in TOWERS:
        for seat in surgery.seats(genome.architecture, layer, tower):
            if seat.role == "outgoing":
                parameters[seat.name][:, dropped[tower]] = 0.0

    smaller = surgery.drop_units(agent_state, layer, dropped)

    assert distance(AgentState(genome, parameters, {}), smaller, some_observations()) <= 1e-12


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_folding_the_mean_keeps_the_mean_of_what_the_listeners_get(layer):
    """Exact where the listener is linear: a residual layer, or a dense one below a head."""
    agent_state = an_agent_state(STREAM, 2)
    dropped = dict.fromkeys(TOWERS, np.array([0]))
    observations = some_observations(n=256)
    before = {t: _activations(agent_state, t, observations, layer) for t in TOWERS}
    means = {t: before[t].mean(axis=0) for t in TOWERS}

    bare = surgery.drop_units(agent_state, layer, dropped)
    folded = surgery.drop_units(agent_state, layer, dropped, means)

    for tower in TOWERS:
        name = f"{tower}.{layer}.outer" if layer < 3 else f"{tower}.head"
        outgoing = agent_state.parameters[f"{name}.weight"]
        full = (before[tower] @ outgoing.T + agent_state.parameters[f"{name}.bias"]).mean(axis=0)
        rest = means[tower][1:] @ outgoing[:, 1:].T
        np.testing.assert_allclose(full, rest + folded.parameters[f"{name}.bias"], rtol=1e-12)
        assert not np.allclose(full, rest + bare.parameters[f"{name}.bias"])


def _activations(agent_state, tower, x, layer):
    """Units of one layer, float ``[n, units]``, as the layer kinds are defined."""
    for i, each in enumerate(agent_state.genome.architecture.layers):
        stem = f"{tower}.{i}" if each.kind == "dense" else f"{tower}.{i}.inner"
        weights = agent_state.parameters
        h = np.tanh(x @ weights[f"{stem}.weight"].T + weights[f"{stem}.bias"])
        if i == layer:
            return h
        outer = f"{tower}.{i}.outer"
        read = each.kind == "residual"
        x = x + h @ weights[f"{outer}.weight"].T + weights[f"{outer}.bias"] if read else h
    raise AssertionError


@pytest.mark.parametrize("layer", range(4))
def test_a_reset_unit_is_like_a_new_one_and_its_tower_is_the_only_one_touched(layer):
    agent_state = an_agent_state(STREAM, 4)
    units = np.array([1])
    fresh = surgery.reset_units(agent_state, layer, "policy", units, np.random.default_rng(0))
    gone = surgery.drop_units(agent_state, layer, dict.fromkeys(TOWERS, units))
    observations = some_observations()

    np.testing.assert_allclose(
        forward(fresh, observations)["policy"],
        forward(gone, observations)["policy"],
        rtol=0,
        atol=1e-12,
    )
    assert surgery.outgoing_norms(fresh, layer, "policy")[1] == 0
    for seat in surgery.seats(STREAM.architecture, layer, "policy"):
        np.testing.assert_array_equal(np.take(fresh.moments[seat.name].first, 1, seat.axis), 0.0)
        np.testing.assert_array_equal(np.take(fresh.moments[seat.name].second, 1, seat.axis), 0.0)
        others = [i for i in range(agent_state.parameters[seat.name].shape[seat.axis]) if i != 1]
        for arrays in (
            (fresh.parameters[seat.name], agent_state.parameters[seat.name]),
            (fresh.moments[seat.name].second, agent_state.moments[seat.name].second),
        ):
            np.testing.assert_array_equal(*(np.take(each, others, seat.axis) for each in arrays))
    assert all(
        fresh.parameters[name] is value
        for name, value in agent_state.parameters.items()
        if name.startswith("value.")
    )


@given(genomes, seeds, st.data())
def test_every_unit_of_every_layer_sits_in_exactly_the_parameters_that_change_shape(
    genome, seed, data
):
    del seed
    layer = data.draw(st.integers(0, len(genome.architecture.layers) - 1))
    before = shapes(genome)
    after = shapes(surgery.with_units(genome, layer, genome.architecture.layers[layer].units + 1))
    for tower in TOWERS:
        named = [(s.name, s.axis) for s in surgery.seats(genome.architecture, layer, tower)]
        changed = [
            (name, axis)
            for name in before
            if name.startswith(tower)
            for axis in range(len(before[name]))
            if before[name][axis] != after[name][axis]
        ]
        assert sorted(named) == sorted(changed)


@given(st.integers(1, 12), st.integers(1, 12), seeds)
def test_incoming_weights_are_orthogonal_in_groups_and_alike_in_length(rows, columns, seed):
    drawn = orthogonal(np.random.default_rng(seed), rows, columns, gain=3.0)

    assert drawn.shape == (rows, columns)
    for start in range(0, rows, columns):
        group = drawn[start : start + columns]
        np.testing.assert_allclose(group @ group.T, 9 * np.eye(len(group)), atol=1e-12)


def test_chance_decides_new_weights_and_the_same_stream_gives_the_same_agent_state():
    agent_state = an_agent_state(STREAM)

    def one(seed):
        return surgery.grow_units(agent_state, 0, 3, np.random.default_rng(seed))

    assert same(one(1), one(1))
    assert not same(one(1), one(2))
    assert not np.array_equal(
        one(1).parameters["policy.0.weight"][-3:], one(1).parameters["value.0.weight"][-3:]
    )


def test_a_view_of_the_seats_of_a_stream():
    """Film of one layer: it speaks to both blocks behind it and to the next dense layer."""
    found = [
        f"{s.name}[{s.axis}] {s.role}" for s in surgery.seats(STREAM.architecture, 0, "policy")
    ]

    assert found == [
        "policy.0.weight[0] incoming",
        "policy.0.bias[0] blank",
        "policy.1.inner.weight[1] outgoing",
        "policy.1.outer.weight[0] blank",
        "policy.1.outer.bias[0] blank",
        "policy.2.inner.weight[1] outgoing",
        "policy.2.outer.weight[0] blank",
        "policy.2.outer.bias[0] blank",
        "policy.3.weight[1] outgoing",
    ]
    assert shapes(STREAM)["policy.head.weight"] == (ACTIONS, 3)
