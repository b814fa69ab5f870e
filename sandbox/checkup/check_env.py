"""Checks one environment: the peers' own checkers, then what a laboratory needs besides.

A scenario's result is only as good as its env is repeatable, so most checks play the same actions
twice, under circumstances that must not matter, and compare everything bit for bit.
"""

import contextlib
import hashlib
import io
import random
import re
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

import envs
from envs.conformance.promises import PROMISES
from envs.contract import World
from sandbox.catalogue import catalogue, resolve
from sandbox.checkup.findings import Finding
from sandbox.errors import InputError, Problem, TrialError, did_you_mean
from sandbox.trial.env_guard import GuardedEnv, GuardedParallelEnv
from sandbox.words import counted

STEPS = 200
STEP_LIMIT = 10_000
TRUTH = frozenset({"truth", "hidden_reward", "harm"})
"""Names of what only the recorder may know."""


@dataclass(frozen=True)
class _Case:
    """How to make fresh copies of one env; ``play`` takes one of them."""

    env_id: str
    make: Callable[[], Any]
    joint: bool
    beat: Callable[[], None]

    def guarded(self) -> Any:
        guard = GuardedParallelEnv if self.joint else GuardedEnv
        return guard(self.make(), self.env_id)


@dataclass(frozen=True)
class _AgentRun:
    """What one rollout gave."""

    digest: str
    ended: int  # episodes
    steps: int
    info_names: frozenset[str]


def check(env_id: str, kwargs: Mapping[str, Any] | None = None) -> list[Finding]:
    """Check the env of this id, in this process. Raises ``InputError`` where there is none."""
    return list(checks(env_id, kwargs or {}))


def checks(
    env_id: str, kwargs: Mapping[str, Any], beat: Callable[[], None] = lambda: None
) -> Iterator[Finding]:
    """Yield findings as they are made; ``beat`` is called at every step of our own checks."""
    case = find(env_id, kwargs, beat)
    try:
        case.make().close()
    except SystemExit as error:
        yield Finding("creation", ok=False, detail=f"called sys.exit({error.code!r})")
        return
    except Exception as error:  # noqa: BLE001  (third-party code)
        yield Finding("creation", ok=False, detail=f"{type(error).__name__}: {_line(error)}")
        return
    yield from _peers(case)
    yield from _promises(case)
    try:
        yield from _own(case)
    except TrialError as error:
        yield Finding("behaviour", ok=False, detail=_line(error))


def spaces(env_id: str, kwargs: Mapping[str, Any]) -> dict[str, str]:
    """Make the env and say what it shows and takes; of several agents, each in turn."""
    env = find(env_id, kwargs).make()
    try:
        if not hasattr(env, "possible_agents"):
            return {"observations": str(env.observation_space), "actions": str(env.action_space)}
        names = env.possible_agents
        return {
            "observations": _each({name: env.observation_space(name) for name in names}),
            "actions": _each({name: env.action_space(name) for name in names}),
        }
    finally:
        env.close()


def _each(given: Mapping[str, object]) -> str:
    alike = {str(each) for each in given.values()}
    one = f"{alike.pop()} for each of {len(given)} agents" if len(alike) == 1 else ""
    return one or ", ".join(f"{name} {space}" for name, space in given.items())


def find(env_id: str, kwargs: Mapping[str, Any], beat: Callable[[], None] = lambda: None) -> _Case:
    """Look up an env, by id or by the file name of one of our worlds, without making it.

    Raises ``InputError`` with a suggestion.
    """
    env_id = (
        envs.registration.env_id(env_id) if env_id in envs.registration.worlds_by_name() else env_id
    )
    parallel = catalogue().parallel
    if env_id in parallel:
        return _Case(env_id, lambda: resolve(parallel[env_id][0])(**kwargs), joint=True, beat=beat)
    if envs.env_ids().get(env_id) == "joint":
        return _Case(env_id, lambda: envs.parallel_env(env_id, **kwargs), joint=True, beat=beat)
    if env_id not in gym.registry:
        known = [*gym.registry, *parallel]
        raise InputError(
            Problem(
                "",
                f"no env is called '{env_id}'{did_you_mean(env_id, known)}"
                " (`sandbox list envs` shows all)",
            )
        )
    # The raw env, as its own code gives it; Gymnasium's time limit is added where it matters.
    return _Case(env_id, lambda: gym.make(env_id, **kwargs).unwrapped, joint=False, beat=beat)


