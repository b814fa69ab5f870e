"""The distribution of the training levels shifts: abruptly, gradually or periodically.

From ``start`` on, levels come from the distribution ``to``: all of them at intensity 1. Schedule
``constant`` is an abrupt shift, ``rising`` a gradual one; with a ``period`` the shift is on for the
first half of each period and gone for the second, so the old levels return.
"""

from dataclasses import dataclass

from envs.control_kit.level_draws import FromElsewhere
from envs.world_kit.settings import WorldSettingError


@dataclass(frozen=True)
class Shift(FromElsewhere):
    """``intensity``: share of levels from ``to`` while the shift is in force."""

    start: float = 0.5  # share of the trial's training steps before the shift
    period: float = 0.0  # share of the training steps after which it returns; 0: it stays

    def __post_init__(self) -> None:
        """Refuse bad settings by name."""
        super().__post_init__()
        if not 0 <= self.period <= 1:
            raise WorldSettingError(
                f"period must be a share of the training steps from 0 to 1, not {self.period:g}",
                "period",
            )

    def effective_intensity(self, progress: float) -> float:
        """Nothing in the second half of each period."""
        effective_intensity = super().effective_intensity(progress)
        if not self.period:
            return effective_intensity
        return (
            effective_intensity if (progress - self.start) % self.period < self.period / 2 else 0.0
        )
