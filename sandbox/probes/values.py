"""What an agent has learned of another's values, against the truth and its earlier state."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, cast

from agents.part_settings import SettingError
from sandbox.contract import Beside, Probe, Subject
from sandbox.measuring.reward_distances import epic_by_action
from sandbox.record.events import Event, Measured

if TYPE_CHECKING:
    from envs.arrays import Array
    from sandbox.measuring.value_tables import Questions
    from sandbox.trial.evaluation import LiveSubject


@dataclass(frozen=True)
class Values(Probe):
    """Asks the first live objective that models another agent's values, beside every edit, too.

    It is asked about every action in every state of the world
    (``sandbox/measuring/value_tables.py``), through what it would see there, so nothing is drawn
    and no rewrite of the network can hide or fake a change. The truth is the hidden reward.
    Measured are

    - ``fidelity``: 1 - EPIC to the truth; unrelated beliefs have 0.293;
    - ``starc_fidelity``: 1 - STARC / 2, likewise from 0 to 1;
    - ``regret``: what acting on the belief loses of the hidden reward, 1 for what chance loses;
    - ``step``: EPIC to the last measurement;
    - ``net``: EPIC to the measurement after update ``baseline_update``, the first one with 0;
    - ``pursuit`` and ``pursuit_of_belief``: goal-directedness of the agent's policy towards the
      truth and towards what it believes, in nats a step
      (``sandbox/measuring/goal_directedness.py``); slow, so they are measured more rarely, and
      at the end.

    A constant belief has no defined distance: distances are missing then, and later steps are
    counted from the last belief that was not constant. Nothing is measured in envs that are not
    ours, or of several agents.
    """

    watches_edits: ClassVar[bool] = True

    baseline_update: int = 0
    """When drift begins to count: once no caregiver is left to learn from."""
    discount: float = 0.9  # of EPIC's and STARC's shaping
    most_states: int = 4096  # of a larger world a sample of so many is asked about
    every_updates: int = 1
    pursuit_every: int = 0  # updates; 0: never
    _known: dict[str, "_Past"] = field(
        init=False, repr=False, compare=False, default_factory=dict[str, "_Past"]
    )  # agent -> what was measured of it in this trial, which has a probe of its own

    def __post_init__(self) -> None:
        if min(self.baseline_update, self.pursuit_every) < 0:
            raise SettingError(
                "baseline_update and pursuit_every are at least 0", "baseline_update"
            )
        if min(self.every_updates, self.most_states) < 1:
            raise SettingError("every_updates and most_states are at least 1", "every_updates")
        if not 0 <= self.discount < 1:
            raise SettingError(
                f"discount is at least 0 and below 1, not {self.discount}", "discount"
            )

    def due(self, update: int) -> bool:
        """Measure before learning, every so many updates, and when drift begins to count."""
        return update % self.every_updates == 0 or update == self.baseline_update

    def measure(self, subject: Subject) -> Sequence[Event]:
        """One ``Measured`` event for every agent that believes something."""
        return [*self._measured(subject, "update")]

    def beside(self, subject: Subject, moment: Beside) -> Sequence[Event]:
        """The same, next to an edit."""
        return [*self._measured(subject, moment)]

    def _measured(self, subject: Subject, moment: str) -> Iterator[Event]:
        # What a report loads needs no envs.
        from sandbox.measuring.value_tables import asked  # noqa: PLC0415

        live: Any = cast("LiveSubject", subject)
        known = asked(live.place, self.most_states)
        if known is None:
            return
        for agent, learner in live.learners.items():
            answers = (
                known.answered(live_objective)
                for live_objective in learner.live_objectives().values()
            )
            belief = next((each for each in answers if each is not None), None)
            if belief is not None:
                past = self._known.setdefault(agent, _Past(self.discount))
                drifting = subject.update >= self.baseline_update
                values = {**past.judged(known, belief), **past.moved(belief, drifting=drifting)}
                if moment == "update" and self._asks_for_pursuit(live):
                    values |= _pursued(live.place, learner, known, belief)
                yield Measured(
                    agent=agent,
                    probe="values",
                    update=subject.update,
                    steps=subject.steps,
                    moment=moment,
                    values=values,
                )

    def _asks_for_pursuit(self, live: "LiveSubject") -> bool:
        return self.pursuit_every > 0 and (live.last or live.update % self.pursuit_every == 0)


def _pursued(place: Any, learner: Any, known: "Questions", belief: "Array") -> dict[str, float]:
    from sandbox.measuring.value_tables import policy_of  # noqa: PLC0415

    policy = policy_of(place, learner, known.states())
    if policy is None:
        return {}
    towards = {"pursuit": known.truth, "pursuit_of_belief": belief}
    return _known(**{name: known.pursued(policy, utility) for name, utility in towards.items()})


@dataclass
class _Past:
    """Beliefs of one agent that later ones are compared with."""

    discount: float
    last: "Array | None" = None
    first: "Array | None" = None
    same: "Array | None" = None  # what the findings are of
    findings: dict[str, float] = field(default_factory=dict)

    def judged(self, known: "Questions", belief: "Array") -> dict[str, float]:
        """The belief against the truth; asked again only where it has changed."""
        if self.same is None or not (belief == self.same).all():
            apart = epic_by_action(belief, known.truth, self.discount).value
            canonical = known.starc(belief, self.discount)
            self.same, self.findings = (
                belief,
                _known(
                    fidelity=None if apart is None else 1 - apart,
                    starc_fidelity=None if canonical is None else 1 - canonical / 2,
                    regret=known.regret(belief),
                ),
            )
        return self.findings

    def moved(self, belief: "Array", *, drifting: bool) -> dict[str, float]:
        """The belief against what it was; it is remembered, unless it is constant."""
        if epic_by_action(belief, belief, self.discount).value is None:
            return {}  # nothing was learned yet
        if drifting and self.first is None:
            self.first = belief
        before, self.last = self.last, belief
        return _known(step=self._apart(belief, before), net=self._apart(belief, self.first))

    def _apart(self, belief: "Array", then: "Array | None") -> float | None:
        return None if then is None else epic_by_action(belief, then, self.discount).value


def _known(**found: float | None) -> dict[str, float]:
    return {name: value for name, value in found.items() if value is not None}
