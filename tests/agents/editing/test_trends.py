"""Changes are found when they come, and no noise of any shape rings more often than is said."""

import json
import math

import numpy as np
import pytest

from agents.editing.trends import FALSE_ALARMS, FLOPS_BESIDES, ChangeRule, Changes, Detector
from agents.genome import Genome
from tests.agents.agent_states import a_view

STREAMS, LENGTH = 20, 1000
NOISES = {
    "normal": lambda rng, n: rng.standard_normal(n),
    "heavy": lambda rng, n: rng.standard_cauchy(n),
    "skewed": lambda rng, n: rng.exponential(size=n) ** 3 - 1e6,
}


def alarms(values, watch=None):
    detector = Detector(watch or ChangeRule())
    return [t for t, value in enumerate(values) if detector.take(value)]


@pytest.mark.parametrize("direction", ["rises", "falls"])
@pytest.mark.parametrize("noise", NOISES)
def test_false_alarms_are_as_rare_as_said_whatever_the_noise(noise, direction):
    """Rare alarms, so their number is Poisson's; the band is missed once in 10 000 such tests."""
    rng = np.random.default_rng([3, *noise.encode()])
    found = sum(
        len(alarms(NOISES[noise](rng, LENGTH).tolist(), ChangeRule(direction)))
        for _ in range(STREAMS)
    )
    expected = STREAMS * LENGTH * FALSE_ALARMS
    low, high = poisson_band(expected, 0.5e-4)

    assert low <= found <= high
    assert low > 0
    assert high < 3 * expected


def poisson_band(mean, tail):
    """Least and greatest count of which less than ``tail`` lies beyond, on each side."""
    chances = [math.exp(-mean)]
    while len(chances) < 4 * mean + 50:
        chances.append(chances[-1] * mean / len(chances))
    below = np.cumsum(chances)
    return int(np.searchsorted(below, tail)), int(np.searchsorted(below, 1 - tail))


def test_a_shift_of_three_standard_deviations_is_found_within_eight_updates():
    """In at least 95 of 100 streams that rang no false alarm before; no alarm has foresight."""
    rng = np.random.default_rng(4)
    delays = []
    for _ in range(100):
        values = rng.standard_normal(80)
        values[60:] += 3
        found = alarms(values.tolist())
        if not [t for t in found if t < 60]:
            delays.append(next((t - 60 for t in found), math.inf) + 1)

    assert len(delays) > 90
    assert np.mean(np.array(delays) <= 8) >= 0.95


@pytest.mark.parametrize("sign", [1, -1])
def test_what_never_was_is_found_at_the_fifth_value(sign):
    """By hand: with 64 values before, a new largest one scores sqrt(12) (64.5 / 65 - 1 / 2).

    It is then one of those before: the next, equal to ``k`` of them, has a rank of 64 - k / 2.
    """
    values = [sign * each for each in [*np.arange(64.0, 0, -1), *[1000.0] * 10]]
    detector = Detector(ChangeRule("rises" if sign > 0 else "falls"))
    assert not any(detector.take(value) for value in values[:64])
    evidence = 0.0
    for k in range(4):
        assert detector.evidence == pytest.approx(evidence)
        assert not detector.take(values[64 + k])
        evidence += math.sqrt(12) * ((64 - k / 2 + 0.5) / 65 - 0.5) - 0.5

    assert detector.take(values[68])
    assert detector.evidence == 0


def test_nothing_but_the_order_of_values_counts():
    values = np.random.default_rng(2).standard_normal(2000)
    values[1000:1100] += 2
    found = alarms(values.tolist())

    assert found
    assert alarms(np.exp(values).tolist()) == found
    assert alarms((7 * values**3 + 3).tolist()) == found
    assert alarms((-values).tolist(), ChangeRule("falls")) == found


def test_a_constant_says_nothing_and_missing_values_are_passed_over():
    assert alarms([500.0] * 1000) == []
    values = [*np.random.default_rng(1).standard_normal(60), *[9.0] * 10]
    gaps = [each for value in values for each in (value, None)]
    assert [t // 2 for t in alarms(gaps)] == alarms(values) != []


def test_no_alarm_knows_what_follows():
    values = [*np.random.default_rng(1).standard_normal(60), *[9.0] * 10]
    (first,) = alarms(values)
    assert alarms([*values[: first + 1], *[-50.0] * 30]) == [first]


def test_a_loss_that_explodes_is_a_change():
    values = [*np.random.default_rng(1).standard_normal(60), *[math.nan] * 10]
    assert alarms(values)
    json.dumps(Detector(recent=[1.0]).evidence, allow_nan=False)


@pytest.mark.parametrize(
    "settings",
    [{"direction": "up"}, {"window": 0}, {"least": 0}, {"least": 65}, {"drift": -1},
     {"drift": 2.0}, {"threshold": 0}, {"threshold": math.inf}],
)  # fmt: skip
def test_bad_settings_are_refused_by_name(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        ChangeRule(**settings)


def test_a_run_is_watched_signal_by_signal_and_charged():
    noise = np.random.default_rng(1).standard_normal((2, 70))
    returns, novelty = noise.tolist()
    returns[60:], novelty[40:46] = [-9.0] * 10, [9.0] * 6
    changes = Changes(("returns", "novelty", "no_such_loss"))
    expected, flops = {}, []
    for update in range(1, 71):
        view = a_view(
            Genome(),
            update=update,
            returns=tuple(returns[:update]),
            signals={"novelty": tuple(novelty[:update])},
        )
        if found := changes.note(view):
            expected[update] = found
        flops.append(changes.flops())

    assert expected == {45: ("novelty",), 64: ("returns",)}
    assert flops[:3] == [2 * FLOPS_BESIDES, 2 * (FLOPS_BESIDES + 1), 2 * (FLOPS_BESIDES + 2)]
    assert changes.flops() == 0
    assert set(json.loads(json.dumps(changes.state()))) == {"returns", "novelty", "no_such_loss"}


def test_updates_without_a_question_are_caught_up():
    noise = [*np.random.default_rng(1).standard_normal(60), *[9.0] * 10]
    late, prompt = Changes(("novelty",)), Changes(("novelty",))

    def reported(changes, update):
        return changes.note(
            a_view(Genome(), update=update, signals={"novelty": tuple(noise[:update])})
        )

    assert any(reported(prompt, update) for update in range(1, 71))
    assert reported(late, 50) == ()
    assert reported(late, 70) == ("novelty",)
