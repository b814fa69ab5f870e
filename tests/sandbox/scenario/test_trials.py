"""Trials: every condition once, ids that follow from what is run and from nothing else."""

import dataclasses
import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.design import conditions, count_conditions
from sandbox.scenario import load, trials

DOSES = st.lists(st.integers(-5, 5), min_size=1, max_size=4, unique=True)
LEVERS = st.dictionaries(st.sampled_from("abcd"), DOSES, max_size=4)
DESIGNS = st.sampled_from(["full", "one_at_a_time"])


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    path = Path(tmp_path_factory.mktemp("trials")) / "quick.yaml"
    path.write_text(
        "schema: 1\nquestion: What is run?\n"
        "envs: [sandbox/CoinGrid-v0, {id: sandbox/CoinGrid-v0, kwargs: {size: 7}}]\n"
        "agent: {editor: bandit}\n"
        "levers: {data_coverage: [0, 0.5], compute: [1, 0.5, 0.25], freeze_editor: [0, 1],"
        " placebo: [0, 1]}\n"
        "seeds: [3, 1]\nmetrics: [capability]\n"
    )
    return load.load(path)


@given(LEVERS, DESIGNS)
def test_no_condition_is_listed_twice_and_the_count_is_exact(levers, design):
    found = conditions(levers, design)
    assert len(found) == count_conditions(levers, design)
    assert len({tuple(sorted(each.items())) for each in found}) == len(found)
    assert all(set(each) == set(levers) for each in found)


@given(LEVERS, DESIGNS)
def test_the_baseline_comes_first_and_is_the_first_dose_of_everything(levers, design):
    assert conditions(levers, design)[0] == {k: doses[0] for k, doses in levers.items()}


@given(LEVERS)
def test_one_at_a_time_moves_one_lever(levers):
    baseline, *others = conditions(levers, "one_at_a_time")
    for each in others:
        assert sum(each[name] != baseline[name] for name in levers) == 1
    assert {(k, each[k]) for each in [baseline, *others] for k in levers} == {
        (k, dose) for k, doses in levers.items() for dose in doses
    }


@given(LEVERS)
def test_full_is_every_combination_and_holds_one_at_a_time(levers):
    full = [tuple(sorted(each.items())) for each in conditions(levers, "full")]
    product = itertools.product(*([(k, dose) for dose in v] for k, v in sorted(levers.items())))
    assert set(full) == set(product)
    single = conditions(levers, "one_at_a_time")
    assert {tuple(sorted(each.items())) for each in single} <= set(full)


def test_a_trial_is_a_condition_an_env_and_a_seed(quick):
    found = trials.expand(quick)
    assert len(found) == trials.count(quick) == 6 * 2 * 2
    assert len({each.id for each in found}) == len(found)
    assert [each.spec["seed"] for each in found] == [3] * 12 + [1] * 12
    for each in found:
        assert each.id == trials.trial_id(json.loads(json.dumps(each.spec)))
        assert len(each.id) == 12
    keys = {
        "identity", "env", "learner", "architecture", "objective", "editor",
        "gate", "controls", "probes", "seed", "salt", "condition",
    }  # fmt: skip
    assert set(found[0].spec) == keys


def test_a_trial_runs_in_the_order_in_which_it_is_written_down(tmp_path):
    """Probes measure one after the other: a replay from the record must ask in the same order."""
    for probes in ("{values: {}, held_out: {}}", "{held_out: {}, values: {}}"):
        (tmp_path / "two.yaml").write_text(
            "schema: 1\nquestion: In which order?\nenvs: [sandbox/CoinGrid-v0]\n"
            f"agent: {{editor: bandit}}\nprobes: {probes}\nseeds: 1\nmetrics: [capability]\n"
        )
        (each,) = trials.expand(load.load(tmp_path / "two.yaml"))
        written = json.dumps(each.spec, sort_keys=True)
        assert json.dumps(each.spec) == written


