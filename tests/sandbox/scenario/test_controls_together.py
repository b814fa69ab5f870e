"""Controls and levers beside each other: what would undo another's work is refused beforehand."""

import pytest

from sandbox.errors import InputError
from sandbox.scenario.load import load

SCENARIO = """\
schema: 1
question: Do they get along?
envs: [sandbox/CoinGrid-v0]
agent:
  learner: {{ppo: {{num_envs: {copies}, steps_per_update: 8, minibatch: 8, total_steps: 64}}}}
  architecture: {{trunk: [4]}}
controls: {controls}
levers: {levers}
design: {design}
seeds: 1
metrics: [capability]
"""


def problems(tmp_path, controls="{}", levers="{}", design="full", copies=4):
    path = tmp_path / "pair.yaml"
    given = {"controls": controls, "levers": levers, "design": design, "copies": copies}
    path.write_text(SCENARIO.format(**given))
    try:
        load(path)
    except InputError as error:
        return [each for each in str(error).splitlines() if "error:" in each]
    return []


def test_two_levers_that_draw_levels_are_refused_where_they_meet(tmp_path):
    levers = "{data_coverage: [0, 0.5], level_mixture: [0, 0.3]}"
    (reported,) = problems(tmp_path, levers=levers)
    assert "pair.yaml:8:29: error: lever 'data_coverage' beside 'level_mixture' at 0.3" in reported
    assert problems(tmp_path, levers=levers, design="one_at_a_time") == []


@pytest.mark.parametrize("other", ["shift", "curriculum", "distinct_levels"])
def test_two_controls_that_draw_levels_are_refused(tmp_path, other):
    text = problems(tmp_path, controls=f"{{level_mixture: 0.2, {other}: 0.5}}")
    assert len(text) == 2
    assert f"control '{other}' decides which levels are drawn, too" in text[0]
    assert problems(tmp_path, controls=f"{{level_mixture: 0.2, {other}: 0}}") == []


def test_a_lever_of_levels_is_refused_beside_a_control_of_levels(tmp_path):
    text = problems(tmp_path, "{level_mixture: 0.2}", "{data_coverage: [0, 0.5]}")
    assert "use one of them" in text[0]
    text = problems(tmp_path, "{shift: 0.2}", "{level_mixture: [0, 0.5]}")
    assert "use one of them" in text[0]


def test_other_controls_and_levers_get_along(tmp_path):
    levers = "{data_coverage: [0, 0.5], observation_noise: [0, 0.1], compute: [1, 2]}"
    controls = "{reward_noise: 0.1, blackout: 0.1, sticky_actions: {intensity: 0.1, end: 0.5}}"
    assert problems(tmp_path, controls, levers) == []


def test_a_control_that_is_set_cannot_be_a_lever_as_well(tmp_path):
    text = problems(tmp_path, "{blackout: 0.2}", "{blackout: [0, 0.2]}")
    assert "the scenario sets controls.blackout.intensity itself" in text[0]


def test_a_neighbour_takes_two(tmp_path):
    (reported,) = problems(tmp_path, "{social_exposure: 0.5}", copies=1)
    assert "num_envs of 2 or more" in reported
    assert problems(tmp_path, "{social_exposure: 0.5}", copies=2) == []


@pytest.mark.parametrize(
    ("setting", "what"),
    [
        ("observation_noise: 1e308", "from 0 to 1e+06"),
        ("observation_noise: .nan", "finite"),
        ("reward_noise: -1", "intensity must be a number from 0"),
        ("blackout: {intensity: 0.5, start: 0.7, end: 0.2}", "end must be a share"),
        ("blackout: {intensity: 0.5, start: 0.5, end: 0.5}", "end must be a share"),
        ("blackout: {intensity: 0.5, end: 1.5}", "end must be a share"),
        ("blackout: {intensity: 0.5, start: 1}", "start must be a share"),
    ],
)
def test_settings_that_mean_nothing_have_a_line(tmp_path, setting, what):
    (reported,) = problems(tmp_path, f"{{{setting}}}")
    assert "pair.yaml:7:" in reported
    assert what in reported
