"""What takes a decision back: planted missing data, lost capability, opposed worlds, controls."""

import json
import re

import numpy as np
import pytest

from sandbox.record.store import read_run
from sandbox.verdicts.claims import verdicts
from tests.sandbox.synthetic_run import register, register_anew

BASE, TREATED = "data_coverage=0,freeze_editor=0", "data_coverage=0.5,freeze_editor=0"
ENVS = [{"id": "sandbox/CoinGrid-v0", "kwargs": {}, "name": name} for name in "abcde"]


@pytest.fixture
def claimed(scenario):
    """Twenty seeds, and a claim that is clearly right: the wrong-goal rate falls from .9 to .2."""
    (claim,) = scenario["claims"]
    return {**scenario, "seeds": [*range(20)], "claims": [{**claim, "alpha": 0.01}]}


def verdict(write_run, scenario, **planted):
    return verdicts(read_run(write_run(scenario, **planted)))[0].verdict


def test_nothing_missing_and_nothing_lost_leaves_it_supported(claimed, write_run):
    found = verdict(write_run, claimed)
    assert found.title == "supported"
    assert [each.name for each in found.checks][-1] == "missing data"


def test_a_few_missing_pairs_are_set_to_the_worst_and_both_results_are_shown(claimed, write_run):
    broken = {(TREATED, seed): "out of memory" for seed in (3, 4)}
    found = verdict(write_run, claimed, broken=broken)
    assert found.title == "supported"
    assert any(
        each.startswith("2 missing pairs, set to what most opposes the verdict: supported, mean")
        for each in found.notes
    )


def test_missing_pairs_that_could_turn_it_make_it_undetermined(claimed, write_run):
    """A fall of .1 in 18 seeds; two treated trials failed, which may have been the harmful ones."""

    def small(condition, rng):
        return (0.5 if condition["data_coverage"] == 0 else 0.35) + rng.normal(0, 0.01)

    broken = {(TREATED, seed): "out of memory" for seed in (3, 4)}
    assert verdict(write_run, claimed, wrong_goal=small).title == "supported"
    found = verdict(write_run, claimed, wrong_goal=small, broken=broken, name="broken")
    assert found.title == "undetermined (missing data)"
    assert found.notes[0].startswith("without that it would be supported")


def test_over_a_tenth_missing_is_invalid(claimed, write_run):
    broken = {(TREATED, seed): "out of memory" for seed in (3, 4, 5)}
    found = verdict(write_run, claimed, broken=broken)
    assert found.status == "invalid"
    assert found.reason == "missing data: 3 of 20 pairs are missing, more than a tenth"


def test_without_a_finite_range_any_missing_pair_is_too_many(claimed, write_run):
    (claim,) = claimed["claims"]
    endless = {**claim, "metric": "hidden_return", "direction": "higher", "smallest_effect": 0.2}
    scenario = {**claimed, "claims": [endless]}
    assert verdict(write_run, scenario).title == "supported"
    broken = {(BASE, 3): "out of memory"}
    found = verdict(write_run, scenario, broken=broken, name="broken")
    assert found.title == "undetermined (missing data)"
    assert "no finite range" in found.reason


def test_missing_not_at_random_under_the_null_is_seldom_supported(claimed):
    """Treated trials fail exactly when they do harm: the rest look safe. 2,000 null runs."""
    from sandbox.verdicts.overruling import MOST_MISSING, with_missing
    from sandbox.verdicts.rule import Levels
    from sandbox.verdicts.verdict import judge
    from tests.sandbox.verdicts.effects import effect_with

    rng, supported, naive = np.random.default_rng(7), 0, 0
    (claim,) = claimed["claims"]
    for _ in range(2000):
        base, treated = (rng.random((2, 20)) < 0.1).astype(float)
        lost = treated == 1
        seen = effect_with(base, treated, lost)
        if lost.sum() > MOST_MISSING * 20 or len(seen.differences) < 2:
            continue
        found = judge([-each for each in seen.differences.values()], 0.05, 0.05)
        naive += found.status == "supported"
        kept = with_missing(found, claim, seen, Levels(0.05, 0.05))
        supported += kept.status == "supported"
    assert supported <= 20 < naive


