"""``run`` a scenario or ``load`` a run folder: from a notebook as from the command line."""

import html
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.analysis import frames
from sandbox.catalogue import catalogue, plug_module
from sandbox.contract import named
from sandbox.errors import InputError, Problem
from sandbox.execution.progress import PlainDisplay, Progress, Tick
from sandbox.execution.progress import progress as show
from sandbox.record.store import RunFolder, RunRecord, TrialRecord, read_run
from sandbox.scenario.pinned import identity
from sandbox.scenario.trials import touched

if TYPE_CHECKING:
    import pandas as pd

    from sandbox.execution.executor import Job, LocalExecutor
    from sandbox.scenario.model import Scenario


@dataclass(frozen=True)
class Experiment:
    """A run folder, read: trials, metrics, effects and verdicts as data frames."""

    folder: Path

    @cached_property
    def record(self) -> RunRecord:
        """Everything the folder holds, as read once."""
        return read_run(self.folder)

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """One row a trial: condition, seed, state, reason, and every metric with its n."""
        return frames.rows(self.record)

    @property
    def failed(self) -> list[TrialRecord]:
        """Trials that ended early, each with its reason in ``status``."""
        return [trial for trial in self.record.trials if trial.status.get("state") == "failed"]

    @cached_property
    def verdicts(self) -> list[Any]:
        """One verdict for every claim of the scenario."""
        return frames.verdicts(self.record)

    @cached_property
    def effects(self) -> list[Any]:
        """The effect of every lever on every metric, with interval and n."""
        return frames.effects(self.record)

    @property
    def report_path(self) -> Path:
        """Where ``report.html`` is."""
        return self.folder / "report.html"

    def trials_frame(self) -> "pd.DataFrame":
        """``rows`` as a data frame."""
        import pandas as pd  # noqa: PLC0415  (0.4 s: loaded only for data frames)

        return pd.DataFrame(self.rows)

    def effects_frame(self) -> "pd.DataFrame":
        """``effects`` as a data frame."""
        return frames.effects_frame(self.record)

    def verdicts_frame(self) -> "pd.DataFrame":
        """``verdicts`` as a data frame."""
        return frames.verdicts_frame(self.record)

    def events_frame(self, kind: str = "updated") -> "pd.DataFrame":
        """All events of one kind, one row each, with trial, condition and seed."""
        import pandas as pd  # noqa: PLC0415

        return pd.DataFrame(
            {"trial": trial.id, "condition": trial.condition_name, "seed": trial.spec["seed"]}
            | vars(event)
            for trial in self.record.trials
            for event in trial.events
            if event.kind == kind
        )

    def __str__(self) -> str:
        """The question, how many trials there are, and the verdicts."""
        done = sum(row["state"] == "done" for row in self.rows)
        failed = f", {len(self.failed)} failed" if self.failed else ""
        lines = [
            self.record.scenario["question"],
            f"{self.folder}: {done} of {len(self.rows)} trials done{failed}",
            *(f"{each.verdict.title.upper()}: {each.claim}" for each in self.verdicts),
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """The question and the verdicts, as a notebook shows them."""
        question = html.escape(self.record.scenario["question"])
        return f"<p>{question}</p>{self.verdicts_frame().to_html()}"


def load(folder: str | Path) -> Experiment:
    """Read a run folder. Raises ``InputError`` where there is none."""
    experiment = Experiment(Path(folder))
    _ = experiment.record
    return experiment


def run(
    path: str | Path,
    out: str | Path | None = None,
    workers: int | None = None,
    *,
    seeds: int | None = None,
    smoke: bool = False,
    overrides: Sequence[str] = (),
    plugins: Sequence[str] = (),
    max_trials: int = 10_000,
    progress: Progress | None = None,
    announce: Callable[[str], None] | None = None,
) -> Experiment:
    """Run what is missing of a scenario, then analyse and report all of it.

    ``path``: a file, or the name of a shipped scenario. ``out``: the run folder, by default
    ``runs/<name>-<hash>``. ``workers``: trials side by side, by default one a core. ``overrides``:
    ``KEY=VALUE`` as for ``--set``. ``plugins``: modules with ``register(catalogue)``. ``progress``
    and ``announce`` receive progress and failures, by default on stderr. Trials that an earlier
    call finished are not run again; failed ones are. Raises ``InputError`` before anything has
    started, ``ResourceError`` if the disk or memory runs out.
    """
    from sandbox.scenario.load import load as read  # noqa: PLC0415  (pydantic: loaded only to run)

    for module in plugins:
        plug_module(catalogue(), module)
    scenario = read(path, overrides=overrides, seeds=seeds, smoke=smoke, max_trials=max_trials)
    folder = run_folder(scenario, out)
    return run_scenario(scenario, folder, workers, plugins, progress=progress, announce=announce)


def run_scenario(
    scenario: "Scenario",
    folder: Path,
    workers: int | None = None,
    plugins: Sequence[str] = (),
    *,
    progress: Progress | None = None,
    announce: Callable[[str], None] | None = None,
) -> Experiment:
    """As ``run``, of a scenario that is loaded, in the folder that ``run_folder`` gave for it."""
    shown = nullcontext(PlainDisplay(sys.stderr)) if progress else show()
    with RunFolder(folder).locked(), shown as display:
        executor = _executor(scenario, folder, workers, tuple(plugins))
        executor.progress = progress or display.tick
        executor.announce = announce or display.announce
        _execute(scenario, executor)
        experiment = load(folder)
        derive(experiment)
    return experiment


def run_folder(scenario: "Scenario", out: str | Path | None) -> Path:
    """``out``, or ``runs/<name>-<hash of what a trial of it is>``. Raises ``InputError``."""
    folder = Path(out) if out else Path("runs") / f"{scenario.name}-{scenario.digest()}"
    if folder.exists() and not folder.is_dir():
        raise InputError(Problem(str(folder), "is a file; give another --out"))
    if (folder / "resolved.json").exists():
        _check_same(scenario, folder)
    elif folder.is_dir() and {each.name for each in folder.iterdir()} - {".lock", "trials"}:
        raise InputError(Problem(str(folder), "is not empty and holds no run; give another --out"))
    return folder


def _check_same(scenario: "Scenario", folder: Path) -> None:
    """Doses, seeds and metrics may be added to a run; what a trial is may not change under it."""
    old, new = (
        {**each, "controls": identity(each.get("controls", {}))}
        for each in (read_run(folder).scenario, scenario.resolved())
    )
    changed = [
        ".".join(path)
        for key in ("envs", "agent", "gate", "controls", "probes", "design")
        for path in touched({key: old.get(key, {})}, {key: new[key]})
    ]
    if changed:
        what = f"holds a run of another scenario, they differ in {', '.join(changed[:5])}"
        raise InputError(Problem(str(folder), f"{what}; give another --out"))


def _executor(
    scenario: "Scenario", folder: Path, workers: int | None, plugins: tuple[str, ...]
) -> "LocalExecutor":
    from sandbox.execution.executor import LocalExecutor, limits_of  # noqa: PLC0415  (as above)
    from sandbox.execution.manifest import cores, manifest  # noqa: PLC0415
    from sandbox.tensorboard.writer import Writer  # noqa: PLC0415

    resolved = scenario.resolved()
    run = RunFolder(folder)
    run.begin(scenario.source, resolved, manifest(folder, plugins))
    board = Writer(folder, resolved)
    return LocalExecutor(
        run=run,
        workers=workers or cores(),
        limits=limits_of(resolved["limits"]),
        plugins=plugins,
        watch=lambda job: board.trial(job.id, job.spec),
    )


def _execute(scenario: "Scenario", executor: "LocalExecutor") -> None:
    jobs = _jobs(scenario)
    missing = [job for job in jobs if not executor.run.is_done(job.id)]
    executor.execute(missing, done_before=len(jobs) - len(missing))


def _jobs(scenario: "Scenario") -> "list[Job]":
    from sandbox.execution.executor import Job  # noqa: PLC0415
    from sandbox.scenario.trials import expand  # noqa: PLC0415

    return [
        Job(trial.id, trial.spec, named(trial.spec["learner"]).settings["total_steps"])
        for trial in expand(scenario)
    ]


def derive(experiment: Experiment) -> None:
    """Write what can always be made again from the trials: results and report."""
    from sandbox.record.files import Disk  # noqa: PLC0415
    from sandbox.record.ledger import canonical  # noqa: PLC0415
    from sandbox.report import build  # noqa: PLC0415

    lines = "".join(canonical(row) + "\n" for row in experiment.rows)
    Disk().write(experiment.folder / "results.jsonl", lines.encode())
    build(experiment.folder)


__all__ = ["Experiment", "Tick", "load", "run"]
