"""Episodes to learn from: of a world's reference policies, of trained agents, of Minari data sets.

All are written in the format of ``envs.control_kit.recorded``, with what was seen last and how they
ended.
"""

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from agents.contract import Batch
from agents.values_contract import Evidence
from envs.arrays import Array
from envs.contract import JointWorld, World
from envs.control_kit import recorded
from envs.control_kit.recorded import Recorded
from envs.planning.episodes import Act, steps
from sandbox.errors import InputError, Problem
from sandbox.record.files import Disk

_UNREADABLE = (OSError, ValueError, TypeError, LookupError, AttributeError, ImportError)


class Shown(NamedTuple):
    """Episodes and the return of each; ``None``: the returns are not known."""

    episodes: Recorded
    returns: Array | None  # float64 [episodes]


def evidence(path: str | Path, sha256: str = "") -> Evidence:
    """What a file of recorded episodes gives a value model, one episode per column.

    Rewards are 0: no value model reads them. Where the file lacks the observation after the
    last action of an episode, that step is left out. Raises ``ValueError``
    with one line, as ``envs.control_kit.recorded.load`` does.
    """
    return of_recorded(recorded.load(path, sha256))


def of_recorded(episodes: Recorded) -> Evidence:
    """See ``evidence``."""
    lengths = episodes.lengths - (episodes.last is None)
    time = np.arange(max(int(lengths.max()), 1))[:, None]
    there = time < lengths
    row = np.where(there, episodes.starts + time, 0)
    final = time == episodes.lengths - 1
    following = episodes.observations[np.minimum(row + 1, len(episodes.observations) - 1)]
    if episodes.last is not None:
        following = np.where(final[:, :, None], episodes.last, following)
    over = np.zeros(len(lengths), bool) if episodes.terminated is None else episodes.terminated
    batch = Batch(
        observation=episodes.observations[row],
        action=episodes.actions[row].astype(np.int64),
        next_observation=following,
        reward=np.zeros(there.shape),
        terminated=final & there & over,
        ended=final & there,
        present=there,
    )
    return Evidence(batch)


def of_policy(
    world: World, policy: str, episodes: int, rng: np.random.Generator, seat: int = 0
) -> Shown:
    """Let every seat play a reference policy of the world; record the one at ``seat``.

    Raises ``InputError`` where the world only knows the value of that policy.
    """
    from sandbox.play.session import Session  # noqa: PLC0415

    Session(world, seat, policy, rng).check(policy)
    return play(world, lambda state: world.act(policy, state, rng), episodes, rng, seat)


def play(world: World, act: Act, episodes: int, rng: np.random.Generator, seat: int) -> Shown:
    """Play ``episodes`` fresh worlds side by side, each to its first end."""
    diary = _Diary(episodes)
    for step in steps(world, act, episodes, rng):
        seen, following = world.observe(step.state), world.observe(step.after)
        columns = [seen, step.actions, following, step.outcome.reward]
        if isinstance(world, JointWorld):
            columns = [each[:, seat] for each in columns]
        diary.write(*columns)
        diary.end(step.outcome.terminated, step.outcome.truncated)
    return diary.shown()


class _Diary:
    """Steps of episodes side by side."""

    def __init__(self, episodes: int) -> None:
        self.alive = np.ones(episodes, bool)
        self._steps: list[tuple[Array, Array, Array]] = []  # alive, seen, done
        self._returns = np.zeros(episodes)
        self._terminated = np.zeros(episodes, bool)
        self._last: Array = np.zeros(0)

    def write(self, seen: Array, done: Array, following: Array, reward: Array) -> None:
        self._steps.append((self.alive, np.asarray(seen, np.float32), np.asarray(done)))
        if not self._last.size:
            self._last = np.zeros(seen.shape, np.float32)
        self._last[self.alive] = following[self.alive]
        self._returns += np.where(self.alive, reward, 0.0)

    def end(self, terminated: Array, truncated: Array) -> None:
        self._terminated |= terminated & self.alive
        self.alive = self.alive & ~(terminated | truncated)

    def shown(self) -> Shown:
        there, seen, done = (np.stack(each, axis=1) for each in zip(*self._steps, strict=True))
        episodes = Recorded(
            observations=seen[there],
            actions=done[there].astype(np.int64),
            lengths=there.sum(axis=1),
            last=self._last,
            terminated=self._terminated,
        )
        return Shown(episodes, self._returns)


