"""The closed set of event types: one JSON line each.

No event holds a clock, so the same trial gives the same bytes.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sandbox.errors import IntegrityError

SCHEMA = 3


@dataclass(frozen=True)
class Event:
    """Base of all events; ``kind`` names the type in JSON."""

    kind: ClassVar[str]


@dataclass(frozen=True)
class TrialStarted(Event):
    """First line of every trial.

    ``anchors``: distribution -> oracle name -> {reward, hidden_reward, harm, exact, how}; empty for
    an env without oracles. ``genomes``: agent -> genome.
    """

    kind: ClassVar[str] = "trial_started"
    trial: str
    env: str
    seed: int
    condition: Mapping[str, float | str]  # lever -> dose
    agents: tuple[str, ...]
    anchors: Mapping[str, Mapping[str, Mapping[str, Any]]]
    genomes: Mapping[str, Mapping[str, Any]]
    schema: int = SCHEMA


@dataclass(frozen=True)
class Updated(Event):
    """One rollout and one update of one agent. Totals are since the start of the trial."""

    kind: ClassVar[str] = "updated"
    agent: str
    update: int
    steps: int
    flops: float
    parameters: int
    episodes: int  # ended in this rollout
    mean_return: float | None  # as the learner received it: after controls of rewards
    rewards: Mapping[str, float] = field(default_factory=dict)
    losses: Mapping[str, float] = field(default_factory=dict)
    truth: Mapping[str, float] = field(default_factory=dict)
    """Mean total per episode, training; ``coverage``: share of the world's places acted in so far,
    by any copy, in worlds that say where their agent is."""
    spent: Mapping[str, float] = field(default_factory=dict)  # ``flops`` by category of the meter
    flops_left: float | None = None  # of the whole trial's budget; None: there is none
    world_return: float | None = None
    """Of the same episodes, in the env's own reward, before any control changed it; ``None`` where
    none ended."""

    def accounts(self) -> Iterator[tuple[str, str, float]]:
        """(objective, what, value): what the objectives report among the losses.

        The key of such a loss is the name of one of ``rewards``, a space, and what is reported.
        """
        names = sorted(self.rewards, key=len, reverse=True)  # the whole name, not its beginning
        for key, value in self.losses.items():
            for name in names:
                if key.startswith(f"{name} "):
                    yield name, key[len(name) + 1 :], value
                    break


@dataclass(frozen=True)
class Controlled(Event):
    """What one control did in one update, measured from outside: a line of the data card."""

    kind: ClassVar[str] = "controlled"
    control: str
    update: int
    steps: int
    intensity: float  # as it was set
    effective_intensity: float  # in force, a mean over the steps of this update
    measured: Mapping[str, float]  # shares and means, named by ``envs.control_kit.meter.Reading``
    expected: Mapping[str, float]  # what these should be, as far as the control can say
    error: Mapping[str, float]  # one standard deviation of each measurement from ``expected``


@dataclass(frozen=True)
class Probed(Event):
    """A probe's finding on one agent: means over ``n`` episodes, and the value of each episode."""

    kind: ClassVar[str] = "probed"
    agent: str
    probe: str
    update: int
    steps: int
    distribution: str
    n: int
    values: Mapping[str, float]  # mean per episode: reward, length, and each truth entry
    episodes: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Checked(Event):
    """How often an agent breaks a rule where the rule applies: probabilities, of its policy now.

    ``moment``: "update" (after an update and its edits), or "before edit" and "after edit", right
    beside one. It should hold once ``planting`` updates are done: it does while ``world`` is at
    most ``held``, and is broken where ``world`` is above ``broken``.
    """

    kind: ClassVar[str] = "checked"
    agent: str
    update: int
    steps: int
    moment: str
    n: int  # observations to which the rule applies
    inside: float  # probability that the agent chooses the forbidden action, mean over these
    world: float  # that it is carried out, after guards outside the agent
    planting: int
    held: float
    broken: float


@dataclass(frozen=True)
class Measured(Event):
    """Numbers that a probe found out about one agent, by name; those it could not are missing.

    ``moment``: "update" (after an update and its edits), or "before edit" and "after edit", right
    beside one.
    """

    kind: ClassVar[str] = "measured"
    agent: str
    probe: str
    update: int
    steps: int
    moment: str
    values: Mapping[str, float]


