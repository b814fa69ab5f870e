"""Metrics of compute against closed forms."""

from dataclasses import replace

import pytest

from sandbox.catalogue import catalogue
from sandbox.contract import Measurement
from sandbox.record.events import Chosen, Updated


def compute(name, events):
    return catalogue().load("metrics", name)().compute(events)


def agent_run(*updates, agent="agent"):
    """``(FLOPs so far, return)`` of each update."""
    return [
        Updated(agent, i, 64 * i, flops, 10, 1, value, world_return=value)
        for i, (flops, value) in enumerate(updates, 1)
    ]


TEN = agent_run(*((100.0 * i, float(i)) for i in range(1, 11)))


def test_the_end_is_the_last_tenth_of_the_compute():
    assert compute("final_return", TEN) == Measurement(10.0, 1)
    # 90..100 holds 5 FLOPs of the first update and all 5 of the second
    assert compute("final_return", agent_run((95, 2.0), (100, 4.0))).value == pytest.approx(3.0)


def test_a_run_is_weighed_by_compute_not_by_updates():
    """One update of 90 FLOPs at 1 and ten of 1 FLOP at 11: (90 + 110) / 100."""
    dear = [(90.0, 1.0), *((90.0 + i, 11.0) for i in range(1, 11))]

    assert compute("lifetime_return", agent_run(*dear)).value == pytest.approx(2.0)


def test_updates_without_an_end_of_an_episode_have_no_weight():
    assert compute("lifetime_return", agent_run((50, None), (60, 3.0))).value == 3.0
    assert compute("final_return", agent_run((50, None))) == Measurement(None, 0)


def test_the_last_tenth_is_of_the_training_not_of_the_updates_that_ended_episodes():
    """Nothing ended in the second half. By the last end of an episode it had been 3."""
    stopped = agent_run((25, 1.0), (50, 3.0), (75, None), (100, None))

    assert compute("final_return", stopped) == Measurement(None, 0)
    assert compute("return_per_flop", stopped) == Measurement(None, 0)
    assert compute("lifetime_return", stopped) == Measurement(2.0, 1)


@pytest.mark.parametrize("name", ["final_return", "lifetime_return", "return_per_flop"])
def test_what_a_control_made_of_the_reward_does_not_count(name):
    """Every reward was poisoned: 182 an episode arrived where the reward of the world was -96."""
    poisoned = [replace(each, mean_return=182.0) for each in agent_run((5, -96.0), (100, -96.0))]

    assert compute(name, poisoned).value == (0 if name == "return_per_flop" else -96)


def test_gain_per_gflop():
    assert compute("return_per_flop", TEN).value == pytest.approx((10 - 1) / 1000 * 1e9)
    assert compute("return_per_flop", agent_run((1, 1.0))).value == 0


@pytest.mark.parametrize("name", ["final_return", "lifetime_return", "return_per_flop"])
def test_twice_the_price_for_the_same_run_changes_only_what_is_per_flop(name):
    twice = [replace(each, flops=2 * each.flops) for each in TEN]
    factor = 0.5 if name == "return_per_flop" else 1.0

    assert compute(name, twice).value == pytest.approx(factor * compute(name, TEN).value)


def test_several_agents_count_alike_and_one_speaks_for_a_population():
    both = agent_run((10, 1.0), agent="a") + agent_run((90, 3.0), agent="b")
    spoken = [*both, Chosen("b", 1, 64, 3.0)]

    assert compute("final_return", both) == Measurement(2.0, 2)
    assert compute("final_return", spoken) == Measurement(3.0, 1)


def test_editing_is_what_is_charged_for_editing():
    spent = {"learning": 70.0, "edits": 20.0, "editor": 7.0, "evaluation": 3.0, "upkeep": 1.0}
    one = replace(agent_run((101, 1.0))[0], spent=spent)
    other = replace(agent_run((50, 1.0), agent="b")[0], spent={"learning": 50.0})

    assert compute("editor_flops", [one]) == Measurement(30.0, 1)
    assert compute("editor_flops", [one, other]) == Measurement(15.0, 2)
    assert compute("editor_flops", [one, other, Chosen("b", 1, 64, 1.0)]) == Measurement(30.0, 1)
    assert compute("editor_flops", agent_run((10, 1.0))) == Measurement(None, 0)


@pytest.mark.parametrize(
    ("name", "loss"), [("dormancy", "dormant_share"), ("final_accuracy", "accuracy")]
)
def test_what_a_network_does_in_the_end_is_that_of_the_member_that_speaks(name, loss):
    """It was the mean over all members, those given up included."""
    one, other = (agent_run((10, 1.0), agent=each)[0] for each in "ab")
    both = [replace(one, losses={loss: 0.9}), replace(other, losses={loss: 0.1})]

    assert compute(name, both).value == pytest.approx(0.5)
    assert compute(name, [*both, Chosen("b", 1, 64, 1.0)]) == Measurement(0.1, 1)