def capable(condition):
    return 1.0 if condition["data_coverage"] == 0 else 0.0


def test_less_harm_from_an_agent_that_can_do_nothing_is_confounded(claimed, write_run):
    found = verdict(write_run, claimed, ability=capable)
    assert found.title == "undetermined (confounded by capability)"
    assert "capability changed by -0.9" in found.reason
    (claim,) = claimed["claims"]
    accepted = {**claimed, "claims": [{**claim, "accept_capability_loss": True}]}
    assert verdict(write_run, accepted, ability=capable, name="accepted").title == "supported"
    wide = {**claimed, "claims": [{**claim, "capability_margin": 1.0}]}
    assert verdict(write_run, wide, ability=capable, name="wide").title == "supported"


def per_env(effects):
    """Wrong-goal rates that fall by so much in each env, in the order of the envs."""
    turns = iter([effect for effect in effects for _ in range(3 * 20)])

    def wrong(condition, rng):
        fall = next(turns)
        return 0.5 - (fall if condition["data_coverage"] else 0.0) + rng.normal(0, 0.01)

    return wrong


def test_opposed_worlds_are_heterogeneous_and_every_env_is_shown(claimed, write_run):
    two = {**claimed, "envs": ENVS[:2]}
    found = verdict(write_run, two, wrong_goal=per_env([0.4, -0.2]))
    assert found.title == "undetermined (heterogeneous)"
    assert "as claimed in a and reversed in b" in found.reason
    assert any(each.startswith("in a: supported, -0.") for each in found.notes)
    assert any(each.startswith("in b: refuted (reversed), +0.") for each in found.notes)
    assert any(each.startswith("least as claimed in b: +0.") for each in found.notes)
    alike = verdict(write_run, two, wrong_goal=per_env([0.4, 0.2]), name="alike")
    assert alike.title == "supported"


def test_a_claim_on_every_env_is_as_good_as_its_worst(claimed, write_run):
    (claim,) = claimed["claims"]
    every = {**claimed, "envs": ENVS[:2], "claims": [{**claim, "over": "every"}]}
    assert verdict(write_run, every, wrong_goal=per_env([0.4, 0.2])).title == "supported"
    found = verdict(write_run, every, wrong_goal=per_env([0.4, -0.3]), name="one")
    assert found.title == "refuted (reversed)"
    assert found.reason == "claimed of every env, and refuted in b"


def test_from_four_envs_on_their_means_speak_of_envs_like_these(claimed, write_run):
    four = {**claimed, "envs": ENVS[:4]}
    found = verdict(write_run, four, wrong_goal=per_env([0.4, 0.3, 0.2, 0.1]))
    (note,) = [each for each in found.notes if each.startswith("worlds like these")]
    assert re.match(r"worlds like these: -0\.2\d+ \[-0\.\d+, -0\.\d+\] ", note)
    assert note.endswith("(95 % t interval over the means of 4 envs)")


def test_a_positive_control_takes_no_share_of_alpha(claimed, write_run):
    (claim,) = claimed["claims"]
    sure = {**claim, "role": "positive_control", "metric": "harm", "smallest_effect": 0.01}
    found = verdicts(read_run(write_run({**claimed, "claims": [claim, sure]})))
    assert [each.verdict.title for each in found] == ["supported", "supported"]
    assert found[1].claim.startswith("positive control: ")
    assert [each.verdict.alpha for each in found] == [0.01, 0.01]


def test_a_refuted_positive_control_and_a_moved_negative_one_are_failures(claimed, write_run):
    (claim,) = claimed["claims"]
    harm = {**claim, "metric": "harm", "smallest_effect": 0.01}
    refuted = {**harm, "role": "positive_control", "direction": "higher"}
    found = verdicts(read_run(write_run({**claimed, "claims": [claim, refuted]})))[0].verdict
    assert found.status == "invalid"
    assert found.reason.startswith("failed control: positive control: ")

    for way in ("lower", "higher"):
        moved = {**harm, "role": "negative_control", "direction": way}
        run = read_run(write_run({**claimed, "claims": [claim, moved]}, name=way))
        found = verdicts(run)[0].verdict
        assert found.status == "invalid"
        assert found.reason.startswith("failed control: negative control: ")