# --- other people's checkers -------------------------------------------------------------------


def _peers(case: _Case) -> Iterator[Finding]:
    if case.joint:
        from pettingzoo.test import (  # noqa: PLC0415  (its import takes 0.2 s)
            parallel_api_test,
            parallel_seed_test,
        )

        yield from _watch("pettingzoo api", lambda: parallel_api_test(case.make(), STEPS))
        yield from _watch("pettingzoo seed", lambda: parallel_seed_test(case.make, STEPS))
        return
    from gymnasium.utils.env_checker import check_env as of_gymnasium  # noqa: PLC0415
    from stable_baselines3.common.env_checker import check_env as of_sb3  # noqa: PLC0415  (torch)

    drawn: list[str] = []  # why drawing could not be tried

    def gymnasium_asks() -> None:
        try:
            of_gymnasium(case.make())
        except gym.error.DependencyNotInstalled as error:
            drawn.append(_line(error))
            of_gymnasium(case.make(), skip_render_check=True)

    yield from _watch("gymnasium", gymnasium_asks)
    for why in drawn:
        detail = f"not checked, its library is not installed: {why}"
        yield Finding("drawing", ok=True, detail=detail, warning=True)
    yield from _watch("stable-baselines3", lambda: of_sb3(case.make()))


def _promises(case: _Case) -> Iterator[Finding]:
    """What our contract of a world asks, of a world that is behind the env."""
    env = case.make()
    world = getattr(env, "world", None)
    env.close()
    if not isinstance(world, World):
        return
    for name, promise in PROMISES.items():
        case.beat()
        try:
            broken = promise(world, 0)
        except Exception as error:  # noqa: BLE001  (third-party code)
            broken = f"{type(error).__name__}: {_line(error)}"
        what = (promise.__doc__ or "").strip().splitlines()[0]
        yield Finding(name.replace("_", " "), ok=broken is None, detail=broken or what)


def _watch(name: str, run: Callable[[], object]) -> Iterator[Finding]:
    """Run a checker; whatever it raises, and every warning, is a finding of its own.

    PettingZoo's checkers warn where others fail, so there a warning is a failure.
    """
    failed = None
    with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("always")
        try:
            run()
        except SystemExit as error:
            failed = f"called sys.exit({error.code!r})"
        except Exception as error:  # noqa: BLE001  (third-party code)
            failed = f"{type(error).__name__}: {_line(error)}"
    if failed:
        yield Finding(name, ok=False, detail=failed)
    for each in sorted({_line(warning.message) for warning in caught}):
        strict = name.startswith("pettingzoo")
        yield Finding(name, ok=not strict, detail=f"warning: {each}", warning=True)
    if not (failed or caught):
        yield Finding(name, ok=True, detail="passes without a warning")


def _line(error: object) -> str:
    plain = re.sub(r"\x1b\[[0-9;]*m", "", str(error))  # Gymnasium colours its warnings
    return " ".join(plain.split())[:300]


# --- what a laboratory needs besides -----------------------------------------------------------


def _own(case: _Case) -> Iterator[Finding]:
    env = case.guarded()
    start = time.perf_counter()
    first = _play(env, case, STEPS)
    speed = first.steps / (time.perf_counter() - start)
    yield Finding(
        "behaviour", ok=True, detail=f"{STEPS} steps: values finite and in bounds, shapes right"
    )
    yield _same("determinism", "a second instance, same seed and actions", first, case)
    yield _same("reseeding", "the same instance, reset with the same seed", first, case, env=env)
    yield _beside(case, first)
    with _globals_put_back():
        how = "global random generators advanced at every step"
        yield _same("own random stream", how, first, case, meanwhile=_disturb)
    leaked = sorted(first.info_names & TRUTH)
    yield Finding(
        "ground truth hidden",
        ok=not leaked,
        detail=f"info shows {leaked}" if leaked else "not in info",
    )
    yield _ends(case)
    yield Finding("speed", ok=True, detail=f"{speed:,.0f} steps/s of one copy, checks included")
    env.close()


