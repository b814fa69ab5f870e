"""The gate refuses before anything is allocated."""

from dataclasses import dataclass, replace
from typing import ClassVar

import pytest

from agents.contract import Edit, EditClaim, RefusedEditError
from agents.edits.set_rule import SetRule
from agents.genome import Architecture, Genome, Guard, Layer
from sandbox.gate.gate import Gate, Past
from sandbox.gate.protection import problem
from sandbox.gate.two_gate import Probation, TwoGate

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

    def apply(self, agent_state, rng):
        return agent_state

    def claim(self, genome):
        return EditClaim()

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


def judge(gate: Gate, edit: Edit, flops: float = 0.0, edits: int = 0, past: Past | None = None):
    return gate.judge(edit, GENOME, SIZES, flops, edits, past=past)


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


def ruled(**rule) -> Genome:
    return replace(GENOME, learning_rule=replace(GENOME.learning_rule, **rule))


@dataclass(frozen=True)
class Rules(Becomes):
    """The same, of the learning rule."""

    part: ClassVar[str] = "learning_rule"


@dataclass(frozen=True)
class Weighs(Becomes):
    """The same, of the objective."""

    part: ClassVar[str] = "objective"


@pytest.mark.parametrize(
    ("path", "edit", "refused"),
    [
        ("learning_rule.discount", Rules(ruled(discount=0.5)), True),
        ("learning_rule.discount", Rules(ruled(learning_rate=0.5)), False),
        ("architecture.guards", Becomes(grown(40, 32)), False),
        ("architecture.layers.0", Becomes(grown(40, 32)), True),
        ("architecture.layers.0", Becomes(grown(32, 40)), False),
        ("architecture.layers.1.units", Becomes(grown(32)), True),  # the layer itself is gone
        ("architecture.layers", Becomes(grown(32, 32, 8)), True),
    ],
)
def test_a_path_is_protected_and_what_lies_beside_it_is_not(path, edit, refused):
    reason = judge(Gate(protect=(path,)), edit).reason
    assert reason == (f"protected: the scenario protects '{path}'" if refused else "")


def test_a_guard_that_is_planted_cannot_be_taken_out():
    planted = replace(GENOME, architecture=replace(GENOME.architecture, guards=(Guard("clamp"),)))
    gate = Gate(protect=("architecture.guards",))

    ruling = gate.judge(Becomes(GENOME), planted, SIZES, 0.0, 0)

    assert ruling.reason == "protected: the scenario protects 'architecture.guards'"
    assert gate.judge(Becomes(GENOME), GENOME, SIZES, 0.0, 0).allowed


def test_objective_weights_are_denied_unless_the_scenario_says_otherwise():
    edit = Weighs(replace(GENOME, objective=(("extrinsic", 2.0),)))

    assert judge(Gate(), edit).reason.startswith("protected: 'objective'")
    assert judge(Gate(allow_objective=True), edit).allowed
    assert not judge(Gate(allow_objective=True, protect=("objective",)), edit).allowed
    assert not judge(Gate(), Weighs(GENOME)).allowed, "to declare it is to try"


def test_only_edits_by_the_names_that_are_allowed():
    here = __name__.rpartition(".")[2]  # an edit is called by its file
    assert judge(Gate(allow=(here,)), Becomes(grown(40))).allowed
    reason = judge(Gate(allow=("widen", "prune")), Becomes(grown(40))).reason
    assert reason == f"scope: the scenario allows widen, prune, not '{here}'"


def test_nothing_changes_outside_the_write_scope():
    gate = Gate(write_scope=("architecture.layers.0", "learning_rule"))

    assert judge(gate, Becomes(grown(40, 32))).allowed
    assert judge(gate, Rules(ruled(gae_lambda=0.5))).allowed
    reason = judge(gate, Becomes(grown(40, 40))).reason
    assert reason == "scope: 'architecture.layers.1.units' lies outside the scenario's write_scope"


@pytest.mark.parametrize(
    ("applied", "allowed"), [((), True), ((10,), True), ((5, 10), True), ((6, 10), False)]
)
def test_the_rate_is_counted_in_the_last_updates(applied, allowed):
    """At update 10, 'any 5 updates' are 6 to 10."""
    gate = Gate(max_edits_per={"updates": 5, "edits": 2})
    ruling = judge(gate, Becomes(grown(40)), past=Past(update=10, applied=applied))

    assert ruling.allowed == allowed
    assert allowed or ruling.reason == "rate: 2 edits in any 5 updates, no more"