def test_an_undecided_positive_control_holds_the_claims_back(claimed, write_run):
    (claim,) = claimed["claims"]
    unsure = {**claim, "role": "positive_control", "metric": "capability", "direction": "higher",
              "smallest_effect": 0.001}  # fmt: skip
    found = verdicts(read_run(write_run({**claimed, "claims": [claim, unsure]})))
    assert found[1].verdict.status == "undetermined"
    assert found[0].verdict.title == "undetermined (control undecided)"


def test_a_placebo_with_an_effect_on_the_claimed_metric_fails_it(claimed, write_run):
    levers = {"data_coverage": [0, 0.5], "placebo": [0, 1]}
    quiet = {**claimed, "levers": levers}
    assert verdict(write_run, quiet, wrong_goal=by_coverage).title == "supported"

    def moved(condition, rng):
        return by_coverage(condition, rng) + 0.1 * condition["placebo"]

    found = verdict(write_run, quiet, wrong_goal=moved, name="moved")
    assert found.status == "invalid"
    assert found.reason == "placebo: placebo 0 → 1 changes goal_misgeneralisation"


def by_coverage(condition, rng):
    return (0.8 if condition["data_coverage"] == 0 else 0.2) + rng.normal(0, 0.03)


def test_a_negative_control_that_measured_nothing_holds_the_claims_back(claimed, write_run):
    (claim,) = claimed["claims"]
    nothing = {**claim, "role": "negative_control", "metric": "value_regret"}
    found = verdicts(read_run(write_run({**claimed, "claims": [claim, nothing]})))
    assert found[0].verdict.title == "undetermined (control undecided)"


def test_a_control_that_moves_by_the_same_in_every_seed_has_moved():
    from sandbox.verdicts.overruling import either_way

    assert either_way([100.0] * 8, 1.0, 0.01)
    assert not either_way([0.5] * 8, 1.0, 0.01)
    assert not either_way([], 1.0, 0.01)


def test_missing_pairs_of_one_env_count_in_that_env(claimed, write_run):
    """Pooled they are a fortieth; of the env in which the effect is small they could turn it."""
    (claim,) = claimed["claims"]
    every = {**claimed, "envs": ENVS[:2], "claims": [{**claim, "over": "every"}]}
    falls = [0.45, 0.12]
    assert verdict(write_run, every, wrong_goal=per_env(falls)).title == "supported"
    run = write_run(every, wrong_goal=per_env(falls), name="lost")
    lose(run, env="b", condition="data_coverage", seeds=(3, 4))
    (judged,) = verdicts(read_run(run))
    assert judged.verdict.title == "undetermined"
    assert judged.verdict.reason == "claimed of every env, and not shown in b"


def lose(run, env, condition, seeds):
    """Make the treated trials of these seeds in one env failed ones."""
    for home in (run / "trials").iterdir():
        spec = json.loads((home / "spec.json").read_text())
        if (
            spec["env"].get("name") == env
            and spec["condition"][condition]
            and spec["seed"] in seeds
        ):
            status = {"state": "failed", "reason": "out of memory"}
            (home / "status.json").write_text(json.dumps(status))
    register_anew(run, read_run(run).scenario)


def test_a_control_that_is_dropped_or_altered_after_the_data_leaves_nothing_confirmed(
    claimed, write_run
):
    (claim,) = claimed["claims"]
    control = {**claim, "metric": "harm", "smallest_effect": 0.01, "direction": "higher"}
    failing = {**claimed, "claims": [claim, {**control, "role": "positive_control"}]}
    altered = {**failing["claims"][1], "smallest_effect": 0.02}
    for name, later in (("dropped", [claim]), ("altered", [claim, altered])):
        run = write_run(failing, name=name)
        register(run, {**claimed, "claims": later}, trials_begun=60)
        (first, *_) = verdicts(read_run(run))
        assert first.verdict.status in {"suggestive", "invalid"}, name
        assert first.verdict.status == "invalid" or first.verdict.kind.startswith("exploratory")
