"""What every metric promises."""

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.catalogue import catalogue
from sandbox.contract import Metric
from sandbox.record.events import (
    Checked,
    Controlled,
    Edited,
    Measured,
    Probed,
    TrialStarted,
    Updated,
)

ORACLES = {
    "random": {"reward": 0.1, "hidden_reward": 0.0, "harm": 0.4},
    "idle": {"reward": -0.1, "hidden_reward": 0.0, "harm": 0.0},
    "reward_optimal": {"reward": 0.9, "hidden_reward": 0.2, "harm": 0.6},
    "performance_optimal": {"reward": 0.8, "hidden_reward": 0.9, "harm": 0.1},
    "most_harmful": {"reward": 0.0, "hidden_reward": -1.0, "harm": 1.0},
}
TRAINED = {"coverage": 0.5, "bad_episode": 0.5}
DISTRIBUTIONS = ("in_distribution", "shifted", "told")
MAPS = {
    "empowerment_map": {"empowerment": 1.0},
    "empowerment_of_all": {"other": 1.0, "empowerment": 1.0},
    "power": {"power": 0.75},
}
PARTS = catalogue().names("metrics")


@pytest.fixture(params=PARTS)
def metric(request):
    return catalogue().load("metrics", request.param)()


def trial(probed=()):
    started = TrialStarted(
        trial="t",
        env="e",
        seed=0,
        condition={},
        agents=("agent",),
        anchors=dict.fromkeys(DISTRIBUTIONS, ORACLES),
        genomes={},
    )
    learned = {"accuracy": 0.75, "dormant_share": 0.25}
    spent = {"learning": 1e6}
    updated = Updated(
        "agent",
        1,
        100,
        1e6,
        50,
        4,
        0.5,
        losses=learned,
        truth=TRAINED,
        spent=spent,
        world_return=0.5,
    )
    rule = {"planting": 0, "held": 0.05, "broken": 0.1}
    watched = [
        Checked("agent", update, 100 * update, "update", 2, rate, rate, **rule)
        for update, rate in ((0, 0.0), (1, 0.25))
    ]
    cared = Controlled("caregiver", 0, 0, 1.0, 1.0, {}, {}, {})
    before = Probed("agent", "held_out", 0, 0, "in_distribution", 5, {"for_other": 2.0})
    edit = Edited("agent", 1, 100, 2, "widen", {}, "architecture", True, "", "confirmed", {}, 50)
    gone_to = [
        Measured("agent", name, 1, 100, "update", {**values, "random": 0.5})
        for name, values in MAPS.items()
    ]
    drifting = {"step": 0.25, "net": 0.25, "fidelity": 0.5, "regret": 0.75, "pursuit": 0.5}
    believed = [
        Measured("agent", "values", update, 100 * update, moment, drifting)
        for update, moment in ((0, "update"), (1, "before edit"), (1, "after edit"))
    ]
    return [started, updated, edit, *watched, cared, before, *gone_to, *believed, *probed]


def probes(reward, harm, coins):
    columns = {
        "reward": (reward,) * len(coins),
        "hidden_reward": (reward,) * len(coins),
        "harm": (harm,) * len(coins),
        "coin": tuple(map(float, coins)),
        "corner": tuple(1.0 - coin for coin in coins),
        "diverging": (1.0,) * len(coins),
        "zaps": tuple(map(float, coins)),
        "length": (2.0,) * len(coins),
        "for_other": (1.0,) * len(coins),
        "for_self": tuple(map(float, coins)),
        "acted": tuple(map(float, coins)),
        "switched_off": (0.0,) * len(coins),
        "deferred": tuple(1.0 - coin for coin in coins),
        "pressed": (0.0,) * len(coins),
    }
    values = {name: sum(each) / len(each) for name, each in columns.items()}
    return [
        Probed("agent", "held_out", 1, 100, name, len(coins), values, columns)
        for name in DISTRIBUTIONS
    ]


def test_declares_unit_range_and_direction(metric):
    low, high = metric.range

    assert isinstance(metric, Metric)
    assert metric.__dataclass_params__.frozen
    assert not dataclasses.fields(metric)
    assert metric.unit.strip()
    assert low < high
    assert metric.direction in {"higher", "lower", "neutral"}


def test_nothing_measured_is_none_and_n_is_zero(metric):
    found = metric.compute([])

    assert found.value is None
    assert found.n == 0


@given(st.floats(-3, 3), st.floats(-3, 3), st.lists(st.integers(0, 1), min_size=5, max_size=9))
@pytest.mark.parametrize("name", PARTS)
def test_a_value_lies_in_its_range(name, reward, harm, coins):
    metric = catalogue().load("metrics", name)()
    found = metric.compute(trial(probes(reward, harm, coins)))

    if found.value is None:
        assert found.n == 0
    else:
        assert math.isfinite(found.value)
        assert metric.range[0] <= found.value <= metric.range[1]


def test_it_is_measured_of_an_able_agent(metric):
    found = metric.compute(trial(probes(0.9, 0.2, [1, 0, 1, 0, 1])))

    assert found.value is not None
    assert found.n > 0


def test_it_is_a_pure_function_of_the_events(metric):
    events = trial(probes(0.5, 0.2, [1, 0]))
    before = list(events)

    assert metric.compute(events) == metric.compute(tuple(events))
    assert events == before
