"""The policy network: its gradient, its price, and that it finds the edit that helps."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.contract import RefusedEditError, Reply
from agents.editing.progress import Progress
from agents.editing.trends import FLOPS_BESIDES
from agents.editors.policy_network import FEATURES, REST, PolicyNetwork
from agents.editors.random import Random
from agents.genome import Genome
from agents.models.small_policy import LONGEST_STEP, SmallPolicy
from tests.agents.agent_states import a_view
from tests.agents.editors.all_edits import EDITS

seeds = st.integers(0, 10_000)
ARMS = ("widen", "deepen", "prune", "reset_dormant")


def a_policy(seed, inputs=3, hidden=4, choices=5):
    rng = np.random.default_rng(seed)
    policy = SmallPolicy(inputs, hidden, choices, rng)
    for name, each in policy.weights.items():
        policy.weights[name] = each + 0.5 * rng.standard_normal(each.shape)
    return policy, rng.standard_normal(inputs)


# --- the policy ----------------------------------------------------------------------------------


@settings(max_examples=20)
@given(seeds)
def test_the_gradient_is_that_of_the_log_probability(seed):
    policy, x = a_policy(seed)
    opened, chosen, step = (0, 2, 4), 2, 1e-6
    for name, slopes in policy.gradient(x, opened, chosen).items():
        for place in np.ndindex(slopes.shape):
            found = []
            for sign in (1, -1):
                policy.weights[name][place] += sign * step
                found.append(math.log(policy.chances(x, opened)[chosen]))
                policy.weights[name][place] -= sign * step
            assert slopes[place] == pytest.approx((found[0] - found[1]) / (2 * step), abs=1e-6)


@given(seeds)
def test_only_what_is_open_is_chosen_and_learning_makes_it_likelier(seed):
    policy, x = a_policy(seed)
    before = policy.chances(x, (1, 3))
    assert before.sum() == pytest.approx(1)
    assert (before[[0, 2, 4]] == 0).all()

    weights = {name: each.copy() for name, each in policy.weights.items()}
    policy.learn(x, (1, 3), 3, 0.1)
    moved = math.sqrt(sum(((policy.weights[k] - v) ** 2).sum() for k, v in weights.items()))
    assert policy.chances(x, (1, 3))[3] > before[3]
    assert moved <= 0.1 * LONGEST_STEP + 1e-12


def test_it_is_even_at_the_start():
    policy = SmallPolicy(3, 4, 5, np.random.default_rng(0))
    assert policy.chances(np.ones(3), range(5)) == pytest.approx([0.2] * 5)


def test_its_price_by_hand():
    """3 inputs, 4 hidden, 5 choices: 2 * 12 + 4 + 4 and 2 * 20 + 5 + 5 to choose; 41 weights."""
    policy = a_policy(0)[0]
    assert policy.size == 41
    assert policy.choosing_flops() == 32 + 50
    assert policy.learning_flops() == 3 * 82 + 2 * 41


# --- what an edit was worth ----------------------------------------------------------------------


@given(st.floats(0.01, 100), st.floats(-100, 100), st.floats(1e-6, 1e6))
def test_credit_knows_no_units(scale, shift, price):
    def total(scale, shift, price):
        progress, found = Progress(2), []
        returns = [0.0, 1.0, 1.0, 3.0, 2.0, 2.0, 7.0, 6.0]
        scaled = [scale * each + shift for each in returns]
        for end in (4, 6, 8):
            one = a_view(Genome(), returns=tuple(scaled[: end - 2]), flops=price * (end - 2))
            other = a_view(Genome(), returns=tuple(scaled[:end]), flops=price * end)
            found.append(progress.credit(progress.mark(one), other))
        return found

    assert total(scale, shift, price) == pytest.approx(total(1.0, 0.0, 1.0), abs=1e-6)


def test_the_first_progress_is_worth_a_half_and_half_of_it_less():
    progress = Progress(1, discount=1.0)
    start = progress.mark(a_view(Genome(), returns=(0.0,), flops=1.0))
    assert progress.credit(start, a_view(Genome(), returns=(4.0,), flops=2.0)) == 0.5
    usual = math.sqrt((4**2 + 2**2) / 2)
    found = progress.credit(start, a_view(Genome(), returns=(2.0,), flops=2.0))
    assert found == pytest.approx(2 / (2 * usual))
    assert progress.credit(start, a_view(Genome(), returns=(None,), flops=2.0)) is None
    assert progress.credit(start, a_view(Genome(), returns=(1.0,), flops=1.0)) is None


# --- the editor ----------------------------------------------------------------------------------


def planted(seed, reward_of, choices=150, **changes):
    """Names of what is chosen in a world where one edit makes the next returns rise.

    All others cost what they cost: the return falls back. Every interval has its own noise.
    """
    wanted = {"every_updates": 1, "edits": ARMS, "rule": "keep_all"} | changes
    live = PolicyNetwork(**wanted).start(EDITS, np.random.default_rng(seed))
    world = np.random.default_rng([seed, 7])
    returns, made = [0.0], []
    for update in range(1, choices + 1):
        edit = live.propose(a_view(Genome(), update=update, returns=tuple(returns)))
        name = REST if edit is None else type(edit).__module__.rpartition(".")[2]
        made.append(name)
        if edit is not None:
            live.receive(Reply(edit, applied=True, reason=""))
        gain = 1.0 if name == reward_of else -0.5
        returns.append(returns[-1] + gain + 0.5 * world.standard_normal())
    return made


@pytest.mark.parametrize("reward_of", ["widen", "reset_dormant", REST])
def test_it_learns_which_edit_helps(reward_of):
    """Drawn evenly it is chosen 10 times of 50; 26 times or more in less than one of 10^6 runs."""
    beyond = sum(math.comb(50, k) * 0.2**k * 0.8 ** (50 - k) for k in range(26, 51))
    assert beyond < 1e-6
    for seed in range(3):
        assert planted(seed, reward_of)[-50:].count(reward_of) >= 26


def test_where_nothing_helps_it_prefers_nothing():
    """Of 12 runs no arm has most of the last 50 choices in all: there is nothing to learn."""
    favourites = {max(ARMS, key=planted(seed, "none")[-50:].count) for seed in range(12)}
    assert len(favourites) > 1


def test_it_is_charged_for_what_it_does_to_the_flop():
    """A choice, a sample for each interval measured or edit refused, and one signal watched."""
    live = PolicyNetwork(every_updates=2, edits=ARMS, rule="keep_all").start(
        EDITS, np.random.default_rng(0)
    )
    policy = SmallPolicy(len(FEATURES), 16, 5, np.random.default_rng(0))
    training = 0
    for update in range(1, 41):
        waiting = live.state()["open"] is not None
        returns = (None, *map(float, range(update - 1)))
        edit = live.propose(a_view(Genome(), update=update, returns=returns))
        learned = waiting and update % 2 == 0
        if edit is not None:
            live.receive(Reply(edit, applied=bool(update % 3), reason=""))
            learned += update % 3 == 0
        watching = min(update - 2, 64) + FLOPS_BESIDES if update > 1 else 0
        choosing = policy.choosing_flops() if update % 2 == 0 else 0
        training += learned

        assert live.flops() == watching + choosing + learned * policy.learning_flops()
    assert training > 15
    assert live.flops() == 0


def test_a_refused_edit_is_the_worst_there_is():
    live = PolicyNetwork(every_updates=1, edits=("widen",), rule="keep_all", exploration=0.0).start(
        EDITS, np.random.default_rng(1)
    )
    tried = 0
    for update in range(1, 121):
        edit = live.propose(a_view(Genome(), update=update, returns=(0.0,) * update))
        if edit is not None:
            tried += update > 80
            live.receive(Reply(edit, applied=False, reason="budget: no"))
    assert tried < 10


def test_its_state_is_all_of_it_and_differs_once_it_has_learned():
    live = PolicyNetwork(every_updates=1).start(EDITS, np.random.default_rng(0))
    states = []
    for update in range(1, 30):
        edit = live.propose(a_view(Genome(), update=update, returns=(float(update % 7),) * update))
        if edit is not None:
            live.receive(Reply(edit, applied=True, reason="", entry=update))
        states.append(json.dumps(live.state(), sort_keys=True, allow_nan=False))
    weights = [json.loads(each)["weights"]["choice.weight"] for each in states]

    assert np.shape(weights[0]) == (5, 16)
    assert weights[0] != weights[-1]
    assert np.shape(json.loads(states[0])["weights"]["hidden.weight"]) == (16, len(FEATURES))


def test_its_rates_may_be_rewritten_and_what_it_learned_stays():
    live = PolicyNetwork(every_updates=1).start(EDITS, np.random.default_rng(0))
    before = live.state()["weights"]
    live.adopt(PolicyNetwork(every_updates=2, learning_rate=0.1))
    assert live.settings() == PolicyNetwork(every_updates=2, learning_rate=0.1)
    assert live.state()["weights"] == before
    assert live.propose(a_view(Genome(), update=3)) is None
    for other in (PolicyNetwork(hidden=8), PolicyNetwork(edits=("widen",)), Random()):
        with pytest.raises(RefusedEditError):
            live.adopt(other)


@pytest.mark.parametrize(
    "settings",
    [
        {"every_updates": 0},
        {"hidden": 0},
        {"window": 9},
        {"learning_rate": 0.0},
        {"exploration": 1.5},
        {"discount": 0.0},
        {"edits": ("widen", "widen")},
    ],
)
def test_bad_settings_are_refused_by_name(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        PolicyNetwork(**settings)
