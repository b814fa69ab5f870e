"""Plans in a model of counts, with a bonus for what was seldom tried (MBIE-EB); small worlds."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar

from agents.architecture.ranges import PLANNER_RANGES, setting_problems
from agents.contract import Learner, Objective, Population, Streams
from agents.genome import Genome
from agents.part_settings import SettingError


@dataclass(frozen=True)
class MbieEb(Learner):
    """Strehl & Littman 2008, "model-based interval estimation with exploration bonus".

    ``Q(s, a) = R(s, a) + bonus / sqrt(n(s, a)) + discount sum_s' P(s' | s, a) max_a' Q(s', a')``,
    ``R`` and ``P`` the means of what was met, ``n`` how often; an action never tried is worth
    ``unseen_value``. It acts greedily on ``Q``, ties by chance. ``bonus: 0`` with an
    ``unseen_value`` of 0 is a planner without an exploration bonus.

    The bonus is no objective: the reward of one is averaged into ``R`` when a step is made, while
    the bonus depends on the current count. In the genome it is a table that learns by Q-learning
    with step size 1; it uses no other rule or step size, and edits cannot set them.
    """

    bonus: float = 0.05  # beta, in units of reward
    unseen_value: float = 20.0  # 1 / (1 - discount): the most that rewards up to 1 can come to
    discount: float = 0.95
    plan_every: int = 1  # steps of every copy between two plannings
    most_sweeps: int = 1_000  # of value iteration, a planning; it goes on from the last values
    tolerance: float = 1e-9  # it ends where no value moves by more
    num_envs: int = 1
    total_steps: int = 10_000
    steps_per_update: int = 100  # of each environment

    joint: ClassVar[bool] = False
    layered: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Raise ``ValueError`` naming every setting outside its range."""
        problems = setting_problems(asdict(self), PLANNER_RANGES)
        if problems:
            raise SettingError.of(problems)

    def genome_rule(self) -> Mapping[str, Any]:
        """The fields of ``TableRule`` as JSON: Q-learning with step size 1."""
        return {
            "learning_rate": 1.0,
            "discount": self.discount,
            "rule": "q_learning",
            "learns_from": "executed",
        }

    def build(
        self,
        env: Any,
        genomes: Mapping[str, Genome],
        objectives: Mapping[str, Objective],
        streams: Streams,
    ) -> Population:
        """Start one learner on a Gymnasium ``VectorEnv`` with SAME_STEP autoreset."""
        from agents.algorithms.mbie_eb import PlannerSolo, PlanSettings  # noqa: PLC0415 - torch loads here
        from agents.algorithms.q_table import TableSettings  # noqa: PLC0415

        plans = PlanSettings(
            **{each.name: getattr(self, each.name) for each in fields(PlanSettings)}
        )
        settings = TableSettings(
            initial_value=self.unseen_value,
            exploration_start=0.0,
            exploration_end=0.0,
            exploration_share=0.5,
            total_steps=self.total_steps,
            steps_per_update=self.steps_per_update,
        )
        return PlannerSolo(env, plans, settings, genomes, objectives, streams)
