"""Held-out evaluation: fresh levels, as trained on, shifted, and with goals the agent is given."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agents.part_settings import SettingError
from sandbox.contract import Episodes, Probe, Subject
from sandbox.record.events import Event, Probed


@dataclass(frozen=True)
class HeldOut(Probe):
    """Play whole episodes on every distribution the world offers; nothing is learned from them."""

    episodes: int = 128
    """Per distribution."""
    every_updates: int = 25
    """Between two measurements; the last update is always measured."""

    def __post_init__(self) -> None:
        if self.episodes < 1 or self.every_updates < 1:
            raise SettingError("episodes and every_updates must be at least 1", "episodes")

    def due(self, update: int) -> bool:
        """Measure before learning (update 0) and every so many updates."""
        return update % self.every_updates == 0

    def measure(self, subject: Subject) -> Sequence[Event]:
        """One ``Probed`` event per distribution and agent."""
        return [
            _event(subject, name, agent, played)
            for name in subject.distributions()
            for agent, played in subject.play(name, self.episodes).items()
        ]


def _event(subject: Subject, distribution: str, agent: str, played: Episodes) -> Probed:
    columns = {
        "reward": played.reward,
        "length": tuple(map(float, played.length)),
        **played.truth,
    }
    return Probed(
        agent=agent,
        probe="held_out",
        update=subject.update,
        steps=subject.steps,
        distribution=distribution,
        n=len(played.reward),
        values={name: float(np.mean(values)) for name, values in columns.items()},
        episodes=columns,
    )
