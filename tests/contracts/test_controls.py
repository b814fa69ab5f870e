"""What every control promises: nothing at 0, and no more than its settings say.

Every control is tried on three envs: two worlds of ours (one that replaces actions and names its
channels) and CartPole. What refuses one of them is skipped there, but not everywhere.
"""

import dataclasses
from functools import cache

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.spaces import Discrete
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

import envs  # noqa: F401  (registers our ids)
from envs.control_kit.control import Control, ControlledEnv
from envs.control_kit.meter import ControlMeter
from sandbox.catalogue import catalogue
from sandbox.contract import Lever
from sandbox.lever_kinds import ControlLever
from sandbox.record.events import Updated
from sandbox.trial.controls import reading
from sandbox.trial.recorder import RecordedEnv
from tests.envs.notes import Notes

COPIES, STEPS, SEED = 4, 300, 11
SPAN = COPIES * STEPS
NAMES = catalogue().names("controls")
MAKERS = {
    "coin": lambda: gym.make_vec("sandbox/CoinGrid-v0", num_envs=COPIES, size=5),
    "interruptible": lambda: gym.make_vec("sandbox/SafeInterruptibility-v0", num_envs=COPIES),
    "cartpole": lambda: gym.make_vec(
        "CartPole-v1",
        num_envs=COPIES,
        vectorization_mode="sync",
        vector_kwargs={"autoreset_mode": AutoresetMode.SAME_STEP},
    ),
}
# A rule about one cell would hardly ever apply to a random walk; at threshold 0 it often does.
OFTEN = {
    "cartpole": {"feature": 2, "threshold": 0.0},
    "coin": {"threshold": 0.0},
    "interruptible": {"threshold": 0.0},
}
SETTINGS = {
    "hygiene": {
        "cartpole": {"channels": (2, 0)},
        "coin": {"channels": (0, 1, 2)},
        "interruptible": {"channels": ("button", "position")},
    },
    "shield": OFTEN,
    "counterexamples": OFTEN,
}
"""What a control needs to know before it can act on an env."""
DOSES = {
    "hygiene": 1.0,  # half of it must hide fewer channels
    # What happens once an episode happens some forty times here: too few to separate 0.5 from 0.25.
    **dict.fromkeys(("level_mixture", "shift", "distinct_levels", "curriculum"), 1.0),
    **dict.fromkeys(("demonstrations", "social_exposure", "skill"), 1.0),
}


def rng():
    return np.random.default_rng([SEED, 1])


def made(name: str, place: str, **settings) -> Control:
    needed = SETTINGS.get(name, {}).get(place, {})
    return catalogue().load("controls", name)(**{**needed, **settings})


@cache
def refusal(name: str, place: str) -> str | None:
    return made(name, place).refuse(MAKERS[place]())


FITTING = [(name, place) for name in NAMES for place in MAKERS if refusal(name, place) is None]
EVERY = pytest.mark.parametrize("name", NAMES)
EVERYWHERE = pytest.mark.parametrize(("name", "place"), FITTING)


def dose(name: str) -> float:
    return DOSES.get(name, min(0.5, catalogue().load("controls", name).most))


def seeded(place: str):
    env = MAKERS[place]()
    env.action_space.seed(SEED)
    return env


def agent_run(env, steps=STEPS, *, added=False):
    """Everything that a learner is given, reset and all, under a fixed random policy.

    It knows the env's own actions, or those that a control ``added`` as well.
    """
    whose = env if added else env.unwrapped
    moves, n = np.random.default_rng(SEED), int(whose.single_action_space.n)
    reported = [env.reset(seed=SEED)]
    reported += [env.step(moves.integers(n, size=COPIES)) for _ in range(steps)]
    env.close()
    return reported


