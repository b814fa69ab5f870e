"""Empowerment of every agent present, bystanders too, where the others act by their policies."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from agents.part_settings import SettingError
from sandbox.contract import Probe, Subject
from sandbox.record.events import Event, Measured

if TYPE_CHECKING:
    from envs.contract import JointWorld
    from sandbox.trial.evaluation import LiveSubject

NAME = "empowerment_of_all"


@dataclass(frozen=True)
class EmpowermentOfAll(Probe):
    """Bits of influence that ``steps`` of an agent's own actions have, of each agent by itself.

    The channel leads from the agent's sequence of actions, chosen before the first of them, to what
    it ``sees`` in the end: ``own``, its own place (the channel of the observation that is named
    after it, or ``own``; without one, the observation), ``observation``, all it sees, or ``state``,
    the whole state. The others act by their policies of now, with nothing remembered from before
    the question; an agent that the world lets a script act for is set free while it is asked about,
    and acts by its script while others are. Mean over the steps of ``episodes`` held-out episodes.

    Exact over the joint dynamics (``empowerment``, ``gap``) where there are at most ``most_states``
    states and the world says its branches; else (``estimated_empowerment``) from ``samples`` plays
    of every sequence in ``sampled_states`` of these states, which is too high: ``by_chance`` is
    what is found so where the sequences have no influence at all. ``other`` is 1 for agents other
    than ``of`` (no name: 1 for all).
    """

    of: str = ""
    steps: int = 3  # actions looked ahead
    sees: Literal["own", "observation", "state"] = "own"
    episodes: int = 16
    gap: float = 1e-4  # bits between the bounds
    most_states: int = 400
    most_sequences: int = 256  # actions ** steps must not exceed this
    sampled_states: int = 16
    samples: int = 32
    every_updates: int = 25
    """Between two measurements; the last update is always measured."""

    def __post_init__(self) -> None:
        counts = ("steps", "episodes", "most_states", "most_sequences", "sampled_states", "samples")
        for name in (*counts, "every_updates"):
            if getattr(self, name) < 1:
                raise SettingError(f"{name} is at least 1, not {getattr(self, name)}", name)
        if self.sees not in {"own", "observation", "state"}:
            raise SettingError(f"sees is own, observation or state, not '{self.sees}'", "sees")
        if not 0 < self.gap < 1:
            raise SettingError(f"gap is between 0 and 1 bits, not {self.gap}", "gap")

    def due(self, update: int) -> bool:
        """Measure before learning (update 0) and every so many updates."""
        return update % self.every_updates == 0

    def measure(self, subject: Subject) -> Sequence[Event]:
        """One ``Measured`` event an agent. Raises ``TrialError`` where none can be asked about."""
        from envs.contract import JointWorld  # noqa: PLC0415  (what a report loads imports no envs)
        from sandbox.errors import TrialError  # noqa: PLC0415

        live = cast("LiveSubject", subject)
        world = live.place.world
        if not isinstance(world, JointWorld):
            raise TrialError(f"probe {NAME}: wants one of our worlds with several agents")
        if self.of and self.of not in world.agents:
            known = ", ".join(world.agents)
            raise TrialError(f"probe {NAME}: no agent is called '{self.of}' here: {known}")
        if len(world.action_names) ** self.steps > self.most_sequences:
            raise TrialError(
                f"probe {NAME}: {len(world.action_names)} actions make"
                f" {len(world.action_names) ** self.steps} sequences of {self.steps}, more than"
                f" most_sequences ({self.most_sequences})"
            )
        return [*self._measured(live, world)]

    def _measured(self, live: "LiveSubject", world: "JointWorld") -> Iterator[Event]:
        from sandbox.measuring.visited import visited  # noqa: PLC0415
        from sandbox.trial.evaluation import sampled  # noqa: PLC0415

        rng = live.streams(f"probe {NAME}")
        fit = live.place.silent, live.place.choices
        players = {name: sampled(each, rng, *fit) for name, each in live.learners.items()}
        seen = visited(world, players, self.episodes, rng)
        for agent in world.agents:
            values = self._found(live, world, agent, seen.states)
            values["other"] = float(agent != self.of)
            yield Measured(
                agent=agent,
                probe=NAME,
                update=live.update,
                steps=live.steps,
                moment="update",
                values=values,
            )

    def _found(
        self, live: "LiveSubject", world: "JointWorld", agent: str, states: Any
    ) -> dict[str, float]:
        from sandbox.measuring import empowerment_of_all as question  # noqa: PLC0415
        from sandbox.measuring.state_space import TooLargeError  # noqa: PLC0415

        asked = question.Question(world, agent, self.steps, self.sees)
        policies = {name: question.policy(live.place, each) for name, each in live.learners.items()}
        try:
            found = question.exact(asked, policies, states, gap=self.gap, most=self.most_states)
        except (LookupError, TooLargeError):
            return self._estimated(live, asked, states)
        return {"empowerment": found.bits, "gap": found.gap, "states": float(found.states)}

    def _estimated(self, live: "LiveSubject", asked: Any, states: Any) -> dict[str, float]:
        from envs.world_kit.state import size, take  # noqa: PLC0415
        from sandbox.measuring.empowerment_of_all import estimate  # noqa: PLC0415
        from sandbox.trial.evaluation import sampled  # noqa: PLC0415

        rng = live.streams(f"probe {NAME} {asked.agent}")
        fit = live.place.silent, live.place.choices
        players: Mapping[str, Any] = {
            name: sampled(each, rng, *fit) for name, each in live.learners.items()
        }
        some = take(states, rng.integers(size(states), size=self.sampled_states))
        found = estimate(asked, players, some, self.samples, rng)
        return {
            "estimated_empowerment": found.bits,
            "by_chance": found.gap,
            "states": float(found.states),
        }