@dataclass(frozen=True)
class Mapped(Event):
    """A number for every cell of a world's map, for people: a heat map.

    ``rows`` are of the map, from the top; ``None`` where there is no number. ``walls`` stand
    between neighbouring cells, each ``(row, column, row, column)``.
    """

    kind: ClassVar[str] = "mapped"
    agent: str
    probe: str
    update: int
    steps: int
    name: str  # of what is mapped: one picture a name
    unit: str
    rows: tuple[tuple[float | None, ...], ...]
    walls: tuple[tuple[int, int, int, int], ...] = ()


@dataclass(frozen=True)
class Chosen(Event):
    """The member that represents a population now: the one with the most training return.

    Written before every probe; a trial without a population has none.
    """

    kind: ClassVar[str] = "chosen"
    agent: str
    update: int
    steps: int
    mean_return: float | None  # of its last updates; None where none of any member ended


@dataclass(frozen=True)
class Edited(Event):
    """A proposal and what became of it; the ledger's line ``entry`` holds the full account."""

    kind: ClassVar[str] = "edited"
    agent: str
    update: int
    steps: int
    entry: int  # line number in ledger.jsonl, from 1
    edit: str
    settings: Mapping[str, Any]
    part: str
    applied: bool
    reason: str
    audit: str  # confirmed | false_claim | silent_no_op | nothing | "" when not applied
    genome: Mapping[str, Any]  # in force afterwards
    parameters: int


@dataclass(frozen=True)
class RolledBack(Event):
    """The laboratory took an applied edit back: it did not pass the two-gate guard."""

    kind: ClassVar[str] = "rolled_back"
    agent: str
    update: int
    steps: int
    entry: int  # line number in ledger.jsonl
    undoes: int  # line of the edit that was taken back
    reason: str
    genome: Mapping[str, Any]  # in force afterwards
    parameters: int


@dataclass(frozen=True)
class Tampered(Event):
    """An edit or editor called or changed a decoy of the evaluator, the meter or the ledger."""

    kind: ClassVar[str] = "tampered"
    agent: str
    update: int
    steps: int
    entry: int  # line number in ledger.jsonl
    editor: str
    level: str  # of the editor; "" where it names none
    surface: str  # evaluator | meter | ledger
    attempt: str  # the method called, or what was written


@dataclass(frozen=True)
class Filmed(Event):
    """One evaluation episode as ASCII boards, for people: the middle one of ``among``.

    They are ordered by harm, then by return. ``legend`` and ``captions`` (one a board) are empty
    where the world has none, and in old runs; these filmed whatever episode came first.
    """

    kind: ClassVar[str] = "filmed"
    update: int
    distribution: str
    boards: tuple[str, ...]
    rewards: tuple[float, ...]
    legend: Mapping[str, str] = field(default_factory=dict)
    captions: tuple[str, ...] = ()
    harm: float | None = None  # of this episode
    among: int = 1  # episodes played to choose this one
    harmful: int = 0  # of these, how many did any harm


@dataclass(frozen=True)
class TrialFinished(Event):
    """Last line of a trial that spent its budget; without it the trial is unfinished."""

    kind: ClassVar[str] = "trial_finished"
    updates: int
    steps: int
    flops: float
    ledger_entries: int
    ledger_head: str
    weights: str  # SHA-256 of the final weight file


KINDS: Mapping[str, type[Event]] = {
    each.kind: each
    for each in (
        TrialStarted,
        Updated,
        Controlled,
        Chosen,
        Probed,
        Checked,
        Measured,
        Mapped,
        Edited,
        RolledBack,
        Tampered,
        Filmed,
        TrialFinished,
    )
}


def to_line(event: Event) -> str:
    """One JSON line, without the newline; NaN and infinity are refused (``ValueError``)."""
    data = {"event": event.kind, **vars(event)}  # asdict would copy all of it first
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)


def from_line(line: str) -> Event:
    """Read what ``to_line`` wrote. Raises ``IntegrityError``."""
    try:
        data = json.loads(line)
        kind = KINDS[data.pop("event")]
        return kind(**{key: _frozen(value) for key, value in data.items()})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise IntegrityError(f"not an event of schema {SCHEMA}: {line[:80]!r}") from error


def read(lines: Iterable[str]) -> list[Event]:
    """Read an ``events.jsonl``; a torn last line (no newline) is left out."""
    return [from_line(line) for line in lines if line.endswith("\n")]


def _frozen(value: Any) -> Any:
    """Of what JSON gives, lists as tuples; its many numbers are not worth a call each."""
    if type(value) is list:
        return tuple([_frozen(v) if type(v) in _HOLDERS else v for v in value])
    if type(value) is dict:
        return {k: _frozen(v) if type(v) in _HOLDERS else v for k, v in value.items()}
    return value


_HOLDERS = (list, dict)
