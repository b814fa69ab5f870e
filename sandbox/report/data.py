"""What a report shows, as plain data: nothing here knows HTML or plots."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sandbox.analysis.effects import (
    CONFIDENCE,
    Effect,
    claims_of,
    effects,
    env_name,
    measure,
    metric,
    metric_names,
    state,
)
from sandbox.analysis.metric_base import chosen
from sandbox.analysis.statistics import Interval, level_interval
from sandbox.record.events import Edited, Event, Filmed, Probed, RolledBack, Updated
from sandbox.record.lineage import Lineage as Tree
from sandbox.record.lineage import behaviour_changes, lineages
from sandbox.record.store import RunRecord, TrialRecord
from sandbox.verdicts.claims import verdicts
from sandbox.verdicts.judged import JudgedClaim
from sandbox.words import condition_name, env_label

MOST_CURVES = 60
MOST_POINTS = 400
MOST_EDITS = 200
MOST_FILMS = 12
MOST_AGENT_RUNS = 6
REST = "identity"  # the name in an editor's list for proposing nothing


@dataclass(frozen=True)
class Axis:
    """Mean of one metric over the trials of a condition; no interval from a single value."""

    mean: float
    interval: Interval | None


@dataclass(frozen=True)
class Cell:
    """One condition in one env on the capability-safety plane."""

    condition: str
    env: str
    points: tuple[tuple[int, float, float], ...]  # (seed, capability, safety) a trial
    capability: Axis
    safety: Axis


@dataclass(frozen=True)
class Curve:
    """One quantity of one trial over environment steps."""

    trial: str
    condition: str
    seed: int
    x: tuple[int, ...]
    y: tuple[float, ...]
    env: str
    agent: str = ""  # of whom; empty for the mean over all agents


@dataclass(frozen=True)
class Lineage:
    """Size of one agent over environment steps, and every edit it proposed."""

    trial: str
    condition: str
    seed: int
    agent: str
    x: tuple[int, ...]
    parameters: tuple[int, ...]
    edits: tuple[Edited, ...]
    allowed: tuple[str, ...] = ()  # edits that its editor may propose, where it says


@dataclass(frozen=True)
class Film:
    """One recorded episode."""

    condition: str
    env: str
    seed: int
    shot: Filmed


@dataclass(frozen=True)
class AgentPanel:
    """The edit history of one agent, in the first seed of its condition."""

    condition: str
    env: str  # empty where the run has only one
    seed: int
    steps: int
    lineage: Tree


@dataclass(frozen=True)
class Report:
    """Everything on the page. ``cut`` says which trials are not drawn."""

    run: RunRecord
    judged: tuple[JudgedClaim, ...]
    effects: tuple[Effect, ...]
    counts: Mapping[str, int]  # state -> trials
    conditions: tuple[str, ...]  # base first, then as the scenario lists the levers
    base: str  # name of the condition in which every lever has its first dose
    envs: tuple[str, ...]  # as the scenario lists them
    safety_metric: str
    cells: tuple[Cell, ...]
    returns: tuple[Curve, ...]
    by_agent: tuple[Curve, ...]  # returns of each agent, where a trial has several
    capability: tuple[Curve, ...]
    safety: tuple[Curve, ...]
    lineages: tuple[Lineage, ...]
    films: tuple[Film, ...]
    filmed: int  # how many films there are, shown or not
    agent_runs: tuple[AgentPanel, ...]
    agent_runs_found: int  # how many of them there are, shown or not
    ended_early: tuple[tuple[TrialRecord, str], ...]  # not done: trial, state
    cut: str

    @property
    def smoke(self) -> bool:
        """Was this a fraction of the scenario, to see that it works?"""
        return bool(self.run.scenario.get("smoke"))


def gather(run: RunRecord) -> Report:
    """Read everything that the page shows."""
    safety, films = safety_metric(run), _spread(list(_films(run)))
    agent_runs = list(_agent_runs(run))
    drawn = _first_seeds(run)
    left_out = sum(bool(trial.events) for trial in run.trials) - len(drawn)
    states = [state(trial) for trial in run.trials]
    return Report(
        run=run,
        judged=tuple(verdicts(run)),
        effects=tuple(effects(run)),
        counts={each: states.count(each) for each in ("done", "failed", "unfinished")},
        conditions=_conditions(run),
        base=condition_name({k: doses[0] for k, doses in run.scenario["levers"].items()}),
        envs=_envs(run),
        safety_metric=safety,
        cells=tuple(_cells(run, safety)),
        returns=tuple(_returns(run, trial) for trial in drawn),
        by_agent=tuple(each for trial in drawn for each in _agents_returns(run, trial)),
        capability=tuple(_probed(run, trial, "capability") for trial in drawn),
        safety=tuple(_probed(run, trial, safety) for trial in drawn),
        lineages=tuple(each for trial in drawn for each in _lineages(run, trial)),
        films=films[:MOST_FILMS],
        filmed=len(films),
        agent_runs=tuple(agent_runs[:MOST_AGENT_RUNS]),
        agent_runs_found=len(agent_runs),
        ended_early=tuple((t, s) for t, s in zip(run.trials, states, strict=True) if s != "done"),
        cut=f"the first {MOST_CURVES} trials; {left_out} more are not drawn" if left_out else "",
    )


def _first_seeds(run: RunRecord) -> list[TrialRecord]:
    """Up to ``MOST_CURVES`` trials that ran: one of every env and condition, then a second one."""
    met: Counter[tuple[str, str]] = Counter()
    turns: list[tuple[int, int, TrialRecord]] = []
    for trial in run.trials:
        if trial.events:
            cell = env_name(run, trial), condition_name(trial.spec["condition"])
            turns.append((met[cell], len(turns), trial))
            met[cell] += 1
    chosen_turns = sorted(turns, key=lambda each: each[:2])[:MOST_CURVES]
    return [trial for *_, trial in sorted(chosen_turns, key=lambda each: each[1])]


def safety_metric(run: RunRecord) -> str:
    """Return the first claimed, else listed, metric in [0, 1] that should be low; else ``harm``."""
    named = [*(each["metric"] for each in claims_of(run)), *metric_names(run)]
    fits = [
        name for name in named if metric(name).direction == "lower" and metric(name).range == (0, 1)
    ]
    return fits[0] if fits else "harm"


def short_name(run: RunRecord, condition: Mapping[str, float]) -> str:
    """Return the name that a condition has everywhere: ``data_coverage=0.5,freeze_editor=0``."""
    del run
    return condition_name(condition)


def _name(run: RunRecord, trial: TrialRecord) -> str:
    return short_name(run, trial.spec["condition"])


def _conditions(run: RunRecord) -> tuple[str, ...]:
    levers = list(run.scenario["levers"])

    def place(trial: TrialRecord) -> tuple[Any, ...]:
        condition = trial.spec["condition"]
        doses = run.scenario["levers"]
        places = [
            doses[k].index(condition[k]) if condition.get(k) in doses[k] else 0 for k in levers
        ]
        turned = [place > 0 for place in places]
        return sum(turned), [not each for each in turned], places

    return tuple(dict.fromkeys(_name(run, trial) for trial in sorted(run.trials, key=place)))


def _envs(run: RunRecord) -> tuple[str, ...]:
    found = {env_name(run, trial) for trial in run.trials}
    listed = [env_label(run.scenario, each) for each in run.scenario["envs"]]
    return tuple(dict.fromkeys(name for name in (*listed, *sorted(found)) if name in found))


def _cells(run: RunRecord, safety: str) -> Iterator[Cell]:
    points: dict[tuple[str, str], list[tuple[int, float, float]]] = {}
    for trial in run.trials:
        able, harm = measure(trial, "capability").value, measure(trial, safety).value
        if able is not None and harm is not None:
            here = points.setdefault((_name(run, trial), env_name(run, trial)), [])
            here.append((trial.spec["seed"], able, 1 - harm))
    order = _conditions(run)
    for (condition, env), found in sorted(points.items(), key=lambda at: order.index(at[0][0])):
        axes = (
            _axis([able for _, able, _ in found], "capability"),
            _axis([safe for _, _, safe in found], safety),
        )
        yield Cell(condition, env, tuple(found), *axes)


def _axis(values: Sequence[float], name: str) -> Axis:
    """Mean and interval of a share: a metric in [0, 1], or 1 less a metric of harm in it."""
    ends = metric(name).range
    interval = level_interval(values, *ends, CONFIDENCE) if len(values) > 1 else None
    return Axis(sum(values) / len(values), interval)


def _returns(run: RunRecord, trial: TrialRecord) -> Curve:
    return _curve(run, trial, training_returns(trial.events))


def training_returns(events: Sequence[Event]) -> dict[int, float]:
    """Steps -> mean return over agents, in the world's own reward, where any episode ended.

    Of a population: the return of the member that represents it at the end, at every step.
    """
    speaker = chosen(events)
    at: dict[int, list[float]] = {}
    for each in events:
        if isinstance(each, Updated) and speaker in ("", each.agent):
            found = at.setdefault(each.steps, [])
            found += [] if each.world_return is None else [each.world_return]
    return {step: sum(found) / len(found) for step, found in at.items() if found}


def _agents_returns(run: RunRecord, trial: TrialRecord) -> Iterator[Curve]:
    """Training return of each agent of a trial that has several."""
    of: dict[str, dict[int, float]] = {}
    for each in trial.events:
        if isinstance(each, Updated) and each.world_return is not None:
            of.setdefault(each.agent, {})[each.steps] = each.world_return
    if len(of) > 1:
        for agent, points in sorted(of.items()):
            yield replace(_curve(run, trial, points), agent=agent)


def _probed(run: RunRecord, trial: TrialRecord, name: str) -> Curve:
    """A metric as it would have been, had the trial ended at each of its probes."""
    found: dict[int, float] = {}
    for step, past in _pasts(trial.events):
        value = metric(name).compute(past).value
        if value is not None:
            found[step] = value
    return _curve(run, trial, found)


def _pasts(events: Sequence[Event]) -> Iterator[tuple[int, Sequence[Event]]]:
    for i, each in enumerate(events):
        following = events[i + 1] if i + 1 < len(events) else None
        if isinstance(each, Probed) and not isinstance(following, Probed):
            yield each.steps, events[: i + 1]


def _curve(run: RunRecord, trial: TrialRecord, points: Mapping[int, float]) -> Curve:
    shown = list(points.items())[:: max(1, -(-len(points) // MOST_POINTS))]
    x, y = tuple(step for step, _ in shown), tuple(value for _, value in shown)
    return Curve(trial.id, _name(run, trial), trial.spec["seed"], x, y, env_name(run, trial))


def _lineages(run: RunRecord, trial: TrialRecord) -> Iterator[Lineage]:
    sized = [each for each in trial.events if isinstance(each, Updated | Edited | RolledBack)]
    for agent in sorted({each.agent for each in sized}):
        mine = [each for each in sized if each.agent == agent]
        edits = tuple(each for each in mine if isinstance(each, Edited))
        every = max(1, -(-len(mine) // MOST_POINTS))
        keep = [e for i, e in enumerate(mine) if i % every == 0 or not isinstance(e, Updated)]
        yield Lineage(
            trial=trial.id,
            condition=_name(run, trial),
            seed=trial.spec["seed"],
            agent=agent,
            x=tuple(each.steps for each in keep),
            parameters=tuple(each.parameters for each in keep),
            edits=edits,
            allowed=_allowed(run, trial),
        )


def _allowed(run: RunRecord, trial: TrialRecord) -> tuple[str, ...]:
    """Edits that the trial's editor lists in its settings; an editor need not have such a list."""
    editor = trial.spec.get("editor") or run.scenario.get("agent", {}).get("editor") or {}
    listed = [each.get("edits") for each in editor.values() if isinstance(each, Mapping)]
    found = [name for names in listed if isinstance(names, list) for name in names]
    return tuple(str(name) for name in found if name != REST)


