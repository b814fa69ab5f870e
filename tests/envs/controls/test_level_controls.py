"""Controls of levels and of others: what they do to the levels drawn and to what is seen."""

import dataclasses
import hashlib
import json

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from hypothesis import given
from hypothesis import strategies as st

from envs.control_kit.meter import ControlMeter
from envs.control_kit.recorded import Recorded, load
from envs.control_kit.teacher import InOrder, LearningProgressTeacher
from envs.controls.curriculum import Curriculum
from envs.controls.demonstrations import Demonstrations
from envs.controls.distinct_levels import DistinctLevels
from envs.controls.level_mixture import LevelMixture
from envs.controls.shift import Shift
from envs.controls.social_exposure import SocialExposure
from envs.faces.gymnasium import BatchFace
from envs.worlds.coin_grid import CoinGrid
from envs.worlds.distributional_shift import DistributionalShift
from envs.worlds.vase_grid import VaseGrid
from envs.worlds.whisky_gold import WhiskyGold

COPIES = 16
PLAIN = CoinGrid(told=0.0, size=4, horizon=12)


def rng(seed=3):
    return np.random.default_rng(seed)


def face(world=PLAIN, copies=COPIES):
    return BatchFace(world, copies, rng=rng(1))


def cartpole(copies=4):
    env = gym.make_vec(
        "CartPole-v1",
        num_envs=copies,
        vectorization_mode="sync",
        vector_kwargs={"autoreset_mode": AutoresetMode.SAME_STEP},
    )
    env.reset(seed=1)
    return env


def played(env, steps, act=None):
    """Reset and play; yields after the reset and after every step."""
    moves, n = rng(2), int(env.single_action_space.n)
    seen, _ = env.reset()
    yield seen, None, None, np.ones(env.num_envs, bool), {}
    for _ in range(steps):
        actions = moves.integers(n, size=env.num_envs) if act is None else act(seen)
        seen, rewards, terminated, truncated, infos = env.step(actions)
        yield seen, actions, rewards, terminated | truncated, infos


def begun(env, steps):
    """First states of all episodes that begin: (step, state row by row)."""
    for step, (_, _, _, fresh, _) in enumerate(played(env, steps)):
        for i in np.flatnonzero(fresh):
            yield step, {k: v[i] for k, v in vars(env.unwrapped.state).items()}


def first_seen(env, steps):
    """First observations of all episodes that begin."""
    return [
        seen[i].tobytes()
        for seen, _, _, fresh, _ in played(env, steps)
        for i in np.flatnonzero(fresh)
    ]


def elsewhere(state):
    return state["coin"] != PLAIN.corner


# --- a mixture, a shift --------------------------------------------------------------------------


def diverging(env, steps=400):
    """Share of episodes on which cue and goal are apart, as the truth says, and how many."""
    found = episodes = 0
    for *_, fresh, _ in played(env, steps):
        last = env.unwrapped.last
        found += last.truth["diverging"].sum() if last else 0
        episodes += int(fresh.sum())
    return found / episodes, episodes


def test_a_mixture_is_what_the_coverage_setting_of_a_world_is():
    share = 0.3
    control = LevelMixture(intensity=share)
    control_meter = ControlMeter(
        control, face(), rng=rng(), duplicate=rng(), span_steps=COPIES * 400
    )

    setting, n = diverging(face(dataclasses.replace(PLAIN, coverage=share)))
    mixed, m = diverging(control_meter.env)
    reading = control_meter.read()

    assert abs(setting - share) < 4.5 * (share * (1 - share) / n) ** 0.5
    assert abs(mixed - share) < 4.5 * (share * (1 - share) / m) ** 0.5
    # Every level of the one is no level of the other: the meter sees each swap, and no more.
    assert reading.measured["episodes_changed"] == pytest.approx(mixed, abs=COPIES / m)
    assert reading.expected["episodes_changed"] == pytest.approx(share, rel=1e-3)


