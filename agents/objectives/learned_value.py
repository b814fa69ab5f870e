"""Another agent's values, as learned from it; may take over from the other objectives."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from agents.arrays import Array
from agents.contract import Batch, LiveObjective
from agents.drives.learned_drive import check_discount
from agents.models.running_moments import Normaliser, ReturnScale
from agents.objective_contract import row_by_row
from agents.part_settings import SettingError
from agents.value_learning.handover import Handover, alpha
from agents.value_learning.registry import model_of
from agents.value_learning.social import Apprentice, ValueLearningObjective


@dataclass(frozen=True)
class LearnedValue(ValueLearningObjective):
    """``r = (1 - alpha) * others + alpha * weight * U(s, a) / c`` with a value model ``U``.

    ``handover`` says how alpha comes about (``agents/value_learning/handover.py``); its numbers are
    the agent's own updates, and alpha changes between rollouts only. ``fidelity`` waits until the
    lower bound of how well the model predicted the approvals of the last rollout that had some,
    before learning from them, is ``least_fidelity``; ``entropy`` until the model's doubt is at most
    ``most_doubt`` of its initial doubt. Neither is undone: a handover is final.

    ``c`` is 1, or what ``normaliser`` says.
    """

    handover: Handover = "none"
    first_update: int = 8  # of a scheduled handover, and of an abrupt one, which is halfway
    last_update: int = 24
    least_fidelity: float = 0.8
    most_doubt: float = 0.5  # share of the initial doubt
    normaliser: Normaliser = "none"
    discount: float = 0.99  # of the learned return that may scale rewards

    def __post_init__(self) -> None:
        super().__post_init__()
        check_discount(self.discount)
        if not 0 <= self.first_update < self.last_update:
            span = f"{self.first_update} and {self.last_update}"
            raise SettingError(
                f"first_update is at least 0 and below last_update, not {span}", "first_update"
            )
        for name in ("least_fidelity", "most_doubt"):
            if not 0 <= getattr(self, name) <= 1:
                raise SettingError(f"{name} is between 0 and 1, not {getattr(self, name)}", name)
        if self.handover == "entropy" and not self._doubts():
            raise SettingError(
                f"handover entropy needs a model that doubts: not '{self.model}'", "handover"
            )

    def _doubts(self) -> bool:
        initial = model_of(self.model).start(1, 2, np.random.Generator(np.random.PCG64(0)))
        return initial.doubt() is not None

    def start(self, observation_size: int, actions: int, rng: np.random.Generator) -> LiveObjective:
        """Begin with an untrained model."""
        return _Successor(self, observation_size, actions, rng)


class _Successor(Apprentice):
    def __init__(
        self, settings: LearnedValue, size: int, actions: int, rng: np.random.Generator
    ) -> None:
        super().__init__(settings, size, actions, rng)
        self._settings = settings
        self._returns = ReturnScale(settings.discount, settings.normaliser)
        self._doubt = self._valuer.doubt() or 0.0  # initial
        self._proved = False

    def reward(self, batch: Batch) -> Array:
        raw = self._valuer.reward(batch)
        self._returns.add(raw, batch.here)
        scaled: Array = raw / self._returns.scale
        return scaled

    def rewards(self, rollout: Batch) -> Array:
        raw = row_by_row(self._valuer.reward, rollout)
        self._returns.add_all(raw, rollout.here)
        scaled: Array = raw / self._returns.scale
        return scaled

    def update(self, rollout: Batch) -> None:
        super().update(rollout)
        self._returns.commit()
        self._proved = self._proved or self._proves()

    def share(self) -> float | None:
        settings = self._settings
        span = (settings.first_update, settings.last_update)
        return alpha(settings.handover, self._updates, span, proved=self._proved)

    def report(self) -> Mapping[str, float]:
        """As of every apprentice, and ``alpha`` where there is one."""
        share = self.share()
        return super().report() if share is None else {**super().report(), "alpha": share}

    def state_dict(self) -> Mapping[str, Array]:
        mine = {"proved": np.array(self._proved), **self._returns.state("returns")}
        return {**super().state_dict(), **mine}

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        super().load_state_dict(state)
        self._returns.load(state, "returns")
        self._proved = bool(state["proved"])

    def _proves(self) -> bool:
        if self._settings.handover == "entropy":
            doubt = self._valuer.doubt()
            return doubt is not None and doubt <= self._settings.most_doubt * self._doubt
        return self._fidelity.lower >= self._settings.least_fidelity  # NaN is not
