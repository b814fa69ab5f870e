"""Checkpoints are data: they come back equal, and damaged ones are refused with the reason."""

import hashlib
import json
import struct
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.architecture import checkpoint
from agents.contract import AgentState
from agents.genome import Architecture, Genome
from tests.agents.agent_states import an_agent_state, genomes, same

GENOME = Genome()
AGENT_STATE = an_agent_state(GENOME, dtype=np.float32)
RECORD, DATA = checkpoint.to_bytes(AGENT_STATE)


def signed(record, data):
    """A record that vouches for ``data``: what an attacker who can write files would leave."""
    return {**record, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def repacked(**changes):
    tensors = {**checkpoint.unpack(DATA), **changes}
    data = checkpoint.pack({name: value for name, value in tensors.items() if value is not None})
    return signed(RECORD, data), data


@settings(max_examples=30, deadline=None)
@given(genomes, st.booleans())
def test_an_agent_state_comes_back_equal_through_json_and_bytes(genome, stepped):
    agent_state = an_agent_state(genome, dtype=np.float32, stepped=stepped)
    record, data = checkpoint.to_bytes(agent_state)
    assert same(checkpoint.from_bytes(json.loads(json.dumps(record)), data), agent_state)


def test_an_agent_state_without_layers_comes_back():
    genome = Genome(Architecture(()))
    agent_state = an_agent_state(genome, dtype=np.float32)
    assert same(checkpoint.from_bytes(*checkpoint.to_bytes(agent_state)), agent_state)


def test_the_same_agent_state_gives_the_same_bytes_in_any_order():
    backwards = AgentState(
        GENOME,
        dict(reversed(AGENT_STATE.parameters.items())),
        dict(reversed(AGENT_STATE.moments.items())),
    )
    assert checkpoint.to_bytes(backwards) == (RECORD, DATA)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(DATA) - 1), st.integers(1, 255))
def test_any_changed_byte_is_noticed(place, change):
    bad = bytearray(DATA)
    bad[place] ^= change
    with pytest.raises(ValueError, match="not those that were written"):
        checkpoint.from_bytes(RECORD, bytes(bad))


def test_a_cut_file_is_noticed():
    with pytest.raises(ValueError, match=f"damaged checkpoint: 100 bytes, {len(DATA)} were writt"):
        checkpoint.from_bytes(RECORD, DATA[:100])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00" * 7,
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<q", -1) + b"{}",
        struct.pack("<Q", 2) + b"{}" + b"trailing",
        struct.pack("<Q", 64)
        + json.dumps({"a": {"dtype": "F32", "shape": [9], "data_offsets": [0, 4]}})
        .ljust(64)
        .encode(),
        struct.pack("<Q", 5) + b"\xff\xfe{}}",
        b"PK\x03\x04 an archive",
        b"\x80\x04cos\nsystem\n.",
    ],
    ids=range(9),
)
def test_forged_tensors_are_damaged_checkpoints(data):
    with pytest.raises(ValueError, match="damaged checkpoint"):
        checkpoint.from_bytes(signed(RECORD, data), data)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(data):
    with pytest.raises(ValueError, match="damaged checkpoint"):
        checkpoint.from_bytes(signed(RECORD, data), data)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"parameter/policy.0.bias": None}, r"missing parameters: policy\.0\.bias"),
        ({"parameter/policy.8.bias": np.zeros(1, "f4")}, r"unknown parameters: policy\.8\.bias"),
        ({"parameter/policy.0.bias": np.zeros(9, "f4")}, r"policy\.0\.bias has shape 9, the"),
        ({"parameter/policy.0.bias": np.full(32, np.nan, "f4")}, r"policy\.0\.bias holds non-fin"),
        ({"parameter/policy.0.bias": np.zeros(32)}, "is float64, not float32"),
        ({"parameter/policy.0.bias": np.zeros(32, "i4")}, "holds int32, not floats"),
        ({"second/value.0.bias": np.full(32, np.inf, "f4")}, "second moment .* non-finite"),
        ({"second/value.0.bias": None}, "first and second moments and steps do not match"),
        ({"malice/value.0.bias": np.zeros(1)}, "unknown tensor malice"),
    ],
)
def test_wrong_tensors_are_named(changes, message):
    record, data = repacked(**changes)
    with pytest.raises(ValueError, match=message):
        checkpoint.from_bytes(record, data)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 99}, r"not a checkpoint of this program \(schema 1\)"),
        ({"actions": 0}, "must be at least 1"),
        ({"actions": True}, "wrong kind: actions"),
        ({"actions": 4}, r"policy\.head\.weight has shape 3x32, the genome needs 4x32"),
        ({"genome": {}}, r"unreadable genome \(KeyError\('editor'\)\)"),
        ({"genome": {**GENOME.to_json(), "objective": []}}, "unreadable genome"),
        (
            {"genome": {**GENOME.to_json(), "architecture": {"layers": [], "activation": "sin"}}},
            "tanh",
        ),
        ({"moment_steps": {}}, "steps do not match"),
        ({"moment_steps": dict.fromkeys(AGENT_STATE.moments, "7")}, "must be a number"),
    ],
)
def test_wrong_records_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        checkpoint.from_bytes({**RECORD, **change}, DATA)


def test_non_finite_agent_states_do_not_pass_even_with_a_true_hash():
    weights = {**AGENT_STATE.parameters, "policy.head.bias": np.array([0, np.inf, 0], "f4")}
    with pytest.raises(ValueError, match=r"policy\.head\.bias holds non-finite values"):
        checkpoint.from_bytes(*checkpoint.to_bytes(replace(AGENT_STATE, parameters=weights)))


def test_an_empty_record_is_no_checkpoint():
    for record in ({}, [], None):
        with pytest.raises(ValueError, match="not a checkpoint of this program"):
            checkpoint.from_bytes(record, DATA)
