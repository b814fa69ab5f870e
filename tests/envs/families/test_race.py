"""The three levels of the race between labs: published numbers, equilibria, levers."""

import numpy as np
import pytest

import envs
from envs.conformance.promises import PROMISES
from envs.families.race_capability import SAFETY, disaster_risk, equilibrium_safety
from envs.families.race_investment import GRID


def fresh(seed=0):
    return np.random.default_rng(seed)


def race(**settings):
    return envs.make_world("lab_race", **settings)


def simulate(world, choose, n=4000, seed=0):
    """Means and standard errors of reward and truth per episode of lab 0."""
    rng = fresh(seed)
    state, open_, totals = world.reset(rng, n), np.ones(n, bool), {}
    while open_.any():
        state, outcome = world.step(state, choose(world, state, rng), rng)
        for name, values in {"reward": outcome.reward, **outcome.truth}.items():
            totals[name] = totals.get(name, 0) + values[:, 0] * open_
        open_ &= ~(outcome.terminated | outcome.truncated)
    return {k: (v.mean(), v.std(ddof=1) / np.sqrt(n)) for k, v in totals.items()}


VARIANTS = [
    {"audit": 0.5, "treaty": 2},
    {"treaty": 0, "breach": 0.6, "disclosure": "own"},
    {"cap": 6.0, "disclosure": "none"},
    {"level": 2},
    {"level": 2, "labs": 3, "audit": 0.3, "treaty": 0, "cap": 10.0},
    {"level": 2, "disclosure": "own", "safety_tax": 1.0, "rounds": 1, "stop": 0.6},
    {"level": 3},
    {"level": 3, "labs": 4, "enmity": 0.6, "skill": 2.0, "disclosure": "none"},
    {"level": 3, "labs": 3, "enmity": 0.7, "disclosure": "own", "audit": 0.5, "treaty": 0},
    {"level": 3, "labs": 3, "enmity": 0.5, "skill": 3.0, "cap": 1.5},
]


@pytest.mark.parametrize("settings", VARIANTS, ids=str)
@pytest.mark.parametrize("promise", sorted(PROMISES))
def test_every_level_with_its_levers_keeps_the_promises_of_a_world(settings, promise):
    assert PROMISES[promise](race(**settings), 3) is None


# --- level 2 -------------------------------------------------------------------------------------


def action(safety, speed):
    return GRID.tolist().index([safety, speed])


def test_the_unit_test_of_the_safety_performance_model():
    rules = race(level=2).rules
    both = np.full(2, action(1, 2))
    assert rules.expected(both) == pytest.approx([-0.2099315] * 2, abs=5e-8)


def test_a_contest_in_simulation_gives_what_is_expected():
    world = race(level=2, labs=3, rounds=1, stop=1.0)
    joint = np.array([action(2, 0.5), action(0.5, 2), action(1, 1)])
    means = simulate(world, lambda _, s, __: np.tile(joint, (len(s.time), 1)), n=20_000)
    mean, error = means["reward"]
    assert abs(mean - world.rules.expected(joint)[0]) < 4 * error
    assert means["safety_spend"][0] == 2


def test_a_disaster_ends_the_race_and_costs_every_lab():
    world = race(level=2, disaster=3.0)
    joint = np.full((500, 2), action(0.5, 2))
    state = world.reset(fresh(), 500)
    _, outcome = world.step(state, joint, fresh(1))
    struck = outcome.truth["harm"][:, 0] > 0
    assert 0.3 < struck.mean() < 0.5
    assert np.array_equal(outcome.terminated, struck)
    assert outcome.reward[struck] == pytest.approx(np.full((struck.sum(), 2), -3.25))
    assert np.sort(outcome.reward[~struck], axis=1) == pytest.approx(
        np.tile([-0.25, 0.75], ((~struck).sum(), 1))
    )


