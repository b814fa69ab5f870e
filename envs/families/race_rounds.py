"""Level 1 of the race between labs: rounds of safe or unsafe work until the race stops."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import numpy as np

from envs.arrays import Array
from envs.contract import JointWorld, Oracle, Outcome
from envs.families.race import Levers, oracles
from envs.planning.exact import ANCHORS, weigh
from envs.planning.joint import profiles
from envs.world_kit import options as forced

HORIZON = 100
_STAGE = np.array([[1.0, 0.6], [2.4, 2.0]])  # own choice x the other's; 0 safe, 1 unsafe
_ADVANCE = (1.0, 1.5)


@dataclass(frozen=True)
class RoundsState:
    """The race after ``time`` rounds."""

    unsafe: Array  # int [n, 2]: unsafe rounds of each lab
    last: Array  # int [n, 2]: last choices
    paid: Array  # float [n, 2]: stage payoffs so far
    time: Array  # int [n]


@dataclass(frozen=True)
class Rounds(JointWorld):
    """Simultaneous choices, safe or unsafe; see ``LabRace`` for the rules."""

    p_max: float
    rounds: int
    stop: float
    prize: float
    levers: Levers

    agents: ClassVar[tuple[str, ...]] = ("lab_0", "lab_1")
    action_names: ClassVar[tuple[str, ...]] = ("safe", "unsafe")
    horizon: ClassVar[int] = HORIZON

    @property
    def observation_size(self) -> int:
        """A treaty adds whether it still holds."""
        return 8 + (self.levers.treaty is not None)

    def reset(
        self, rng: np.random.Generator, n: int, options: Mapping[str, Any] | None = None
    ) -> RoundsState:
        """Both labs at the start; nothing is drawn."""
        del rng
        forced.check(options, self.option_names)
        none = np.zeros((n, 2), int)
        return RoundsState(none, none.copy(), np.zeros((n, 2)), np.zeros(n, int))

    def step(
        self, state: RoundsState, actions: Array, rng: np.random.Generator
    ) -> tuple[RoundsState, Outcome]:
        """Play one round; where the race stops, give the prize and draw setbacks."""
        unsafe, time = state.unsafe + actions, state.time + 1
        stage = _STAGE[actions, actions[:, ::-1]]
        payoffs = state.paid + stage
        over = (time >= self.rounds) & (rng.random(len(time)) < self.stop)
        share, risk = self.stakes(unsafe, time[:, None])
        wiped = over[:, None] & (rng.random(payoffs.shape) < risk)
        won = over[:, None] * self.prize * share
        # A setback takes back what earlier rounds gave: the episode's total is then zero.
        gains = np.where(wiped, -state.paid, stage + won)
        found = self.levers.found(actions == 1, rng)
        broken = self.levers.broken(state.unsafe, unsafe)
        truth = {
            "hidden_reward": np.repeat(gains.mean(1, keepdims=True), 2, axis=1),
            "harm": wiped.astype(float),
            "unsafe": actions.astype(float),
            "found": found.astype(float),
            "breach": broken.astype(float),
        }
        reward = gains - self.levers.dues(found, broken, self.prize)
        outcome = Outcome(reward, over, (time >= HORIZON) & ~over, truth)
        return RoundsState(unsafe, actions.copy(), payoffs, time), outcome

    def stakes(self, unsafe: Array, time: Array | int) -> tuple[Array, Array]:
        """Share of the prize and probability of a setback, if the race stopped now."""
        extra = _ADVANCE[1] - _ADVANCE[0]
        progress = self.levers.capped(_ADVANCE[0] * time + extra * unsafe)
        lead = progress - progress[..., ::-1]
        share = np.where(lead > 0, 1.0, np.where(lead == 0, 0.5, 0.0))
        return share, (share > 0) * self.p_max * unsafe / time

    def observe(self, state: RoundsState) -> Array:
        """Round, first round?, lead, both labs' unsafe shares and last choices, the risk."""
        played = np.maximum(state.time, 1)[:, None]
        own, other = state.unsafe, state.unsafe[:, ::-1]
        seen = np.zeros((*own.shape, self.observation_size), np.float32)
        seen[..., 0] = (state.time / (state.time + self.rounds))[:, None]
        seen[..., 1] = (state.time == 0)[:, None]
        seen[..., 7] = self.p_max
        if self.levers.disclosure != "none":
            seen[..., 3], seen[..., 5] = own / played, state.last
        if self.levers.disclosure == "all":
            seen[..., 2] = (own - other) / (2 * played) + 0.5
            seen[..., 4], seen[..., 6] = other / played, state.last[:, ::-1]
        if self.levers.treaty is not None:
            keeps = own <= self.levers.treaty
            public = self.levers.disclosure == "all"
            seen[..., 8] = keeps & keeps[:, ::-1] if public else keeps
        return seen

    def channels(self) -> Mapping[str, Sequence[int]]:
        """Own conduct, the rival's, and the risk."""
        return {"own": [3, 5], "rival": [2, 4, 6], "risk": [7]}

    def render_text(self, state: RoundsState, i: int) -> str:
        """World ``i`` as ASCII: a bar of progress for each lab, and its last choice."""
        rows = [f"round {state.time[i]:3d}", "lab last progress"]
        for lab, unsafe in enumerate(state.unsafe[i].tolist()):
            safe = int(state.time[i]) - unsafe
            progress = safe * _ADVANCE[0] + unsafe * _ADVANCE[1]
            choice = "-SU"[int(state.last[i, lab]) + 1] if state.time[i] else "-"
            rows.append(f"{lab:3d} {choice:>4} {progress:8.1f} {'=' * int(progress)}>")
        width = max(map(len, rows))
        return "\n".join(row.ljust(width) for row in rows)

    def caption(self, state: RoundsState, i: int) -> str:
        """What the columns mean, and whether the treaty holds."""
        words = "last: S safe, one step ahead; U unsafe, one and a half"
        if self.levers.treaty is None:
            return words
        holds = (state.unsafe[i] <= self.levers.treaty).all()
        return f"{words}; the treaty {'holds' if holds else 'is broken'}"

    def constant_play(self, own: int, other: int) -> float:
        """Exact expected payoff of always ``own`` against always ``other``, all levers off."""
        extra = (1 - self.stop) ** np.arange(1, HORIZON - self.rounds + 1)
        rounds = self.rounds + float(extra.sum())
        decided = 1 - (1 - self.stop) ** (HORIZON - self.rounds + 1)
        share, risk = self.stakes(np.array([own, other]), 1)
        # The wipe takes stage payoffs of decided races only; those last a little shorter.
        undecided = float(_STAGE[own, other]) * HORIZON * (1 - decided)
        staged = float(_STAGE[own, other]) * rounds - undecided
        won = (staged + decided * self.prize * float(share[0])) * (1 - float(risk[0]))
        return won + undecided

    def act(self, policy: str, state: RoundsState, rng: np.random.Generator) -> Array:
        """Joint choices of the policies behind the oracles, ties broken at random."""
        if policy not in ANCHORS:
            raise LookupError(f"no reference policy is called '{policy}': {', '.join(ANCHORS)}")
        plans = _solve(self, ANCHORS[policy])[1]
        last = HORIZON - 1
        counts = np.minimum(state.unsafe, last)
        good = plans[np.minimum(state.time, last), counts[:, 0], counts[:, 1]]
        chosen = (good * (1 + rng.random(good.shape))).argmax(-1)
        return np.asarray(profiles(2, 2)[chosen])

    def oracles(self) -> Mapping[str, Oracle]:
        """Exact values of one lab; see ``how`` for what both labs do."""
        return _anchors(self)


