"""An agent that plans in a counted model: value iteration on mean rewards and frequencies.

Its plan is a table of action values as in Q-learning and is part of the agent state. The model is
not, like the replay buffer of DQN: it stays when another agent state is installed, the next
planning uses it, and it is in the snapshot.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from agents.algorithms.q_table import TableSettings
from agents.algorithms.tabular import LiveTable, TabularSolo
from agents.arrays import Array
from agents.contract import AgentState, Batch, Objective, Streams
from agents.genome import Genome, TableRule
from agents.models.transitions import Transitions
from agents.training.snapshots import within


class CountedModel:
    """Transitions, visits and rewards of every action in every observation met; row 0: the end."""

    def __init__(self, size: int, actions: int) -> None:
        self.ways = Transitions(size, actions)
        self.visits = np.zeros((1, actions))
        self.rewards = np.zeros((1, actions))

    def learn(
        self, before: Array, actions: Array, after: Array, terminated: Array, reward: Array
    ) -> None:
        """Count one step of ``n`` copies."""
        step = Batch(before, actions, after, reward, terminated, terminated)
        named = ("observation", "action", "next_observation", "reward", "terminated", "ended")
        self.ways.learn(Batch(**{name: getattr(step, name)[None] for name in named}))
        if new := len(self.ways) - len(self.visits):
            more = ((0, new), (0, 0))
            self.visits, self.rewards = np.pad(self.visits, more), np.pad(self.rewards, more)
        at = (self.ways.find(before), actions)
        np.add.at(self.visits, at, 1.0)
        np.add.at(self.rewards, at, reward)

    def state(self) -> dict[str, Array]:
        """Copies of everything, by name."""
        counted = {"visits": self.visits.copy(), "paid": self.rewards.copy()}
        return {**self.ways.state("ways"), **counted}

    def load(self, state: Mapping[str, Array]) -> None:
        """Take over what ``state`` gave."""
        self.ways.load(state, "ways")
        self.visits, self.rewards = state["visits"].copy(), state["paid"].copy()


@dataclass(frozen=True)
class PlanSettings:
    """How a planner evaluates its counts; no edit changes these settings."""

    bonus: float  # of an action tried n times: bonus / sqrt(n), in units of reward
    unseen_value: float  # of an action never tried
    plan_every: int  # steps of every copy from one planning to the next
    most_sweeps: int  # of value iteration, a planning
    tolerance: float  # it ends where no value moves by more


class PlannerSolo(TabularSolo):
    """One planner on a Gymnasium ``VectorEnv`` that restarts episodes within the step."""

    def __init__(  # noqa: PLR0917
        self,
        env: Any,
        plans: PlanSettings,
        settings: TableSettings,
        genomes: Mapping[str, Genome],
        objectives: Mapping[str, Objective],
        streams: Streams,
    ) -> None:
        self._plans = plans
        super().__init__(env, settings, genomes, objectives, streams)

    def _new_learner(self, **parts: Any) -> LiveTable:
        return LivePlanner(self._plans, **parts)


class LivePlanner(LiveTable):
    """A table that is planned, not moved step by step."""

    def __init__(self, plans: PlanSettings, **parts: Any) -> None:
        super().__init__(**parts)
        _check(self.genome)
        self._plans = plans
        self._model = CountedModel(self.observation_size, self.actions)
        self._worth_of = np.zeros(1)  # of every row of the model: start of the next value iteration
        self._waited, self._backed_up = 0, 0

    def begin(self) -> None:
        """Start a rollout."""
        super().begin()
        self._backed_up = 0

    def install(self, agent_state: AgentState) -> None:
        """Install this agent state until the next planning; ``ValueError`` for another rule."""
        _check(agent_state.genome)
        super().install(agent_state)

    def snapshot(self) -> tuple[Mapping[str, Any], Mapping[str, Array]]:
        """The table's, and the model."""
        data, arrays = super().snapshot()
        model = {f"model/{name}": each for name, each in self._model.state().items()}
        model["model/worth"] = self._worth_of.copy()
        return {**data, "waited": self._waited}, {**arrays, **model}

    def resume(self, data: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        """Restore what ``snapshot`` gave; ``ValueError`` where it is from another run."""
        super().resume(data, arrays)
        model = within(arrays, "model/")
        self._model.load(model)
        self._waited, self._worth_of = data["waited"], model["worth"].copy()

    def _thought(self, steps: int) -> float:
        """Acting compares the actions; a sweep multiplies and adds once per known transition."""
        return float(self.actions * steps + 2 * self._backed_up)

    def _learn(
        self, learned: Array, following: Array, reward: Array, terminated: Array, ended: Array
    ) -> None:
        del ended  # a truncated episode would have continued
        before = self._seen[self._at]
        foreseen = self._table.values[self._here, learned].astype(np.float64)
        self._model.learn(before, learned, following, terminated, reward)
        self._waited += 1
        if self._waited >= self._plans.plan_every:
            self._plan()
        ahead = np.where(terminated, 0.0, self._worth(self._table.find(following)))
        self._squares += float(((reward + self._discount * ahead - foreseen) ** 2).sum())
        self._changes += len(reward)

    def _plan(self) -> None:
        """Value iteration until convergence, then write the plan into the table."""
        self._waited, model, plans = 0, self._model, self._plans
        plan = model.ways.plan()
        visits, total = (each.ravel()[plan.cells] for each in (model.visits, model.rewards))
        now = (total + plans.bonus * np.sqrt(visits)) / visits  # mean reward + bonus / sqrt(visits)
        untried = (model.visits[plan.rows] == 0).any(1)
        floor = np.where(untried, plans.unseen_value, -np.inf)
        worth = np.full(len(model.ways), plans.unseen_value)
        worth[: len(self._worth_of)] = self._worth_of
        worth[0] = 0.0
        for _ in range(plans.most_sweeps):
            cells = now + self._discount * plan.mean(worth[:, None])[:, 0]
            best = np.maximum(plan.best(cells[:, None])[:, 0], floor)
            moved = float(np.abs(best - worth[plan.rows]).max())
            worth[plan.rows] = best
            self._backed_up += len(plan.ways.end)
            if moved <= plans.tolerance:
                break
        self._worth_of = worth
        values = np.full(model.visits.size, plans.unseen_value)
        values[plan.cells] = now + self._discount * plan.mean(worth[:, None])[:, 0]
        self._write(plan.rows, values.reshape(model.visits.shape)[plan.rows])

    def _write(self, rows: Array, values: Array) -> None:
        seen = self._model.ways.observations(rows)
        at = self._table.enter(seen)
        self._table.values[at] = values
        self._table.visits[at] = self._model.visits[rows]


def _check(genome: Genome) -> None:
    """Refuse a genome with a learning rule that a planner does not use."""
    rule = genome.learning_rule
    if not isinstance(rule, TableRule):
        return  # the table's own check reports it
    wanted = TableRule(learning_rate=1.0, discount=rule.discount)
    if rule != wanted:
        raise ValueError("the agent plans: its rule is q_learning, executed, with learning_rate 1")
