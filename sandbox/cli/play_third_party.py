"""Play a third-party env through Gymnasium's interface, in this process, without ground truth."""

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.cli.output import say
from sandbox.env_index import entries
from sandbox.errors import InputError, Problem
from sandbox.play.session import Result
from sandbox.words import counted, signed


def made(env_id: str, settings: Mapping[str, Any]) -> Any:
    """The env, drawing text if it can. Raises ``InputError`` where it cannot be played here."""
    import gymnasium  # noqa: PLC0415
    from gymnasium.spaces import Discrete  # noqa: PLC0415

    if entries()[env_id].joint:
        what = "only our own worlds of several agents can be played, and this is a third-party env"
        raise InputError(Problem(f"env '{env_id}'", what))
    try:
        env = gymnasium.make(env_id, render_mode=_mode(env_id), **settings)
    except Exception as error:
        what = f"cannot be made: {type(error).__name__}: {error}"
        raise InputError(Problem(f"env '{env_id}'", what)) from error
    if not isinstance(env.action_space, Discrete):
        what = f"takes actions in {env.action_space}, and only Discrete ones can be typed"
        raise InputError(Problem(f"env '{env_id}'", what))
    return env


def _mode(env_id: str) -> str | None:
    from gymnasium.envs.registration import load_env_creator, registry  # noqa: PLC0415

    point = registry[env_id].entry_point
    creator = load_env_creator(point) if isinstance(point, str) else point
    modes = (getattr(creator, "metadata", None) or {}).get("render_modes", ())
    return "ansi" if "ansi" in modes else None


def names_of(env: Any) -> tuple[str, ...]:
    """Actions of a third-party env have numbers, not names."""
    first = int(env.action_space.start)
    return tuple(str(first + i) for i in range(int(env.action_space.n)))


def episode(env: Any, moves: Iterator[int], seed: int, *, limit: int | None, quiet: bool) -> Result:
    """Play one episode; observations are printed where the env draws no text."""
    result, first = Result(), int(env.action_space.start)
    seen, _ = env.reset(seed=seed)
    _show(env, seen, "start", quiet=quiet)
    while limit is None or result.steps < limit:
        action = next(moves, None)
        if action is None:
            break
        seen, reward, terminated, truncated, _ = env.step(first + action)
        result.steps += 1
        result.reward += float(reward)
        totals = f"reward {signed(float(reward))}  return {signed(result.reward)}"
        _show(env, seen, f"step {result.steps}: {first + action}  {totals}", quiet=quiet)
        if terminated or truncated:
            result.ended = "terminated" if terminated else "truncated"
            break
    return result


def _show(env: Any, seen: Any, status: str, *, quiet: bool) -> None:
    if not quiet:
        say(f"{status}\n{env.render() if env.render_mode == 'ansi' else seen}")


def ending(results: list[Result]) -> None:
    """Print each episode's return and length."""
    for each in results:
        say(f"\nreturn {signed(each.reward)} in {counted(each.steps, 'step')} ({each.ended})")
    say("third-party env: no ground truth and no reference policies")
