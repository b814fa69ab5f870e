"""What is said of a claim before the data is what the rule will do with it."""

import pytest

from sandbox.analysis.pilot import Pilot
from sandbox.design import level
from sandbox.verdicts.before_data import SPREADS, planned_claims, remarks_of
from sandbox.verdicts.power import detectable, power, two_valued_detectable, two_valued_power

WANTED = {"metric": "harm", "effect_of": "cut", "direction": "lower", "smallest_effect": 0.05}


def claim(**changes):
    return {**WANTED, "alpha": 0.01, "dose": None, "env": None, **changes}


def planned(*claims, seeds=10, pilots=(), family=None, **changes):
    scenario = {"levers": {"cut": [0, 0.5, 1]}, "seeds": list(range(seeds)), "envs": [{"id": "a"}]}
    return planned_claims({**scenario, "claims": list(claims), **changes}, pilots, family)


def test_a_claim_is_stated_in_the_words_of_its_verdict():
    first, second = planned(claim(), claim(dose=0.5, env="ice"))
    assert first.claim == "cut 0 → 1 makes harm lower by at least 0.05"
    assert second.claim == "cut 0 → 0.5 makes harm lower by at least 0.05 in ice"


def test_claims_share_alpha_in_the_worst_case_and_controls_stand_outside():
    found = planned(claim(), claim(alpha=0.05), claim(role="positive_control"))
    assert [each.analyses[0].level for each in found] == [0.005, 0.025, 0.01]
    assert [each.role for each in found] == ["claim", "claim", "positive control"]


def test_claims_that_were_registered_and_dropped_still_share_alpha():
    assert planned(claim(), family=4)[0].analyses[0].level == 0.0025


def test_every_registered_analysis_has_its_level():
    found = planned(claim(), claim(), seeds=20, looks=[12, 20])[0].analyses
    assert [each.seeds for each in found] == [12, 20]
    assert [each.level for each in found] == [level(0.01, [12, 20], n) / 2 for n in (12, 20)]


def test_a_claim_of_every_env_is_tested_in_each_by_itself():
    envs = [{"id": "a"}, {"id": "b"}]
    every, mean, one = planned(
        claim(over="every"), claim(over="mean"), claim(over="every", env="a"), envs=envs
    )
    assert every.analyses[0].level == mean.analyses[0].level / 2 == one.analyses[0].level / 2


def test_without_a_pilot_five_spreads_are_assumed():
    found = planned(claim())[0].analyses[0]
    assert [each.spread for each in found.detects] == [0.05 * each for each in SPREADS]
    for each in found.detects:
        assert each.effect == detectable(each.spread, 0.05, 0.01, 10)
    assert found.power is None


def test_a_pilot_gives_the_spread_and_how_sure_it_is():
    pilot = Pilot(pairs=4, mean=0.2, spread=0.1, spread_at_most=0.3)
    (found,) = planned(claim(), seeds=20, pilots=[pilot])
    (detects,) = found.analyses[0].detects
    assert detects == type(detects)(0.1, detectable(0.1, 0.05, 0.01, 20))
    (remark,) = remarks_of([found])
    assert remark.startswith("claim 1: 4 pairs show the spread roughly: it may be up to 0.3 (95 %")
    assert remark.endswith(f"20 seeds detect {detectable(0.3, 0.05, 0.01, 20):.3g}")


@pytest.mark.parametrize(
    ("mean", "words"),
    [
        (0.2, "100 % of runs, at least 99 %"),
        (0.07, "of runs, below 99 %"),
        (-0.2, "in 0 % of runs"),
    ],
)
def test_a_positive_control_should_be_supported_in_99_percent_of_runs(mean, words):
    pilot = Pilot(pairs=9, mean=mean, spread=0.05, spread_at_most=0.09)
    found = planned(claim(role="positive_control"), claim(), pilots=[pilot, pilot])
    assert found[0].analyses[0].power == power(mean / 0.05, 1.0, 0.01, 10)
    assert found[1].analyses[0].power is None
    (remark,) = [each for each in remarks_of(found) if "positive control" in each]
    assert words in remark
    assert remark.startswith("warning: claim 1: ") == (mean < 0.1)


def test_a_two_valued_pilot_promises_what_two_valued_arms_can_show():
    pilot = Pilot(pairs=8, mean=0.25, spread=0.2, spread_at_most=0.3, two_valued=0.5)
    (found,) = planned(claim(role="positive_control"), seeds=20, pilots=[pilot])
    (detects,) = found.analyses[0].detects
    assert detects.effect == 0.5 * two_valued_detectable(0.4, 0.1, 0.01, 20)
    assert found.analyses[0].power == two_valued_power(0.5, 0.4, 0.1, 0.01, 20)
    assert detects.effect > detectable(0.2, 0.05, 0.01, 20)


def test_a_positive_control_without_a_pilot_asks_for_one():
    assert remarks_of(planned(claim(role="positive_control"))) == [
        "claim 1: a positive control; --pilot RUN shows whether it will come out supported"
    ]


@pytest.mark.parametrize(("claims", "fewest"), [(1, 7), (2, 8), (6, 10)])
def test_too_few_seeds_are_a_warning_that_says_how_many_are_needed(claims, fewest):
    found = planned(*[claim()] * claims, seeds=fewest - 1)
    assert all(detects.effect is None for detects in found[0].analyses[0].detects)
    first = remarks_of(found)[0]
    assert first.startswith(f"warning: claim 1: {fewest - 1} seeds cannot decide it")
    assert f"at least {fewest} seeds are needed" in first
    assert first.endswith("(at alpha 0.01: 7 for 1 claim, 8 for 2 claims, 10 for 6 claims)")
    assert remarks_of(planned(*[claim()] * claims, seeds=fewest)) == []


def test_the_seeds_that_are_needed_follow_from_alpha():
    (remark,) = remarks_of(planned(claim(alpha=0.05), seeds=3))
    assert remark.endswith("(at alpha 0.05: 5 for 1 claim, 6 for 2 claims, 7 for 6 claims)")


def test_a_pilot_without_spread_is_a_warning():
    pilot = Pilot(pairs=3, mean=0.2, spread=0.0, spread_at_most=0.0)
    (found,) = planned(claim(role="positive_control"), pilots=[pilot])
    assert found.analyses[0].detects[0].effect is None
    assert found.analyses[0].power == 0.0
    assert "all 3 differences of the pilot are identical" in remarks_of([found])[0]


def test_no_claims_are_nothing_to_plan():
    assert planned() == []
