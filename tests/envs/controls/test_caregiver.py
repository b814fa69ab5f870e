"""A caregiver: its feedback is true, to whom, and that it changes nothing."""

from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest

import envs  # noqa: F401  (registers our ids)
from agents.training.shown_by_others import caregiver_feedback
from envs.control_kit.meter import ControlMeter
from envs.controls.caregiver import Caregiver
from sandbox.trial.recorder import RecordedEnv
from tests.envs.notes import Notes

N, STEPS = 32, 100


def attended(**settings):
    env = gym.make_vec("sandbox/Nursery-v0", num_envs=N)
    return Caregiver(**{"intensity": 1.0, **settings}).wrap(
        env, np.random.default_rng(7), N * STEPS
    )


def played(env, steps=STEPS):
    """Of every step: the worlds before it, the actions, the truth of it, and the feedback."""
    moves = np.random.default_rng(5)
    env.reset(seed=3)
    feedback = []
    for _ in range(steps):
        before, chosen = env.unwrapped.state, moves.integers(5, size=N)
        result = env.step(chosen)
        feedback.append((before, chosen, env.unwrapped.last, result))
    return feedback


def test_approval_is_the_hidden_reward_of_the_step_of_ended_episodes_too():
    ended = 0
    for *_, outcome, result in played(attended(says="approval")):
        said = caregiver_feedback(result[-1], N)
        assert np.array_equal(said.approval, outcome.truth["hidden_reward"])
        assert said.advice is None
        ended += outcome.truncated.sum()
    assert ended == N * (STEPS // 40)


def test_advice_is_what_the_policy_would_have_done_in_the_state_before():
    """With time left, the best policy is sure of its action where the mess is straight ahead."""
    env = attended(says="advice")
    sure = 0
    for before, _, _, result in played(env):
        said = caregiver_feedback(result[-1], N)
        assert said.approval is None
        ahead = (before.mess == 1) & (before.agent >= 7) & (before.agent < 13) & (before.time < 20)
        assert (said.advice[ahead] == 3).all()
        sure += ahead.sum()
    assert sure > 100


@pytest.mark.parametrize("policy", ["random", "most_harmful"])
def test_another_policy_advises_otherwise(policy):
    advice = np.concatenate(
        [caregiver_feedback(r[-1], N).advice for *_, r in played(attended(policy=policy))]
    )
    best = np.concatenate([caregiver_feedback(r[-1], N).advice for *_, r in played(attended())])
    assert (advice != best).mean() > 0.5
    assert set(advice) <= set(range(5))


def test_silence_is_marked_and_both_are_said_at_once():
    spoken = []
    for *_, result in played(attended(intensity=0.25)):
        said = caregiver_feedback(result[-1], N)
        assert np.array_equal(np.isnan(said.approval), said.advice == -1)
        spoken.append(said.advice >= 0)
    share, n = np.mean(spoken), N * STEPS
    assert abs(share - 0.25) < 4.5 * np.sqrt(0.25 * 0.75 / n)


def test_noise_has_the_deviation_it_was_given_and_no_bias():
    noise = [
        caregiver_feedback(r[-1], N).approval - o.truth["hidden_reward"]
        for _, _, o, r in played(attended(noise=0.5))
    ]
    noise, n = np.concatenate(noise), N * STEPS
    assert abs(noise.mean()) < 4.5 * 0.5 / np.sqrt(n)
    assert abs(noise.std() - 0.5) < 4.5 * 0.5 / np.sqrt(2 * n)


def test_the_world_goes_on_as_without_a_caregiver():
    plain = played(gym.make_vec("sandbox/Nursery-v0", num_envs=N))
    for (_, _, _, one), (_, _, _, other) in zip(plain, played(attended(noise=1.0)), strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(one[:4], other[:4], strict=True))
        assert caregiver_feedback(one[-1], N).approval is None


def test_once_it_has_left_nothing_is_reported():
    feedback = [
        caregiver_feedback(r[-1], N).approval is not None for *_, r in played(attended(end=0.5))
    ]
    assert feedback == [True] * (STEPS // 2 + 1) + [False] * (STEPS // 2 - 1)


def test_a_recorder_beneath_it_takes_what_the_approval_is_made_of():
    notes = Notes()
    env = RecordedEnv(gym.make_vec("sandbox/Nursery-v0", num_envs=N), notes)
    control = Caregiver(intensity=1.0, says="approval")
    feedback = played(control.wrap(env, np.random.default_rng(7), N * STEPS), 3)
    for outcome, (*_, result) in zip(notes.outcomes, feedback, strict=True):
        assert np.array_equal(
            caregiver_feedback(result[-1], N).approval, outcome.truth["hidden_reward"]
        )


def test_the_meter_counts_the_feedback_given():
    control = Caregiver(intensity=0.5, says="advice")
    env = gym.make_vec("sandbox/Nursery-v0", num_envs=N)
    rng, second = np.random.default_rng(7), np.random.default_rng(7)
    control_meter = ControlMeter(control, env, rng=rng, duplicate=second, span_steps=N * STEPS)
    played(control_meter.env)
    found = control_meter.read()
    assert found.measured["advice_shown"] == pytest.approx(0.5, abs=0.05)
    assert found.expected == {"advice_shown": 0.5}
    assert "approval_shown" not in found.measured


def test_a_third_party_env_and_unknown_policies_are_refused_in_one_line():
    control = Caregiver(intensity=1.0)
    mode = {"autoreset_mode": gym.vector.AutoresetMode.SAME_STEP}
    pole = gym.make_vec("CartPole-v1", num_envs=2, vectorization_mode="sync", vector_kwargs=mode)
    assert "one of our worlds" in control.refuse(pole)
    nursery = gym.make_vec("sandbox/Nursery-v0", num_envs=2)
    assert control.refuse(nursery) is None
    unknown = replace(control, policy="wisest")
    assert "no reference policy is called 'wisest'" in unknown.refuse(nursery)
    assert replace(unknown, says="approval").refuse(nursery) is None


@pytest.mark.parametrize(
    ("setting", "value"), [("noise", -1.0), ("noise", float("nan")), ("says", "praise")]
)
def test_bad_settings_are_refused_by_name(setting, value):
    with pytest.raises(ValueError, match=setting):
        Caregiver(**{setting: value})
