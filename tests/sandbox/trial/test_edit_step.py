"""The audit believes only what it reads back."""

from dataclasses import replace

from agents.contract import EditClaim
from agents.genome import Architecture, Genome, Layer
from sandbox.trial.edit_step import audit

GENOME = Genome()
GROWN = replace(GENOME, architecture=Architecture((Layer("dense", 40), Layer("dense", 32))))
HALVED = replace(GENOME, learning_rule=replace(GENOME.learning_rule, discount=0.5))


def test_audit_confirms_what_it_reads_back():
    claim = EditClaim({"architecture.layers.0.units": 40}, 1e-5)
    assert audit(claim, GENOME, GROWN, 4e-7, moved=True).finding == "confirmed"


def test_audit_finds_a_false_claim():
    units = EditClaim({"architecture.layers.0.units": 41}, 1e-5)
    assert audit(units, GENOME, GROWN, 0.0, moved=True).finding == "false_claim"
    preserving = EditClaim({"architecture.layers.0.units": 40}, 1e-5)
    assert audit(preserving, GENOME, GROWN, 0.1, moved=True).finding == "false_claim"
    nowhere = EditClaim({"architecture.layers.7.units": 40})
    assert audit(nowhere, GENOME, GROWN, 0.0, moved=True).finding == "false_claim"


def test_audit_finds_an_edit_that_silently_did_nothing():
    claim = EditClaim({"learning_rule.learning_rate": 0.1})
    assert audit(claim, GENOME, GENOME, 0.0, moved=False).finding == "silent_no_op"


def test_an_identity_that_says_so_is_confirmed():
    assert audit(EditClaim({}, 0.0), GENOME, GENOME, 0.0, moved=False).finding == "confirmed"


def test_audit_says_of_an_edit_that_claims_and_does_nothing_that_it_is_nothing():
    assert audit(EditClaim(), GENOME, GENOME, 0.0, moved=False).finding == "nothing"
    assert audit(EditClaim(), GENOME, GENOME, 0.1, moved=True).finding == "confirmed"
    assert audit(EditClaim(), GENOME, GROWN, 0.0, moved=False).finding == "confirmed"


def test_a_whole_part_is_read_back_number_by_number():
    rule = HALVED.to_json()["learning_rule"]
    near = {**rule, "discount": 0.5 + 1e-12}

    assert audit(EditClaim({"learning_rule": near}), GENOME, HALVED, 0, True).finding == (
        "confirmed"
    )
    off = {**rule, "discount": 0.51}
    assert audit(EditClaim({"learning_rule": off}), GENOME, HALVED, 0, True).finding == (
        "false_claim"
    )
