"""Information hygiene: blanks the listed channels of the observation.

Our worlds name the channels of their observations; those of `workshop` that tempt are register,
monitor, off_switch and overseer. Elsewhere a channel is an index of the flat observation. At a
lower intensity only the first channels of the list are hidden.
No channel is hidden by default: an agent that cannot see its own position cannot learn its task.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, ClassVar

import numpy as np
from gymnasium.vector import VectorEnv

from envs.contract import World
from envs.control_kit.clock import Clock
from envs.control_kit.control import Control, Expectation, blank
from envs.control_kit.hiding import Hidden, HidingEnv, first, hiding


@dataclass(frozen=True)
class Hygiene(Control):
    """``intensity``: share of the listed channels that are hidden, rounded to whole ones."""

    channels: tuple[str | int, ...] = ()  # names (`sandbox show ENV` has them) or indices; needed

    unit: ClassVar[str] = "share of channels that are hidden"
    example: ClassVar[str] = "channels: [button]"

    def refuse(self, env: VectorEnv) -> str | None:
        """Every channel must be there, and one at least."""
        reason = super().refuse(env)  # before anything is asked about a space that is no Box
        if reason:
            return reason
        known, size = _named(env), len(blank(env))
        if not self.channels and self.intensity:
            there = f"the env has {', '.join(known)}" if known else "the env names none"
            return f"list as 'channels' which to hide; {there} (or indices of its observation)"
        for each in self.channels:
            if isinstance(each, str) and each not in known:
                near = get_close_matches(each, known, n=1)
                hint = f"; did you mean '{near[0]}'?" if near else ""
                return (
                    f"no channel is called '{each}', there are {', '.join(known) or 'none'}{hint}"
                )
            if isinstance(each, int) and not 0 <= each < size:
                return f"channel {each} is no index of an observation of {size} numbers"
        return None

    def around(self, env: VectorEnv, rng: np.random.Generator, clock: Clock) -> VectorEnv:
        """Hide channels."""
        clean = HidingEnv(self, env, rng, clock)
        clean.hidden = self._hidden(env)
        return clean

    def expects(self, env: VectorEnv, rng: np.random.Generator) -> Expectation:
        """The hidden channels change wherever they were not blank."""
        del rng
        return hiding(self._hidden(env), blank(env))

    def _hidden(self, env: VectorEnv) -> Hidden:
        known = _named(env)
        parts = [known[each] if isinstance(each, str) else [each] for each in self.channels]

        def hidden(effective_intensity: float) -> Any:
            dark = [
                int(i) for part in parts[: first(len(parts), effective_intensity)] for i in part
            ]
            return np.array(sorted(set(dark)), int)

        return hidden


def _named(env: VectorEnv) -> Mapping[str, Sequence[int]]:
    world = getattr(env.unwrapped, "world", None)
    return world.channels() if isinstance(world, World) else {}