def _agent_runs(run: RunRecord) -> Iterator[AgentPanel]:
    """Every agent of the first seed of each env and condition, base first."""
    order, several, seen = _conditions(run), len(_envs(run)) > 1, set[tuple[str, str]]()
    for trial in sorted(run.trials, key=lambda x: (order.index(_name(run, x)), x.spec["seed"])):
        here = (_name(run, trial), env_name(run, trial))
        if here in seen or not trial.events:
            continue
        seen.add(here)
        steps = max((e.steps for e in trial.events if isinstance(e, Updated)), default=0)
        env = here[1] if several else ""
        for tree in lineages(trial.events, behaviour_changes(trial.folder)):
            yield AgentPanel(here[0], env, trial.spec["seed"], steps, tree)


def _films(run: RunRecord) -> Iterator[Film]:
    """The last film of each distribution, from each condition's first finished seed."""
    seen: set[tuple[str, str]] = set()
    for trial in sorted(run.trials, key=lambda each: each.spec["seed"]):
        here = (_name(run, trial), env_name(run, trial))
        shots = {e.distribution: e for e in trial.events if isinstance(e, Filmed) and e.boards}
        if here not in seen and trial.done and shots:
            seen.add(here)
            yield from (Film(*here, trial.spec["seed"], shot) for shot in shots.values())


def _spread(films: Sequence[Film]) -> tuple[Film, ...]:
    """First the first film of every env and condition, then every second one, and so on."""
    turns: dict[tuple[str, str], int] = {}
    order: list[tuple[int, int]] = []
    for place, film in enumerate(films):
        turn = turns[film.env, film.condition] = turns.get((film.env, film.condition), -1) + 1
        order.append((turn, place))
    return tuple(films[place] for _, place in sorted(order))
