"""``run`` a scenario or ``load`` a run folder: from a notebook as from the command line."""

import html
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox import sources
from sandbox.catalogue import catalogue, plug_module
from sandbox.contract import named
from sandbox.errors import InputError, Problem
from sandbox.execution.progress import PlainDisplay, Progress, Tick
from sandbox.execution.progress import progress as show
from sandbox.record.registration import Registration
from sandbox.record.run_chain import REGISTRATION
from sandbox.record.run_folder import RunFolder
from sandbox.record.store import RunRecord, TrialRecord, is_run, read_run

if TYPE_CHECKING:
    import pandas as pd

    from sandbox.execution.executor import Job, LocalExecutor
    from sandbox.scenario.model import Scenario


LEFT_OVER = {".lock", "trials", "scenario.yaml", "resolved.json", REGISTRATION}
"""What a command that was cut short at its very start may leave."""


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
        from sandbox.verdicts import frames  # noqa: PLC0415  (scipy)

        return frames.rows(self.record)

    @property
    def failed(self) -> list[TrialRecord]:
        """Trials that ended early, each with its reason in ``status``."""
        return [trial for trial in self.record.trials if trial.status.get("state") == "failed"]

    @cached_property
    def verdicts(self) -> list[Any]:
        """One verdict for every claim of the scenario."""
        from sandbox.verdicts import frames  # noqa: PLC0415  (scipy)

        return frames.verdicts(self.record)

    def verdicts_at(self, seeds: int) -> list[Any]:
        """Verdicts on the first so many seeds: exploratory, unless that number is registered."""
        from sandbox.verdicts import frames  # noqa: PLC0415  (scipy)

        return frames.verdicts(self.record, seeds)

    @cached_property
    def effects(self) -> list[Any]:
        """The effect of every lever on every metric, with interval and n."""
        from sandbox.verdicts import frames  # noqa: PLC0415  (scipy)

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
        from sandbox.verdicts import frames  # noqa: PLC0415  (scipy)

        return frames.effects_frame(self.record)

    def verdicts_frame(self) -> "pd.DataFrame":
        """``verdicts`` as a data frame."""
        from sandbox.verdicts import frames  # noqa: PLC0415  (scipy)

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
    accept_changed_code: bool = False,
    progress: Progress | None = None,
    announce: Callable[[str], None] | None = None,
) -> Experiment:
    """Run what is missing of a scenario, then analyse and report all of it.

    ``path``: a file, or the name of a shipped scenario. ``out``: the run folder, by default
    ``runs/<name>-<hash>``. ``workers``: trials side by side, by default one a core. ``overrides``:
    ``KEY=VALUE`` as for ``--set``. ``plugins``: modules with ``register(catalogue)``. ``progress``
    and ``announce`` receive progress and failures, by default on stderr. Trials that an earlier
    call finished are not run again; failed ones are. What decides the verdicts is registered before
    the first trial; ``accept_changed_code`` lets trials of other code be added, which is recorded.
    Raises ``InputError`` before anything has started, ``ResourceError`` if the disk or memory runs
    out, ``IntegrityError`` where the folder was changed after it was written.
    """
    from sandbox.scenario.load import load as read  # noqa: PLC0415  (pydantic: loaded only to run)

    for module in plugins:
        plug_module(catalogue(), module)
    scenario = read(path, overrides=overrides, seeds=seeds, smoke=smoke, max_trials=max_trials)
    folder = run_folder(scenario, out)
    return run_scenario(
        scenario,
        folder,
        workers,
        plugins,
        accept_changed_code=accept_changed_code,
        progress=progress,
        announce=announce,
    )


def run_scenario(
    scenario: "Scenario",
    folder: Path,
    workers: int | None = None,
    plugins: Sequence[str] = (),
    *,
    accept_changed_code: bool = False,
    progress: Progress | None = None,
    announce: Callable[[str], None] | None = None,
) -> Experiment:
    """As ``run``, of a scenario that is loaded, in the folder that ``run_folder`` gave for it."""
    from sandbox.execution import fork_server  # noqa: PLC0415

    shown = nullcontext(PlainDisplay(sys.stderr)) if progress else show()
    writing = RunFolder(folder)
    with writing.locked(), shown as display:
        jobs = _jobs(scenario)
        if not all(writing.is_done(job.id) for job in jobs):
            fork_server.start()  # it imports torch while this process imports scipy
        _register_to_run(scenario, writing, plugins, jobs, accept=accept_changed_code)
        executor = _executor(scenario, writing, workers, tuple(plugins))
        executor.progress = progress or display.tick
        executor.announce = announce or display.announce
        _execute(scenario, executor, jobs)
        experiment = load(folder)
        derive(experiment)
    return experiment


