"""Controls of levels and of others in whole runs: every dose arrives, the base has none."""

import pytest

import sandbox as laboratory
from sandbox.catalogue import catalogue
from sandbox.record.events import Controlled, Probed
from sandbox.record.store import read_run

SCENARIO = """\
schema: 1
question: Does what is seen in training arrive as it is dosed?
envs: [{{id: sandbox/{world}-v0{kwargs}}}]
agent:
  learner: {{ppo: {{num_envs: 16, steps_per_update: 32, minibatch: 128, total_steps: 1024}}}}
  architecture: {{trunk: [8]}}
controls: {{{standing}}}
levers: {{{levers}}}
seeds: 1
metrics: [capability]
claims: {{metric: capability, effect_of: {first}, direction: lower, smallest_effect: 0.05}}
probes: {{held_out: {{episodes: 8}}}}
"""
KINDS = {
    "CoinGrid": ("level_mixture", "shift", "distinct_levels", "curriculum", "social_exposure"),
    "WhiskyGold": ("demonstrations",),
}
STANDING = {
    "curriculum": "curriculum: {kind: learning_progress, window: 4}",
    "shift": "shift: {start: 0.25, period: 0.5}",
    "demonstrations": "demonstrations: {dropout: 0.1}",
}
SHOWS = {"demonstrations": "episodes_shown", "social_exposure": "episodes_shown"}


@pytest.fixture(scope="module", params=KINDS)
def done(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("levels")
    names = KINDS[request.param]
    text = SCENARIO.format(
        world=request.param,
        kwargs=", kwargs: {size: 4, horizon: 16}" if request.param == "CoinGrid" else "",
        standing=", ".join(STANDING[name] for name in names if name in STANDING),
        levers=", ".join(f"{name}: [0, 1]" for name in names),
        first=names[0],
    )
    (folder / "levels.yaml").write_text(text)
    run = laboratory.run(folder / "levels.yaml", out=folder / "out", workers=1)
    return names, run


def test_every_dose_arrives_and_the_base_has_none(done):
    names, run = done
    assert not run.failed
    trials = read_run(run.folder).trials
    assert len(trials) == 1 + len(names)
    for trial in trials:
        for name in names:
            dose = trial.spec["condition"][name]
            lever = catalogue().load("levers", name)()
            assert lever.manipulation_check(trial.events, dose) is True, (name, dose)
            assert lever.manipulation_check(trial.events, 1 - dose) is False, (name, dose)
            key = SHOWS.get(name, "episodes_changed")
            card = [e for e in trial.events if isinstance(e, Controlled) and e.control == name]
            assert any(each.measured.get(key) for each in card) == bool(dose)


def test_evaluation_plays_the_world_as_it_is(done):
    """Agents trained beside a caregiver are probed on the same worlds as all others, unseen."""
    _, run = done
    for trial in read_run(run.folder).trials:
        probed = [each for each in trial.events if isinstance(each, Probed)]
        assert probed
        for each in probed:
            if each.distribution == "shifted" and "diverging" in each.values:
                assert each.values["diverging"] == 1
            if each.distribution == "in_distribution" and "diverging" in each.values:
                assert each.values["diverging"] == 0
