"""Tabular learners: Q-learning, Sarsa and expected Sarsa on several copies of a world at once.

One step of learning: all copies act on the same table, then all learn. Targets are
computed from the table as it stood before the step. Where ``k`` copies update the same cell, it
moves to ``(1 - a)**k`` of itself plus the rest of their mean target: what ``k`` updates one after
the other give on average over their orders, so the order of the copies does not matter.

A terminal state has value 0. A truncated episode would have continued: the target uses its final
observation. Sarsa waits for the next executed action; where an episode was truncated there is none,
and the mean over its own policy is used.

Its policy, in training and when measured alike, is epsilon-greedy at the exploration in force,
best actions sharing the greedy part; ``logits`` gives it, and the agent state holds it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from agents.algorithms.q_table import QTable, TableSettings
from agents.architecture.cost import table_flops
from agents.architecture.validity import genome_problems, objective_problems, refuse, state_problems
from agents.arrays import Array
from agents.contract import (
    AgentState,
    Batch,
    LiveLearner,
    LiveObjective,
    Objective,
    Streams,
    UpdateReport,
)
from agents.genome import Architecture, Genome, TableRule
from agents.training import snapshots
from agents.training.autoreset import check_restarts, executed_actions, final_observations
from agents.training.diary import Diary
from agents.training.population import Resumable
from agents.training.reward_mixing import live_objectives_of, mixed, update_objectives
from agents.training.shown_by_others import ALONE, CaregiverFeedback, caregiver_feedback
from agents.training.spaces import action_count, flat_size, flatten
from agents.training.streams import Chance
from agents.training.value_transfer import exported_values, import_values, value_problems

_NEVER = 1e-13
"""Probability at which a logit is cut off, so that differences of logits stay finite."""


class TabularSolo(Resumable):
    """One tabular learner on a Gymnasium ``VectorEnv`` that restarts episodes within the step."""

    def __init__(
        self,
        env: Any,
        settings: TableSettings,
        genomes: Mapping[str, Genome],
        objectives: Mapping[str, Objective],
        streams: Streams,
    ) -> None:
        if len(genomes) != 1:
            raise ValueError(f"a vector env has one agent, got genomes for {', '.join(genomes)}")
        check_restarts(env)
        ((self._agent, genome),) = genomes.items()
        sizes = (flat_size(env.single_observation_space), action_count(env.single_action_space))
        chance = Chance(lambda name: streams(f"{self._agent}/{name}"))
        live_objectives = live_objectives_of(objectives, sizes, chance)
        self._learner = self._new_learner(
            genome=genome,
            sizes=sizes,
            copies=env.num_envs,
            settings=settings,
            live_objectives=live_objectives,
            chance=chance,
        )
        self.learners = {self._agent: self._learner}
        self._env, self._first_action = env, int(env.single_action_space.start)
        self._steps = settings.steps_per_update
        self._observations = flatten(env.reset()[0], env.num_envs)

    def _new_learner(self, **parts: Any) -> "LiveTable":
        return LiveTable(**parts)

    def update(self) -> Mapping[str, UpdateReport]:
        """Collect one rollout, learning at every step."""
        self._learner.begin()
        for _ in range(self._steps):
            self._step()
        return {self._agent: self._learner.finish()}

    def _step(self) -> None:
        env, learner = self._env, self._learner
        chosen = learner.act(self._observations) + self._first_action
        raw, reward, terminated, truncated, info = env.step(chosen)
        executed = executed_actions(chosen, info) - self._first_action
        observations = flatten(raw, env.num_envs)
        following = final_observations(observations, info, terminated | truncated)
        rewards = np.asarray(reward, np.float64)
        others = caregiver_feedback(info, env.num_envs, self._first_action)
        learner.store(executed, following, rewards, terminated, truncated, others=others)
        self._observations = observations


@dataclass(frozen=True)
class _Waiting:
    """Sarsa's steps whose next action is not known yet, a row a copy."""

    observations: Array
    actions: Array
    reward: Array
    going: Array  # bool [n]: False where the episode ended: no next action


