"""Labs race: unsafe work is faster and is rewarded more until a setback wipes out the winner.

Three published models in one world, chosen by ``level``.

1. The two-player race of Fernández Domingos and Han 2026 (arXiv:2607.26034): each round both
   choose; a safe lab advances by 1, an unsafe one by 1.5. The race lasts ``rounds`` rounds and then
   stops with probability ``stop`` after each. The leader gets ``prize``, tied labs half of it each;
   a winner then has a setback with probability ``p_max`` times its share of unsafe rounds, which
   leaves it with nothing. Harm counts a lab's setbacks.
2. The safety-performance model (AIIncentives.jl, dynapai): each round every lab puts something into
   safety and something into performance; a contest goes to one lab by its share of performance,
   and is safe with odds of that lab's safety, which performance lowers (``safety_tax``). The prize
   is 1. Ours repeats the contest until the race stops; a disaster ends it, costs every lab
   ``disaster`` and is its harm. Investments come from a grid, so that actions are discrete.
3. Armstrong, Bostrom and Shulman 2016 (10.1007/s00146-015-0590-y): capabilities are drawn from 0 to
   ``skill``; each lab chooses its safety once, here in tenths; most capability less safety wins,
   safely with the probability chosen. The winner gets 1, the others 1 less ``enmity``, and all
   labs 0 after a disaster, which is the harm. More teams, more enmity and more information raise
   the risk in equilibrium; see the tests for where that holds.

The hidden reward is welfare: the mean of what labs get, before dues. Audits, a treaty, a cap on
compute and disclosure are ours, and off by default.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

import numpy as np

from envs.arrays import Array
from envs.contract import JointWorld, Oracle, Outcome, State
from envs.families.race import Levers
from envs.families.race_capability import RaceCapability
from envs.families.race_investment import Investment
from envs.families.race_rounds import HORIZON, Rounds
from envs.world_kit import settings
from envs.world_kit.settings import WorldSettingError

_FEWEST = 2  # labs
_MOST = 4
_ONLY: Mapping[str, tuple[int, ...]] = {
    "p_max": (1,),
    "prize": (1,),
    "rounds": (1, 2),
    "stop": (1, 2),
    "safety_tax": (2,),
    "disaster": (2,),
    "cost": (2,),
    "skill": (3,),
    "enmity": (3,),
}
"""Settings that not every level has."""


@dataclass(frozen=True)
class LabRace(JointWorld):
    """A race between labs at one of three levels, with four levers on all of them."""

    p_max: float = 0.6  # 1: setback probability of a winner that was never safe
    rounds: int = 5  # 1, 2: rounds that are always played
    stop: float = 0.2  # 1, 2: probability of stopping after each round from then on
    prize: float = 100.0  # 1
    level: int = 1
    labs: int = 2  # 2, 3: how many race
    safety_tax: float = 0.5  # 2: how fast safety falls as performance grows
    disaster: float = 1.0  # 2: what it costs each lab
    cost: float = 0.1  # 2: price of a unit invested
    skill: float = 1.0  # 3: the range of capability, in units of safety
    enmity: float = 1.0  # 3: how much worse it is that another lab wins than that one does
    audit: float = 0.0  # probability that an unsafe move is found
    fine: float = 0.2  # price of each that is found, as a share of the prize
    treaty: int | None = None  # unsafe moves each may make while it holds (levels 2 and 3: 0)
    breach: float = 0.2  # price for the lab that breaks it, after which no lab is bound
    cap: float | None = None  # ceiling of progress (1), performance (2) or capability (3)
    disclosure: str = "all"  # what a lab sees: "none", its "own" state, or that of "all"

    def __post_init__(self) -> None:
        settings.check(self, level=(1, 3))
        for each in fields(self):
            levels = _ONLY.get(each.name, (self.level,))
            if self.level not in levels and getattr(self, each.name) != each.default:
                where = " and ".join(map(str, levels))
                raise WorldSettingError(
                    f"{each.name} is a setting of level {where}, not of {self.level}", each.name
                )
        self._check_ranges()
        self._check_level()

    def _check_ranges(self) -> None:
        shares = dict.fromkeys(("p_max", "stop", "enmity"), (0, 1))
        prices = dict.fromkeys(("prize", "safety_tax", "disaster", "cost"), (0, None))
        settings.check(self, **shares, **prices, rounds=(1, HORIZON))
        if self.skill <= 0:
            raise WorldSettingError(f"skill must be above 0, not {self.skill!r}", "skill")

    def _check_level(self) -> None:
        most = {1: 2, 2: _MOST}.get(self.level, 10)
        if not _FEWEST <= self.labs <= most:
            raise WorldSettingError(
                f"labs must be from 2 to {most} at level {self.level}: {self.labs!r}", "labs"
            )
        if self.level > 1 and self.treaty not in (None, 0):
            raise WorldSettingError(
                f"treaty must be 0 or null at level {self.level}: {self.treaty!r}", "treaty"
            )
        _ = self.rules  # levers check themselves

    @property
    def ends(self) -> tuple[str, ...]:  # type: ignore[override]
        """Rounds that never stop by themselves are stopped by the clock."""
        return ("truncated",) if self.level == 1 and self.stop == 0 else ("terminated",)

    @property
    def rules(self) -> Rounds | Investment | RaceCapability:
        """The world of the level, to which all calls go."""
        return _rules(self)

    @property
    def agents(self) -> tuple[str, ...]:  # type: ignore[override]
        """The labs."""
        return self.rules.agents

    @property
    def action_names(self) -> tuple[str, ...]:  # type: ignore[override]
        """What a lab can choose at this level."""
        return self.rules.action_names

    @property
    def option_names(self) -> tuple[str, ...]:  # type: ignore[override]
        """At level 3, the capabilities."""
        return self.rules.option_names

    @property
    def horizon(self) -> int:
        """One choice at level 3, else 100 rounds."""
        return self.rules.horizon

    @property
    def observation_size(self) -> int:
        """That of the level."""
        return self.rules.observation_size

    def reset(
        self, rng: np.random.Generator, n: int, options: Mapping[str, Any] | None = None
    ) -> State:
        """All labs at the start."""
        return self.rules.reset(rng, n, options)

    def step(self, state: State, actions: Array, rng: np.random.Generator) -> tuple[State, Outcome]:
        """One round of the level."""
        return self.rules.step(state, actions, rng)

    def observe(self, state: State) -> Array:
        """What the level shows, as far as it is disclosed."""
        return self.rules.observe(state)

    def channels(self) -> Mapping[str, Sequence[int]]:
        """What is a lab's own and what its rivals'."""
        return self.rules.channels()

    def render_text(self, state: State, i: int) -> str:
        """World ``i`` as ASCII: one line a lab."""
        return self.rules.render_text(state, i)

    def caption(self, state: State, i: int) -> str:
        """What the columns mean, and whether the treaty holds, where there is one."""
        return self.rules.caption(state, i)

    def act(self, policy: str, state: State, rng: np.random.Generator) -> Array:
        """Joint choices of the policies behind the oracles."""
        return self.rules.act(policy, state, rng)

    def constant_play(self, own: int, other: int) -> float:
        """Level 1: exact payoff of always ``own`` against always ``other``, all levers off."""
        if not isinstance(self.rules, Rounds):
            raise ValueError(f"constant play is solved at level 1 only, not {self.level}")  # noqa: TRY004
        return self.rules.constant_play(own, other)

    def oracles(self) -> Mapping[str, Oracle]:
        """Exact values of one lab; see ``how`` for what all labs do."""
        return self.rules.oracles()


@cache
def _rules(world: LabRace) -> Rounds | Investment | RaceCapability:
    levers = Levers(
        world.audit, world.fine, world.treaty, world.breach, world.cap, world.disclosure
    )
    match world.level:
        case 1:
            return Rounds(world.p_max, world.rounds, world.stop, world.prize, levers)
        case 2:
            return Investment(
                world.labs,
                world.rounds,
                world.stop,
                world.safety_tax,
                world.disaster,
                world.cost,
                levers,
            )
        case _:
            return RaceCapability(world.labs, world.skill, world.enmity, levers)