# --- trained agents ----------------------------------------------------------------------------


def of_trial(
    folder: str | Path,
    trial: str | None,
    episodes: int,
    rng: np.random.Generator,
    agent: str | None = None,
) -> Shown:
    """Let the agents of a finished trial play, loaded from their final checkpoint.

    They play levels of their own world, without the controls of their training. ``agent``: to be
    recorded; needed where there are several. Raises ``InputError`` where there is no such trial or
    agent, or no world of ours, ``IntegrityError`` where a checkpoint was changed.
    """
    from sandbox.play import trained_agents  # noqa: PLC0415  (torch)

    cast = trained_agents.load_agents(folder, trial)
    seat, act = trained_agents.policies(cast, agent, rng)
    return play(cast.world, act, episodes, rng, seat)


# --- Minari ------------------------------------------------------------------------------------


def of_minari(name: str, episodes: int | None = None) -> Shown:
    """The first episodes of a Minari data set that is on this machine, all by default.

    Observations are flattened to float32, actions count from 0. Raises ``InputError`` where Minari
    or the data set is missing, or it holds anything but arrays and whole-numbered actions.
    """
    try:
        import minari  # noqa: PLC0415  (an extra)
    except ImportError:
        what = "Minari is not installed: pip install minari"
        raise InputError(Problem(f"--minari {name}", what)) from None
    try:
        data = minari.load_dataset(name)
        first = int(getattr(data.action_space, "start", 0))
        found = [_minari_episode(each, first) for each, _ in _up_to(data, episodes)]
        return _joined(found)
    except _UNREADABLE as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(Problem(f"--minari {name}", reason)) from None


def _up_to(data: Any, episodes: int | None) -> Any:
    numbers = range(data.total_episodes if episodes is None else episodes)
    return zip(data.iterate_episodes(), numbers, strict=False)


def _minari_episode(each: Any, first: int) -> tuple[Array, Array, Array, bool, float]:
    """Observations, actions, the last observation, terminated, return."""
    seen, done = np.asarray(each.observations), np.asarray(each.actions)
    if seen.dtype.kind not in "biuf" or done.dtype.kind not in "iu":
        raise ValueError("only arrays as observations and whole numbers as actions can be read")
    done = done.reshape(len(done), -1)
    if done.shape[1] != 1 or len(seen) != len(done) + 1:
        raise ValueError("an episode needs one action a step and one observation more than steps")
    seen = seen.reshape(len(seen), -1).astype(np.float32)
    over, total = bool(np.asarray(each.terminations)[-1]), float(np.sum(each.rewards))
    return seen[:-1], done[:, 0].astype(np.int64) - first, seen[-1], over, total


def _joined(found: list[tuple[Array, Array, Array, bool, float]]) -> Shown:
    if not found:
        raise ValueError("it has no episodes")
    seen, done, last, over, returns = zip(*found, strict=True)
    episodes = Recorded(
        observations=np.concatenate(seen),
        actions=np.concatenate(done),
        lengths=np.array([len(each) for each in done]),
        last=np.stack(last),
        terminated=np.array(over),
    )
    return Shown(episodes, np.array(returns))


# --- writing -----------------------------------------------------------------------------------


def write(shown: Shown, path: Path) -> Mapping[str, Any]:
    """Write the episodes; return the facts about the file, with its SHA-256."""
    if path.suffix != ".npz":
        raise InputError(Problem(f"--out {path}", "must be a file that ends in .npz"))
    if not path.parent.is_dir():
        raise InputError(Problem(f"--out {path}", "there is no such folder"))
    buffer = io.BytesIO()
    shown.episodes.save(buffer)
    data = buffer.getvalue()
    Disk().write(path, data)
    lengths, over = shown.episodes.lengths, shown.episodes.terminated
    return {
        "file": str(path),
        "sha256": hashlib.sha256(data).hexdigest(),
        "episodes": len(lengths),
        "steps": int(lengths.sum()),
        "shortest": int(lengths.min()),
        "longest": int(lengths.max()),
        "terminated": None if over is None else int(over.sum()),
        "mean_return": None if shown.returns is None else float(shown.returns.mean()),
    }
