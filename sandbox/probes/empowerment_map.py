"""Exact empowerment of every cell of the map, and which cells the agent is in: heat maps."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from agents.part_settings import SettingError
from sandbox.contract import Probe, Subject
from sandbox.record.events import Event, Mapped, Measured

if TYPE_CHECKING:
    from sandbox.trial.evaluation import LiveSubject

NAME = "empowerment_map"


@dataclass(frozen=True)
class EmpowermentMap(Probe):
    """Which cells an agent visits, compared with the empowerment there.

    Bits are ``max_p I(A^n; S')`` of ``steps`` actions in the world's own dynamics, of which the
    agent need know nothing (Klyubin, Polani and Nehaniv 2005), exact to ``gap``; the ends of
    episodes are ignored, so that a goal is a cell like any other. For a world of few states that
    shows its one agent's ``position``.

    Two maps: ``empowerment`` (bits of a cell; where a cell has several states, their mean) and
    ``occupancy`` (share of the steps of ``episodes`` held-out episodes that end there). Measured
    are means over these steps: ``empowerment`` of the agent, of a ``random`` policy on as many
    episodes, and over all states (``mean``, ``maximum``).
    """

    steps: int = 3  # actions looked ahead
    episodes: int = 64
    gap: float = 1e-6  # bits between the bounds
    every_updates: int = 25
    """Between two measurements; the last update is always measured."""

    def __post_init__(self) -> None:
        if min(self.steps, self.episodes, self.every_updates) < 1:
            raise SettingError("steps, episodes and every_updates must be at least 1", "steps")
        if not 0 < self.gap < 1:
            raise SettingError(f"gap is between 0 and 1 bits, not {self.gap}", "gap")

    def due(self, update: int) -> bool:
        """Measure before learning (update 0) and every so many updates."""
        return update % self.every_updates == 0

    def measure(self, subject: Subject) -> Sequence[Event]:
        """Two maps and what they say, of every agent. Raises ``TrialError`` without a map."""
        from sandbox.errors import TrialError  # noqa: PLC0415  (as below: kept light)

        live = cast("LiveSubject", subject)
        if live.place.world is None:
            raise TrialError(f"probe {NAME}: an env that is not ours has no states to enumerate")
        try:
            return [*self._mapped(live, live.place.world)]
        except ValueError as error:
            raise TrialError(f"probe {NAME}: {error}") from error

    def _mapped(self, live: "LiveSubject", world: Any) -> Iterator[Event]:
        from sandbox.measuring.cell_maps import cell_map, exact_bits  # noqa: PLC0415  (imports envs)
        from sandbox.trial.evaluation import sampled  # noqa: PLC0415

        plan, bits = cell_map(world), exact_bits(world, self.steps, self.gap)
        walls, chance = plan.walls(), self._found(live, world, None)
        for agent, learner in live.learners.items():
            rng = live.streams(f"probe {NAME}")
            policy = sampled(learner, rng, live.place.silent, live.place.choices)
            here = self._found(live, world, {"agent": policy})
            at: dict[str, Any] = {
                "agent": agent,
                "probe": NAME,
                "update": live.update,
                "steps": live.steps,
            }
            share = here / here.sum()
            values = {
                "empowerment": float(share @ bits),
                "random": float(chance / chance.sum() @ bits),
                "mean": float(bits.mean()),
                "maximum": float(bits.max()),
            }
            for name, unit, worth in (
                (f"empowerment, {self.steps} steps", "bits", plan.mean(bits)),
                ("occupancy", "share of steps", plan.total(share)),
            ):
                rows = plan.rows(worth)
                yield Mapped(**at, name=name, unit=unit, rows=rows, walls=walls)
            yield Measured(**at, moment="update", values=values)

    def _found(self, live: "LiveSubject", world: Any, policies: Mapping[str, Any] | None) -> Any:
        """How often each state was visited; no policies: at random."""
        import numpy as np  # noqa: PLC0415

        from sandbox.measuring.cell_maps import cell_map  # noqa: PLC0415
        from sandbox.measuring.visited import at_random, visited  # noqa: PLC0415

        rng = live.streams(f"probe {NAME} {'levels' if policies else 'random'}")
        policies = policies or {"agent": at_random(len(world.action_names), rng)}
        plan = cell_map(world)
        seen = visited(world, policies, self.episodes, rng)
        return np.bincount(plan.find(seen.states), minlength=len(plan.keys)).astype(float)
