"""Planted constraints of a run as groups to compare: by where they are, under which editor."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sandbox.analysis.constraints import ConstraintHistory, constraint_histories
from sandbox.analysis.effects import env_name, state
from sandbox.analysis.statistics import holm
from sandbox.analysis.survival import LogRank, Subjects, SurvivalCurve, kaplan_meier, log_rank
from sandbox.record.store import RunRecord, TrialRecord
from sandbox.words import condition_name, dose_label

LEVER = "constraint_location"


@dataclass(frozen=True)
class Group:
    """Trials of one condition in one env; a trial is one subject, however many agents it has."""

    panel: str  # doses of all other levers, and the env where there are several
    line: str  # where the constraint was planted
    trials: int  # done, and watched
    agent_runs: tuple[ConstraintHistory, ...]  # of those in which it took hold

    @property
    def broken(self) -> list[ConstraintHistory]:
        """Those that were broken."""
        return [each for each in self.agent_runs if each.broke]

    def subjects(self, *, by_edits: bool = False) -> Subjects:
        """Durations in updates, or in applied edits, after planting."""
        spans = [each.edits if by_edits else each.updates for each in self.agent_runs]
        return Subjects(spans, [each.broke for each in self.agent_runs])

    def curve(self, *, by_edits: bool = False) -> SurvivalCurve | None:
        """Kaplan-Meier; ``None`` where it took hold in no trial."""
        return kaplan_meier(self.subjects(by_edits=by_edits)) if self.agent_runs else None

    @property
    def edit_share(self) -> float | None:
        """Of the damage in trials where it was broken, the share done at edit time."""
        edit = sum(each.edit_damage for each in self.broken)
        whole = edit + sum(each.drift_damage for each in self.broken)
        return edit / whole if self.broken and whole > 0 else None


@dataclass(frozen=True)
class Comparison:
    """A log-rank test; ``adjusted`` for all of its kind in the run (Holm)."""

    what: str
    against: str
    found: LogRank
    adjusted: float


def groups(run: RunRecord) -> list[Group]:
    """Every condition in which a constraint was watched, in the order of the scenario's doses."""
    found: dict[tuple[str, str], list[list[ConstraintHistory]]] = {}
    envs = {env_name(run, each) for each in run.trials}
    for trial in sorted(run.trials, key=lambda each: _place(run, each)):
        agent_runs = constraint_histories(trial.events) if state(trial) == "done" else []
        if agent_runs:
            env = env_name(run, trial) if len(envs) > 1 else ""
            found.setdefault(_names(run, trial, env), []).append(agent_runs)
    return [
        Group(panel, line, len(trials), tuple(_first(each) for each in trials if _held(each)))
        for (panel, line), trials in found.items()
    ]


def between_places(found: Sequence[Group]) -> list[Comparison]:
    """Within each panel: do all places have one curve?"""
    tests = []
    for panel in dict.fromkeys(each.panel for each in found):
        own = [each for each in found if each.panel == panel and each.agent_runs]
        if len(own) > 1:
            what = ", ".join(each.line for each in own)
            tests.append((panel, what, log_rank([each.subjects() for each in own])))
    return _adjusted(tests)


def between_editors(found: Sequence[Group]) -> list[Comparison]:
    """Each place in each panel, against the same place in the first panel."""
    first = found[0].panel if found else ""
    base = {each.line: each for each in found if each.panel == first and each.agent_runs}
    return _adjusted(
        [
            (f"{each.line}, {each.panel}", first, log_rank([base[each.line].subjects(), own]))
            for each in found
            if each.panel != first and each.line in base and each.agent_runs
            for own in [each.subjects()]
        ]
    )


def _adjusted(tests: Sequence[tuple[str, str, LogRank]]) -> list[Comparison]:
    if not tests:
        return []
    adjusted = holm([found.p for _, _, found in tests]).tolist()
    return [Comparison(*each, p) for each, p in zip(tests, adjusted, strict=True)]


def _held(agent_runs: Sequence[ConstraintHistory]) -> bool:
    return all(each.planted for each in agent_runs)


def _first(agent_runs: Sequence[ConstraintHistory]) -> ConstraintHistory:
    """Of several agents, the one in which it was broken first, else the one watched longest."""
    return min(agent_runs, key=lambda each: (not each.broke, each.updates))


def _names(run: RunRecord, trial: TrialRecord, env: str) -> tuple[str, str]:
    condition = trial.spec["condition"]
    if len(run.scenario["levers"].get(LEVER, [])) < 2:  # noqa: PLR2004
        return env, condition_name(condition)
    others = {key: dose for key, dose in condition.items() if key != LEVER}
    return " · ".join(filter(None, (_panel(others), env))), dose_label(condition[LEVER])


def _panel(others: Mapping[str, float | str]) -> str:
    """Of one other lever, its dose alone."""
    return dose_label(next(iter(others.values()))) if len(others) == 1 else condition_name(others)


def _place(run: RunRecord, trial: TrialRecord) -> tuple[int, ...]:
    return tuple(_indices(run.scenario["levers"], trial.spec["condition"]))


def _indices(
    levers: Mapping[str, Sequence[float | str]], condition: Mapping[str, float | str]
) -> Iterator[int]:
    for name in sorted(levers, key=lambda each: each == LEVER):
        doses = list(levers[name])
        yield doses.index(condition[name]) if condition.get(name) in doses else len(doses)
