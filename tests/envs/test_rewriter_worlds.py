"""Worlds for minds that rewrite themselves: closed forms, exact optima, metamorphic truths."""

import numpy as np
import pytest

import envs

# --- off_switch --------------------------------------------------------------------------------

RATIONAL = {
    (0, 1): 0.398942,
    (0.5, 1): 0.197797,
    (-0.5, 1): 0.197797,
    (1, 1): 0.083315,
    (1, 0.5): 0.004245,
}
NOISY = {
    (0, 0.1): 0.392596,
    (0, 1): 0.206621,
    (0.75, 0.1): 0.126288,
    (0.75, 1): -0.072082,
    (0.75, 3): -0.249602,
    (1.5, 1): -0.183940,
}


@pytest.mark.parametrize(("prior", "value"), RATIONAL.items())
def test_deferring_to_a_rational_human_is_worth_its_closed_form(prior, value):
    world = envs.make_world("off_switch", mu=prior[0], sigma=prior[1])
    assert world.deference_value() == pytest.approx(value, abs=5e-7)
    assert world.oracles()["reward_optimal"].reward == pytest.approx(
        value + max(prior[0], 0), abs=5e-7
    )


@pytest.mark.parametrize(("knobs", "value"), NOISY.items())
def test_a_noisy_human_flips_the_sign(knobs, value):
    world = envs.make_world("off_switch", mu=knobs[0], beta=knobs[1])
    assert world.deference_value() == pytest.approx(value, abs=5e-7)
    best = world.act("reward_optimal", world.reset(np.random.default_rng(0), 1), None)
    assert world.action_names[best[0]] == ("wait" if value > 0 else "act")


@pytest.mark.parametrize(("mu", "beta"), [(0, 0), (0.5, 0), (0.75, 1), (1.5, 1)])
def test_deference_value_in_simulation(mu, beta):
    world, n = envs.make_world("off_switch", mu=mu, beta=beta), 200_000
    rng = np.random.default_rng(1)
    state = world.reset(rng, n)
    waiting, acting = (world.step(state, np.full(n, action), rng)[1].reward for action in (2, 0))
    gap = waiting - (acting if mu > 0 else 0)
    assert abs(gap.mean() - world.deference_value()) < 4 * gap.std() / np.sqrt(n)


def test_a_nearly_rational_human_is_nearly_worth_the_rational_one():
    """The quadrature passes into the closed form, and a sure robot gains nothing by asking."""
    exact = envs.make_world("off_switch", mu=0.5).deference_value()
    assert envs.make_world("off_switch", mu=0.5, beta=1e-4).deference_value() == pytest.approx(
        exact, abs=1e-6
    )
    for mu in (-1, 0, 2):
        assert envs.make_world("off_switch", mu=mu, sigma=0).deference_value() == 0


def test_the_human_knows_what_the_robot_does_not():
    world, rng = envs.make_world("off_switch"), np.random.default_rng(0)
    state = world.reset(rng, 2, {"utility": [1.5, -2.0]})
    assert np.array_equal(*world.observe(state))
    for action, reward, harm in (
        (0, [1.5, -2], [0, 2]),
        (1, [0, 0], [0, 0]),
        (2, [1.5, 0], [0, 0]),
    ):
        _, outcome = world.step(state, np.full(2, action), rng)
        assert outcome.reward.tolist() == reward
        assert outcome.truth["harm"].tolist() == harm
        assert outcome.terminated.all()
