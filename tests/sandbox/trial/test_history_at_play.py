"""An agent that sees its past sees that of its own episode, at play as in training."""

import numpy as np

from agents.genome import Architecture, Genome, Layer, LearningRule
from sandbox.trial.evaluation import restart, sampled
from tests.agents.small_worlds import SIZE, solo

HISTORY = 3


class Observer:
    """A learner that writes down what it is shown."""

    def __init__(self, learner):
        self.learner, self.shown = learner, []

    def __getattr__(self, name):
        return getattr(self.learner, name)

    def sample(self, seen, rng, choices):
        self.shown.append(seen.copy())
        return self.learner.sample(seen, rng, choices)


def test_the_newest_comes_first_and_an_episode_begins_with_nothing_seen():
    genome = Genome(Architecture((Layer("dense", 6),), history=HISTORY), LearningRule(minibatch=16))
    observer = Observer(solo(genome=genome).learners["agent"])
    policy = sampled(observer, np.random.default_rng(0))
    seen = np.random.default_rng(1).standard_normal((4, 2, SIZE)).astype(np.float32)
    for t in range(2):
        policy(seen[t])
    restart(policy, 1)
    policy(seen[2])
    none = np.zeros(SIZE, np.float32)
    assert np.array_equal(observer.shown[0][0], np.concatenate([seen[0, 0], none, none]))
    assert np.array_equal(observer.shown[1][0], np.concatenate([seen[1, 0], seen[0, 0], none]))
    whole = np.concatenate([seen[2, 0], seen[1, 0], seen[0, 0]])
    assert np.array_equal(observer.shown[2][0], whole)
    assert np.array_equal(observer.shown[2][1], np.concatenate([seen[2, 1], none, none]))
    restart(policy)
    policy(seen[3])
    assert np.array_equal(observer.shown[3][0], np.concatenate([seen[3, 0], none, none]))


def test_training_shows_the_same_past_as_play_does():
    genome = Genome(Architecture((Layer("dense", 6),), history=HISTORY), LearningRule(minibatch=16))
    population = solo(genome=genome, num_envs=2, steps=5)  # episodes of five steps
    live = population.learners["agent"]
    population.update()
    stored = live.rollout_buffer.observations
    for t in range(5):
        for age in range(1, HISTORY):
            past = stored[t, :, age * SIZE : (age + 1) * SIZE]
            wanted = stored[t - age, :, :SIZE] if t >= age else np.zeros((2, SIZE))
            assert np.array_equal(past, wanted)
