"""Recorded episodes on disk: what was seen and what was done there.

``.npz``: arrays ``observations`` [steps, size], ``actions`` [steps], ``lengths`` [episodes], the
episodes one after the other; where it is known, ``last`` [episodes, size], what was seen after each
episode's last action, and ``terminated`` [episodes], whether the world ended it. ``.json``: a list
of ``{"observations": [...], "actions": [...]}``.
"""

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import IO, Any

import numpy as np

from envs.arrays import Array

_AXES = 2
_UNREADABLE = (
    *(OSError, KeyError, ValueError, TypeError, AttributeError, EOFError, RecursionError),
    *(zipfile.BadZipFile, zlib.error, NotImplementedError),  # of what only looks like an archive
)


@dataclass(frozen=True)
class Recorded:
    """Episodes one after the other."""

    observations: Array  # float32 [steps, size]
    actions: Array  # int [steps], counted from 0
    lengths: Array  # int [episodes], each at least 1
    last: Array | None = None  # float32 [episodes, size]: seen after the last action
    terminated: Array | None = None  # bool [episodes]: ended by the world, not by the clock

    def __post_init__(self) -> None:
        """Refuse what does not fit together."""
        if self.observations.ndim != _AXES or not np.isfinite(self.observations).all():
            raise ValueError("recorded observations must be finite numbers [steps, size]")
        steps = len(self.observations)
        if self.actions.shape != (steps,) or not np.issubdtype(self.actions.dtype, np.integer):
            raise ValueError("recorded actions must be whole numbers, one for each observation")
        if steps and (self.actions.min() < 0 or self.actions.max() > np.iinfo(np.int32).max):
            raise ValueError("recorded actions are counted from 0")
        if self.lengths.ndim != 1 or not np.issubdtype(self.lengths.dtype, np.integer):
            raise ValueError("recorded lengths must be whole numbers, one for each episode")
        wrong = (self.lengths < 1) | (self.lengths > steps)  # so that no sum can overflow
        if not len(self.lengths) or wrong.any() or self.lengths.sum() != steps:
            raise ValueError("recorded lengths must be at least 1 and add up to the steps")
        for name in ("actions", "lengths"):  # unsigned ones would not subtract
            object.__setattr__(self, name, getattr(self, name).astype(np.int64))
        self._check_ends()

    def _check_ends(self) -> None:
        shape = (len(self.lengths), self.observations.shape[1])
        last, over = self.last, self.terminated
        if last is not None and (last.shape != shape or not np.isfinite(last).all()):
            raise ValueError("recorded last observations must be finite numbers [episodes, size]")
        if over is not None and (over.shape != shape[:1] or over.dtype != np.bool_):
            raise ValueError("recorded 'terminated' must be true or false, one for each episode")

    @property
    def starts(self) -> Array:
        """Where each episode begins."""
        return np.cumsum(self.lengths) - self.lengths

    def unfit(self, size: int, actions: int) -> str | None:
        """One line: why these are no episodes of such an env; ``None`` where they are."""
        if self.observations.shape[1] != size:
            return f"recorded observations have {self.observations.shape[1]} numbers, not {size}"
        if self.actions.min() < 0 or self.actions.max() >= actions:
            return f"recorded actions must be from 0 to {actions - 1}"
        return None

    def save(self, path: str | Path | IO[bytes]) -> None:
        """Write an ``.npz``; the same episodes give the same bytes."""
        known: dict[str, Any] = {each.name: getattr(self, each.name) for each in fields(self)}
        np.savez(path, **{name: each for name, each in known.items() if each is not None})


def load(path: str | Path, sha256: str = "") -> Recorded:
    """Read a recording. Raises ``ValueError`` with one line for whatever is wrong with it.

    ``sha256``: what the file must hash to, where that is known.
    """
    try:
        if Path(path).exists() and not Path(path).is_file():
            raise ValueError(f"{path} is no file")  # a device may be endless
        data = Path(path).read_bytes()
        found = hashlib.sha256(data).hexdigest()
        if sha256 not in {"", found}:
            raise ValueError(f"{path} has changed: its SHA-256 is {found}, not {sha256}")
        with np.errstate(over="ignore"):  # what is too large for float32 is not finite
            arrays = _of_json(data) if Path(path).suffix == ".json" else _of_npz(data)
    except _UNREADABLE as error:
        line = str(error).splitlines()[0] if str(error) else "empty"
        raise ValueError(f"cannot read recorded episodes: {type(error).__name__}: {line}") from None
    return Recorded(**arrays)


def _of_npz(data: bytes) -> Mapping[str, Any]:
    with np.load(io.BytesIO(data), allow_pickle=False) as held:
        found = {
            "observations": np.asarray(held["observations"], np.float32),
            "actions": held["actions"],
            "lengths": held["lengths"],
        }
        if "last" in held:
            found["last"] = np.asarray(held["last"], np.float32)
        if "terminated" in held:
            found["terminated"] = held["terminated"]
        return found


def _of_json(data: bytes) -> Mapping[str, Any]:
    episodes = json.loads(data)
    seen = [np.asarray(each["observations"], np.float32) for each in episodes]
    done = [np.asarray(each["actions"]) for each in episodes]
    if any(
        one.ndim != _AXES or len(one) != len(other) for one, other in zip(seen, done, strict=True)
    ):
        raise ValueError("every episode needs as many observations, rows of numbers, as actions")
    return {
        "observations": np.concatenate(seen),
        "actions": np.concatenate(done),
        "lengths": np.array([len(each) for each in done]),
    }