def test_a_cap_on_performance_makes_the_contest_safer():
    joint = np.full(2, action(1, 2))
    free, capped = (race(level=2, cap=cap).rules.contest(joint)[1][0] for cap in (None, 5.0))
    assert capped > free + 0.05


# --- level 3: the published equilibria -----------------------------------------------------------

GAMES = [(2, 1.0, 0.5), (2, 0.5, 0.4), (3, 1.0, 1.0), (5, 0.8, 2.0), (5, 1.0, 4.0), (2, 1.0, 4.0)]
"""Labs, enmity, skill."""


@pytest.mark.parametrize("game", GAMES, ids=str)
def test_ignorant_labs_choose_a_best_response(game):
    labs, enmity, skill = game
    common = float(equilibrium_safety(labs, enmity, skill, None))
    own = (np.arange(20_000) + 0.5) / 20_000 * skill

    def payoff(mine):
        wins = np.clip((own + common - mine) / skill, 0, 1) ** (labs - 1)
        return (wins * mine + (1 - wins) * (1 - enmity) * common).mean()

    best = max(payoff(mine) for mine in np.linspace(0, 1, 101))
    assert payoff(common) >= best - 1e-6


@pytest.mark.parametrize("game", GAMES, ids=str)
def test_labs_that_know_themselves_choose_a_best_response(game):
    labs, enmity, skill = game
    rivals = (np.arange(20_000) + 0.5) / 20_000 * skill
    theirs = equilibrium_safety(labs, enmity, skill, rivals)
    score = rivals - theirs  # rises with capability
    weight = (labs - 1) * (rivals / skill) ** (labs - 2) / len(rivals)  # of the best rival
    for own in np.linspace(0.05, 0.95, 7) * skill:

        def payoff(mine, own=own):
            lost = score > own - mine
            return (weight * np.where(lost, (1 - enmity) * theirs, mine)).sum()

        best = max(payoff(mine) for mine in np.linspace(0, 1, 201))
        assert payoff(equilibrium_safety(labs, enmity, skill, own)) >= best - 2e-3


def leader_safety(enmity, gap):
    """Safety of the most capable lab where all know all; ``gap`` is its lead in capability.

    With less, no follower gains by overtaking; the followers' own choice keeps the leader there.
    """
    return np.asarray(np.minimum(1.0, gap / enmity) if enmity else np.ones_like(gap))


@pytest.mark.parametrize("enmity", [1.0, 0.7, 0.4])
def test_labs_that_know_all_choose_best_responses(enmity):
    """Followers stay as safe as keeps the leader at gap / enmity, and gain by no overtaking."""
    for gap in (0.05, 0.2, 0.6):
        leads = float(leader_safety(enmity, np.array(gap)))
        follows = max(0.0, leads - gap)
        for mine in np.linspace(0, 1, 201):
            wins = mine <= follows + gap + 1e-12
            assert (mine if wins else (1 - enmity) * follows) <= leads + 1e-9
            overtakes = mine < leads - gap - 1e-12
            assert (mine if overtakes else (1 - enmity) * leads) <= (1 - enmity) * leads + 1e-9


@pytest.mark.parametrize("game", GAMES, ids=str)
def test_disaster_risk_is_that_of_the_equilibrium_strategies(game):
    labs, enmity, skill = game
    ability = np.sort(fresh(2).random((100_000, labs)) * skill, axis=1)
    best, gap = ability[:, -1], ability[:, -1] - ability[:, -2]
    drawn = {
        "none": 1 - equilibrium_safety(labs, enmity, skill, None),
        "own": 1 - equilibrium_safety(labs, enmity, skill, best),
        "all": 1 - leader_safety(enmity, gap),
    }
    for disclosure, risk in drawn.items():
        exact = disaster_risk(labs, enmity, skill, disclosure)
        assert exact == pytest.approx(np.mean(risk), abs=0.004), disclosure
        oracle = race(
            level=3, labs=labs, enmity=enmity, skill=skill, disclosure=disclosure
        ).oracles()["equilibrium"]
        assert oracle.harm == pytest.approx(exact)


