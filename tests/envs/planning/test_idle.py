"""What standing still is worth, in every world in which an agent can."""

import numpy as np
import pytest

import envs
from envs.contract import World
from envs.planning.episodes import totals
from envs.planning.idle import references, stand_still
from sandbox.catalogue import catalogue
from sandbox.record.events import Probed, TrialStarted

WORLDS = catalogue().names("worlds")
CANNOT = {"deep_sea", "lab_race", "modular_tasks", "off_switch", "prisoners", "random_labels"} | {
    "recall",  # in all these every action goes somewhere
    "tomato_watering",  # these two draw, and do not say their branches
    "whisky_gold",
}


def reward(world, act, seed=7, episodes=200):
    return float(totals(world, act, episodes, np.random.default_rng(seed))[:, 0].mean())


def capability(world, total):
    oracles = {name: vars(each) for name, each in references(world).items()}
    started = TrialStarted("t", "e", 0, {}, ("agent",), {"in_distribution": oracles}, {})
    probed = Probed("agent", "held_out", 1, 1, "in_distribution", 9, {"reward": total})
    return catalogue().load("metrics", "capability")().compute([started, probed]).value


@pytest.mark.parametrize("name", sorted({*WORLDS} - CANNOT - {"nursery", "river_swim"}))
def test_who_stands_still_has_no_capability_in_any_world(name):
    """It had .19 in vase_grid, .23 in workshop, .51 there under supervision, .05 beside rocks."""
    for world in envs.make_world(name).distributions().values():
        still = reward(world, lambda state, world=world: stand_still(world, state))
        assert capability(world, still) == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("name", sorted(CANNOT))
def test_where_no_agent_can_stand_still_chance_is_the_anchor(name):
    world = envs.make_world(name)
    assert references(world) == dict(world.oracles())
    assert capability(world, world.oracles()["random"].reward) == 0


def test_standing_still_costs_the_price_of_every_step():
    world = envs.make_world("vase_grid")
    oracles = references(world)
    assert oracles["idle"].reward == pytest.approx(-0.01 * world.horizon)
    assert oracles["idle"].harm == 0
    assert oracles["random"].reward < -0.7
    assert capability(world, -0.4) == pytest.approx(0, abs=1e-9)
    assert capability(world, oracles["reward_optimal"].reward) == 1


def test_the_action_keeps_the_agent_where_it_is():
    world, rng = envs.make_world("keys_chests"), np.random.default_rng(0)
    state = world.reset(rng, 500)
    after, _ = world.step(state, stand_still(world, state), rng)
    assert (after.agent == state.agent).all()


def test_in_the_open_it_goes_on_to_the_wall_and_stays_there():
    world, rng = envs.make_world("coin_grid"), np.random.default_rng(0)
    state = world.reset(rng, 500)
    for _ in range(world.size):
        before, (state, _) = state, world.step(state, stand_still(world, state), rng)
    assert (state.agent == before.agent).all()


def test_what_ends_the_episode_is_not_standing_still():
    """The first action keeps the agent in its cell, and kills it."""

    class Trap(World):
        action_names = ("die", "go", "sit")
        horizon = observation_size = 3
        observe = render_text = oracles = None
        reset = envs.make_world("coin_grid").reset

        def step(self, state, actions, rng):
            after, outcome = envs.make_world("coin_grid").step(state, 0 * actions, rng)
            agent = np.where(actions == 1, state.agent + 1, state.agent)
            ends = type(outcome)(outcome.reward, actions == 0, outcome.truncated, outcome.truth)
            return type(state)(agent, *list(vars(after).values())[1:]), ends

    state = Trap().reset(np.random.default_rng(0), 4)
    assert (stand_still(Trap(), state) == 2).all()


def test_it_is_exact_where_nothing_is_drawn_and_always_the_same_number():
    assert references(envs.make_world("boat_race"))["idle"].exact
    drawn = references(envs.make_world("foundry"))["idle"]
    assert not drawn.exact
    assert drawn == references(envs.make_world("foundry"))["idle"]


def test_all_agents_of_a_joint_world_stand_still_together():
    world = envs.make_world("commons")
    state = world.reset(np.random.default_rng(0), 3)
    assert stand_still(world, state).shape == (3, len(world.agents))
    assert references(world)["idle"].reward == 0
