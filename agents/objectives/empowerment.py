"""Empowerment: bits of influence of the next few actions, exact in a model learned by counting."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.arrays import Array
from agents.contract import Batch, LiveObjective, Objective
from agents.drives.channel_capacity import capacities
from agents.drives.empowerment import outcomes
from agents.models.transitions import END, UNSEEN, Transitions
from agents.objective_contract import row_by_row
from agents.part_settings import SettingError


@dataclass(frozen=True)
class Empowerment(Objective):
    """Bits of ``max_p I(A^n; S')`` of the state arrived in (Klyubin, Polani & Nehaniv 2005).

    The capacity is exact, up to a certified ``gap``; the model is what the agent has counted:
    transitions between exact observations (equal to the bit), at the frequencies seen, from all
    rollouts before this one. Sequences of ``steps`` actions are open loop.

    Conventions: an action never tried in a state stays there; the end of an episode (termination,
    not a cut) is one state of 0 bits, and so is every state not met before. A state's bits are
    computed when it is first arrived in and kept until an update changes a probability they depend
    on. What was tried once looks certain, so a noisy world seems more controllable than it is until
    it has been tried often. For worlds of few states.
    """

    unit: ClassVar[str] = "bits"
    scope: ClassVar[str] = "lifelong"
    discrete: ClassVar[bool] = True

    weight: float = 0.1
    steps: int = 2  # length of a sequence of actions
    gap: float = 1e-4  # bits between the bounds
    most_sequences: int = 256  # actions ** steps must not exceed this

    def __post_init__(self) -> None:
        for name in ("steps", "most_sequences"):
            if getattr(self, name) < 1:
                raise SettingError(f"{name} is at least 1, not {getattr(self, name)}", name)
        if not 0 < self.gap < 1:
            raise SettingError(f"gap is between 0 and 1 bits, not {self.gap}", "gap")

    def start(self, observation_size: int, actions: int, rng: np.random.Generator) -> LiveObjective:
        """Begin with an empty table; nothing is drawn."""
        del rng
        if actions**self.steps > self.most_sequences:
            raise ValueError(
                f"{actions} actions make {actions**self.steps} sequences of {self.steps}, "
                f"more than most_sequences ({self.most_sequences})"
            )
        return _Empowered(self, observation_size, actions)


class _Empowered(LiveObjective):
    def __init__(self, settings: Empowerment, size: int, actions: int) -> None:
        self._settings, self._actions = settings, actions
        self._world = Transitions(size, actions)
        self._bits = np.zeros(1)  # of each row; nan where they have to be computed

    def reward(self, batch: Batch) -> Array:
        rows = self._world.arrivals(batch)
        if batch.present is not None:
            rows[~batch.present] = END
        rows[rows == UNSEEN] = END
        fresh = np.unique(rows[np.isnan(self._bits[rows])])
        if len(fresh):
            self._bits[fresh] = self._computed(fresh)
        found: Array = self._bits[rows]
        return found

    def rewards(self, rollout: Batch) -> Array:
        return row_by_row(self.reward, rollout)

    def update(self, rollout: Batch) -> None:
        touched = self._world.news(rollout)
        fresh = np.full(len(self._world) - len(self._bits), np.nan)
        self._bits = np.append(self._bits, fresh)
        self._bits[self._world.leading_to(touched, self._settings.steps - 1)] = np.nan

    def state_dict(self) -> Mapping[str, Array]:
        return {**self._world.state("world"), "bits": self._bits.copy()}

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        self._world.load(state, "world")
        self._bits = state["bits"].copy()

    def flops(self, steps: int) -> float:
        """At most: every step arrives in a new state, and all sequences from there are computed."""
        return 2.0 * steps * float(self._actions**self._settings.steps)

    def _computed(self, rows: Array) -> Array:
        n = self._settings.steps
        counts = [self._world.reach(int(row), n) for row in rows]
        bits = np.array([np.nan if count is None else np.log2(count) for count in counts])
        drawn = np.isnan(bits)
        channels = []
        for row in rows[drawn]:
            model, start = self._world.model(int(row), n)
            channels.append(outcomes(model, start, n))
        bits[drawn] = capacities(channels, self._settings.gap).lower
        return bits
