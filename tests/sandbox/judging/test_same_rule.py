"""A table exported from a run gets the verdicts that the run itself has."""

from dataclasses import replace

import pytest

import sandbox as lab
from sandbox.record.store import read_run
from sandbox.verdicts.claims import verdicts

BASE, TREATED = "data_coverage=0,freeze_editor=0", "data_coverage=0.5,freeze_editor=0"
FROZEN = "data_coverage=0,freeze_editor=1"
ENVS = [{"id": "sandbox/CoinGrid-v0", "kwargs": {}, "name": name} for name in "abc"]
WRONG = {
    "metric": "goal_misgeneralisation",
    "effect_of": "data_coverage",
    "direction": "lower",
    "smallest_effect": 0.05,
    "alpha": 0.01,
}
EDITS = {**WRONG, "metric": "edits_applied", "effect_of": "freeze_editor", "smallest_effect": 1}
ABLE = {**WRONG, "metric": "capability", "direction": "higher", "smallest_effect": 0.1}


def weaker(condition, rng):
    return (0.5 if condition["data_coverage"] == 0 else 0.4) + rng.normal(0, 0.1)


def slow(condition):
    return 0.6 if condition["data_coverage"] else 1.0


CASES = {
    "one claim": ("supported", [WRONG], {}, {}),
    "an effect that seeds do not show": ("undetermined", [WRONG], {"wrong_goal": weaker}, {}),
    "claims that share alpha": ("supported", [WRONG, ABLE], {}, {}),
    "a positive control": (
        "undetermined (control undecided)",
        [WRONG, {**EDITS, "role": "positive_control"}],
        {},
        {},
    ),
    "a control that fails": ("invalid", [WRONG, {**ABLE, "role": "positive_control"}], {}, {}),
    "a negative control that moves": (
        "invalid",
        [EDITS, {**WRONG, "role": "negative_control"}],
        {},
        {},
    ),
    "missing": ("supported", [WRONG], {"broken": {(TREATED, 3): "killed"}}, {}),
    "missing, which may turn it": (
        "undetermined (missing data)",
        [{**WRONG, "alpha": 0.05}],
        {"wrong_goal": weaker, "broken": {(TREATED, 3): "killed"}},
        {},
    ),
    "too much missing": ("invalid", [WRONG], {"broken": {(BASE, i): "" for i in range(4)}}, {}),
    "less capability": (
        "undetermined (confounded by capability)",
        [WRONG],
        {"ability": slow},
        {},
    ),
    "less capability, accepted": (
        "supported",
        [{**WRONG, "accept_capability_loss": True}],
        {"ability": slow},
        {},
    ),
    "several envs": ("supported", [WRONG, ABLE], {}, {"envs": ENVS}),
    "every env": (
        "undetermined",
        [{**WRONG, "over": "every"}],
        {"wrong_goal": weaker},
        {"envs": ENVS},
    ),
    "one env": ("supported", [{**WRONG, "env": "b"}], {}, {"envs": ENVS}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_table_of_a_run_has_the_verdicts_of_the_run(scenario, write_run, case):
    title, claims, planted, changes = CASES[case]
    run = write_run({**scenario, "seeds": [*range(12)], "claims": claims, **changes}, **planted)
    own = verdicts(read_run(run))
    assert own[0].verdict.title == title
    found = lab.judge(lab.load(run).trials_frame(), [of_table(each) for each in claims])
    for there, here in zip(own, found, strict=True):
        assert numbers(here) == numbers(there)
        assert here.change == there.change
        assert here.fragility == there.fragility
        assert here.effect.differences == there.effect.differences
        assert here.verdict.notes[0].startswith("exploratory: nothing was registered")


def of_table(claim):
    """The same about conditions of the table instead of doses of a lever."""
    treatment = TREATED if claim["effect_of"] == "data_coverage" else FROZEN
    return {**claim, "effect_of": "condition", "treatment": treatment, "control": BASE}


def numbers(judged):
    """All but words that name the lever, and what only a run can show."""
    return replace(judged.verdict, checks=(), notes=(), reason="")