class LiveTable(LiveLearner):
    """One agent. Its population calls ``begin``, ``act`` and ``store`` by turns, and ``finish``."""

    def __init__(
        self,
        *,
        genome: Genome,
        sizes: tuple[int, int],
        copies: int,
        settings: TableSettings,
        live_objectives: Mapping[str, LiveObjective],
        chance: Chance,
    ) -> None:
        _table_rule(genome)
        refuse(genome_problems(genome))
        self.observation_size, self.actions = sizes
        self._settings, self._live_objectives = settings, dict(live_objectives)
        self._chance, self._rng = chance, chance("actions")
        self._diary = Diary(settings.steps_per_update, copies, self.observation_size)
        self._table = QTable(*sizes, settings.initial_value)
        self._exploration = np.float32(settings.exploration_start)
        self._steps_done = 0
        self._waiting: _Waiting | None = None
        self._episode_returns = np.zeros(copies)
        self._seen = np.zeros((0, copies, self.observation_size), np.float32)
        self._error = 0.0
        self._updates = 0
        self._adopt(genome)

    # --- one rollout ---------------------------------------------------------------------------

    def begin(self) -> None:
        """Start a rollout."""
        shape = (self._settings.steps_per_update, *self._seen.shape[1:])
        self._seen = np.zeros(shape, np.float32)
        self._diary.begin()
        self._at, self._squares, self._changes = 0, 0.0, 0
        self._reward_sums = dict.fromkeys(self._weights, 0.0)
        self._draws = self._rng.random((*shape[:2], 1))
        self._known = len(self._table)

    def act(self, observations: Array) -> Array:
        """Choose an action (int64 ``[n]``, from 0) for float32 ``[n, size]`` observations."""
        self._exploration = np.float32(self._scheduled())
        self._seen[self._at] = observations
        self._here = self._table.enter(observations)
        thresholds = self._policy(self._here).cumsum(1)[:, :-1]  # the last takes what is left
        chosen: Array = (self._draws[self._at] >= thresholds).sum(1)
        self._chosen = chosen
        return chosen

    def store(
        self,
        executed: Array,
        following: Array,
        reward: Array,
        terminated: Array,
        truncated: Array,
        *,
        others: CaregiverFeedback = ALONE,
    ) -> None:
        """Learn from what the last action led to; objectives are mixed here.

        ``following`` is the observation the step itself led to. Where both flags are set,
        ``terminated`` wins.
        """
        seen, ended = self._seen[self._at], terminated | truncated
        batch = Batch(seen, self._chosen, following, reward, terminated, ended, None, *others)
        sources = (self._weights, self._live_objectives, self._reward_sums, self._updates + 1)
        weighted = mixed(batch, *sources)
        learned = executed if self._learns_from == "executed" else self._chosen
        if not ((learned >= 0) & (learned < self.actions)).all():
            raise ValueError(f"executed actions must be in 0..{self.actions - 1}, got {executed}")
        self._learn(learned, following, weighted, terminated, ended)
        self._diary.acted(seen, self._chosen)
        self._diary.followed(following, reward, terminated, ended, others)
        self._at += 1
        self._steps_done += len(reward)

    def finish(self) -> UpdateReport:
        """Close the rollout. Raises ``FloatingPointError`` where values are not finite."""
        self._updates += 1
        steps = self._seen.shape[0] * self._seen.shape[1]
        self._error = float(np.sqrt(self._squares / max(self._changes, 1)))
        if not np.isfinite(self._error):
            raise FloatingPointError(
                f"update {self._updates}: non-finite values (step size {self._step_size:g})"
            )
        finished = self._diary.ended_returns(self._episode_returns)
        extra = update_objectives(
            self._live_objectives, self._weights, self._diary.rollout(), self._updates
        )
        return UpdateReport(
            steps=steps,
            flops=self._thought(steps)
            + sum(self._live_objectives[name].flops(steps) for name in self._weights),
            episodes=len(finished),
            mean_return=float(np.mean(finished)) if finished else None,
            rewards={name: total / steps for name, total in self._reward_sums.items()},
            losses={
                "td_error": self._error,
                "exploration": float(self._exploration),
                "states": float(len(self._table)),
                "new_states": (len(self._table) - self._known) / steps,  # near 1: no use of a table
                **extra,
            },
        )

    # --- LiveLearner ---------------------------------------------------------------------------

    def agent_state(self) -> AgentState:
        """Copy of genome and table; a table has no optimiser."""
        exploration = np.array([self._exploration], np.float32)
        table = self._table.parameters() | {"table.exploration": exploration}
        return AgentState(self.genome, table, {}, values=exported_values(self._live_objectives))

    def install(self, agent_state: AgentState) -> None:
        """Install this agent state; ``ValueError`` naming every problem, and nothing changed.

        It acts with that state's exploration until its next step, which follows the schedule.
        """
        problems = [*state_problems(agent_state, self.observation_size, self.actions)]
        if not isinstance(agent_state.genome.learning_rule, TableRule):
            problems.append("the agent state is of a network, this agent keeps a table")
        problems += value_problems(agent_state.values, self._live_objectives)
        refuse([*problems, *objective_problems(agent_state.genome, self._live_objectives)])
        import_values(agent_state.values, self._live_objectives)
        self._table.load(agent_state.parameters)
        self._exploration = np.float32(agent_state.parameters["table.exploration"][0])
        self._adopt(agent_state.genome)

    def effective(self) -> Genome:
        """The genome read back; the editor and unused fields are from the record."""
        return Genome(
            architecture=Architecture((), self.genome.architecture.activation),
            learning_rule=self._live_rule(),
            objective=tuple(sorted(self._weights.items())),
            editor=self.genome.editor,
        )

    def parameters(self) -> int:
        """Number of values in the table."""
        return len(self._table) * self.actions

    def logits(self, observations: Array) -> Array:
        """Log probabilities of the policy at the exploration in force, float64 ``[n, actions]``."""
        found: Array = np.log(np.maximum(self._policy(self._table.find(observations)), _NEVER))
        return found

    def values(self, observations: Array) -> Array:
        """State values, float64 ``[n]``: the best action's, or the policy's mean for Sarsa."""
        return self._worth(self._table.find(observations))

    def recent_observations(self, n: int) -> Array:
        """Up to ``n`` observations of the last rollout, evenly spaced, float32 ``[<=n, size]``."""
        flat = self._seen.reshape(-1, self.observation_size)
        count = min(n, len(flat))
        found: Array = flat[np.linspace(0, len(flat) - 1, count).astype(int)]
        return found

    def view(self) -> Mapping[str, Any]:
        """No layers, so no units; for a gradient, the root mean square error of the rollout."""
        return {"dormancy": (), "unit_scores": (), "gradient_norm": self._error}

    def live_objectives(self) -> Mapping[str, LiveObjective]:
        """The live objectives, by name; those the genome does not name are inactive."""
        return self._live_objectives

    def snapshot(self) -> tuple[Mapping[str, Any], Mapping[str, Array]]:
        """Everything needed to resume bit for bit, between two updates, except the env."""
        data, arrays = snapshots.take(self, self._chance)
        data["counts"] = {"lived": self._steps_done, "updates": self._updates, "error": self._error}
        arrays |= {"returns": self._episode_returns.copy(), "seen": self._seen.copy()}
        if self._waiting is not None:
            for name in ("observations", "actions", "reward", "going"):
                arrays[f"waiting/{name}"] = getattr(self._waiting, name).copy()
        return data, arrays

    def resume(self, data: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        """Restore what ``snapshot`` gave; ``ValueError`` where it is from another run."""
        snapshots.restore(self, self._chance, data, arrays)
        counts, waiting = data["counts"], snapshots.within(arrays, "waiting/")
        self._steps_done, self._updates = counts["lived"], counts["updates"]
        self._error = counts["error"]
        snapshots.refill(self._episode_returns, arrays["returns"])
        self._seen = arrays["seen"].copy()
        self._waiting = _Waiting(**waiting) if waiting else None

    # --- parts ---------------------------------------------------------------------------------

    def _adopt(self, genome: Genome) -> None:
        rule = _table_rule(genome)
        self._rule, self._learns_from = rule.rule, rule.learns_from
        self._step_size, self._discount = rule.learning_rate, rule.discount
        self._weights = dict(genome.objective)
        self._waiting = self._waiting if rule.rule == "sarsa" else None
        self.genome = genome

    def _live_rule(self) -> TableRule:
        return replace(
            _table_rule(self.genome),
            learning_rate=self._step_size,
            discount=self._discount,
            rule=self._rule,
            learns_from=self._learns_from,
        )

    def _scheduled(self) -> float:
        """Exploration now: linear from start to end over its share of training."""
        each = self._settings
        over = each.exploration_share * each.total_steps
        done = min(self._steps_done / over, 1.0) if over else 1.0
        return each.exploration_start + done * (each.exploration_end - each.exploration_start)

    def _policy(self, rows: Array) -> Array:
        """Probabilities of the actions in these rows, float64 ``[n, actions]``."""
        values = self._table.values[rows]
        best = values == values.max(1, keepdims=True)
        explored = float(self._exploration)
        found: Array = explored / self.actions + (1 - explored) * best / best.sum(1, keepdims=True)
        return found

    def _worth(self, rows: Array) -> Array:
        """The rule's value of a state, float64 ``[n]``."""
        values = self._table.values[rows].astype(np.float64)
        best: Array = values.max(1)
        if self._rule == "q_learning":
            return best
        explored = float(self._exploration)
        found: Array = (1 - explored) * best + explored * values.mean(1)
        return found

    def _thought(self, steps: int) -> float:
        """FLOPs of acting and learning in the last rollout."""
        return table_flops(self._live_rule(), self.actions, steps)

    def _learn(
        self, learned: Array, following: Array, reward: Array, terminated: Array, ended: Array
    ) -> None:
        """Learn from one step of all copies, which began in the rows of ``act``."""
        if self._rule == "sarsa":
            self._learn_on_policy(learned, following, reward, terminated, ended)
        else:
            ahead = np.where(terminated, 0.0, self._worth(self._table.find(following)))
            self._move(self._here, learned, reward + self._discount * ahead)

    def _learn_on_policy(
        self, learned: Array, following: Array, reward: Array, terminated: Array, ended: Array
    ) -> None:
        """Sarsa: the step before this one has its next action now; an ended episode needs none."""
        rows, actions, targets = [self._here[ended]], [learned[ended]], [reward[ended]]
        if ended.any():
            ahead = self._worth(self._table.find(following[ended]))
            targets[0] = reward[ended] + self._discount * np.where(terminated[ended], 0.0, ahead)
        if (last := self._waiting) is not None:
            going = last.going
            ahead = self._table.values[self._here, learned].astype(np.float64)
            rows.append(self._table.enter(last.observations[going]))
            actions.append(last.actions[going])
            targets.append((last.reward + self._discount * ahead)[going])
        self._move(*(np.concatenate(each) for each in (rows, actions, targets)))
        self._waiting = _Waiting(self._seen[self._at].copy(), learned, reward, ~ended)

    def _move(self, rows: Array, actions: Array, targets: Array) -> None:
        """Move cells towards their targets; see the module's docstring for shared cells."""
        if len(rows):
            cells, decay = rows * self.actions + actions, self._settings.step_size_decay
            self._squares += self._table.move(cells, targets, self._step_size, decay)
            self._changes += len(rows)


def _table_rule(genome: Genome) -> TableRule:
    if not isinstance(genome.learning_rule, TableRule):
        raise ValueError("a table needs a genome with a TableRule")  # noqa: TRY004
    return genome.learning_rule
