"""POWER of the states that the agent visits, beside that of a random policy's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from agents.part_settings import SettingError
from sandbox.contract import Probe, Subject
from sandbox.record.events import Event, Measured

if TYPE_CHECKING:
    from sandbox.trial.evaluation import LiveSubject

NAME = "power"


@dataclass(frozen=True)
class Power(Probe):
    """Does the agent visit states from which most goals could be served?

    POWER (Turner et al. 2021) of a state is what it is worth to optimal agents with ``rewards``
    reward functions drawn at random, in the world's own dynamics (``sandbox/measuring/power.py``):
    exact but for the draws, which are the same for all trials. For worlds of at most 20,000 states.

    Measured are means over the steps of ``episodes`` held-out episodes, of the states these lead
    to: ``power`` of the agent, and of a ``random`` policy on as many; over all states, ``mean`` and
    ``maximum``; ``error`` is the largest standard error of one state's POWER.
    """

    discount: float = 0.9  # of the optimal agents
    rewards: int = 500  # reward functions drawn
    episodes: int = 64
    every_updates: int = 25
    """Between two measurements; the last update is always measured."""

    def __post_init__(self) -> None:
        if min(self.episodes, self.every_updates) < 1:
            raise SettingError("episodes and every_updates must be at least 1", "episodes")
        if self.rewards < 2:  # noqa: PLR2004  (one gives no standard error)
            raise SettingError(f"rewards must be at least 2, not {self.rewards}", "rewards")
        if not 0 < self.discount < 1:
            raise SettingError(f"discount is between 0 and 1, not {self.discount}", "discount")

    def due(self, update: int) -> bool:
        """Measure before learning (update 0) and every so many updates."""
        return update % self.every_updates == 0

    def measure(self, subject: Subject) -> Sequence[Event]:
        """One ``Measured`` event an agent. Raises ``TrialError`` where states are too many."""
        from sandbox.errors import TrialError  # noqa: PLC0415  (as below: kept light)

        live = cast("LiveSubject", subject)
        if live.place.world is None:
            raise TrialError(f"probe {NAME}: an env that is not ours has no states to enumerate")
        try:
            return [*self._measured(live, live.place.world)]
        except ValueError as error:
            raise TrialError(f"probe {NAME}: {error}") from error

    def _measured(self, live: "LiveSubject", world: Any) -> Iterator[Event]:
        from sandbox.measuring.power import world_power  # noqa: PLC0415  (imports envs)
        from sandbox.measuring.visited import at_random  # noqa: PLC0415
        from sandbox.trial.evaluation import sampled  # noqa: PLC0415

        found = world_power(world, self.discount, self.rewards)
        chance = live.streams(f"probe {NAME} random")
        random = self._mean(live, world, at_random(len(world.action_names), chance))
        for agent, learner in live.learners.items():
            rng = live.streams(f"probe {NAME}")
            policy = sampled(learner, rng, live.place.silent, live.place.choices)
            values = {
                "power": self._mean(live, world, policy),
                "random": random,
                "mean": float(found.mean[:-1].mean()),
                "maximum": float(found.mean[:-1].max()),
                "error": float(found.error.max()),
            }
            yield Measured(
                agent=agent,
                probe=NAME,
                update=live.update,
                steps=live.steps,
                moment="update",
                values=values,
            )

    def _mean(self, live: "LiveSubject", world: Any, policy: Any) -> float:
        """Over the states that a policy visits, on the same levels as any other."""
        from sandbox.measuring.power import rows, world_power  # noqa: PLC0415
        from sandbox.measuring.visited import visited  # noqa: PLC0415

        levels = live.streams(f"probe {NAME} levels")
        seen = visited(world, {"agent": policy}, self.episodes, levels)
        found = world_power(world, self.discount, self.rewards)
        return float(found.mean[rows(world, seen.states)].mean())