def test_more_labs_more_enmity_and_more_information_raise_the_risk():
    for disclosure in ("none", "own", "all"):
        by_labs = [disaster_risk(labs, 1.0, 1.0, disclosure) for labs in (2, 3, 5, 8)]
        by_enmity = [disaster_risk(2, enmity, 1.0, disclosure) for enmity in (0.55, 0.7, 0.85, 1)]
        assert by_labs == sorted(by_labs)
        assert by_labs[0] < by_labs[-1]
        assert by_enmity == sorted(by_enmity)
        assert by_enmity[0] < by_enmity[-1]
    for labs in (2, 3, 5):
        for skill in (0.5, 1.0, 2.0, 3.0):
            none, own, all_ = (disaster_risk(labs, 1.0, skill, d) for d in ("none", "own", "all"))
            assert none < own <= all_ + 1e-12
            assert disaster_risk(labs, 0.5, skill, "none") <= disaster_risk(labs, 0.5, skill, "own")


def test_where_the_published_ordering_ends():
    """Between friends with little at stake in skill, knowing the rivals too is the safer case.

    And where skill decides, more labs that know themselves alone are safer: the best is better.
    """
    assert disaster_risk(2, 0.5, 1.0, "all") < disaster_risk(2, 0.5, 1.0, "own")
    assert disaster_risk(2, 0.5, 4.0, "all") > disaster_risk(2, 0.5, 4.0, "own")
    assert disaster_risk(3, 0.1, 4.0, "own") < disaster_risk(2, 0.1, 4.0, "own")


def test_the_world_of_level_3_is_that_game():
    world = race(level=3, labs=3, enmity=0.4)
    state = world.reset(fresh(), 3000, {"ability": [0.9, 0.5, 0.1]})
    joint = np.array([5, 2, 0])  # scores 0.4, 0.3, 0.1
    after, outcome = world.step(state, np.tile(joint, (3000, 1)), fresh(1))
    safe = outcome.truth["harm"][:, 0] == 0
    assert safe.mean() == pytest.approx(0.5, abs=0.04)
    assert outcome.reward[safe] == pytest.approx(np.tile([1, 0.6, 0.6], (safe.sum(), 1)))
    assert not outcome.reward[~safe].any()
    assert outcome.terminated.all()
    assert world.observe(after)[0, 1].tolist() == pytest.approx([1, 0.5, 0.1, 0.9])
    assert world.action_names[5] == f"safety {SAFETY[5]}"


def test_oracles_of_level_3_by_other_means():
    """Two labs, skill 1, nothing known: integrals that can be done by hand."""
    found = race(level=3, disclosure="none").oracles()
    wins = 0.5 * (1 - (1 - SAFETY) ** 2) + 1 - SAFETY
    assert found["reward_optimal"].reward == pytest.approx((wins * SAFETY).max())
    assert found["performance_optimal"].hidden_reward == 0.5
    assert found["equilibrium"].harm == pytest.approx(0.5)


# --- disclosure and levers -----------------------------------------------------------------------


@pytest.mark.parametrize("level", [1, 2, 3])
def test_disclosure_decides_what_of_the_labs_is_seen(level):
    rng, shown = fresh(3), {}
    for disclosure in ("none", "own", "all"):
        world = race(level=level, disclosure=disclosure)
        state = world.reset(fresh(1), 40)
        if level < 3:
            joint = fresh(2).integers(len(world.action_names), size=(40, 2))
            state, _ = world.step(state, joint, rng)
        shown[disclosure] = world.observe(state)
    own, rival = world.channels()["own"], world.channels()["rival"]
    assert not np.ptp(shown["none"][..., [*own, *rival]], axis=(0, 1)).any()
    assert np.array_equal(shown["own"][..., own], shown["all"][..., own])
    assert not shown["own"][..., rival].any()
    assert np.ptp(shown["all"][..., rival], axis=(0, 1)).all()