def test_levers_do_what_they_say(quick):
    by_name = {
        each.condition_name: each.spec for each in trials.expand(quick) if each.spec["seed"] == 1
    }
    still = "data_coverage=0,freeze_editor=0,placebo=0"
    assert by_name[f"compute=0.25,{still}"]["learner"]["ppo"]["total_steps"] == 50_000
    assert by_name[f"compute=1,{still}"]["learner"]["ppo"]["total_steps"] == 200_000
    covered = by_name["compute=1,data_coverage=0.5,freeze_editor=0,placebo=0"]
    assert covered["env"]["kwargs"]["coverage"] == 0.5
    frozen = by_name["compute=1,data_coverage=0,freeze_editor=1,placebo=0"]
    assert frozen["editor"] == {"fixed": {}}
    assert by_name["compute=1,data_coverage=0,freeze_editor=0,placebo=1"]["salt"] != 0
    assert by_name[f"compute=1,{still}"]["salt"] == 0


def test_without_levers_there_is_one_condition_called_base(quick):
    found = trials.expand(dataclasses.replace(quick, levers={}))
    assert [each.condition_name for each in found] == ["base"] * 4


@given(st.data())
def test_ids_do_not_depend_on_the_order_of_anything(quick, data):
    def shuffled(items):
        return data.draw(st.permutations(list(items)))

    agent = {k: dict(shuffled(v.items())) for k, v in shuffled(quick.agent.items())}
    first = {name: doses[0] for name, doses in quick.levers.items()}
    levers = {
        name: (first[name], *shuffled(doses[1:])) for name, doses in shuffled(quick.levers.items())
    }
    other = dataclasses.replace(
        quick,
        agent=agent,
        levers=levers,
        envs=tuple(dict(shuffled(each.items())) for each in shuffled(quick.envs)),
        seeds=tuple(shuffled(quick.seeds)),
        metrics=("harm",),
        limits={},
        question="",
        name="other",
    )
    assert {each.id for each in trials.expand(other)} == {each.id for each in trials.expand(quick)}


@pytest.mark.parametrize(
    "change",
    [
        {"gate": {"max_edits": 1}},
        {"probes": {}},
        {"seeds": (9,)},
        {"envs": ({"id": "CartPole-v1", "kwargs": {}},), "levers": {}},
    ],
)
def test_an_id_changes_with_whatever_could_change_the_result(quick, change):
    other = dataclasses.replace(quick, **change)
    assert not {e.id for e in trials.expand(other)} & {e.id for e in trials.expand(quick)}


def test_specs_are_not_shared_between_trials(quick):
    before = json.dumps(quick.resolved())
    for each in trials.expand(quick):
        assert each.spec["condition"] is not trials.expand(quick)[0].spec["condition"]
    assert json.dumps(quick.resolved()) == before


JSON = st.recursive(
    st.integers(0, 2), lambda inner: st.dictionaries(st.sampled_from("xyz"), inner, max_size=3)
)


@given(JSON, JSON)
def test_touched_is_empty_exactly_for_equals(one, other):
    assert (list(trials.touched(one, other)) == []) == (one == other)


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ({("a", "b")}, {("a", "c")}, None),
        ({("a", "b")}, {("a", "b")}, ("a", "b")),
        ({("a",)}, {("a", "b")}, ("a", "b")),
        ({("a", "b", "c"), ("d",)}, {("d", "e")}, ("d", "e")),
        (set(), {("a",)}, None),
    ],
)
def test_touching_a_part_is_touching_what_is_in_it(one, other, shared):
    assert trials.overlap(one, other) == shared
    assert trials.overlap(other, one) == shared


def test_two_envs_that_an_arm_makes_equal_have_a_trial_each(tmp_path):
    path = tmp_path / "doubles.yaml"
    path.write_text(
        "schema: 1\n"
        "question: Are doubles two?\n"
        "envs:\n"
        "  - id: sandbox/CoinGrid-v0\n"
        "    name: dim\n"
        "    controls: {observation_noise: {intensity: 0.5}}\n"
        "  - {id: sandbox/CoinGrid-v0, name: bright}\n"
        "agent: {learner: ppo}\n"
        "arms:\n"
        "  as_is: {}\n"
        "  clear: {controls: {observation_noise: {intensity: 0}}}\n"
        "levers: {arm: [as_is, clear]}\n"
        "metrics: [capability]\n"
    )
    found = trials.expand(load.load(path))

    assert len({each.id for each in found}) == len(found) == trials.count(load.load(path))
    assert {each.spec["env"].get("copy") for each in found} <= {None, 1}
    for each in found:
        assert each.id == trials.trial_id(json.loads(json.dumps(each.spec)))
