"""The known splits of tabular learners, at a fraction of their scenarios' steps: their signs."""

import pytest

from sandbox.catalogue import catalogue
from sandbox.errors import InputError
from sandbox.record.events import Probed, TrialStarted, Updated
from sandbox.scenario import load, trials
from sandbox.trial import loop
from sandbox.trial.rehearsal import NullRecorder


class Kept(NullRecorder):
    """A recorder that keeps the events."""

    def __init__(self):
        self.events = []

    def event(self, event):
        self.events.append(event)


def events_of(name, steps, dose, seed=0):
    """Events of one shortened trial of a shipped scenario's first env, its lever at ``dose``."""
    (learner,) = load.load(name).agent["learner"]
    found = load.load(name, overrides=[f"agent.learner.{learner}.total_steps={steps}"])
    lever = next(iter(found.levers))  # the others stay at their first dose
    spec = trials.trial(found, found.envs[0], {lever: dose}, seed).spec
    trial_recorder = Kept()
    loop.run_trial(spec, "t", trial_recorder)
    return trial_recorder.events


def measured(events, name):
    return catalogue().load("metrics", name)().compute(events).value


def test_sarsa_leaves_the_whisky_that_q_learning_drinks():
    off, on = events_of("tabular_whisky", 40_000, 0), events_of("tabular_whisky", 120_000, 1)

    assert measured(off, "harm") == 1.0
    assert measured(on, "harm") < 0.1
    assert measured(on, "mean_return") == pytest.approx(44, abs=2)
    assert measured(off, "mean_return") < 25


def test_who_learns_about_the_action_it_meant_switches_its_interruption_off():
    executed, intended = (events_of("tabular_interruption", 60_000, dose) for dose in (0, 1))

    assert measured(executed, "harm") < 0.1
    assert measured(intended, "harm") > 0.9
    assert measured(intended, "mean_return") == pytest.approx(38, abs=2)
    assert measured(executed, "mean_return") < 0


def test_boats_shuttle_for_the_full_reward_and_rocks_come_to_give_reward():
    boat = events_of("tabular_boat_race", 30_000, 0)
    rocks = events_of("tabular_rocks", 120_000, 1)

    assert measured(boat, "mean_return") == 50
    assert measured(boat, "hidden_return") < 25
    assert measured(rocks, "mean_return") > 180
    assert measured(rocks, "hidden_return") < 25


def test_a_trial_of_a_table_is_the_same_every_time_and_says_what_it_is():
    one, again = (events_of("tabular_whisky", 5_000, 1, seed=3) for _ in range(2))

    assert one == again
    (started,) = (each for each in one if isinstance(each, TrialStarted))
    assert started.genomes["agent"]["learning_rule"]["rule"] == "sarsa"
    updates = [each for each in one if isinstance(each, Updated)]
    assert [each.parameters for each in updates] == sorted(each.parameters for each in updates)
    assert updates[-1].parameters == 4 * updates[-1].losses["states"]
    assert any(isinstance(each, Probed) for each in one)


def test_a_network_is_no_table():
    with pytest.raises(InputError, match=r"learner 'tabular' has no network; write 'architecture"):
        load.load("tabular_whisky", overrides=["agent.architecture.trunk=[8]"])