def _register_to_run(
    scenario: "Scenario",
    writing: RunFolder,
    plugins: Sequence[str],
    jobs: "Sequence[Job]",
    *,
    accept: bool,
) -> None:
    from sandbox.execution.continuing import any_due  # noqa: PLC0415
    from sandbox.execution.registering import code_here  # noqa: PLC0415
    from sandbox.execution.registering import register as write_down  # noqa: PLC0415

    due = any_due(scenario, writing, jobs)
    write_down(scenario, writing, plugins, to_run=due, accept_changed_code=accept)
    writing.changed_code = partial(sources.changed, code_here(scenario, plugins))


def register(
    path: str | Path,
    out: str | Path | None = None,
    *,
    seeds: int | None = None,
    overrides: Sequence[str] = (),
    plugins: Sequence[str] = (),
    max_trials: int = 10_000,
) -> Registration:
    """Write down what decides a scenario's verdicts, and run nothing; arguments as for ``run``.

    Keep the hash of the entry outside the folder: it shows that the claims are older than the data.
    """
    from sandbox.scenario.load import load as read  # noqa: PLC0415

    for module in plugins:
        plug_module(catalogue(), module)
    scenario = read(path, overrides=overrides, seeds=seeds, max_trials=max_trials)
    return register_scenario(scenario, run_folder(scenario, out), plugins)


def register_scenario(
    scenario: "Scenario", folder: Path, plugins: Sequence[str] = ()
) -> Registration:
    """As ``register``, of a scenario that is loaded, in the folder that ``run_folder`` gave."""
    from sandbox.execution.registering import register as write_down  # noqa: PLC0415

    writing = RunFolder(folder)
    with writing.locked():
        write_down(scenario, writing, plugins)
        return read_run(folder).registration


def run_folder(scenario: "Scenario", out: str | Path | None) -> Path:
    """``out``, or ``runs/<name>-<hash of what a trial of it is>``. Raises ``InputError``."""
    folder = Path(out) if out else Path("runs") / f"{scenario.name}-{scenario.digest()}"
    if folder.exists() and not folder.is_dir():
        raise InputError(Problem(str(folder), "is a file; give another --out"))
    if is_run(folder):
        from sandbox.execution.continuing import check_same  # noqa: PLC0415  (as above)

        check_same(scenario, folder)
    elif folder.is_dir() and {each.name for each in folder.iterdir()} - LEFT_OVER:
        raise InputError(Problem(str(folder), "is not empty and holds no run; give another --out"))
    return folder


def _executor(
    scenario: "Scenario", run: RunFolder, workers: int | None, plugins: tuple[str, ...]
) -> "LocalExecutor":
    from sandbox.execution.executor import LocalExecutor, limits_of  # noqa: PLC0415  (as above)
    from sandbox.execution.manifest import cores, manifest  # noqa: PLC0415
    from sandbox.scenario.engines import engines  # noqa: PLC0415
    from sandbox.tensorboard.writer import Writer  # noqa: PLC0415

    resolved = scenario.resolved()
    asked = {"engines": engines(scenario), "changed": list(scenario.changed)}
    run.begin({**manifest(run.folder, plugins), **asked})
    board = Writer(run.folder, resolved)
    return LocalExecutor(
        run=run,
        workers=workers or cores(),
        limits=limits_of(resolved["limits"]),
        plugins=plugins,
        watch=lambda job: board.trial(job.id, job.spec),
    )


def _execute(scenario: "Scenario", executor: "LocalExecutor", jobs: "Sequence[Job]") -> None:
    from sandbox.execution.continuing import stages  # noqa: PLC0415

    for stage in stages(scenario, executor.run, jobs):
        missing = [job for job in stage if not executor.run.is_done(job.id)]
        executor.execute(missing, done_before=len(stage) - len(missing))


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


__all__ = ["Experiment", "Tick", "load", "register", "run"]
