"""``plan`` and ``register`` say in 120 columns what claims can show; a bad pilot stops both."""

import json

import pytest

from tests.sandbox.synthetic_run import register

SCENARIO = """\
schema: 1
question: Does coverage keep the agent on its goal?
envs: [sandbox/CoinGrid-v0]
agent: {learner: {ppo: {num_envs: 4, steps_per_update: 8, total_steps: 64, minibatch: 16}}}
probes: {held_out: {episodes: 2}}
levers: {data_coverage: [0, 0.5]}
seeds: {first: 50, count: 20}
looks: [12, 20]
metrics: [capability, goal_misgeneralisation]
claims:
  - {metric: goal_misgeneralisation, effect_of: data_coverage, direction: lower,
     smallest_effect: 0.05}
  - {metric: capability, effect_of: data_coverage, direction: higher, smallest_effect: 0.1,
     role: negative_control}
"""


@pytest.fixture
def asked(tmp_path):
    path = tmp_path / "asked.yaml"
    path.write_text(SCENARIO)
    return path


@pytest.fixture
def printed(sandbox):
    """What a command prints as JSON."""

    def ran(*arguments):
        code, out, err = sandbox(*arguments, "--json")
        assert code == 0, err
        return json.loads(out)

    return ran


def test_a_plan_shows_every_claim_at_every_analysis_within_120_columns(sandbox, asked):
    code, out, err = sandbox("plan", asked)
    assert code == 0, err
    table = out.partition("before the data\n")[2]
    assert max(map(len, table.splitlines())) <= 120
    for words in ("negative control", "0.001", "0.009", "0.00024", "0.25 x", "estimated time: "):
        assert words in table


def test_a_plan_as_json_has_the_same_fields(printed, asked, scenario, write_run):
    claims = printed("plan", asked)["claims"]
    assert [each["role"] for each in claims] == ["claim", "negative control"]
    assert [each["seeds"] for each in claims[0]["analyses"]] == [12, 20]
    assert [each["level"] for each in claims[0]["analyses"]] == pytest.approx([0.001, 0.009])
    assert len(claims[0]["analyses"][0]["detects"]) == 5
    with_pilot = printed("plan", asked, "--pilot", write_run(scenario))
    assert with_pilot["claims"][0]["pilot"]["pairs"] == 6
    assert len(with_pilot["claims"][0]["analyses"][1]["detects"]) == 1
    assert any(each.startswith("the pilot differs in ") for each in with_pilot["remarks"])


def test_without_claims_a_plan_says_nothing_of_them(sandbox, printed, asked):
    asked.write_text(SCENARIO.partition("looks")[0] + "metrics: [capability]\n")
    assert printed("plan", asked)["claims"] == []
    assert "before the data" not in sandbox("plan", asked)[1]


def test_seeds_that_cannot_decide_are_a_warning(sandbox, asked):
    asked.write_text(SCENARIO.replace("looks: [12, 20]\n", ""))
    code, out, err = sandbox("plan", asked, "--seeds", 6)
    assert code == 0, err
    assert "warning: claim 1: 6 seeds cannot decide it" in out
    assert "0.016 (too large)" in out


def test_registering_shows_the_same_after_its_hash(sandbox, asked, tmp_path, scenario, write_run):
    pilot = write_run(scenario)
    code, out, err = sandbox("register", asked, "--out", tmp_path / "new", "--pilot", pilot)
    assert code == 0, err
    assert ", before any trial: " in out.splitlines()[1]
    assert "(n = 6)" in out
    assert "estimated time: " in out
    assert (tmp_path / "new" / "registration.jsonl").is_file()


def test_a_pilot_that_says_nothing_is_one_line_and_nothing_is_registered(
    sandbox, asked, tmp_path, scenario, write_run
):
    few = write_run({**scenario, "seeds": [0, 1]}, name="few")
    register(tmp_path / "old", {**scenario, "format": 1})
    lines = {
        few: "that measured 'goal_misgeneralisation'; a spread needs 3",
        tmp_path / "old": "is a run of format 1",
        tmp_path / "nothing": "no run here",
        tmp_path / "new": "is the run that is to be registered",
    }
    for pilot, words in lines.items():
        asked.write_text(SCENARIO.partition("  - {metric: capability")[0])
        out = tmp_path / "new"
        code, _, said = sandbox("register", asked, "--out", out, "--pilot", pilot)
        assert code == 2, said
        assert words in said
        assert len(said.splitlines()) == 1
        assert not out.exists()