def same(one, other) -> bool:
    """Bit for bit, dtypes and all."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, np.ndarray) and one.dtype == object:
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.tobytes() == other.tobytes()
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def bare(place: str, control: Control, steps=STEPS):
    """The env alone, in the shape in which the control shows it: what ``silent`` says."""
    shape = control.wrap(seeded(place), rng(), SPAN)
    silent = getattr(shape, "silent", lambda seen: seen)

    def quiet(each):
        infos = dict(each[-1])
        if "final_obs" in infos:
            final = np.full(COPIES, None, dtype=object)
            for i in np.flatnonzero(infos["_final_obs"]):
                final[i] = silent(infos["final_obs"][i][None])[0]
            infos["final_obs"] = final
        return (silent(each[0]), *each[1:-1], infos)

    return [quiet(each) for each in agent_run(seeded(place), steps)]


def gauged(name: str, place: str, **settings) -> ControlMeter:
    control = made(name, place, **settings)
    return ControlMeter(control, seeded(place), rng=rng(), duplicate=rng(), span_steps=SPAN)


# --- form ----------------------------------------------------------------------------------------


@EVERY
def test_is_a_frozen_dataclass_whose_settings_have_defaults(name):
    kind = catalogue().load("controls", name)
    assert kind.__dataclass_params__.frozen
    start = 0.5 if name == "shift" else 0.0  # a shift is nothing without a time before it
    assert kind() == kind(intensity=0.0, start=start, end=1.0, schedule="constant", seed=0)
    assert kind.unit
    assert {each.name for each in dataclasses.fields(Control)} <= {
        each.name for each in dataclasses.fields(kind)
    }


@EVERY
def test_fits_some_env_and_refuses_others_in_one_line(name):
    reported = [refusal(name, place) for place in MAKERS]
    assert None in reported
    assert all(each is None or (each and "\n" not in each) for each in reported)


@EVERY
@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("intensity", -0.1),
        ("intensity", float("nan")),
        ("intensity", float("inf")),
        ("start", -0.1),
        ("start", 1.0),
        ("end", 0.0),
        ("end", 1.5),
        ("schedule", "sudden"),
        ("seed", -1),
    ],
)
def test_bad_settings_are_refused_by_name(name, setting, value):
    with pytest.raises(ValueError, match=setting) as caught:
        catalogue().load("controls", name)(**{setting: value})
    assert "\n" not in str(caught.value)


@EVERY
def test_a_lever_of_the_same_name_turns_it(name):
    lever = catalogue().load("levers", name)
    assert issubclass(lever, Lever)
    assert issubclass(lever, ControlLever)
    assert lever.control == name


# --- no more than its settings say ------------------------------------------------------------


@EVERYWHERE
def test_at_intensity_0_it_is_not_there_at_all(name, place):
    """300 steps of every copy: observations, last ones included, rewards, ends and infos."""
    control = made(name, place)
    plain = bare(place, control)
    controlled = agent_run(control.wrap(seeded(place), rng(), SPAN))

    assert any("final_obs" in each[-1] for each in plain)
    assert all(map(same, plain, controlled))


@EVERYWHERE
def test_before_its_start_it_is_not_there_and_then_it_is(name, place):
    control = made(name, place, intensity=dose(name), start=0.5)
    control_meter = ControlMeter(
        control, seeded(place), rng=rng(), duplicate=rng(), span_steps=SPAN
    )
    reported = agent_run(control_meter.env)

    half = STEPS // 2
    assert all(map(same, bare(place, control, half), reported[: half + 1]))
    assert control_meter.read().effective_intensity > 0


@EVERYWHERE
def test_after_its_end_it_changes_nothing_more(name, place):
    """The run goes on from where the control left it, so the meter must show it."""
    control_meter = gauged(name, place, intensity=dose(name), start=0.0, end=0.5)
    control_meter.env.reset(seed=SEED)
    moves = np.random.default_rng(SEED)
    for step in range(STEPS):
        if step == STEPS // 2 + 1:
            control_meter.read()
        own = int(control_meter.env.unwrapped.single_action_space.n)
        control_meter.env.step(moves.integers(own, size=COPIES))
    found = control_meter.read()

    assert found.effective_intensity == 0
    assert not any(found.measured.values())


@pytest.mark.parametrize(
    ("schedule", "values"),
    [("constant", (0.4, 0.4, 0.4)), ("rising", (0, 0.2, 0.4)), ("falling", (0.4, 0.2, 0))],
)
def test_strength_goes_linearly_from_start_to_end_and_is_0_outside(schedule, values):
    control = made("sticky_actions", "coin", intensity=0.4, start=0.2, end=0.6, schedule=schedule)

    assert [control.effective_intensity(each) for each in (0.2, 0.4, 0.6)] == pytest.approx(values)
    assert [control.effective_intensity(each) for each in (0.0, 0.199, 0.601, 1.0)] == [0, 0, 0, 0]


@EVERYWHERE
def test_the_same_draws_give_the_same_run_and_a_meter_changes_none(name, place):
    control = made(name, place, intensity=dose(name))
    agent_runs = [
        agent_run(control.wrap(seeded(place), rng(), SPAN), 100, added=True) for _ in range(2)
    ]
    agent_runs.append(agent_run(gauged(name, place, intensity=dose(name)).env, 100, added=True))

    assert all(map(same, agent_runs[0], agent_runs[1]))
    assert all(map(same, agent_runs[0], agent_runs[2]))


@EVERYWHERE
def test_what_it_shows_has_the_form_it_declares(name, place):
    control = made(name, place, intensity=dose(name))
    env = control.wrap(seeded(place), rng(), SPAN)
    plain = MAKERS[place]()
    space = env.single_observation_space
    more = getattr(control, "actions", 0)
    assert env.single_action_space == Discrete(int(plain.single_action_space.n) + more)
    assert env.action_space == batch_space(env.single_action_space, COPIES)
    assert env.metadata == plain.metadata
    silent = getattr(env, "silent", lambda seen: seen)(plain.reset(seed=1)[0])
    assert silent.shape[1:] == space.shape
    for seen, *rest, infos in agent_run(env, added=True):
        assert seen.dtype == space.dtype
        assert all(each in space for each in seen)
        if rest:
            assert [each.dtype for each in rest] == [np.float64, bool, bool]
            assert same(rest[1] | rest[2], infos.get("_final_obs", np.zeros(COPIES, bool)))
        for each in infos.get("final_obs", np.array([]))[infos.get("_final_obs", [])]:
            assert each.dtype == space.dtype
            assert each in space


@EVERYWHERE
def test_actions_it_changes_are_reported_to_the_learner(name, place):
    env = made(name, place, intensity=dose(name)).wrap(seeded(place), rng(), SPAN)
    moves, n = np.random.default_rng(SEED), int(env.single_action_space.n)
    env.reset(seed=SEED)
    for _ in range(100):
        chosen = moves.integers(n, size=COPIES)
        infos = env.step(chosen)[-1]
        if (env.carried != chosen).any() and place != "interruptible":
            assert same(infos["executed"], env.carried)
            assert infos["_executed"].all()


# --- the manipulation check ----------------------------------------------------------------------


def card(control_meter: ControlMeter, name: str):
    """A trial's events as a lever sees them: updates, each with its line of the data card."""
    moves, n = np.random.default_rng(SEED), int(control_meter.env.single_action_space.n)
    control_meter.env.reset(seed=SEED)
    events = []
    for update in range(1, 4):
        for _ in range(STEPS // 3):
            control_meter.env.step(moves.integers(n, size=COPIES))
        events.append(Updated("agent", update, update, 0.0, 1, 1, 0.0))
        events.append(reading(name, control_meter, update, update))
    return events


@EVERYWHERE
@pytest.mark.parametrize("schedule", ["constant", "rising"])
def test_the_lever_sees_its_dose_arrive_and_not_half_of_it(name, place, schedule):
    settings = {"start": 0.1, "schedule": schedule}
    lever = catalogue().load("levers", name)()
    events = card(gauged(name, place, intensity=dose(name), **settings), name)

    assert lever.manipulation_check(events, dose(name)) is True
    assert lever.manipulation_check(events, dose(name) / 2) is False
    assert lever.manipulation_check(events, 0.0) is False


@EVERYWHERE
def test_the_lever_sees_that_a_disabled_control_does_nothing(name, place, monkeypatch):
    monkeypatch.setattr(
        catalogue().load("controls", name), "around", lambda self, env, rng, clock: env
    )
    lever = catalogue().load("levers", name)()
    events = card(gauged(name, place, intensity=dose(name)), name)

    assert lever.manipulation_check(events, dose(name)) is False


@EVERYWHERE
def test_the_lever_sees_a_control_of_half_its_strength(name, place, monkeypatch):
    kind = catalogue().load("controls", name)
    around = kind.around

    def weak(self, env, rng, clock):
        half = dataclasses.replace(self, intensity=self.intensity / 2)
        return around(half, env, rng, clock)

    monkeypatch.setattr(kind, "around", weak)
    lever = catalogue().load("levers", name)()
    events = card(gauged(name, place, intensity=dose(name)), name)

    assert lever.manipulation_check(events, dose(name)) is False


@EVERY
def test_the_lever_knows_a_trial_without_the_control(name):
    lever = catalogue().load("levers", name)()
    events = [Updated("agent", 1, 1, 0.0, 1, 1, 0.0)]

    assert lever.manipulation_check(events, 0.0) is True
    assert lever.manipulation_check(events, dose(name)) is False


# --- envs of other shapes, and what a face promises ----------------------------------------------


class Dressed(gym.Env):
    """Shows a dict: what is seen in the end are its entries side by side."""

    observation_space = gym.spaces.Dict(
        {"where": gym.spaces.Discrete(4), "how": gym.spaces.Box(-1, 1, (2, 2), np.float32)}
    )
    action_space = gym.spaces.Discrete(3, start=1)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.seen(), {}

    def seen(self):
        how = self.np_random.uniform(-1, 1, (2, 2)).astype(np.float32)
        return {"where": np.int64(self.np_random.integers(4)), "how": how}

    def step(self, action):
        return self.seen(), float(action), self.np_random.random() < 0.1, False, {}


SAME_STEP = {"autoreset_mode": AutoresetMode.SAME_STEP}
SHAPES = {
    "dict": lambda: gym.vector.SyncVectorEnv(
        [lambda: gym.wrappers.FlattenObservation(Dressed())] * COPIES, **SAME_STEP
    ),
    "tuple of whole numbers": lambda: gym.make_vec(
        "Blackjack-v1",
        num_envs=COPIES,
        vectorization_mode="sync",
        vector_kwargs=SAME_STEP,
        wrappers=(gym.wrappers.FlattenObservation,),
    ),
}


@EVERY
@pytest.mark.parametrize("shape", SHAPES)
def test_at_intensity_0_it_is_not_there_whatever_an_env_shows(name, shape, monkeypatch):
    monkeypatch.setitem(MAKERS, "shape", SHAPES[shape])
    control = made(name, "shape", **({"channels": (0, 1)} if name == "hygiene" else {}))
    if (reason := control.refuse(seeded("shape"))) is not None:
        assert "\n" not in reason
        return

    def rollout(env):
        """Actions of this env may count from 1."""
        moves, space = np.random.default_rng(SEED), env.single_action_space
        reported = [env.reset(seed=SEED)]
        reported += [
            env.step(space.start + moves.integers(space.n, size=COPIES)) for _ in range(100)
        ]
        return reported

    plain, controlled = (
        rollout(seeded("shape")),
        rollout(control.wrap(seeded("shape"), rng(), SPAN)),
    )
    assert all(map(same, plain, controlled))
    control_meter = ControlMeter(
        control, seeded("shape"), rng=rng(), duplicate=rng(), span_steps=SPAN
    )
    assert all(map(same, plain, rollout(control_meter.env)))
    assert not any(control_meter.read().measured.values())


@pytest.mark.parametrize(("name", "place"), [each for each in FITTING if each[1] != "cartpole"])
def test_the_world_is_recorded_once_a_step(name, place):
    notes = Notes()
    env = RecordedEnv(seeded(place), notes)
    agent_run(made(name, place, intensity=dose(name)).wrap(env, rng(), SPAN), 60)
    assert len(notes.outcomes) == 60
    assert all(len(each.reward) == COPIES for each in notes.outcomes)


def test_last_observations_are_controlled_like_all_others():
    """By hand: the env beneath is asked for the same, and given the same actions."""
    control = made("hygiene", "coin", intensity=1.0, channels=(0, 3, 7))
    env, beneath = control.wrap(seeded("coin"), rng(), SPAN), seeded("coin")
    dark, ended = [0, 3, 7], 0
    for shown, plain in zip(agent_run(env), agent_run(beneath), strict=True):
        wanted = plain[0].copy()
        wanted[:, dark] = 0
        assert same(shown[0], wanted)
        for i in np.flatnonzero(plain[-1].get("_final_obs", [])):
            last = plain[-1]["final_obs"][i].copy()
            last[dark] = 0
            assert same(shown[-1]["final_obs"][i], last)
            ended += 1
    assert ended > 20


class Counting(Control):
    """Adds to what is seen how often it has been asked, so that every answer is distinguished."""

    unit = "answers"

    def around(self, env, rng, clock):
        class Asked(ControlledEnv):
            asked = 0

            def observations(self, seen, rows):
                self.asked += 1
                return seen + np.asarray(self.asked, seen.dtype)

        return Asked(self, env, rng, clock)


@pytest.mark.parametrize("place", MAKERS)
def test_an_end_is_shown_before_the_beginning_that_follows_it(place):
    env, beneath = Counting(intensity=1.0).wrap(seeded(place), rng(), SPAN), seeded(place)
    asked = 0
    for shown, plain in zip(agent_run(env, 100), agent_run(beneath, 100), strict=True):
        ended = plain[-1].get("_final_obs", np.zeros(COPIES, bool))
        answers = np.where(ended, asked + 2, asked + 1)
        assert (shown[0] == plain[0] + answers[:, None].astype(np.float32)).all()
        for i in np.flatnonzero(ended):
            assert (shown[-1]["final_obs"][i] == plain[-1]["final_obs"][i] + asked + 1).all()
        asked += 2 if ended.any() else 1


@EVERY
def test_one_copy_alone_is_enough_or_refused(name, monkeypatch):
    monkeypatch.setitem(
        MAKERS, "one", lambda: gym.make_vec("sandbox/CoinGrid-v0", num_envs=1, size=5)
    )
    control = made(name, "one", **({"channels": (0,)} if name == "hygiene" else {}))
    control = dataclasses.replace(control, intensity=dose(name))
    if (reason := control.refuse(seeded("one"))) is not None:
        assert "\n" not in reason
        return
    control_meter = ControlMeter(control, seeded("one"), rng=rng(), duplicate=rng(), span_steps=100)
    control_meter.env.reset(seed=SEED)
    for step in range(100):
        seen, rewards, *_ = control_meter.env.step(np.array([step % 4]))
        assert seen.shape == (1, *control_meter.env.single_observation_space.shape)
        assert rewards.shape == (1,)
    assert control_meter.read().effective_intensity == pytest.approx(dose(name), rel=0.5)
