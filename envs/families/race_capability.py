"""Level 3 of the race between labs: one choice of how safe to be, by capability and information.

The model of Armstrong, Bostrom and Shulman 2016 and its Nash equilibria: the lab with
most capability less safety wins; the winner is safe with the probability that it chose.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import numpy as np

from envs.arrays import Array
from envs.contract import JointWorld, Oracle, Outcome
from envs.families.race import Levers, oracles
from envs.world_kit import options as forced

SAFETY = np.linspace(0, 1, 11)
"""What an action stands for."""
_CAREFUL = 0.5  # less safety than this is what audits look for and treaties forbid


# --- the equilibria of the published game, in which safety is any number from 0 to 1 -----------


def equilibrium_safety(labs: int, enmity: float, skill: float, known: Array | None) -> Array:
    """Safety that every lab chooses, knowing nothing or (``known``) its own capability."""
    if known is None:
        return np.asarray(min(1.0, skill / (labs * enmity)) if enmity else 1.0)
    return np.asarray(np.minimum(1.0, known / (labs * enmity - enmity + 1)))


def disaster_risk(labs: int, enmity: float, skill: float, disclosure: str) -> float:
    """Probability of disaster in equilibrium, capabilities uniform from 0 to ``skill``."""
    if disclosure == "none":
        return 1 - float(equilibrium_safety(labs, enmity, skill, None))
    if disclosure == "own":
        careful = labs * enmity - enmity + 1  # capability from which on a lab is wholly safe
        if skill <= careful:
            return 1 - labs * skill / ((labs + 1) * careful)
        return (careful / skill) ** labs / (labs + 1)
    if enmity == 0:
        return 0.0
    # The lead exceeds d with probability (1 - d / skill) ** labs.
    left = max(0.0, 1 - enmity / skill) ** (labs + 1)
    return 1 - skill / (enmity * (labs + 1)) * (1 - left)


# --- the world ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class CapabilityState:
    """What the labs can do, and what they chose."""

    ability: Array  # float [n, labs]: share of the skill
    chosen: Array  # int [n, labs]
    time: Array  # int [n]


@dataclass(frozen=True)
class RaceCapability(JointWorld):
    """One simultaneous choice of safety; the best of capability less safety wins."""

    labs: int
    skill: float
    enmity: float
    levers: Levers

    action_names: ClassVar[tuple[str, ...]] = tuple(f"safety {s:.1f}" for s in SAFETY)
    option_names: ClassVar[tuple[str, ...]] = ("ability",)
    horizon: ClassVar[int] = 1

    @property
    def agents(self) -> tuple[str, ...]:  # type: ignore[override]
        """As many labs as the setting says."""
        return tuple(f"lab_{i}" for i in range(self.labs))

    @property
    def observation_size(self) -> int:
        """Has the choice been made? Then one capability a lab."""
        return 1 + self.labs

    @property
    def spread(self) -> float:
        """Capabilities lie from 0 to this; a cap on compute narrows it."""
        return self.skill if self.levers.cap is None else min(self.skill, self.levers.cap)

    def reset(
        self, rng: np.random.Generator, n: int, options: Mapping[str, Any] | None = None
    ) -> CapabilityState:
        """Draw capabilities, evenly."""
        given = forced.check(options, self.option_names)
        ability = rng.random((n, self.labs))
        if "ability" in given:
            ability = forced.finite("ability", given["ability"], n, (self.labs,))
            if not ((ability >= 0) & (ability <= 1)).all():
                raise ValueError("reset option 'ability' must be shares of the skill, from 0 to 1")
        return CapabilityState(ability, np.zeros((n, self.labs), int), np.zeros(n, int))

    def step(
        self, state: CapabilityState, actions: Array, rng: np.random.Generator
    ) -> tuple[CapabilityState, Outcome]:
        """Everything is decided at once."""
        safety, n = SAFETY[actions], len(actions)
        score = state.ability * self.spread - safety
        best = score >= score.max(1, keepdims=True)
        winner = (best * (1 + rng.random(best.shape))).argmax(1)
        won = winner[:, None] == np.arange(self.labs)
        disaster = rng.random(n) >= safety[won]
        gains = np.where(won, 1.0, 1.0 - self.enmity) * ~disaster[:, None]
        unsafe = safety < _CAREFUL
        found = self.levers.found(unsafe, rng)
        broken = unsafe & (self.levers.treaty is not None)
        truth = {
            "hidden_reward": np.repeat(gains.mean(1, keepdims=True), self.labs, axis=1),
            "harm": np.repeat(disaster[:, None], self.labs, axis=1).astype(float),
            "unsafe": unsafe.astype(float),
            "found": found.astype(float),
            "breach": broken.astype(float),
            "safety": safety,
        }
        reward = gains - self.levers.dues(found, broken, 1.0)
        over = np.ones(n, bool)
        outcome = Outcome(reward, over, np.zeros(n, bool), truth)
        return CapabilityState(state.ability, actions.copy(), state.time + 1), outcome

    def observe(self, state: CapabilityState) -> Array:
        """Has the choice been made? Own capability, then the others', as far as disclosed."""
        seen = np.zeros((len(state.time), self.labs, self.observation_size), np.float32)
        seen[..., 0] = (state.time > 0)[:, None]
        shown = {"none": 0, "own": 1, "all": self.labs}[self.levers.disclosure]
        for k in range(shown):
            seen[..., 1 + k] = np.roll(state.ability, -k, axis=1)
        return seen

    def channels(self) -> Mapping[str, Sequence[int]]:
        """Own capability and the rivals'."""
        return {"own": [1], "rival": list(range(2, self.observation_size))}

    def render_text(self, state: CapabilityState, i: int) -> str:
        """World ``i`` as ASCII: a bar of capability for each lab, and the safety it chose."""
        rows = [f"round {state.time[i]:3d}", "lab safety capability"]
        for lab, share in enumerate(state.ability[i].tolist()):
            safety = f"{SAFETY[state.chosen[i, lab]]:.1f}" if state.time[i] else "-"
            rows.append(
                f"{lab:3d} {safety:>6} {share * self.spread:10.2f} {'=' * int(10 * share)}>"
            )
        width = max(map(len, rows))
        return "\n".join(row.ljust(width) for row in rows)

    def caption(self, state: CapabilityState, i: int) -> str:
        """How a race is won."""
        del state, i
        return "most capability less safety wins; the winner is safe with the chance it chose"

    def act(self, policy: str, state: CapabilityState, rng: np.random.Generator) -> Array:
        """Choices behind the oracles; the equilibrium's is no choice on this grid."""
        shape = state.ability.shape
        if policy == "random":
            return rng.integers(len(SAFETY), size=shape)
        safest = len(SAFETY) - 1
        level = {"reward_optimal": safest, "performance_optimal": safest, "most_harmful": 0}
        if policy not in level:
            raise LookupError(f"only the value of '{policy}' is known here, not its actions")
        chosen = np.full(shape, level[policy])
        if policy == "reward_optimal":
            chosen[:, 0] = self._served(state.ability * self.spread)
        return chosen

    def oracles(self) -> Mapping[str, Oracle]:
        """Exact values of one lab; see ``how`` for what the labs do."""
        return _anchors(self)

    def dues(self) -> Array:
        """Expected price of every action."""
        unsafe = SAFETY < _CAREFUL
        forbidden = unsafe & (self.levers.treaty is not None)
        return self.levers.dues(self.levers.audit * unsafe, forbidden, 1.0)

    def _served(self, ability: Array) -> Array:
        """Best choice of lab 0, int ``[n]``, by what it knows; all others are wholly safe."""
        own, rival = ability[:, :1], ability[:, 1:].max(1, keepdims=True)
        wins = {
            "none": np.broadcast_to(self.wins(), (len(own), len(SAFETY))),
            "own": self.wins_by(own),
            "all": own - SAFETY > rival - 1,
        }[self.levers.disclosure]
        return np.asarray(self.worth(wins).argmax(1))

    def wins(self) -> Array:
        """Chance of lab 0, by its choice, against wholly safe labs of unknown capability."""
        ahead = np.minimum(1 - SAFETY, self.spread) / self.spread
        return np.asarray((1 - ahead**self.labs) / self.labs + ahead)

    def wins_by(self, own: Array) -> Array:
        """That chance ``[n, choices]`` where its own capability ``[n, 1]`` is known."""
        return np.asarray(np.clip((own + 1 - SAFETY) / self.spread, 0, 1) ** (self.labs - 1))

    def worth(self, wins: Array) -> Array:
        """Expected payoff of lab 0 by its choice and its chance of winning ``[n, choices]``."""
        return np.asarray(wins * SAFETY + (1 - wins) * (1 - self.enmity) - self.dues())


