"""What a value model is asked: every action in every state of a world, and the true answers.

Exact where the world is small enough to be enumerated. Else a fixed sample of states that random
walks meet, the same for every trial; what follows a state is not known there, and so neither are
STARC and regret.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

import numpy as np
from scipy import sparse

from agents.contract import Batch, LiveLearner, LiveObjective
from envs.arrays import Array
from envs.contract import JointWorld, Outcome, State, World
from envs.planning import exact
from envs.world_kit.state import concatenate, names, size, take
from sandbox.measuring.goal_directedness import pursuit
from sandbox.measuring.reward_distances import ROUNDING, starc_scale
from sandbox.measuring.state_space import bounded
from sandbox.trial.environment import TrialEnv

RESETS, WALKERS, WALK = 1024, 64, 128
_TIE = 1e-9


@dataclass(frozen=True, eq=False)
class Questions:
    """One row for every outcome of an action in a state."""

    batch: Batch  # rows [n]; rewards are 0: what is believed reads none
    cell: Array  # int [n]: state * actions + action
    chance: Array  # float64 [n]: of each row, given its cell
    truth: Array  # float64 [states, actions]: expected hidden reward
    lasting: "Lasting | None"  # None: a sample

    def answered(self, live_objective: LiveObjective) -> Array | None:
        """What an objective believes, float64 ``[states, actions]``; ``None``: it has no model.

        Raises ``ValueError`` where it does not answer every row with a finite number.
        """
        found = live_objective.believed(self.batch.sealed())
        if found is None:
            return None
        if np.shape(found) != self.cell.shape or not np.isfinite(found).all():
            raise ValueError("what is believed of a step must be one finite number")
        table = np.bincount(self.cell, self.chance * found, self.truth.size)
        return np.asarray(table.reshape(self.truth.shape))

    def regret(self, believed: Array) -> float | None:
        """Share of what chance loses that acting on ``believed`` loses, a whole episode.

        ``(V* - V^believed) / (V* - V^random)``; ``None`` in a sample, or if chance loses nothing.
        """
        if self.lasting is None or self._anchors is None:
            return None
        best, chance = self._anchors
        return (best - self.lasting.worth(believed, self.truth)) / (best - chance)

    def pursued(self, policy: Array, utility: Array) -> float | None:
        """Goal-directedness of a policy ``[states, actions]`` towards this utility, in nats a step.

        How much better than by chance its pursuit predicts the policy, see
        ``sandbox.measuring.goal_directedness``; ``None`` in a sample.
        """
        if self.lasting is None:
            return None
        onwards, horizon = self.lasting.onwards[:, :-1], self.lasting.horizon
        return pursuit(policy, utility, onwards, self.lasting.start, horizon).nats / horizon

    def states(self) -> Array:
        """What is seen in each state, ``[states, size]``."""
        states, actions = self.truth.shape
        first = np.searchsorted(self.cell, np.arange(states) * actions)
        return np.asarray(self.batch.observation[first])

    def starc(self, believed: Array, discount: float) -> float | None:
        """STARC to the truth; ``None`` in a sample, and where one of them is constant."""
        if self.lasting is None:
            return None
        return self.lasting.starc(believed, self.truth, discount)

    @cached_property
    def _anchors(self) -> tuple[float, float] | None:
        """What acting on the truth is worth, and acting at random."""
        if self.lasting is None:
            return None
        aims = self.truth, np.zeros_like(self.truth)
        best, chance = (self.lasting.worth(aim, self.truth) for aim in aims)
        scale = self.lasting.horizon * float(np.abs(self.truth).max())
        return (best, chance) if best - chance > ROUNDING * scale else None


@dataclass(frozen=True, eq=False)
class Lasting:
    """Dynamics of a world, for exact planning on tables. The last state is the end, worth 0."""

    onwards: Any  # sparse [states * actions, states + 1]: probability of each next state
    start: Array  # float64 [states]: of each first state
    horizon: int

    def worth(self, aim: Array, true: Array) -> float:
        """Mean total of ``true`` in an episode of the best policy for ``aim``, ties even."""
        ahead, tie = np.zeros((len(true) + 1, 2)), _TIE * float(np.abs(aim).max())
        both = np.stack([aim, true], axis=-1)
        for _ in range(self.horizon):
            worth = both + (self.onwards @ ahead).reshape(both.shape)
            best = worth[:, :, 0] >= worth[:, :, 0].max(axis=1, keepdims=True) - tie
            ahead[:-1] = np.einsum("sa,sak->sk", best / best.sum(axis=1, keepdims=True), worth)
        return float(self.start @ ahead[:-1, 1])

    def advantages(self, rewards: Array, discount: float) -> Array:
        """``value_adjusted`` of a reward by state and action, for the uniform policy."""
        values = np.append(_solved(self, discount) @ rewards.mean(axis=1), 0.0)
        onwards = (self.onwards @ values).reshape(rewards.shape)
        return np.asarray(rewards - values[:-1, None] + discount * onwards)

    def starc(self, first: Array, second: Array, discount: float) -> float | None:
        """``reward_distances.starc`` of rewards by state and action; ``None``: constant."""
        rows = []
        for rewards in (first, second):
            canonical = self.advantages(rewards, discount)
            length = float(np.linalg.norm(canonical))
            if length <= starc_scale(rewards, discount):
                return None
            rows.append(canonical / length)
        return float(np.linalg.norm(rows[0] - rows[1]))


@cache
def _solved(lasting: Lasting, discount: float) -> Array:
    """Inverse of ``1 - g P`` under the uniform policy, float64 ``[states, states]``."""
    states = len(lasting.start)
    actions = lasting.onwards.shape[0] // states
    mean = sparse.kron(sparse.eye(states), np.full((1, actions), 1 / actions))
    walk = (mean @ lasting.onwards).toarray()[:, :-1]
    return np.asarray(np.linalg.inv(np.eye(states) - discount * walk))


def policy_of(place: TrialEnv, learner: LiveLearner, seen: Array) -> Array | None:
    """Probabilities of its actions, ``[n, actions]``.

    ``None`` where observations do not fix them: it has a memory, or does not sample its logits.
    """
    if learner.effective().architecture.history != 1:
        return None
    if type(learner).sample is not LiveLearner.sample:
        return None
    logits = np.asarray(place.choices(learner.logits(seen)), float)
    chances = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(chances / chances.sum(axis=1, keepdims=True))


# --- asking -------------------------------------------------------------------------------------


def asked(place: TrialEnv, most_states: int) -> Questions | None:
    """The questions as agents in this place see them in training.

    ``None`` where there is no world of one agent to ask about.
    """
    if place.world is None or isinstance(place.world, JointWorld):
        return None
    found = questions(place.world, most_states)
    if not place.control_meters:
        return found
    seen, after = map(place.silent, (found.batch.observation, found.batch.next_observation))
    return replace(found, batch=replace(found.batch, observation=seen, next_observation=after))


@cache
def questions(world: World, most_states: int) -> Questions:
    """All there is to ask about a world of one agent, or a sample of ``most_states`` states."""
    starts, weights = _starts(world)
    try:
        model = bounded(world, starts, most_states)
    except (LookupError, ValueError):
        return _asked(world, _walked(world, most_states), None)
    states, actions = model.following.shape[:2]
    place = (np.repeat(np.arange(states * actions), model.following.shape[2]),)
    entries = model.chance.ravel(), (*place, model.following.ravel())
    onwards = sparse.csr_matrix(entries, shape=(states * actions, states + 1))
    start = np.zeros(states)
    np.add.at(start, np.searchsorted(model.keys, exact.key(starts)), weights)
    return _asked(world, model.states, Lasting(onwards, start, world.horizon))


def _asked(world: World, states: State, lasting: Lasting | None) -> Questions:
    n, actions = size(states), len(world.action_names)
    every = take(states, np.repeat(np.arange(n), actions))
    chosen = np.tile(np.arange(actions), n)
    ways = _ways(world, every, chosen)
    chance = np.concatenate([weight for weight, *_ in ways])
    cell = np.tile(np.arange(n * actions), len(ways))
    over = np.concatenate([outcome.terminated for *_, outcome in ways])
    after = world.observe(concatenate(*(after for _, after, _ in ways)))
    worth = np.concatenate([np.asarray(o.truth["hidden_reward"], float) for *_, o in ways])
    truth = np.bincount(cell, chance * worth, n * actions).reshape(n, actions)
    rows, first, which = np.unique(
        np.column_stack([cell, over, after]), axis=0, return_index=True, return_inverse=True
    )
    chance = np.bincount(which.ravel(), chance, len(rows))
    first, chance = first[chance > 0], chance[chance > 0]
    cell, ended = cell[first], over[first]
    seen = world.observe(every)[cell]
    batch = Batch(seen, chosen[cell], after[first], np.zeros(len(cell)), ended, ended)
    return Questions(batch, cell, chance, truth, lasting)


def _ways(world: World, states: State, actions: Array) -> Sequence[tuple[Array, State, Outcome]]:
    """Every outcome of a step; one fixed draw where the world does not list them."""
    try:
        return world.branches(states, actions)
    except LookupError:
        after, outcome = world.step(states, actions, np.random.default_rng(0))
        return [(np.ones(len(actions)), after, outcome)]


def _starts(world: World) -> tuple[State, Array]:
    """The different first states of many episodes, all taken as equally likely."""
    drawn = world.reset(np.random.default_rng(0), RESETS)
    _, first = np.unique(_fingerprints(drawn), axis=0, return_index=True)
    return take(drawn, first), np.full(len(first), 1 / len(first))


def _fingerprints(state: State) -> Array:
    columns = [np.asarray(getattr(state, name)) for name in names(type(state))]
    return np.column_stack([each.reshape(len(each), -1) for each in columns])


def _walked(world: World, most: int) -> State:
    """Up to so many different states that walkers meet; the same for every trial.

    Each walker follows one of the world's reference policies, or none, in half of its steps, and
    does anything in the others: random steps alone rarely reach a reward.
    """
    rng = np.random.default_rng(0)
    state = world.reset(rng, WALKERS)
    found, guides = [state], ["random", *_guides(world, state)]
    led_by = np.arange(WALKERS) % len(guides)
    for _ in range(min(world.horizon - 1, max(-(-4 * most // WALKERS), WALK))):
        actions = rng.integers(len(world.action_names), size=WALKERS)
        for k, name in enumerate(guides[1:], 1):
            led = (led_by == k) & (rng.random(WALKERS) < 0.5)  # noqa: PLR2004  (half)
            actions = np.where(led, world.act(name, state, rng), actions)
        state, _ = world.step(state, actions, rng)
        found.append(state)
    every = concatenate(*found)
    _, first = np.unique(world.observe(every), axis=0, return_index=True)
    spread = np.linspace(0, len(first) - 1, min(most, len(first))).astype(int)  # over time
    return take(every, np.sort(first)[spread])


def _guides(world: World, state: State) -> Iterator[str]:
    """The reference policies that can be played, but for the random one."""
    for name in world.oracles():
        try:
            world.act(name, state, np.random.default_rng(0))
        except LookupError:
            continue
        if name != "random":
            yield name
