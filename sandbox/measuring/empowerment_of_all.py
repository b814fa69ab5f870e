"""Empowerment of one agent among others that act by their policies: exact, or an estimate."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal, NamedTuple

import numpy as np

from agents.arrays import Array
from agents.contract import LiveLearner
from agents.drives.channel_capacity import capacities
from agents.drives.empowerment import empowerment
from agents.training.frame_stack import Frames
from envs.contract import JointWorld
from envs.planning.exact import Model, key
from envs.planning.joint import Controller, profiles
from envs.world_kit.state import size, take
from sandbox.measuring.rule_breaches import chances
from sandbox.measuring.state_space import bounded, rows_of
from sandbox.trial.environment import TrialEnv
from sandbox.trial.evaluation import Policy

Sees = Literal["own", "observation", "state"]
STARTS = 4096
SCRIPTED, FREE = "scripted", "learner"


class EmpowermentMeans(NamedTuple):
    """Mean over the states asked about."""

    bits: float
    gap: float  # the largest between bounds; of an estimate, bits found where nothing has influence
    states: int
    exact: bool


@dataclass(frozen=True, eq=False)
class Question:
    """Which agent's influence is measured, over what, and how many steps ahead."""

    world: JointWorld
    agent: str
    steps: int
    sees: Sees

    @property
    def place(self) -> int:
        """Column of the agent."""
        return self.world.agents.index(self.agent)

    @property
    def freed(self) -> JointWorld:
        """The world in which the agent's actions count, where a script acts in its stead."""
        if getattr(self.world, self.agent, None) != SCRIPTED:
            return self.world
        return replace(self.world, **{self.agent: FREE})  # type: ignore[type-var]

    def look(self, states: Any) -> Array:
        """What the agent may have influence over, one row a state."""
        if self.sees == "state":
            return key(states)[:, None]
        seen = self.world.observe(states)[:, self.place]
        own = self.world.channels()
        named = own.get(self.agent, own.get("own")) if self.sees == "own" else None
        return np.asarray(seen if named is None else seen[:, list(named)])


def policy(place: TrialEnv, learner: LiveLearner) -> Callable[[Array], Array]:
    """Observations -> probabilities of actions; its memory of the episode is empty."""
    history = learner.effective().architecture.history

    def probabilities(seen: Array) -> Array:
        shown = place.silent(seen)
        frames = Frames(len(shown), shown.shape[1], history)
        return chances(place, learner, frames.stack(shown, np.zeros(len(shown), bool)))

    return probabilities


def exact(
    question: Question,
    policies: Mapping[str, Callable[[Array], Array]],
    states: Any,
    *,
    gap: float,
    most: int,
) -> EmpowermentMeans:
    """Mean over worlds ``states [n]``, from the joint dynamics.

    The end of an episode is one state, in which nothing can be done. Raises ``LookupError`` where
    the world does not say its branches and ``TooLargeError`` beyond ``most`` states.
    """
    world = question.freed
    model = _model(world, most)
    seen = world.observe(model.states)
    habits = {
        name: probabilities(seen[:, world.agents.index(name)])
        for name, probabilities in policies.items()
    }
    table = _table(model, world, question.place, habits)
    _, looks = np.unique(question.look(model.states), axis=0, return_inverse=True)
    looks = np.append(looks.ravel(), looks.max() + 1)
    rows, counts = np.unique(rows_of(model.keys, states), return_counts=True)
    bits = empowerment(table, question.steps, states=rows, sees=looks, gap=gap)
    share = counts / counts.sum()
    return EmpowermentMeans(float(share @ bits.lower), float(bits.gap.max()), len(rows), exact=True)


def estimate(
    question: Question,
    policies: Mapping[str, Policy],
    states: Any,
    samples: int,
    rng: np.random.Generator,
) -> EmpowermentMeans:
    """The same from ``samples`` plays of every sequence of actions in each of ``states [n]``.

    The capacity of the channel of frequencies, which is too high; ``gap`` is how high it is where
    the sequences are shuffled, so that none has any influence.
    """
    world, n = question.freed, size(states)
    sequences = profiles(len(world.action_names), question.steps)  # [sequences, steps]
    plays = take(states, np.repeat(np.arange(n), len(sequences) * samples))
    doing = np.tile(np.repeat(sequences, samples, axis=0), (n, 1))
    ends = _played(question, policies, plays, doing, rng)
    ends = ends.reshape(n, len(sequences) * samples)
    shuffled = rng.permuted(ends, axis=1)
    found = [
        capacities([_channel(row, len(sequences)) for row in rows], 1e-3).lower.mean()
        for rows in (ends, shuffled)
    ]
    return EmpowermentMeans(float(found[0]), float(found[1]), n, exact=False)


def _played(
    question: Question,
    policies: Mapping[str, Policy],
    state: Any,
    doing: Array,
    rng: np.random.Generator,
) -> Array:
    """Number of the look that each play ends in; all that end early share one."""
    world, over = question.freed, np.zeros(len(doing), bool)
    for actions in doing.T:
        seen = world.observe(state)
        moves = [
            actions if name == question.agent else policies[name](seen[:, k])
            for k, name in enumerate(world.agents)
        ]
        after, outcome = world.step(state, np.stack(moves, axis=1), rng)
        over, state = over | outcome.terminated, after
    _, looks = np.unique(question.look(state), axis=0, return_inverse=True)
    return np.where(over, -1, looks.ravel()) + 1


def _channel(ends: Array, sequences: int) -> Array:
    """Frequencies of ends, a row a sequence."""
    kinds, which = np.unique(ends, return_inverse=True)
    hits = which.reshape(sequences, -1)[:, :, None] == np.arange(len(kinds))
    return np.asarray(hits.mean(axis=1))


@cache
def _model(world: JointWorld, most: int) -> Model:
    starts = world.reset(np.random.default_rng(0), STARTS)  # no trial's stream: all are met
    return bounded(Controller(world), starts, most)


def _table(model: Model, world: JointWorld, own: int, habits: Mapping[str, Array]) -> Array:
    """Dynamics of one agent's actions, ``[states + 1, actions, states + 1]``, the end the last."""
    states, joint, branches = model.following.shape
    actions = len(world.action_names)
    moves = profiles(actions, len(world.agents))
    weight = np.ones((states, joint))
    for k, name in enumerate(world.agents):
        if k != own:
            weight *= habits[name][:, moves[:, k]]
    table = np.zeros((states + 1, actions, states + 1))
    here, does, _ = np.indices((states, joint, branches))
    chance = model.chance * weight[:, :, None]
    real = chance > 0
    np.add.at(table, (here[real], moves[does[real], own], model.following[real]), chance[real])
    table[-1, :, -1] = 1.0
    return np.asarray(table / table.sum(-1, keepdims=True))  # policies add up to 1 in float32