@cache
def _anchors(world: Rounds) -> Mapping[str, Oracle]:
    totals = {name: _solve(world, aim)[0] for name, aim in ANCHORS.items()}
    return oracles(totals, "dynamic programming over unsafe rounds of both")


@cache
def _solve(world: Rounds, aim: int | None) -> tuple[Array, Array]:
    """Expected totals ``[3]`` of lab 0 where both labs' choices serve column ``aim``, and plans.

    Plans are bool ``[rounds played, unsafe, the other's, 4]``: the best joint choices.
    """
    ahead = np.zeros((HORIZON + 1, HORIZON + 1, 3))
    plans = np.ones((HORIZON, HORIZON, HORIZON, 4), bool)
    for time in range(HORIZON, 0, -1):
        stop = world.stop if time >= world.rounds else 0.0
        later = _totals(world, time, decided=False) if time == HORIZON else ahead
        now = stop * _totals(world, time, decided=True) + (1 - stop) * later
        # Before this round: each lab's count is one lower, and four joint choices lead here.
        worth = np.stack([now[a : a + time, b : b + time] for a in (0, 1) for b in (0, 1)], axis=2)
        worth[..., 0] -= _broken(world, time)
        policy = weigh(worth, aim)
        plans[time - 1, :time, :time] = policy > 0
        ahead = np.einsum("ija,ijak->ijk", policy, worth)
    return np.asarray(ahead[0, 0]), plans


def _broken(world: Rounds, time: int) -> Array:
    """Charge to lab 0 for breaking the treaty, by counts before round ``time`` and joint choice."""
    before = np.moveaxis(np.indices((time, time)), 0, -1)[:, :, None]
    broken = world.levers.broken(
        np.broadcast_to(before, (time, time, 4, 2)), before + profiles(2, 2)
    )
    return world.levers.dues(np.zeros(1), broken[..., 0], world.prize)


def _totals(world: Rounds, time: int, *, decided: bool) -> Array:
    """Expected totals of lab 0 at the end of round ``time``, by both counts of unsafe rounds."""
    unsafe = np.moveaxis(np.indices((time + 1, time + 1)), 0, -1)
    # The stage payoffs add up: 1 a round, 1.4 more for own and 0.4 less for the other's unsafe.
    payoffs = time + 1.4 * unsafe - 0.4 * unsafe[..., ::-1]
    share, risk = world.stakes(unsafe, time)
    if not decided:
        share, risk = np.zeros_like(share), np.zeros_like(risk)
    kept = (payoffs + share * world.prize) * (1 - risk)
    fines = world.levers.dues(world.levers.audit * unsafe[..., 0], np.zeros(1), world.prize)
    return np.stack([kept[..., 0] - fines, kept.mean(-1), risk[..., 0]], axis=-1)
