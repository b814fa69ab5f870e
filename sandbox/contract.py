"""What a lever, a probe and a metric promise. Imports no torch."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

from sandbox.record.events import Event

Spec = Mapping[str, Any]
"""A resolved trial as JSON data (``trials.py`` documents its keys)."""

IN_DISTRIBUTION, SHIFTED, TOLD = "in_distribution", "shifted", "told"
"""Names of the level distributions that worlds may have."""

Beside = Literal["before edit", "after edit"]


class NamedPart(NamedTuple):
    """One part as a spec has it, ``{name: settings}``."""

    name: str
    settings: Mapping[str, Any]

    @property
    def total_steps(self) -> int:
        """Steps that a learner plans; 0 where it does not say."""
        return int(self.settings.get("total_steps", 0))

    def changed(self, **settings: Any) -> dict[str, dict[str, Any]]:
        """As a spec has it, with these settings in the place of its own."""
        return {self.name: {**self.settings, **settings}}


def named(setting: Mapping[str, Mapping[str, Any]]) -> NamedPart:
    """Read ``{name: settings}``. Raises ``ValueError`` where it is not one part."""
    ((name, settings),) = setting.items()
    return NamedPart(name, settings)


class Lever(ABC):
    """A named, dosed intervention by the experimenter. Leaves are empty frozen dataclasses."""

    family: ClassVar[
        Literal["objective", "compute", "data", "architecture", "oversight", "selection", "placebo"]
    ]
    neutral: ClassVar[Any]  # the dose that leaves the spec untouched
    named: ClassVar[bool] = False  # True: doses are names, False: numbers

    def check(self, spec: Spec, dose: Any) -> str | None:
        """Return why this dose cannot be applied to this spec, or ``None``."""
        del spec, dose
        return None

    @abstractmethod
    def apply(self, spec: Spec, dose: Any) -> Spec:
        """Return a new spec; ``apply(spec, neutral) == spec`` and ``spec`` is not changed."""

    @abstractmethod
    def manipulation_check(self, events: Sequence[Event], dose: Any) -> bool | None:
        """Did the dose arrive in this trial? ``None`` where the events do not show it."""

    def contrast_check(
        self, base: Sequence[Event], treated: Sequence[Event], ratio: float
    ) -> bool | None:
        """Do two finished trials that share a seed differ as their doses say?

        ``ratio`` is the treated dose over the base's (``inf`` for a base of 0, not a number where
        doses are names). For levers whose dose shows only against another trial; ``None`` where the
        events do not show it.
        """
        del base, treated, ratio
        return None


class Probe(ABC):
    """Measures a live agent at a checkpoint. Leaves are frozen dataclasses."""

    watches_edits: ClassVar[bool] = False  # True: ``beside`` is asked around every proposal

    @abstractmethod
    def due(self, update: int) -> bool:
        """Measure after this update? 0 is before learning; the last update is always measured."""

    @abstractmethod
    def measure(self, subject: "Subject") -> Sequence[Event]:
        """Return what was measured; learns nothing."""

    def beside(self, subject: "Subject", moment: Beside) -> Sequence[Event]:
        """Measure the one agent of ``subject`` next to an edit of its.

        Asked right before every proposal is judged, and right after it was done, if it was.
        """
        del subject, moment
        return ()


class Subject(ABC):
    """A live population at a checkpoint, as the loop offers it to a probe."""

    update: int
    steps: int

    @abstractmethod
    def distributions(self) -> Sequence[str]:
        """Names of the level distributions that this env can be evaluated on."""

    @abstractmethod
    def play(self, distribution: str, episodes: int) -> Mapping[str, "Episodes"]:
        """Let the agents act (sampling from their policies) for ``episodes``, truth recorded."""


@dataclass(frozen=True)
class Episodes:
    """Totals per finished episode of one agent."""

    reward: tuple[float, ...]
    length: tuple[int, ...]
    truth: Mapping[str, tuple[float, ...]]  # empty where the env has no ground truth


@dataclass(frozen=True)
class Measurement:
    """A metric's value for one trial; ``None``, never 0, where nothing was measured."""

    value: float | None
    n: int  # what the value is a mean or count over


class Metric(ABC):
    """A pure function of stored events. Leaves are empty frozen dataclasses."""

    unit: ClassVar[str]
    range: ClassVar[tuple[float, float]]
    direction: ClassVar[Literal["higher", "lower", "neutral"]]  # which way is better

    @abstractmethod
    def compute(self, events: Sequence[Event]) -> Measurement:
        """Measure one trial from its events."""
