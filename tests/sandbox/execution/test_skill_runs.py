"""Skills in scenarios: what DIAYN needs is asked for by name, and what a run with it gets."""

import json

import numpy as np
import pytest

from sandbox.errors import InputError
from sandbox.scenario.load import load

SCENARIO = """\
schema: 1
question: Do skills part?
envs: [sandbox/CoinGrid-v0]
agent:
  learner: {{ppo: {{num_envs: 8, steps_per_update: 32, minibatch: 64, total_steps: 1024}}}}
  architecture: {{trunk: [8]}}
  objective: {{diayn: {{weight: 1.0, skills: {skills}}}}}
controls: {controls}
levers: {levers}
seeds: 1
metrics: [capability]
"""


def problems(tmp_path, controls="{}", levers="{}", skills=3):
    path = tmp_path / "skilled.yaml"
    path.write_text(SCENARIO.format(controls=controls, levers=levers, skills=skills))
    try:
        load(path)
    except InputError as error:
        return [each for each in str(error).splitlines() if "error:" in each]
    return []


@pytest.mark.parametrize(
    ("controls", "levers", "fine"),
    [
        ("{}", "{}", False),
        ("{skill: {intensity: 1, skills: 4}}", "{}", False),
        ("{skill: {intensity: 0, skills: 3}}", "{}", False),
        ("{skill: {intensity: 0.9, skills: 3, resample: 5}}", "{}", True),
        ("{skill: {skills: 3}}", "{skill: [0.5, 1]}", True),
        ("{skill: {skills: 3}}", "{skill: [0, 1]}", False),
        ("{skill: {skills: 4}}", "{skill: [0.5, 1]}", False),
    ],
)
def test_diayn_asks_for_the_control_that_shows_its_skills(tmp_path, controls, levers, fine):
    """Else it would read whatever stands at the end of an observation."""
    found = problems(tmp_path, controls, levers)

    assert len(found) == (not fine)
    for each in found:
        assert "skilled.yaml:7:3: error: objective 'diayn' needs the control 'skill' with" in each
        assert each.endswith("an intensity above 0, skills: 3")


def run(sandbox, controls):
    scenario = sandbox.folder / "skilled.yaml"
    scenario.write_text(SCENARIO.format(controls=controls, levers="{}", skills=3))
    return sandbox("run", "skilled.yaml", "--out", "skilled", "--workers", "1", path=sandbox.folder)


def test_what_comes_behind_the_skill_is_refused(sandbox):
    code, printed = run(sandbox, "{skill: {intensity: 1, skills: 3}, social_exposure: 1}")

    assert code != 0
    assert "needs the control 'skill' to be the last that is shown" in printed


@pytest.mark.slow
def test_a_run_gives_nats_no_more_than_the_logarithm_of_skills(sandbox):
    code, printed = run(sandbox, "{skill: {intensity: 1, skills: 3}}")
    assert code == 0, printed
    (path,) = (sandbox.folder / "skilled").glob("trials/*/events.jsonl")
    events = [json.loads(line) for line in path.read_text().splitlines()]
    reward = [each["rewards"]["diayn"] for each in events if each["event"] == "updated"]

    assert len(reward) == 4
    assert reward[0] == 0
    assert all(0 < abs(each) <= np.log(3) for each in reward[1:])
