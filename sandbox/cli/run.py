"""``run``, ``plan`` and ``check``: the commands that read a scenario."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sandbox.cli.claims import print_claims, read_pilot, with_pilot
from sandbox.cli.output import (
    as_json,
    averages,
    duration,
    print_json,
    registered,
    say,
    table,
    tails,
    verdicts,
    with_plugins,
)
from sandbox.contract import named
from sandbox.errors import InputError, Problem, TrialError
from sandbox.words import counted

if TYPE_CHECKING:
    from sandbox.api import Experiment
    from sandbox.scenario.model import Scenario
    from sandbox.scenario.trials import PlannedTrial
    from sandbox.trial.rehearsal import Rehearsal

Command = Callable[..., Any]


def _with_scenario(command: Command) -> Command:
    """Everything that changes what a scenario says."""
    for option in (
        with_plugins,
        click.option(
            "--max-trials",
            type=click.IntRange(min=1),
            default=10_000,
            show_default=True,
            help="Stop with an error if the scenario has more trials than this.",
        ),
        click.option(
            "--smoke",
            is_flag=True,
            help="A short test run: all conditions, a twentieth of the steps (at least 6 updates). "
            "Shows whether everything works; its numbers mean nothing.",
        ),
        click.option(
            "--seeds",
            type=click.IntRange(1, 100_000),
            help="Use N seeds: the first N of the scenario's, then those after its largest.",
            metavar="N",
        ),
        click.option(
            "--set",
            "overrides",
            multiple=True,
            metavar="KEY=VALUE",
            help="Change a value, as in agent.learner.ppo.num_envs=16 (may be repeated).",
        ),
        click.argument("scenario"),
    ):
        command = option(command)
    return command


_workers = click.option(
    "--workers",
    type=click.IntRange(1, 1024),
    help="Trials to run in parallel; default: one per CPU core.",
    metavar="N",
)


_out = click.option("--out", type=click.Path(), help="Run folder; default: runs/NAME-HASH.")


@click.command(
    epilog="""
\b
Examples:
  sandbox run quickstart
  sandbox run my.yaml --seeds 20 --workers 4
  sandbox run my.yaml --set agent.editor=fixed --out runs/fixed
""",
)
@_with_scenario
@_workers
@_out
@click.option(
    "--accept-changed-code",
    is_flag=True,
    help="Add trials although sources or versions are not those registered; it is recorded, and "
    "verdicts become exploratory.",
)
def run(
    scenario: str,
    out: str | None,
    workers: int | None,
    accept_changed_code: bool,
    **options: Any,
) -> None:
    """Run the trials of SCENARIO that are not finished yet, then write the report.

    SCENARIO is a YAML file, or the name of one that comes with the sandbox (`sandbox list
    scenarios`). All that decides its verdicts is registered before the first trial. Repeat the
    command to resume; seeds, doses or metrics that were added to the scenario are added to the same
    run folder, as a revision that the report names. If a trial fails, the others continue, and the
    exit code is 1.
    """
    from sandbox import api  # noqa: PLC0415  (torch and more; `--help` needs none)

    loaded = _load(scenario, options)
    folder = api.run_folder(loaded, out)
    _check_folder(folder)
    say(f"{_headline(loaded)} -> {folder}")
    done = api.run_scenario(
        loaded, folder, workers, options["plugins"], accept_changed_code=accept_changed_code
    )
    _conclude(done)


@click.command(
    epilog="\b\nExample:\n  sandbox register my.yaml --pilot runs/pilot && sandbox run my.yaml",
)
@_with_scenario
@_out
@with_pilot
def register(scenario: str, out: str | None, pilot: str | None, **options: Any) -> None:
    """Write down what decides the verdicts of SCENARIO before any trial; runs nothing.

    Then prints what each claim can show with these seeds, and what they cost, as `sandbox plan`
    does (its help explains the columns).

    Keep the hash that is printed outside the run folder: `sandbox verify RUN --head HASH` finds it
    in a registration that was not rewritten. It cannot show that the same question was not run in
    other folders before.
    """
    from sandbox import api  # noqa: PLC0415  (as above)

    loaded = _load(scenario, options)
    folder = api.run_folder(loaded, out)
    _check_folder(folder)
    before = read_pilot(loaded, pilot, folder)
    cost = _cost(loaded, None)
    found = api.register_scenario(loaded, folder, options["plugins"])
    click.echo(f"{_headline(loaded)} -> {folder}")
    for line in registered(found):
        click.echo(line)
    claims = before.planned(found.family)
    print_claims(claims, before.remarks(claims))
    click.echo(cost.line)


@click.command(
    epilog="""
