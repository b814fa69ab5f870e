"""Controls in whole trials and runs: the data card shows what they did, evaluation sees none."""

import json

import numpy as np
import pytest

import sandbox as laboratory
from envs.controls.observation_noise import ObservationNoise
from envs.controls.sticky_actions import StickyActions
from sandbox.catalogue import catalogue
from sandbox.errors import InputError, TrialError
from sandbox.record.events import Controlled, Probed, Updated
from sandbox.record.store import read_run
from sandbox.trial import controls, environment, loop
from tests.sandbox.trial.test_loop import SPEC, Notes

SCENARIO = """\
schema: 1
question: Do blind agents learn less?
envs: [sandbox/CoinGrid-v0]
agent:
  learner: {ppo: {num_envs: 8, steps_per_update: 32, minibatch: 64, total_steps: 1024}}
  architecture: {trunk: [8]}
controls: {blackout: {start: 0.25, length: 2}, reward_noise: 0.1}
levers: {blackout: [0, 0.5], data_coverage: [0, 0.5]}
seeds: 1
metrics: [capability]
claims: {metric: capability, effect_of: blackout, direction: lower, smallest_effect: 0.05}
probes: {held_out: {episodes: 8}}
"""


def settings(name, **given):
    made = catalogue().load("controls", name)(**given)
    return {name: json.loads(json.dumps(vars(made)))}


def live(**changes):
    notes = Notes()
    spec = {**SPEC, "learner": {"ppo": {**SPEC["learner"]["ppo"], "total_steps": 1024}}}
    loop.run_trial({**spec, **changes}, "x", notes)
    return notes


@pytest.fixture(scope="module")
def free():
    return live()


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("controls")
    (folder / "blind.yaml").write_text(SCENARIO)
    return laboratory.run(folder / "blind.yaml", out=folder / "out", workers=1)


def test_a_run_with_a_lever_and_a_standing_control_shows_what_they_did(done):
    assert not done.failed
    for trial in read_run(done.folder).trials:
        found = [each for each in trial.events if isinstance(each, Controlled)]
        dose = trial.spec["condition"]["blackout"]
        assert trial.spec["controls"]["blackout"]["intensity"] == dose
        assert {each.control for each in found} == {"blackout", "reward_noise"}
        assert [each.effective_intensity for each in found if each.control == "blackout"] == [
            0,
            *[dose] * 3,
        ]
        for name, intensity in (("blackout", dose), ("reward_noise", 0.1)):
            lever = catalogue().load("levers", name)()
            assert lever.manipulation_check(trial.events, intensity) is True
            assert lever.manipulation_check(trial.events, intensity + 0.2) is False


def test_the_verdict_rests_on_a_dose_that_arrived(done):
    (judged,) = done.verdicts
    checks = {each.name: each.passed for each in judged.verdict.checks}
    assert checks["manipulation check of blackout"] is True


def test_another_lever_still_arrives_beside_controls(done):
    coverage = catalogue().load("levers", "data_coverage")()
    for trial in read_run(done.folder).trials:
        arrived = coverage.manipulation_check(
            trial.events, trial.spec["condition"]["data_coverage"]
        )
        assert arrived in {True, None}


def test_the_report_has_the_data_card(done):
    page = (done.folder / "report.html").read_text()
    card = page.partition("Data card")[2].partition("</section>")[0]
    for words in ("blackout", "reward noise", "observations changed", "yes", "data_coverage="):
        assert words.replace("reward noise", "reward_noise") in card
    assert ">NO<" not in card
    foretold, _, rest = card.partition("<details>")
    assert "share of observations with any number changed" in foretold
    assert "inputs changed" not in foretold
    assert "inputs changed" in rest  # measured, but blackout does not foretell it


def test_tensorboard_has_its_curves(done):
    files = list(done.folder.glob("tensorboard/**/events.out.tfevents*"))
    text = b"".join(each.read_bytes() for each in files)
    for curve in ("blackout/effective_intensity", "blackout/observations_changed_expected"):
        assert f"control/{curve}".encode() in text


def test_a_control_at_intensity_0_is_a_run_without_it(free):
    """Every event but its own line of the data card, every weight: nothing else has moved."""
    still = live(controls=settings("observation_noise") | settings("sticky_actions"))

    rest = [each for each in still.events if not isinstance(each, Controlled)]
    assert rest == free.events
    assert still.tensors == free.tensors
    assert len(still.of(Controlled)) == 2 * len(free.of(Updated))


def test_a_control_that_sets_in_late_leaves_the_first_half_as_it_was(free):
    late = live(controls=settings("reward_noise", intensity=1.0, start=0.5))

    before, after = late.of(Updated), free.of(Updated)
    assert before[:2] == after[:2]
    assert before[3] != after[3]


def test_evaluation_is_never_controlled(free):
    """Before learning, all arms are one agent on one battery, however blind it will be."""
    dark = live(controls=settings("blackout", intensity=1.0))

    first = [
        [each for each in agent_run.of(Probed) if each.update == 0] for agent_run in (free, dark)
    ]
    assert first[0]
    assert first[0] == first[1]