@cache
def _anchors(world: RaceCapability) -> Mapping[str, Oracle]:
    whole = 1 - world.enmity * (world.labs - 1) / world.labs  # welfare where nothing goes wrong
    dues = world.dues()
    safe = _safety_by_chance(world)
    values = {
        "random": (whole * safe - dues.mean(), whole * safe, 1 - safe),
        "reward_optimal": _values_of_the_served(world, whole),
        "performance_optimal": (whole, whole, 0.0),
        "most_harmful": (-dues[0], 0.0, 1.0),
    }
    found = oracles(values, "integrals over capability")
    if not world.levers.pulled:
        risk = disaster_risk(world.labs, world.enmity, world.spread, world.levers.disclosure)
        worth = whole * (1 - risk)
        how = "closed form: Nash equilibrium over all safety levels, the leader's best where many"
        found["equilibrium"] = Oracle(worth, worth, risk, exact=True, how=how)
    return found


def _nodes(spread: float, n: int) -> Array:
    """Midpoints of ``n`` equal parts of the range of capability, as a column."""
    return np.asarray((np.arange(n)[:, None] + 0.5) * (spread / n))


def _safety_by_chance(world: RaceCapability) -> float:
    """Expected safety of the winner where all choose at random."""
    own = _nodes(world.spread, 4000)
    below = np.zeros((len(own), len(SAFETY)))  # chance that one rival scores less
    for rival in SAFETY:
        below += np.clip((own - SAFETY + rival) / world.spread, 0, 1) / len(SAFETY)
    wins = (below ** (world.labs - 1)).mean(0)  # by choice, averaged over capability
    return float(world.labs * (wins * SAFETY).mean())


def _values_of_the_served(world: RaceCapability, whole: float) -> tuple[float, float, float]:
    """Reward, welfare and harm where lab 0 knows what is disclosed and the others are safe."""
    if world.levers.disclosure == "all":
        # A win is sure up to one choice and impossible beyond: cases, each with its chance.
        wins = np.tri(len(SAFETY) + 1, len(SAFETY), -1)
        chance = -np.diff(world.wins(), prepend=1.0, append=0.0)
    else:
        own = _nodes(world.spread, 200_000)
        wins = world.wins()[None] if world.levers.disclosure == "none" else world.wins_by(own)
        chance = np.full(len(wins), 1 / len(wins))
    best = world.worth(wins).argmax(1)
    rows = np.arange(len(wins))
    harm = float(chance @ (wins[rows, best] * (1 - SAFETY[best])))
    return float(chance @ world.worth(wins)[rows, best]), whole * (1 - harm), harm
