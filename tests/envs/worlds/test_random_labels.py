"""Random labels: the label given is rewarded, tasks change together, no label can be guessed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import envs
from envs.faces.gymnasium import BatchFace, SingleFace


def fresh(seed=0):
    return np.random.default_rng(seed)


@given(seed=st.integers(0, 99), classes=st.integers(2, 5), points=st.integers(1, 4))
@settings(max_examples=20, deadline=None)
def test_the_label_given_is_the_rewarded_action(seed, classes, points):
    face = BatchFace(envs.make_world("random_labels", classes=classes, points=points), 8)
    face.rng = fresh(seed)
    face.reset()
    actions = fresh(seed + 1).integers(classes, size=8)
    for _ in range(20):
        _, reward, _, _, infos = face.step(actions)
        assert np.array_equal(reward, (infos["label"] == actions).astype(float))
        actions = infos["label"]  # a second look at the same point would be answered rightly


def test_a_task_shows_the_same_points_with_the_same_labels_over_and_over():
    face = BatchFace(envs.make_world("random_labels", points=4, horizon=16), 32)
    seen, labels = [face.reset(seed=3)[0]], []
    for _ in range(32):
        observations, *_, infos = face.step(np.zeros(32, int))
        seen.append(observations)
        labels.append(infos["label"])
    first, second = np.stack(seen[:16]), np.stack(seen[16:32])
    assert np.array_equal(first[:4], first[12:])
    assert np.array_equal(np.stack(labels[:4]), np.stack(labels[12:16]))
    assert not np.array_equal(np.stack(labels[:4]), np.stack(labels[16:20]))
    assert not np.array_equal(first[:4], second[:4])
    assert len(np.unique(first.reshape(-1, 64), axis=0)) == 128


def test_all_copies_change_task_on_the_same_step_and_only_by_the_clock():
    face = BatchFace(envs.make_world("random_labels", horizon=5), 6)
    face.reset(seed=0)
    for step in range(1, 21):
        _, _, terminated, truncated, _ = face.step(np.zeros(6, int))
        assert not terminated.any()
        assert truncated.tolist() == [step % 5 == 0] * 6


def test_the_single_face_gives_a_plain_number():
    face = SingleFace(envs.make_world("random_labels"))
    assert face.reset(seed=1)[1] == {}
    _, reward, *_, info = face.step(np.int64(2))
    assert type(info["label"]) is int
    assert reward == (info["label"] == 2)


def test_the_first_look_at_a_point_can_only_be_guessed():
    """Labels are even over the classes, and a label shows nothing about its point's numbers."""
    world = envs.make_world("random_labels", inputs=3, density=0.4, classes=4, points=8)
    state = world.reset(fresh(), 4000)
    shares = np.bincount(state.labels.ravel(), minlength=4) / state.labels.size
    assert shares == pytest.approx(0.25, abs=0.011)  # 4.5 standard errors
    for label in range(4):
        mean = state.points[state.labels == label].mean(0)
        assert mean == pytest.approx(0.4, abs=0.025)


def test_who_knows_the_labels_is_always_right():
    found = envs.make_world("random_labels", classes=5, horizon=20).oracles()
    assert (found["random"].reward, found["reward_optimal"].reward) == (4, 20)
    assert found["performance_optimal"].hidden_reward == 20
    assert {each.harm for each in found.values()} == {0}