def test_truth_is_of_the_world_whatever_the_learner_receives(free):
    """The first rollout is the same one: only the reward for it differs."""
    rewards = live(controls=settings("reward_noise", intensity=5.0))

    one, other = free.of(Updated)[0], rewards.of(Updated)[0]
    assert one.episodes
    assert one.truth == other.truth
    assert one.mean_return != other.mean_return
    assert one.world_return == one.mean_return
    assert other.world_return == one.mean_return


def test_the_reward_of_a_third_party_env_is_kept_before_a_control_changes_it():
    """The reward of CartPole is 1 a step, the return the length; the attacker subtracts 1."""
    poison = settings("reward_poison", intensity=1.0, target=1)
    notes = live(env={"id": "CartPole-v1", "kwargs": {}}, controls=poison)
    bare = live(env={"id": "CartPole-v1", "kwargs": {}}, controls={})

    for poisoned, plain in zip(notes.of(Updated), bare.of(Updated), strict=True):
        assert poisoned.world_return >= 8, "nothing falls sooner"
        assert poisoned.mean_return != pytest.approx(poisoned.world_return)
        assert plain.mean_return == plain.world_return


def test_adding_a_control_moves_no_stream_of_another():
    noise = ObservationNoise(intensity=0.1)

    def shown(*others):
        spec = {**SPEC, "controls": {"observation_noise": vars(noise), **dict(others)}}
        place = controls.controlled(spec, environment.trial_env(spec, 4), 1000)
        place.env.reset()
        return [place.env.step(np.zeros(4, np.int64))[0] for _ in range(5)]

    other = ("reward_noise", vars(catalogue().load("controls", "reward_noise")(intensity=1.0)))
    assert np.array_equal(shown(), shown(other))


def test_another_seed_of_a_control_draws_otherwise():
    def stuck(seed):
        control = vars(StickyActions(intensity=0.5, seed=seed))
        spec = {**SPEC, "controls": {"sticky_actions": control}}
        place = controls.controlled(spec, environment.trial_env(spec, 16), 1000)
        place.env.reset()
        moves = np.random.default_rng(0)
        for _ in range(20):
            place.env.step(moves.integers(4, size=16))
        return place.control_meters["sticky_actions"].read().measured["actions_changed"]

    assert stuck(0) == stuck(0)
    assert stuck(0) != stuck(1)


def test_a_control_that_does_not_fit_a_third_party_env_ends_the_trial_with_the_reason():
    cartpole = {"id": "CartPole-v1", "kwargs": {}}
    with pytest.raises(TrialError, match=r"'parameter_shift' and env 'CartPole-v1'.*'mass'"):
        live(env=cartpole, controls=settings("parameter_shift", attribute="mass", intensity=1.0))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("controls: {blackuot: 0.5}", ":10:12: error: no control is called 'blackuot'"),
        ("controls: {blackout: {intensty: 1}}", "did you mean 'intensity'?"),
        ("controls: {blackout: 1.5}", "intensity must be a number from 0 to 1"),
        (
            "controls: {blackout: {start: 0.5, end: 0.2}}",
            "end must be a share of the training steps",
        ),
        ("controls: {blackout: yes please}", "must be a number, its intensity, or {settings}"),
        ("controls: 3", "must be {name: intensity} or {name: settings}"),
        ("controls: {hygiene: {channels: [egent]}}", "no channel is called 'egent', there are"),
        ("controls: {parameter_shift: 0.5}", "a world of ours is fixed within a trial"),
    ],
)
def test_a_mistake_in_controls_is_named_at_its_line(tmp_path, line, words):
    text = [each for each in SCENARIO.splitlines() if not each.startswith(("controls", "levers"))]
    text = [each for each in text if not each.startswith("claims")]
    (tmp_path / "bad.yaml").write_text("\n".join([*text, line, ""]))
    with pytest.raises(InputError) as caught:
        laboratory.run(tmp_path / "bad.yaml", out=tmp_path / "out")
    assert words in str(caught.value)
    assert f"bad.yaml:{len(text) + 1}:" in str(caught.value)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("levers: {blackout: [0, 2]}", "intensity must be a number from 0 to 1"),
        ("levers: {parameter_shift: [0, 0.5]}", "a world of ours is fixed within a trial"),
        ("controls: {blackout: 0.3}\nlevers: {blackout: [0, 0.5]}", "itself; remove it there"),
    ],
)
def test_a_lever_that_cannot_be_turned_is_named(tmp_path, line, words):
    text = [each for each in SCENARIO.splitlines() if not each.startswith(("controls", "levers"))]
    text = [each for each in text if not each.startswith("claims")]
    (tmp_path / "bad.yaml").write_text("\n".join([*text, line, ""]))
    with pytest.raises(InputError, match=words):
        laboratory.run(tmp_path / "bad.yaml", out=tmp_path / "out")


def test_several_agents_are_refused_in_one_line(tmp_path):
    (tmp_path / "race.yaml").write_text(
        "schema: 1\nquestion: Blind racers?\nenvs: [sandbox/LabRace-v0]\n"
        "agent: {learner: independent}\nmetrics: [capability]\ncontrols: {blackout: 0.5}\n"
    )
    with pytest.raises(InputError, match="several agents; a control acts on envs of one"):
        laboratory.run(tmp_path / "race.yaml", out=tmp_path / "out")
