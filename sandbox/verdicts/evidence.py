"""What one claim is judged on: two arms, paired by seed, of a run or of a table."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.analysis.effects import Effect, effect, env_name, metric
from sandbox.record.store import RunRecord
from sandbox.words import Dose


class Evidence(ABC):
    """The two arms of a claim, on any metric and in any env."""

    @abstractmethod
    def envs(self) -> Sequence[str]:
        """Names of all envs in which the arms were compared."""

    @abstractmethod
    def effect(self, name: str, env: str) -> Effect:
        """Compare the arms on a metric; ``env``: "all" for the mean over them."""

    @abstractmethod
    def limits(self, name: str) -> tuple[float, float]:
        """Range of a metric; infinite where it has none."""

    @abstractmethod
    def less_is_better(self, name: str) -> bool:
        """Is it a kind of harm, of which an agent that can do less may do less?"""


@dataclass(frozen=True)
class OfRun(Evidence):
    """A dose of a lever and its first one, over the first ``n`` seeds of a run."""

    run: RunRecord
    lever: str
    dose: Dose | None
    n: int

    def envs(self) -> Sequence[str]:
        """Labels in this scenario."""
        return [*dict.fromkeys(env_name(self.run, trial) for trial in self.run.trials)]

    def effect(self, name: str, env: str) -> Effect:
        """See ``Evidence``."""
        return effect(self.run, self.lever, name, env, self.dose, seeds=self.n)

    def limits(self, name: str) -> tuple[float, float]:
        """As the metric says."""
        return metric(name).range

    def less_is_better(self, name: str) -> bool:
        """As the metric says."""
        return metric(name).direction == "lower"
