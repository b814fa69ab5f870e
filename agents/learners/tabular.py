"""A table of action values: Q-learning, Sarsa or expected Sarsa, for small worlds."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Literal

from agents.architecture.validity import TABLE_RANGES, choice_problems, setting_problems
from agents.contract import Learner, Objective, Population, Streams
from agents.genome import Genome
from agents.part_settings import SettingError


@dataclass(frozen=True)
class Tabular(Learner):
    """One agent that keeps a value for every action in every observation it has met.

    Q-learning (Watkins 1989), Sarsa (Rummery & Niranjan 1994) or expected Sarsa (van Seijen et al.
    2009), after every step, acting epsilon-greedily. It has no network: its architecture is empty
    (``architecture: {trunk: []}``). Observations are distinguished to the bit, so worlds that show
    numbers rather than symbols make a table that never sees anything twice: of such a world its
    curve ``new_states``, the share of steps that ended up in a new row, says 1.
    """

    rule: Literal["q_learning", "sarsa", "expected_sarsa"] = "q_learning"
    learns_from: Literal["executed", "intended"] = "executed"
    """Whose value is updated where the world replaces actions: what was done, or what was meant."""
    step_size: float = 0.1
    step_size_decay: float = 0.0  # the n-th visit of a cell moves it by step_size / (1 + decay n)
    discount: float = 0.99
    exploration_start: float = 1.0  # share of random actions at first
    exploration_end: float = 0.05  # and after the share of training over which it falls linearly
    exploration_share: float = 0.5
    initial_value: float = 0.0  # of every action before its first visit
    num_envs: int = 16
    total_steps: int = 100_000
    steps_per_update: int = 100  # of each environment; a table learns at every one of them

    joint: ClassVar[bool] = False
    layered: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Raise ``ValueError`` naming every setting outside its range."""
        settings = asdict(self)
        problems = choice_problems(settings) + setting_problems(settings, TABLE_RANGES)
        if problems:
            raise SettingError.of(problems)

    def genome_rule(self) -> Mapping[str, Any]:
        """The fields of ``TableRule`` as JSON: its learning rate is the step size."""
        return {
            "learning_rate": self.step_size,
            "discount": self.discount,
            "rule": self.rule,
            "learns_from": self.learns_from,
        }

    def build(
        self,
        env: Any,
        genomes: Mapping[str, Genome],
        objectives: Mapping[str, Objective],
        streams: Streams,
    ) -> Population:
        """Start one learner on a Gymnasium ``VectorEnv`` with SAME_STEP autoreset."""
        from agents.algorithms.q_table import TableSettings  # noqa: PLC0415 - torch loads here
        from agents.algorithms.tabular import TabularSolo  # noqa: PLC0415 - torch loads here

        names = [each.name for each in fields(TableSettings)]
        settings = TableSettings(**{name: getattr(self, name) for name in names})
        return TabularSolo(env, settings, genomes, objectives, streams)
