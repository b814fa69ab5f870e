"""One root seed becomes named, independent random streams, whatever order they are asked in."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Streams = Callable[[str], np.random.Generator]
"""Name -> a fresh, independent random stream; the same name always gives the same stream."""


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """Return the generator of ``names`` under ``seed``: the same names give the same stream.

    Names are hashed into ``SeedSequence`` spawn keys, so streams neither overlap nor depend on how
    many others exist.
    """
    digest = hashlib.sha256("\x1f".join(map(str, names)).encode()).digest()
    key = tuple(int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4))
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))


def integer(seed: int, *names: str | int) -> int:
    """Return a seed in [0, 2**31) for libraries that want one number."""
    return int(stream(seed, *names).integers(2**31))


def trial_streams(spec: Mapping[str, Any]) -> Streams:
    """The named random streams of this trial; ``salt`` moves them all: the placebo's effect."""
    return lambda name: stream(spec["seed"], spec["salt"], name)