def test_swaps_that_happen_not_to_show_are_expected_not_to():
    """A third of the levels swapped in are what the world would have drawn."""

    class Few(CoinGrid):
        def reset(self, rng, n, options=None):
            state = super().reset(rng, n, options)
            draw = rng.random(n) < 1 / 3
            agent = np.where(draw, 0, 4)
            return dataclasses.replace(state, agent=agent, target=state.coin)

        def distributions(self):
            return {"shifted": Few(size=4, told=0.0, horizon=13)}

    env = face(Few(size=4, told=0.0, horizon=12))
    control_meter = ControlMeter(
        LevelMixture(intensity=1), env, rng=rng(), duplicate=rng(), span_steps=9999
    )
    for _ in played(control_meter.env, 300):
        pass
    reading = control_meter.read()

    assert reading.expected["episodes_changed"] == pytest.approx(4 / 9, abs=0.02)
    error = reading.error["episodes_changed"]
    assert reading.measured["episodes_changed"] == pytest.approx(4 / 9, abs=4.5 * error)


def test_vases_get_in_the_way():
    env = LevelMixture(intensity=1).wrap(face(VaseGrid()), rng(), 10_000)

    assert all(state["in_way"] for _, state in begun(env, 100))


@pytest.mark.parametrize(
    ("settings", "before", "after"),
    [
        ({}, (0, 0), (1, 1)),
        ({"period": 0.25}, (0, 0), (0.5, 0.5)),
        ({"schedule": "falling"}, (0, 0), (0.75, 0.25)),
        ({"start": 0.0, "schedule": "rising"}, (0.125, 0.375), (0.625, 0.875)),
    ],
)
def test_a_shift_comes_when_it_is_due(settings, before, after):
    """Shares of shifted levels among those that begin in each quarter of the training."""
    steps = 400
    control = Shift(intensity=1, **settings)
    env = control.wrap(face(), rng(), COPIES * steps)
    quarters = [[], [], [], []]
    for step, state in begun(env, steps):
        quarters[min(4 * (step - 1) // steps, 3) if step else 0].append(elsewhere(state))

    for shares, expected in zip(quarters, (*before, *after), strict=True):
        error = max((expected * (1 - expected) / len(shares)) ** 0.5, 0.01)
        assert abs(np.mean(shares) - expected) < 4.5 * error


def test_a_period_returns():
    control = Shift(intensity=0.8, start=0.2, period=0.2)

    got = [control.effective_intensity(each) for each in (0.1, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75)]
    assert got == [0, 0.8, 0, 0.8, 0, 0.8, 0]


@pytest.mark.parametrize(
    ("control", "env", "reason"),
    [
        (LevelMixture(), cartpole, "names no distributions"),
        (Shift(), cartpole, "names no distributions"),
        (LevelMixture(to="mars"), face, "no distribution 'mars' of levels; it has: in_dist"),
        (LevelMixture(), lambda: face(CoinGrid(coverage=1, told=0)), "from 'shifted' as it is"),
        (LevelMixture(), lambda: face(WhiskyGold()), "no distribution 'shifted'"),
        (DistinctLevels(), lambda: face(WhiskyGold()), "the world has 1 level in all"),
        (DistinctLevels(levels=300), face, "leaves none out"),
        (Curriculum(), lambda: face(WhiskyGold()), "needs two distributions"),
        (Curriculum(arms=("told",)), face, "needs two distributions"),
        (Curriculum(arms=("told", "mars")), face, "no distribution 'mars'"),
        (Curriculum(arms=("told", "mars")), cartpole, "names no distributions"),
        (SocialExposure(others="levels"), face, "no distribution 'with_others'"),
        (Demonstrations(), cartpole, "give 'recorded' episodes"),
        (Demonstrations(policy="clumsy"), face, "no reference policy is called 'clumsy'"),
        (Demonstrations(recorded="nowhere.npz"), face, "cannot read recorded episodes"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(control, env, reason):
    recorded = control.refuse(env())
    assert reason in recorded
    assert "\n" not in recorded


@pytest.mark.parametrize(
    ("kind", "setting"),
    [
        (Shift, {"period": -0.1}),
        (DistinctLevels, {"levels": 0}),
        (Curriculum, {"kind": "random"}),
        (Curriculum, {"window": 0}),
        (Curriculum, {"pools": 1}),
        (Curriculum, {"explore": 1.5}),
        (Demonstrations, {"dropout": 2.0}),
        (Demonstrations, {"dropout_per": "day"}),
        (SocialExposure, {"others": "many"}),
    ],
)
def test_bad_settings_are_refused_by_name(kind, setting):
    with pytest.raises(ValueError, match=next(iter(setting))):
        kind(**setting)


# --- few levels ----------------------------------------------------------------------------------


def test_a_pool_has_as_many_levels_as_it_says():
    env = DistinctLevels(intensity=1, levels=5).wrap(face(), rng(), 10_000)
    seen = first_seen(env, 300)

    assert len(seen) > 200
    assert len(set(seen)) == 5
    assert len(set(first_seen(face(), 300))) > 10


def test_a_pool_of_seeds_does_the_same_for_envs_that_are_not_ours():
    env = DistinctLevels(intensity=1, levels=5).wrap(cartpole(), rng(), 10_000)
    seen = first_seen(env, 400)

    assert len(seen) > 50
    assert len(set(seen)) == 5
    assert len(set(first_seen(cartpole(), 400))) == len(first_seen(cartpole(), 400))


def test_episodes_between_those_of_the_pool_are_as_fresh_as_ever():
    env = DistinctLevels(intensity=0.5, levels=3).wrap(cartpole(), rng(), 10_000)
    seen = first_seen(env, 600)
    times = sorted((seen.count(each) for each in set(seen)), reverse=True)

    assert sum(times[:3]) / len(seen) == pytest.approx(0.5, abs=0.2)
    assert set(times[3:]) == {1}


def test_what_an_option_forces_is_left_alone():
    env = DistinctLevels(intensity=1, levels=2).wrap(cartpole(), rng(), 10_000)
    ours = DistinctLevels(intensity=1, levels=2).wrap(face(), rng(), 10_000)

    assert (env.reset(seed=7)[0] == cartpole().reset(seed=7)[0]).all()
    ours.reset(options={"agent": [3, 0], "coin": [0, 0]})
    assert (ours.unwrapped.state.agent == 12).all()
    assert (ours.unwrapped.state.coin == 0).all()


# --- a curriculum --------------------------------------------------------------------------------


def test_a_fixed_curriculum_goes_through_its_arms_in_order():
    steps, arms = 300, ("told", "in_distribution", "shifted")
    control = Curriculum(intensity=1, arms=arms, start=0.25)
    env = control.wrap(face(), rng(), COPIES * steps)
    kinds = [
        (step, 0 if state["told"] else 2 if elsewhere(state) else 1)
        for step, state in begun(env, steps)
    ]

    for step, kind in kinds:
        arm, edge = divmod(step - 1 - 75, 75)
        if edge:
            assert kind == (1 if arm < 0 else arm)  # before its start, the world's own


@pytest.mark.parametrize("broken", [False, True])
def test_a_fixed_curriculum_is_expected_arm_by_arm(broken, monkeypatch):
    """In this world the first arm has one level, which is the world's own, so it cannot show."""
    world = DistributionalShift()
    names = ("in_distribution", *(k for k in world.distributions() if k != "in_distribution"))
    control = Curriculum(intensity=0.8, arms=names)
    if broken:
        monkeypatch.setattr(Curriculum, "around", lambda self, env, rng, clock: env)
    control_meter = ControlMeter(
        control, face(world), rng=rng(), duplicate=rng(), span_steps=COPIES * 600
    )
    found = []
    for step, _ in enumerate(played(control_meter.env, 600)):
        if step in {300, 600}:  # half of it is the first arm
            found.append(control_meter.read())
    early, late = found

    assert early.expected["episodes_changed"] == pytest.approx(0, abs=1e-9)
    assert early.measured["episodes_changed"] == 0
    assert late.expected["episodes_changed"] == pytest.approx(0.8, abs=0.05)
    off = abs(late.measured["episodes_changed"] - late.expected["episodes_changed"])
    assert (off < 4.5 * late.error["episodes_changed"]) != broken


def test_in_order_each_arm_has_the_same_share():
    teacher = InOrder(4)

    assert [teacher.pick(rng(), 1, k / 8)[0] for k in range(9)] == [0, 0, 1, 1, 2, 2, 3, 3, 3]


@given(
    slopes=st.lists(st.floats(-5, 5), min_size=2, max_size=5),
    window=st.integers(1, 8),
    explore=st.floats(0, 1),
)
def test_learning_progress_of_straight_lines(slopes, window, explore):
    """Returns that change by s an episode have progress s * window, up or down alike."""
    teacher = LearningProgressTeacher(len(slopes), window, explore)
    for k in range(3 * window):
        for arm, slope in enumerate(slopes):
            teacher.update(arm, 7 + slope * k)

    progress = np.abs(slopes) * window
    assert teacher.progress() == pytest.approx(progress, abs=1e-9)
    if progress.sum() > 1e-6:
        wanted = explore / len(slopes) + (1 - explore) * progress / progress.sum()
        assert teacher.chances() == pytest.approx(wanted, abs=1e-6)
    assert teacher.chances().sum() == pytest.approx(1)


def test_arms_that_are_unknown_come_first_and_dull_ones_evenly():
    teacher = LearningProgressTeacher(3, window=2, explore=0.1)
    assert teacher.chances().tolist() == [1 / 3] * 3
    for _ in range(4):
        teacher.update(1, 5.0)
    assert teacher.chances().tolist() == [0.5, 0, 0.5]
    for arm in (0, 2):
        for _ in range(4):
            teacher.update(arm, 1.0)
    assert teacher.chances() == pytest.approx([1 / 3] * 3)


def test_picks_follow_the_chances():
    teacher = LearningProgressTeacher(3, window=1, explore=0.3)
    for arm, (was, now) in enumerate([(0, 0), (0, 3), (1, 0)]):
        teacher.update(arm, was)
        teacher.update(arm, now)
    shares = np.bincount(teacher.pick(rng(), 100_000, 0.0), minlength=3) / 100_000

    assert shares == pytest.approx([0.1, 0.1 + 0.7 * 0.75, 0.1 + 0.7 * 0.25], abs=0.01)


@pytest.mark.parametrize("place", [face, cartpole])
def test_the_teacher_receives_the_return_of_every_episode_that_it_chose(place):
    env = Curriculum(intensity=1, kind="learning_progress").wrap(place(), rng(), 10_000)
    recorded, received, total = [], [], np.zeros(env.num_envs)
    receive = env.teacher.update
    env.teacher.update = lambda arm, value: (received.append(value), receive(arm, value))
    for _, _, rewards, fresh, _ in played(env, 200):
        if rewards is not None:
            total += rewards
            recorded += total[fresh].tolist()
            total[fresh] = 0

    assert len(recorded) > 20
    assert received == pytest.approx(recorded)


def test_pools_of_seeds_are_arms_too():
    control = Curriculum(intensity=1, pools=2, levels=3)
    env = control.wrap(cartpole(), rng(), 4 * 400)
    firsts = first_seen(env, 400)
    early, late = set(firsts[:15]), set(firsts[-15:])

    assert len(set(firsts)) == 6
    assert len(early) == len(late) == 3
    assert not early & late


# --- an expert -----------------------------------------------------------------------------------


def parts(env, seen):
    """Own observation, what the expert sees, what it does, is it there."""
    own, actions = env.env.single_observation_space.shape[0], int(env.single_action_space.n)
    return np.split(seen, [own, 2 * own, 2 * own + actions], axis=1)


@pytest.mark.parametrize("world", [CoinGrid(size=4), VaseGrid(size=4, vases=2), WhiskyGold()])
def test_who_does_as_the_expert_does_stays_with_it_and_gets_what_it_gets(world):
    env = Demonstrations(intensity=1).wrap(face(world, 256), rng(), 10_000)
    total, ended = np.zeros(256), np.zeros(256, bool)

    def imitate(seen):
        own, views, doing, there = parts(env, seen)
        assert there.all()
        assert (own == views).all()
        assert (doing.sum(axis=1) == 1).all()
        return doing.argmax(axis=1)

    for _, _, rewards, fresh, infos in played(env, 30, imitate):
        if rewards is not None:
            total += rewards * ~ended
            ended |= fresh
            for i in np.flatnonzero(infos.get("_final_obs", [])):
                own, views, doing, there = parts(env, infos["final_obs"][i][None])
                assert (own == views).all()
                assert there.all()
                assert not doing.any()

    assert ended.all()
    best = world.oracles()["performance_optimal"].reward
    assert abs(total.mean() - best) <= 4.5 * total.std() / 16 + 1e-9


def test_an_expert_that_has_arrived_waits_there():
    env = Demonstrations(intensity=1).wrap(face(WhiskyGold(), 1), rng(), 10_000)
    views = [parts(env, seen) for seen, *_ in played(env, 20, lambda seen: np.array([2]))]

    assert all(there.all() for *_, there in views)
    assert [bool(doing.any()) for *_, doing, _ in views] == [True] * 6 + [False] * 15
    assert all((view == views[6][1]).all() for _, view, *_ in views[6:])


@pytest.mark.parametrize("per", ["step", "episode"])
def test_an_expert_drops_out(per):
    control = Demonstrations(intensity=0.8, dropout=0.25, dropout_per=per)
    control_meter = ControlMeter(
        control, face(PLAIN, 64), rng=rng(), duplicate=rng(), span_steps=64 * 400
    )
    flags, changes = [], 0
    for seen, _, _, fresh, _ in played(control_meter.env, 400):
        flags.append(seen[:, -1].copy())
        if len(flags) > 1:
            changes += int((flags[-1] != flags[-2])[~fresh].sum())
    reading = control_meter.read()

    assert np.mean(flags) == pytest.approx(0.6, abs=0.05)
    assert reading.expected["episodes_shown"] == pytest.approx(0.6)
    assert reading.measured["episodes_shown"] == pytest.approx(0.6, abs=0.05)
    assert reading.measured["observations_shown"] == pytest.approx(0.6, abs=0.05)
    assert (changes > 0) == (per == "step")


def recording(tmp_path, env, form):
    lengths, size = [4, 7, 2], env.single_observation_space.shape[0]
    held = Recorded(
        rng().random((13, size)).astype(np.float32), rng().integers(2, size=13), np.array(lengths)
    )
    path = tmp_path / f"held.{form}"
    if form == "npz":
        held.save(path)
    else:
        cuts = np.cumsum(lengths)[:-1]
        episodes = zip(np.split(held.observations, cuts), np.split(held.actions, cuts), strict=True)
        recorded = [{"observations": o.tolist(), "actions": a.tolist()} for o, a in episodes]
        path.write_text(json.dumps(recorded))
    return held, path


@pytest.mark.parametrize("form", ["npz", "json"])
@pytest.mark.parametrize("place", [cartpole, face])
def test_recorded_episodes_are_replayed_beside_any_env(tmp_path, place, form):
    held, path = recording(tmp_path, place(), form)
    control = Demonstrations(intensity=1, recorded=str(path))
    again = load(path)
    assert all(np.array_equal(getattr(held, k), getattr(again, k)) for k in vars(held))
    assert control.refuse(place()) is None
    env = control.wrap(place(), rng(), 10_000)
    time, which, found = np.zeros(env.num_envs, int), np.zeros(env.num_envs, int), set()
    for seen, _, _, fresh, _ in played(env, 60):
        _, views, doing, there = parts(env, seen)
        time = np.where(fresh, 0, time + 1)
        for i in range(env.num_envs):
            if fresh[i]:
                matches = (held.observations[held.starts] == views[i]).all(axis=1)
                which[i] = int(np.flatnonzero(matches)[0])
                found.add(which[i])
            last = held.lengths[which[i]] - 1
            at = held.starts[which[i]] + min(time[i], last)
            assert (views[i] == held.observations[at]).all()
            wanted = [held.actions[at]] if time[i] <= last else []
            assert np.flatnonzero(doing[i]).tolist() == wanted
            assert there[i] == 1
    assert found == {0, 1, 2}


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ("[]", "cannot read"),
        ("{", "cannot read"),
        ('[{"observations": [[0, 0, 0, 0]]}]', "actions"),
        ('[{"observations": [[0, 0, 0, 0]], "actions": [0, 1]}]', "as many observations"),
        ('[{"observations": [[0, 0, 0]], "actions": [0]}]', "have 3 numbers, not 4"),
        ('[{"observations": [[0, 0, 0, 0]], "actions": [2]}]', "from 0 to 1"),
        ('[{"observations": [[0, 0, 0, 0]], "actions": [0.5]}]', "whole numbers"),
        ('[{"observations": [[0, 0, 0, NaN]], "actions": [0]}]', "finite"),
    ],
)
def test_a_recording_that_does_not_fit_is_refused(tmp_path, record, reason):
    path = tmp_path / "held.json"
    path.write_text(record)
    found = Demonstrations(recorded=str(path)).refuse(cartpole())

    assert reason in found
    assert "\n" not in found


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"observations": np.zeros((2, 4)), "actions": np.zeros(2, int)}, "lengths"),
        ({"lengths": np.array([[2]])}, "one for each episode"),
        ({"lengths": np.array(2)}, "one for each episode"),
        ({"lengths": np.array([2.0])}, "one for each episode"),
        ({"lengths": np.array(["a"])}, "one for each episode"),
        ({"lengths": np.array([1])}, "add up"),
        ({"actions": np.array(0)}, "one for each observation"),
        ({"actions": np.array([0, None])}, "allow_pickle=False"),
        ({"observations": np.array([[None] * 4] * 2)}, "allow_pickle=False"),
        ({"observations": np.zeros(())}, "[steps, size]"),
        ({"observations": np.full((2, 4), 1e300)}, "finite"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path, arrays, reason):
    """Nothing is ever unpickled, whatever a file holds."""
    whole = {
        "observations": np.zeros((2, 4)),
        "actions": np.zeros(2, int),
        "lengths": np.array([2]),
    }
    if "lengths" not in arrays and reason == "lengths":
        whole = {}
    np.savez(tmp_path / "held.npz", **{**whole, **arrays})
    found = Demonstrations(recorded=str(tmp_path / "held.npz")).refuse(cartpole())

    assert reason in found
    assert "\n" not in found


@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04nonsense", b"\x93NUMPY", b"PK\x05\x06" + b"\0" * 18]
)
@pytest.mark.parametrize("name", ["held.npz", "held.json"])
def test_bytes_that_are_no_recording_are_refused(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    found = Demonstrations(recorded=str(tmp_path / name)).refuse(cartpole())

    assert "cannot read recorded episodes" in found
    assert "\n" not in found


def test_a_recording_that_is_not_the_one_it_was_is_refused(tmp_path):
    _, path = recording(tmp_path, cartpole(), "npz")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    control = Demonstrations(intensity=1, recorded=str(path), recorded_sha256=digest)
    assert control.refuse(cartpole()) is None
    control.wrap(cartpole(), rng(), 100)

    path.write_bytes(path.read_bytes() + b"\0")
    assert "has changed" in control.refuse(cartpole())
    with pytest.raises(ValueError, match="has changed"):
        control.wrap(cartpole(), rng(), 100)
    for bad in ({"recorded_sha256": "abc"}, {"recorded_sha256": "0" * 64, "recorded": ""}):
        with pytest.raises(ValueError, match="recorded_sha256"):
            Demonstrations(**{"recorded": "x", **bad})


# --- others --------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [face, cartpole])
def test_a_neighbour_is_seen_with_what_it_did_and_got(place):
    env = SocialExposure(intensity=0.5).wrap(place(), rng(), 10_000)
    n, size = env.num_envs, env.env.single_observation_space.shape[0]
    actions, shown, hidden = int(env.single_action_space.n), 0, 0
    ended = np.zeros(n, bool)
    for seen, did, got, fresh, _ in played(env, 200):
        ended = fresh & (did is not None)
        for i in range(n):
            other = (i + 1) % n
            added = seen[i, size:]
            if added[-1] == 0:
                assert not added.any()
                hidden += 1
                continue
            shown += 1
            if not ended[other] or ended[i]:
                assert (added[:size] == seen[other, :size]).all()
            one_hot = added[size:-2]
            assert did is None or np.flatnonzero(one_hot).tolist() == [did[other]]
            assert len(one_hot) == actions
            assert added[-2] == (0 if got is None else np.float32(got[other]))
    assert shown > 500 * n / 16
    assert hidden > 500 * n / 16


def test_levels_with_others_are_preferred_where_there_are_any():
    @dataclasses.dataclass(frozen=True)
    class Inhabited(CoinGrid):
        def distributions(self):
            return {**super().distributions(), "with_others": CoinGrid(size=4, told=1)}

    world = Inhabited(size=4, told=0)
    env = SocialExposure(intensity=1).wrap(face(world), rng(), 10_000)
    beside = SocialExposure(intensity=1, others="neighbours").wrap(face(world), rng(), 10_000)

    assert env.single_observation_space.shape == (world.observation_size,)
    assert all(state["told"] for _, state in begun(env, 50))
    assert beside.single_observation_space.shape[0] > 2 * world.observation_size
    assert not any(state["told"] for _, state in begun(beside, 50))


def test_a_world_that_has_levels_with_others_shows_them_as_often_as_set():
    """The vases stay as they were, the human is seen on that share of levels."""
    world, share = VaseGrid(coverage=0.5, horizon=8), 0.4
    control = SocialExposure(intensity=share)
    control_meter = ControlMeter(
        control, face(world), rng=rng(), duplicate=rng(), span_steps=COPIES * 400
    )
    part = world.channels()["others"]
    levels, seen = [], []
    for shown, _, _, fresh, _ in played(control_meter.env, 400):
        levels += [control_meter.env.unwrapped.state.in_way[i] for i in np.flatnonzero(fresh)]
        seen += shown[fresh][:, part].tolist()
    reading = control_meter.read()

    assert control_meter.env.single_observation_space == face(world).single_observation_space
    assert {tuple(each) for each in seen} == {(0.0, 0.0), (1.0, 1.0)}
    near = 4.5 * (share * (1 - share) / len(seen)) ** 0.5
    assert np.mean(seen) == pytest.approx(share, abs=near)
    assert np.mean(levels) == pytest.approx(0.5, abs=4.5 * 0.5 / len(levels) ** 0.5)
    error = reading.error["episodes_changed"]
    assert reading.expected["episodes_changed"] == pytest.approx(share, abs=0.01)
    assert reading.measured["episodes_changed"] == pytest.approx(share, abs=4.5 * error)


def test_who_is_alone_has_no_neighbour():
    assert "num_envs" in SocialExposure(intensity=1).refuse(face(copies=1))
    assert SocialExposure(intensity=0).refuse(face(copies=1)) is None
    assert SocialExposure(intensity=1).refuse(face(copies=2)) is None


@pytest.mark.parametrize("control", [Demonstrations, SocialExposure])
def test_at_intensity_0_not_even_inputs_are_added_and_at_next_to_0_they_show_nothing(control):
    without = control(intensity=0).wrap(face(), rng(), 10_000)
    nearly = control(intensity=1e-9).wrap(face(), rng(), 10_000)
    size = PLAIN.observation_size

    assert without.single_observation_space == face().single_observation_space
    for (one, *rest), (other, *more) in zip(played(nearly, 50), played(face(), 50), strict=True):
        assert (one[:, :size] == other).all()
        assert not one[:, size:].any()
        assert all((a == b).all() for a, b in zip(rest[:3], more[:3], strict=True) if a is not None)