\b
Examples:
  sandbox plan quickstart --seeds 20 --workers 4
  sandbox run my.yaml --set 'seeds={first: 1000, count: 5}' --out runs/pilot
  sandbox plan my.yaml --pilot runs/pilot
""",
)
@_with_scenario
@_workers
@with_pilot
@as_json
def plan(
    scenario: str, workers: int | None, pilot: str | None, as_json: bool, **options: Any
) -> None:
    """Show what the claims of SCENARIO can show with its seeds, and what they cost. Writes nothing.

    Of each claim, before any data: the LEVEL that its p must reach (alpha, shared with all other
    claims as Holm does where none of them is decided before; a control shares nothing), for each
    number of seeds at which it is judged; the SMALLEST P that so many seeds can give, whatever
    they show; and what it DETECTS: the true effect that ends SUPPORTED in 4 of 5 runs. That is
    always more than the claim's smallest effect, and grows with the spread, the standard deviation
    of the differences paired by seed. A pilot (--pilot) measures the spread; without one, five are
    assumed.

    Time: builds the environment and the agent of each condition once and times them on this
    machine. The estimate covers training, probes and starting each trial's process, for agents that
    keep their initial size; writing the report is not included.

    Engine: what computes the networks in every trial, and what speaks for torch. The setting
    `engine` of a learner decides it; auto is numpy where that computes every network that any
    condition can come to have, else torch in all conditions.
    """
    from sandbox.scenario import engines  # noqa: PLC0415  (as above)

    loaded = _load(scenario, options)
    before = read_pilot(loaded, pilot)
    cost, claims = _cost(loaded, workers), before.planned()
    if as_json:
        found = {"claims": claims, "remarks": before.remarks(claims)}
        whole = {"scenario": loaded.name, **_engine(loaded), **cost.total}
        print_json({**whole, "conditions": cost.rows, **found})
        return
    click.echo(_headline(loaded))
    for line in filter(None, [engines.line(loaded)]):
        click.echo(line)
    columns = ["condition", "env", "trials", "steps", "parameters", "FLOPs"]
    table([{**row, "FLOPs": f"{row['flops']:.2g}"} for row in cost.rows], columns)
    print_claims(claims, before.remarks(claims))
    click.echo(cost.line)


@dataclass(frozen=True)
class _Cost:
    """What all trials of a scenario take on this machine."""

    rows: list[dict[str, Any]]  # one a condition and env
    trials: int
    workers: int
    seconds: float
    start: float  # seconds to start one trial

    @property
    def total(self) -> dict[str, Any]:
        return {"trials": self.trials, "workers": self.workers, "seconds": self.seconds}

    @property
    def line(self) -> str:
        on = f"estimated time: {duration(self.seconds)} with {counted(self.workers, 'worker')}"
        return (
            f"{on}, including {self.start:.1f} s to start each trial; writing the report is extra"
        )


def _cost(loaded: "Scenario", workers: int | None) -> _Cost:
    from sandbox.execution.manifest import cores  # noqa: PLC0415
    from sandbox.scenario import trials  # noqa: PLC0415

    all_trials = trials.expand(loaded)
    workers = min(workers or cores(), len(all_trials))
    rows, seconds, start = [], 0.0, 0.0
    seen: dict[str, Rehearsal] = {}
    for each in all_trials:
        rehearsed = _rehearsed(each, seen)
        seconds += rehearsed.seconds
        start = max(start, rehearsed.start_seconds)  # as in a fresh process, which each trial has
        if each.spec["seed"] == loaded.seeds[0]:
            rows.append(_planned(each, rehearsed, len(loaded.seeds)))
    estimate = (seconds + start * len(all_trials)) / workers
    return _Cost(rows, len(all_trials), workers, estimate, start)


@click.command(
    epilog="\b\nExample:\n  sandbox check my.yaml && sandbox run my.yaml",
)
@_with_scenario
@as_json
def check(scenario: str, as_json: bool, **options: Any) -> None:
    """Check SCENARIO and print all errors at once, each with its line. Trains nothing.

    Whether the agent fits an environment (its actions and observations) is checked for those that
    come with the sandbox or with Gymnasium; `sandbox plan` checks it for all others.
    """
    loaded = _load(scenario, options)
    if as_json:
        print_json(loaded.resolved())
    else:
        click.echo(f"ok: {_headline(loaded)}{_on_torch(loaded)}{_unasked(loaded)}")


def _on_torch(scenario: "Scenario") -> str:
    """Why no trial can have the faster engine, where one was wanted."""
    from sandbox.scenario import engines  # noqa: PLC0415  (as above)

    return f"; {engines.line(scenario)}" if engines.reasons(scenario) else ""


def _engine(scenario: "Scenario") -> dict[str, Any]:
    from sandbox.scenario import engines  # noqa: PLC0415  (as above)

    return {"engines": engines.engines(scenario), "why_torch": engines.reasons(scenario)}


def _unasked(scenario: "Scenario") -> str:
    """Envs that the agent was not tried on: making one may run any code."""
    from sandbox.env_index import entries  # noqa: PLC0415
    from sandbox.scenario.fit import made_here  # noqa: PLC0415

    known = entries()
    third_party_envs = [each["id"] for each in scenario.envs if not made_here(each, known)]
    if not third_party_envs:
        return ""
    names = ", ".join(dict.fromkeys(third_party_envs))
    return f" (not checked: whether the agent fits {names}; `sandbox plan` checks that)"


def _load(scenario: str, options: dict[str, Any]) -> "Scenario":
    from sandbox.scenario.load import load  # noqa: PLC0415  (pydantic and Gymnasium)

    keys = ("overrides", "seeds", "smoke", "max_trials")
    return load(scenario, **{key: options[key] for key in keys})


def _headline(scenario: "Scenario") -> str:
    from sandbox.design import count_conditions  # noqa: PLC0415
    from sandbox.scenario import trials  # noqa: PLC0415

    conditions = count_conditions(scenario.levers, scenario.design)
    steps = named(scenario.agent["learner"]).total_steps
    factors = (
        f"{counted(conditions, 'condition')} x {counted(len(scenario.envs), 'env')}"
        f" x {counted(len(scenario.seeds), 'seed')}"
    )
    total = counted(trials.count(scenario), "trial")
    return f"{scenario.name}: {total} ({factors}) of {steps:,} steps"


def _rehearsed(trial: "PlannedTrial", seen: "dict[str, Rehearsal]") -> "Rehearsal":
    """Rehearse once for all trials that differ only in seed, salt and the name of a condition.

    Raises ``InputError`` where it could not even start: nothing was, and none of them would.
    """
    from sandbox.trial.rehearsal import rehearse  # noqa: PLC0415  (torch)

    spec, left_out = trial.spec, {"seed", "salt", "condition", "probes"}
    key = json.dumps({k: v for k, v in spec.items() if k not in left_out}, sort_keys=True)
    if key not in seen:
        where = f"condition {trial.condition_name}, env {_env(spec)}"
        try:
            seen[key] = rehearse(spec)
        except TrialError as error:
            raise InputError(Problem(where, str(error))) from error
        except (ArithmeticError, RuntimeError, TypeError, ValueError) as error:
            raise InputError(Problem(where, f"a trial would fail: {error}")) from error
    return seen[key]


def _planned(trial: Any, rehearsed: "Rehearsal", seeds: int) -> dict[str, Any]:
    return {
        "condition": trial.condition_name,
        "env": _env(trial.spec),
        "trials": seeds,
        "steps": named(trial.spec["learner"]).total_steps,
        "parameters": rehearsed.parameters,
        "flops": rehearsed.flops,
        "seconds": rehearsed.seconds,
    }


def _env(spec: dict[str, Any]) -> str:
    return str(spec["env"].get("name") or spec["env"]["id"])


def _check_folder(folder: Path) -> None:
    """Raise ``InputError`` before anything is written where the run could not live."""
    from sandbox.record.store import is_run  # noqa: PLC0415

    where = str(folder)
    if folder.is_symlink() and not folder.exists():
        raise InputError(Problem(where, "is a broken link; give another --out"))
    inside = [each for each in folder.absolute().parents if is_run(each)]
    if inside:
        raise InputError(Problem(where, f"lies in the run {inside[0]}; give another --out"))
    here = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    if not here.is_dir() or not os.access(here, os.W_OK | os.X_OK):
        raise InputError(Problem(where, f"cannot be written ({here}); give another --out"))


def _conclude(done: "Experiment") -> None:
    say("\n".join(registered(done.record.registration)) + "\n")
    if done.verdicts:
        verdicts(done.verdicts)
    tails(done.record, done.verdicts)
    averages(done.record)
    for trial in done.failed:
        reason = trial.status.get("reason", "unknown")
        place = f"{trial.condition_name}, {_env(trial.spec)}, seed {trial.spec['seed']}"
        click.echo(f"failed: trial {trial.id} ({place}): {reason}", err=True)
    say(f"\nhead: {done.record.log[-1]['hash']} (keep it, too: it depends on the results)")
    say(f"report: {done.report_path}")
    if done.failed:
        raise click.exceptions.Exit(1)
