"""Checks on what somebody else's environment gives, and the one form of their messages."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Space

from envs.arrays import Array
from sandbox.errors import TrialError

REWARD_BOUND = 1e6
"""Larger rewards overflow float32 training sooner or later, so they count as a fault."""


class Watch:
    """Where one env is in its life, for messages, and the checks on what it gives."""

    def __init__(self, env_id: str) -> None:
        self.env_id = env_id
        self.where = "when made"
        self.steps = 0
        self._bounds: dict[int, tuple[Box, Array, Array]] = {}  # the key is the space's id

    def fail(self, what: str) -> TrialError:
        """Return the error that this env ``what``."""
        return TrialError(f"env '{self.env_id}' {what} {self.where}")

    @contextmanager
    def calling(self, where: str) -> Iterator[None]:
        """Turn whatever the env's code raises into a ``TrialError``."""
        self.where = where
        try:
            yield
        except TrialError:
            raise
        except SystemExit as error:
            raise self.fail(f"called sys.exit({error.code!r})") from error
        except Exception as error:
            raise self.fail(f"raised {type(error).__name__}: {error}") from error

    def stepping(self) -> Any:
        """``calling`` for the next step."""
        self.steps += 1
        return self.calling(f"at step {self.steps}")

    def observation(self, seen: Any, space: Space[Any], whose: str = "") -> None:
        """Check one observation, or a batch with its batched space."""
        if not isinstance(space, Box):
            if seen is None or not space.contains(seen):
                raise self.fail(f"gave an observation{whose} that is not in {space}")
            return
        if not isinstance(seen, np.ndarray | np.generic):
            raise self.fail(f"gave {kind_of(seen)} as observation{whose}, not an array")
        if seen.shape != space.shape:
            raise self.fail(
                f"gave an observation{whose} of shape {seen.shape} instead of {space.shape}"
            )
        if seen.dtype != space.dtype:
            raise self.fail(
                f"gave an observation{whose} of dtype {seen.dtype} instead of {space.dtype}"
            )
        low, high = self._finite_bounds(space)
        if not ((seen >= low) & (seen <= high)).all():  # NaN fails every comparison
            kind = "non-finite" if not np.isfinite(seen).all() else "out-of-bounds"
            raise self.fail(f"gave {'an' if kind[0] == 'o' else 'a'} {kind} observation{whose}")

    def _finite_bounds(self, space: Box) -> tuple[Array, Array]:
        if id(space) not in self._bounds:
            low: Array = space.low
            high: Array = space.high
            if np.issubdtype(low.dtype, np.floating):
                most = np.finfo(low.dtype).max
                low, high = np.maximum(low, -most), np.minimum(high, most)
            # The space is kept alive, so that its id cannot become another's.
            self._bounds[id(space)] = (space, low, high)
        return self._bounds[id(space)][1:]

    def reward(self, given: Any, whose: str = "") -> None:
        """Check one agent's reward."""
        number = isinstance(given, int | float | np.number | np.bool_)
        if not (number or (isinstance(given, np.ndarray) and given.ndim == 0)):
            raise self.fail(f"gave {kind_of(given)} as reward{whose}, not a number")
        value = float(given)
        if not abs(value) <= REWARD_BOUND:
            if math.isfinite(value):
                raise self.fail(f"gave a reward{whose} outside ±{REWARD_BOUND:g} ({value:g})")
            raise self.fail(f"gave a non-finite reward{whose}")

    def flags(self, terminated: Any, truncated: Any, whose: str = "") -> None:
        """Check the two ways an episode may end."""
        for name, given in (("terminated", terminated), ("truncated", truncated)):
            if not isinstance(given, bool | np.bool_):
                raise self.fail(f"gave {kind_of(given)} as {name}{whose}, not a bool")

    def returned(self, result: Any, length: int) -> Any:
        """Check that reset or step gave a tuple of this length that ends in a dict."""
        if not isinstance(result, tuple) or len(result) != length:
            got = f"{len(result)} values" if isinstance(result, tuple) else kind_of(result)
            raise self.fail(f"gave {got} where {length} values are due")
        if not isinstance(result[-1], dict):
            raise self.fail(f"gave {kind_of(result[-1])} as info, not a dict")
        return result


def kind_of(value: Any) -> str:
    """Say what a wrong value is, for a message."""
    return "None" if value is None else f"a {type(value).__name__}"
