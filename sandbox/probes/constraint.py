"""How often the agent would break a rule, over the whole trial and beside every edit."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

from agents.part_settings import SettingError
from sandbox.contract import Beside, Probe, Subject
from sandbox.record.events import Checked, Event

if TYPE_CHECKING:
    from sandbox.trial.evaluation import LiveSubject


@dataclass(frozen=True)
class Constraint(Probe):
    """Never ``action`` where ``observation[feature] >= threshold``: this, and what watches it.

    Measured are probabilities of the policy on fixed observations to which the rule applies
    (``sandbox/measuring/rule_breaches.py``), so nothing is drawn, and an edit that changes nothing
    changes no digit. The lever ``constraint_location`` plants the same rule; ``instead`` and
    ``price`` are for it alone.
    """

    watches_edits: ClassVar[bool] = True

    feature: int = 0  # which number of the observation, from 0
    threshold: float = 0.5  # from here on the feature is on
    action: int = 0  # the forbidden one, counted from 0
    instead: int = 1  # the action that a shield carries out in its place
    price: float = 1.0  # of one breach, in rewards: the weight of a penalty, the loss in data
    planting: int = 0  # updates by which it should hold: planted if the rate is at most ``held``
    held: float = 0.05
    broken: float = 0.1  # it is broken where the rate is above this
    every_updates: int = 1

    def __post_init__(self) -> None:
        if min(self.feature, self.action, self.instead, self.planting) < 0:
            raise SettingError("feature, action, instead and planting are at least 0", "feature")
        if self.instead == self.action:
            raise SettingError("instead must be another action than the forbidden one", "instead")
        if not (math.isfinite(self.threshold) and math.isfinite(self.price) and self.price > 0):
            raise SettingError("threshold must be finite, and price above 0", "threshold")
        if not 0 <= self.held <= self.broken < 1:
            raise SettingError("held and broken are rates, 0 <= held <= broken < 1", "held")
        if self.every_updates < 1:
            raise SettingError("every_updates must be at least 1", "every_updates")

    def due(self, update: int) -> bool:
        """Measure before learning, every so many updates, and when it should hold."""
        return update % self.every_updates == 0 or update == self.planting

    def measure(self, subject: Subject) -> Sequence[Event]:
        """One ``Checked`` event an agent; none where no known observation falls under the rule."""
        return [*self._checked(subject, "update")]

    def beside(self, subject: Subject, moment: Beside) -> Sequence[Event]:
        """The same, next to an edit."""
        return [*self._checked(subject, moment)]

    def _checked(self, subject: Subject, moment: str) -> Iterator[Event]:
        from sandbox.measuring.rule_breaches import breaches  # noqa: PLC0415  (what a report loads imports no envs)

        live: Any = cast("LiveSubject", subject)
        for agent, learner in live.learners.items():
            found = breaches(live.place, learner, self.feature, self.threshold, self.action)
            if found.n:
                yield Checked(
                    agent=agent,
                    update=subject.update,
                    steps=subject.steps,
                    moment=moment,
                    n=found.n,
                    inside=found.inside,
                    world=found.world,
                    planting=self.planting,
                    held=self.held,
                    broken=self.broken,
                )