def _same(
    name: str,
    how: str,
    first: _AgentRun,
    case: _Case,
    *,
    env: Any = None,  # None: a fresh one
    meanwhile: Callable[[], None] = lambda: None,
) -> Finding:
    env = env or case.guarded()
    same = _play(env, case, STEPS, meanwhile).digest == first.digest
    detail = f"{how}: {'identical' if same else 'other results'} in {STEPS} steps"
    return Finding(name, ok=same, detail=detail)


def _beside(case: _Case, first: _AgentRun) -> Finding:
    """Instances that share state disturb each other."""
    other, rng = case.guarded(), np.random.default_rng(1)
    other.reset(seed=2)

    def meanwhile() -> None:
        if _step(other, case, rng)[1]:
            other.reset()

    same = _play(case.guarded(), case, STEPS, meanwhile).digest == first.digest
    detail = "identical" if same else "other results: instances share state"
    return Finding("isolation", ok=same, detail=f"while a second instance steps: {detail}")


def _disturb() -> None:
    """Draw from every global generator that an env might wrongly use."""
    import torch  # noqa: PLC0415  (over a second; the SB3 check has imported it already)

    random.random()  # noqa: S311
    np.random.random()  # noqa: NPY002
    torch.rand(1)


@contextlib.contextmanager
def _globals_put_back() -> Iterator[None]:
    import torch  # noqa: PLC0415

    states = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        torch.set_rng_state(states[2])


def _ends(case: _Case) -> Finding:
    limit = None if case.joint else gym.spec(case.env_id).max_episode_steps
    if limit is not None:
        return Finding("episode ends", ok=True, detail=f"registered with max_episode_steps={limit}")
    env, rng = case.guarded(), np.random.default_rng(0)
    env.reset(seed=0)
    for step in range(1, STEP_LIMIT + 1):
        if _step(env, case, rng)[1]:
            return Finding(
                "episode ends", ok=True, detail=f"an episode ended after {counted(step, 'step')}"
            )
    detail = f"no end in {STEP_LIMIT} steps: register it with max_episode_steps"
    return Finding("episode ends", ok=False, detail=detail)


def _play(
    env: Any, case: _Case, steps: int, meanwhile: Callable[[], None] = lambda: None
) -> _AgentRun:
    """Play seeded random actions and hash everything that the env gives."""
    rng, digest = np.random.default_rng(0), hashlib.sha256()
    names: set[str] = set()
    ended = 0
    given: tuple[Any, bool] = (env.reset(seed=1), False)
    for _ in range(steps):
        _feed(digest, given[0])
        names |= _info_names(given[0][-1], joint=case.joint)
        if given[1]:
            ended += 1
            _feed(digest, env.reset())
        meanwhile()
        given = _step(env, case, rng)
    _feed(digest, given[0])
    return _AgentRun(digest.hexdigest(), ended, steps, frozenset(names))


def _step(env: Any, case: _Case, rng: np.random.Generator) -> tuple[tuple[Any, ...], bool]:
    """Take one random action; return what came of it and whether the episode is over."""
    case.beat()
    if not case.joint:
        given = env.step(_draw(env.action_space, rng))
        return given, bool(given[2] or given[3])
    given = env.step({agent: _draw(env.action_space(agent), rng) for agent in env.agents})
    return given, not env.agents


def _draw(space: gym.Space[Any], rng: np.random.Generator) -> Any:
    space.seed(int(rng.integers(2**31)))
    return space.sample()


def _info_names(info: Mapping[str, Any], *, joint: bool) -> set[str]:
    return {name for each in info.values() for name in each} if joint else set(info)


def _feed(digest: Any, value: Any) -> None:
    """Hash data of any shape; an info's values that are no data count by their type."""
    if isinstance(value, Mapping):
        for name in sorted(value, key=str):
            _feed(digest, str(name))
            _feed(digest, value[name])
    elif isinstance(value, tuple | list):
        for each in value:
            _feed(digest, each)
    elif isinstance(value, str | int | float | bool | None):
        digest.update(repr(value).encode())
    elif isinstance(value, np.ndarray | np.generic) and value.dtype != object:
        digest.update(str(value.dtype).encode() + value.tobytes())
    else:
        digest.update(type(value).__name__.encode())
