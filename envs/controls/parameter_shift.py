"""The physics change during training: one attribute of a third-party env grows or shrinks.

As in NS-Gym, any numeric attribute will do (CartPole: ``length``, ``gravity``, ``force_mag``). What
CartPole derives from its masses and its length is derived anew. Worlds of ours refuse: nothing in
them changes within a trial but their levels.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from gymnasium.vector import VectorEnv

from envs.contract import World
from envs.control_kit.clock import Clock
from envs.control_kit.control import LARGEST, Control, ControlledEnv, Expectation
from envs.world_kit.settings import WorldSettingError

_DERIVED: Mapping[str, tuple[tuple[str, ...], Callable[[list[float]], float]]] = {
    "polemass_length": (("masspole", "length"), math.prod),
    "total_mass": (("masspole", "masscart"), math.fsum),
}


@dataclass(frozen=True)
class ParameterShift(Control):
    """``intensity``: relative change."""

    attribute: str = "length"
    direction: Literal["up", "down"] = "up"

    unit: ClassVar[str] = "relative change of the attribute"
    most: ClassVar[float] = LARGEST

    def __post_init__(self) -> None:
        """Refuse bad settings by name."""
        super().__post_init__()
        if self.direction == "down" and self.intensity >= 1:
            raise WorldSettingError(
                f"intensity must be below 1 to go down, not {self.intensity:g}", "intensity"
            )

    def refuse(self, env: VectorEnv) -> str | None:
        """The attribute must be there, and a number."""
        if isinstance(getattr(env.unwrapped, "world", None), World):
            return "a world of ours is fixed within a trial; use its settings"
        for each in _inside(env):
            value = getattr(each, self.attribute, None)
            if isinstance(value, bool) or not isinstance(value, int | float | np.number):
                return f"the env has no number called '{self.attribute}'"
            if value == 0:
                return f"'{self.attribute}' is 0, which no relative change moves"
        return super().refuse(env)

    def around(self, env: VectorEnv, rng: np.random.Generator, clock: Clock) -> VectorEnv:
        """Shift the attribute."""
        return _Shifted(self, env, rng, clock)

    def expects(self, env: VectorEnv, rng: np.random.Generator) -> Expectation:
        """The relative change is the effective intensity."""
        del env, rng
        return lambda _step, effective_intensity: {
            f"{self.attribute}_change": (self.signed(effective_intensity), 0.0)
        }

    def readings(self, env: VectorEnv) -> Callable[[], Mapping[str, float]]:
        """Relative change of the attribute since before the control, a mean over the copies."""
        inside = _inside(env)
        before = [getattr(each, self.attribute) for each in inside]

        def read() -> Mapping[str, float]:
            now = [getattr(each, self.attribute) for each in inside]
            change = np.mean([a / b - 1 for a, b in zip(now, before, strict=True)])
            return {f"{self.attribute}_change": float(change)}

        return read

    def signed(self, effective_intensity: float) -> float:
        """Relative change at an effective intensity."""
        return effective_intensity if self.direction == "up" else -effective_intensity


class _Shifted(ControlledEnv):
    def __init__(
        self, control: Any, env: VectorEnv, rng: np.random.Generator, clock: Clock
    ) -> None:
        super().__init__(control, env, rng, clock)
        self.inside = [(each, dict(vars(each))) for each in _inside(env)]

    def turned(self) -> None:
        name = self.control.attribute
        for each, before in self.inside:
            value = before.get(name, getattr(type(each), name, None))
            now = (
                value * (1 + self.control.signed(self.effective_intensity))
                if self.effective_intensity
                else value
            )
            setattr(each, name, now)
            for derived, (sources, rule) in _DERIVED.items():
                if name in sources and derived in before and set(sources) <= set(before):
                    setattr(each, derived, rule([getattr(each, source) for source in sources]))


def _inside(env: VectorEnv) -> list[Any]:
    """The envs that hold the numbers: the copies, or one that steps them all."""
    bare: Any = env.unwrapped
    return [each.unwrapped for each in bare.envs] if hasattr(bare, "envs") else [bare]
