"""The gate refuses before anything is allocated; the audit believes only what it reads back."""

from dataclasses import dataclass, replace
from typing import ClassVar

import pytest

from agents.contract import Claim, Edit, RefusedEditError
from agents.genome import Architecture, Genome, Layer
from sandbox.audit import audit
from sandbox.gate import Gate

SIZES = (10, 4)
GENOME = Genome()


@dataclass(frozen=True)
class Becomes(Edit):
    """An edit that turns any genome into a given one."""

    part: ClassVar[str] = "architecture"
    genome: Genome = GENOME

    @classmethod
    def candidates(cls, view):
        return []

    def rewrite(self, genome):
        return self.genome

    def apply(self, mind, rng):
        return mind

    def claim(self, genome):
        return Claim()

    def cost(self, genome):
        return 100.0


@dataclass(frozen=True)
class Refuses(Becomes):
    """An edit that cannot be done."""

    error: Exception = RefusedEditError("no such layer")

    def rewrite(self, genome):
        raise self.error


def grown(*units: int) -> Genome:
    return replace(GENOME, architecture=Architecture(tuple(Layer("dense", u) for u in units)))


def judge(gate: Gate, edit: Edit, flops: float = 0.0, edits: int = 0):
    return gate.judge(edit, GENOME, SIZES, flops, edits)


def test_what_is_within_all_bounds_is_allowed():
    after = grown(40, 32)
    assert judge(Gate(), Becomes(after)) == (True, "", after)


def test_the_parameter_budget_is_exact():
    """32,32 towers on 10 inputs and 4 actions: 2*(10*32+32 + 32*32+32) + 32*4+4 + 32+1."""
    exact = 2 * (10 * 32 + 32 + 32 * 32 + 32) + 32 * 4 + 4 + 32 + 1

    assert judge(Gate(max_parameters=exact), Becomes(GENOME)).allowed
    assert judge(Gate(max_parameters=exact - 1), Becomes(GENOME)).reason.startswith("budget: ")


@pytest.mark.parametrize("units", [0, -1, True, 3.0, 10**7])
def test_widths_that_sb3_would_take_silently_are_refused(units):
    assert judge(Gate(), Becomes(grown(units, 32))).reason.startswith("invalid: ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("discount", 2.0),
        ("clip_range", -1.0),
    ],
)
def test_learning_rules_that_sb3_would_take_silently_are_refused(name, value):
    rule = replace(GENOME.learning_rule, **{name: value})
    edit = Becomes(replace(GENOME, learning_rule=rule))
    assert judge(Gate(), edit).reason.startswith("invalid: ")


def test_growth_is_refused_before_it_is_allocated():
    """10^6 x 10^6 weights would be 4 TB."""
    ruling = judge(Gate(max_parameters=10_000), Becomes(grown(10**4, 10**4)))
    assert ruling.reason == "budget: 200,290,005 parameters > 10,000"


def test_flops_and_edits_run_out():
    assert not judge(Gate(max_flops=1000), Becomes(grown(40)), flops=901).allowed
    assert judge(Gate(max_flops=1000), Becomes(grown(40)), flops=900).allowed
    assert (
        judge(Gate(max_edits=2), Becomes(grown(40)), edits=2).reason
        == "budget: 2 edits are used up"
    )


def test_a_protected_part_is_out_of_reach_whatever_the_edit_says_it_touches():
    gate = Gate(protect=("objective",))
    honest = Becomes(replace(GENOME, objective=(("extrinsic", 2.0),)))
    assert judge(gate, honest).reason == "protected: the scenario protects 'objective'"
    assert judge(Gate(), honest).reason == "invalid: changes objective but says architecture"
    assert judge(Gate(protect=("architecture",)), Becomes(GENOME)).reason.startswith("protected")


@pytest.mark.parametrize(
    "error", [RefusedEditError("no such layer"), KeyError("x"), ZeroDivisionError()]
)
def test_an_edit_that_raises_is_refused_with_its_reason(error):
    ruling = judge(Gate(), Refuses(error=error))
    assert not ruling.allowed
    assert ruling.reason.startswith("invalid: ")


def test_audit_confirms_what_it_reads_back():
    claim = Claim({"architecture.layers.0.units": 40}, 1e-5)
    assert audit(claim, GENOME, grown(40, 32), 4e-7, moved=True).finding == "confirmed"


def test_audit_finds_a_false_claim():
    units = Claim({"architecture.layers.0.units": 41}, 1e-5)
    assert audit(units, GENOME, grown(40, 32), 0.0, moved=True).finding == "false_claim"
    preserving = Claim({"architecture.layers.0.units": 40}, 1e-5)
    assert audit(preserving, GENOME, grown(40, 32), 0.1, moved=True).finding == "false_claim"
    nowhere = Claim({"architecture.layers.7.units": 40})
    assert audit(nowhere, GENOME, grown(40, 32), 0.0, moved=True).finding == "false_claim"


def test_audit_finds_an_edit_that_silently_did_nothing():
    claim = Claim({"learning_rule.learning_rate": 0.1})
    assert audit(claim, GENOME, GENOME, 0.0, moved=False).finding == "silent_no_op"


def test_an_identity_that_says_so_is_confirmed():
    assert audit(Claim({}, 0.0), GENOME, GENOME, 0.0, moved=False).finding == "confirmed"


def test_a_reason_is_one_short_line_that_can_be_written_anywhere():
    """A message of megabytes, with half a character in it, once ended the report of a whole run."""
    error = ValueError("line\nhalf a character \udcff " + "y" * 10_000)

    reason = judge(Gate(), Refuses(error=error)).reason

    assert reason.startswith("invalid: ValueError: line half a character \\udcff yyy")
    assert len(reason) <= 500
    assert reason.encode()


def test_an_edit_may_declare_further_parts_and_each_changed_one_may_be_protected():
    @dataclass(frozen=True)
    class Both(Becomes):
        part: ClassVar[str] = "learning_rule"
        also: ClassVar[tuple[str, ...]] = ("architecture",)

    after = replace(grown(40, 32), learning_rule=replace(GENOME.learning_rule, epochs=2))

    assert judge(Gate(), Both(after)).allowed
    assert "'architecture'" in judge(Gate(protect=("architecture",)), Both(after)).reason
    assert judge(Gate(protect=("architecture",)), Both(GENOME)).allowed
    assert "'learning_rule'" in judge(Gate(protect=("learning_rule",)), Both(GENOME)).reason
    more = replace(after, objective=(("rnd", 1.0),))
    assert judge(Gate(), Both(more)).reason == "invalid: changes objective but says learning_rule"