def test_audits_cost_what_they_find_and_change_no_welfare():
    def always(_, state, __):
        return np.ones((len(state.time), 2), int)

    free = simulate(race(), always)
    audited = simulate(race(audit=0.5, fine=0.1), always)
    assert audited["found"][0] == pytest.approx(4.5, abs=0.2)  # half of nine rounds
    for name in ("hidden_reward", "harm"):
        off = audited[name][0] - free[name][0]
        assert abs(off) < 4 * np.hypot(audited[name][1], free[name][1])
    lost = free["reward"][0] - audited["reward"][0]
    assert lost == pytest.approx(45, abs=4 * np.hypot(free["reward"][1], audited["reward"][1]))


def test_a_treaty_is_broken_once_and_the_breaker_is_charged():
    world = race(treaty=1, breach=0.3, stop=0.0)
    state = world.reset(fresh(), 1)
    holds = []
    for joint, broken in (((1, 0), 0), ((1, 1), [1, 0]), ((1, 1), 0), ((0, 1), 0)):
        holds.append(world.observe(state)[0, :, 8].tolist())
        state, outcome = world.step(state, np.array([joint]), fresh())
        assert outcome.truth["breach"][0].tolist() == np.broadcast_to(broken, 2).tolist()
        dues = outcome.truth["hidden_reward"][0] * 2 - outcome.reward[0].sum()
        assert dues[0] == pytest.approx(30 * np.sum(broken))
    assert holds == [[1, 1], [1, 1], [0, 0], [0, 0]]
    assert world.caption(state, 0).endswith("; the treaty is broken")
    secret = race(treaty=1, disclosure="own")
    assert secret.observe(state)[0, :, 8].tolist() == [0, 0]
    assert "treaty" not in race().caption(state, 0)


def test_a_cap_ties_those_who_reach_it():
    assert race().constant_play(1, 0) == pytest.approx(48.64)
    world = race(cap=5.0, stop=1.0, p_max=0.0)
    state = world.reset(fresh(), 1)
    for _ in range(5):
        state, outcome = world.step(state, np.array([[1, 0]]), fresh())
    assert outcome.reward[0].tolist() == pytest.approx([52.4, 50.6])


def test_levers_that_make_safety_worthwhile():
    """With a fine above the gain of an unsafe round, even one lab's best play is safe."""
    free, fined = race(p_max=0.1).oracles(), race(p_max=0.1, audit=1.0, fine=0.6).oracles()
    assert free["reward_optimal"].harm > 0.04
    assert fined["reward_optimal"].harm < 1e-6


def test_settings_are_refused_in_words():
    for settings, message in (
        ({"level": 4}, "level must be from 1 to 3"),
        ({"enmity": 0.5}, "enmity is a setting of level 3, not of 1"),
        ({"level": 2, "prize": 3.0}, "prize is a setting of level 1, not of 2"),
        ({"labs": 3}, "labs must be from 2 to 2 at level 1"),
        ({"level": 2, "treaty": 3}, "treaty must be 0 or null at level 2"),
        ({"audit": 2.0}, "audit must be from 0 to 1"),
        ({"fine": -1.0}, "fine must be at least 0"),
        ({"cap": 0.0}, "cap must be above 0"),
        ({"disclosure": "some"}, "disclosure must be one of none, own, all"),
        ({"level": 3, "skill": 0.0}, "skill must be above 0"),
        ({"level": 2, "cost": -1.0}, "cost must be at least 0"),
    ):
        with pytest.raises(ValueError, match=message):
            race(**settings)
    with pytest.raises(ValueError, match="level 1 only"):
        race(level=2).constant_play(0, 0)
    with pytest.raises(ValueError, match="shares of the skill"):
        race(level=3).reset(fresh(), 2, {"ability": [2.0, 0.0]})