@pytest.mark.parametrize(("steps", "found"), [(1, True), (3, True), (4, False)])
def test_a_genome_left_within_the_window_is_a_circle(steps, found):
    after = grown(40)
    others = ("x",) * (steps - 1)
    past = Past(left=("y", after.digest(), *others))
    refusing, marking = (
        Gate(oscillation=each, oscillation_window=3) for each in ("refuse", "mark")
    )

    assert judge(refusing, Becomes(after), past=past).allowed != found
    assert judge(marking, Becomes(after), past=past).allowed
    assert marking.marks(GENOME, after, past) == (("oscillation",) if found else ())
    assert Gate(oscillation="ignore").marks(GENOME, after, past) == ()


def test_staying_is_no_circle_and_neither_is_undoing():
    here = Past(left=(GENOME.digest(), grown(40).digest()))

    assert judge(Gate(oscillation="refuse"), Becomes(GENOME), past=here).allowed
    back = replace(here, undoes=3)
    assert judge(Gate(oscillation="refuse"), Becomes(grown(40)), past=back).allowed


def test_an_undo_may_touch_every_part_but_a_protected_one():
    after = replace(ruled(gae_lambda=0.5), architecture=grown(40).architecture)
    back = Past(undoes=3)

    assert not judge(Gate(), Becomes(after)).allowed, "it declares but one part"
    assert judge(Gate(), Becomes(after), past=back).allowed
    assert not judge(Gate(protect=("learning_rule",)), Becomes(after), past=back).allowed
    rule = Gate(protect=("architecture",))
    assert judge(rule, Becomes(ruled(gae_lambda=0.5)), past=back).allowed, (
        "what it declares is idle"
    )


def test_while_one_edit_is_on_probation_only_an_undo_may_pass():
    past = Past(on_probation=7)
    reason = judge(Gate(), Becomes(grown(40)), past=past).reason

    assert reason == "two-gate: the edit of entry 7 is on probation"
    assert judge(Gate(), Becomes(grown(40)), past=replace(past, undoes=7)).allowed


def test_the_capacity_gate_is_exact():
    exact = 2 * (10 * 32 + 32 + 32 * 32 + 32) + 32 * 4 + 4 + 32 + 1
    assert judge(Gate(two_gate={"capacity": exact}), Becomes(GENOME)).allowed
    reason = judge(Gate(two_gate={"capacity": exact - 1}), Becomes(GENOME)).reason
    assert reason == f"two-gate: {exact:,} parameters > capacity {exact - 1:,}"


def test_the_margin_gate_is_exact():
    tried = Probation(2, Becomes(), None, 1.0, 10)
    rule = TwoGate(margin=0.5)

    assert tried.verdict(rule, 1.5) == ""
    assert "a gain of 0.4 < 0.5" in tried.verdict(rule, 1.4)


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("objectiv", "did you mean 'objective'"),
        ("architecture.gaurds", "did you mean 'guards'"),
        ("learning_rule.exploration", ""),
        ("objective.rnd", ""),
        ("editor.settings.every_updates", ""),
        ("editor.rate", "there are name, settings"),
        ("architecture.", "has no ''"),
        ("objective..x", "empty names"),
    ],
)
def test_a_path_that_protects_nothing_is_an_error_and_not_a_hole(path, what):
    assert (what in problem(path)) if what else problem(path) == ""


class _Sly(SetRule):
    """Changes the discount and calls it a number of learning."""

    def rewrite(self, genome):
        return replace(genome, learning_rule=replace(genome.learning_rule, discount=0.5))


def test_the_discount_belongs_to_the_objective_whatever_an_edit_calls_it():
    genome = Genome()
    for gate in (Gate(), Gate(protect=("objective",), allow_objective=True)):
        ruling = gate.judge(_Sly((("learning_rate", 0.1),)), genome, SIZES, 0.0, 0)
        assert ruling.reason.startswith("protected: ")
        assert "objective" in ruling.reason
    assert Gate(allow_objective=True).judge(_Sly(()), genome, SIZES, 0.0, 0).allowed
