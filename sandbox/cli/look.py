"""``list``, ``show`` and ``status``: the commands that only look."""

import time
from pathlib import Path
from typing import Any

import click

from sandbox.cli.output import as_json, print_json, rows_or_json, with_plugins
from sandbox.errors import did_you_mean


def _category(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    """A known category, also for its singular; otherwise the nearest one is suggested."""
    known = categories()
    for each in (value, f"{value}s"):
        if each is None or each in known:
            return each
    hint = did_you_mean(str(value), known)
    raise click.BadParameter(
        f"nothing is listed as '{value}'; choose from {', '.join(known)}{hint}"
    )


def categories() -> list[str]:
    """Everything that can be listed."""
    from sandbox.catalogue import PART_FOLDERS  # noqa: PLC0415  (`--help` needs none)

    return ["envs", *PART_FOLDERS, "agents", "scenarios", "plugins"]


_CONTENTS = {
    "envs": "environments: worlds of the sandbox, and all that Gymnasium and PettingZoo know here",
    "worlds": "environments of the sandbox, with ground truth and reference policies",
    "controls": "changes of the training environment, by intensity",
    "learners": "algorithms that train an agent",
    "objectives": "sources of reward",
    "values": "value models: models of another agent's values, for the objective learned_value",
    "edits": "changes an agent can propose of itself",
    "editors": "what decides which edit to propose",
    "levers": "interventions of the experimenter, by dose",
    "metrics": "numbers computed from a trial's events",
    "probes": "measurements of a live agent",
    "agents": "parts of agents: learners, objectives, value models, editors and edits together",
    "scenarios": "experiments that come with the sandbox",
    "plugins": "installed packages that add parts",
}


@click.command(
    "list",
    epilog="\b\nExamples:\n  sandbox list envs\n  sandbox list metrics --json",
)
@click.argument("what", callback=_category, required=False)
@with_plugins
@as_json
def list_(what: str | None, plugins: tuple[str, ...], as_json: bool) -> None:
    """List everything of one kind, with a line about each; without WHAT, list the kinds.

    WHAT: envs, worlds, controls, learners, objectives, values (value models), edits, editors,
    levers, metrics, probes, agents (all parts of agents), scenarios or plugins.
    """
    del plugins
    if what is None:
        rows = [
            {"what": each, "number": len(_rows(each)), "contents": _CONTENTS[each]}
            for each in categories()
        ]
        rows_or_json(rows, ["what", "number", "contents"], as_json)
        return
    rows = _rows(what)
    columns = [
        each for each in ("part", "name", "kind", "origin", "summary") if rows and each in rows[0]
    ]
    rows_or_json(rows, columns or ["name"], as_json)


def _rows(what: str) -> list[dict[str, Any]]:
    if what == "envs":
        return _envs()
    if what == "scenarios":
        return _scenarios()
    if what == "plugins":
        return _plugins()
    if what == "agents":
        from sandbox.catalogue import kind_name  # noqa: PLC0415

        return [
            {"part": kind_name(folder), **row}
            for folder in ("learners", "objectives", "values", "editors", "edits")
            for row in _rows(folder)
        ]
    from sandbox.catalogue import catalogue  # noqa: PLC0415

    parts = catalogue().parts(what)
    return [
        {"name": name, "origin": part.origin, "summary": part.summary}
        for name, part in sorted(parts.items())
    ]


def _envs() -> list[dict[str, Any]]:
    from sandbox.env_index import entries  # noqa: PLC0415  (Gymnasium: 0.2 s)

    return [
        {"name": each.id, "kind": each.kind, "origin": each.origin, "summary": each.summary}
        for each in entries().values()
    ]


def _scenarios() -> list[dict[str, Any]]:
    from sandbox.errors import InputError  # noqa: PLC0415
    from sandbox.scenario.source import shipped  # noqa: PLC0415
    from sandbox.scenario.strict_yaml import read  # noqa: PLC0415

    rows = []
    for name, path in sorted(shipped().items()):
        try:
            summary = str(read(path).data.get("question", ""))
        except InputError as error:
            summary = str(error.problems[0])
        rows.append({"name": name, "summary": summary, "path": str(path)})
    return rows


def _plugins() -> list[dict[str, Any]]:
    from sandbox.catalogue import catalogue  # noqa: PLC0415

    known = catalogue()
    origins = {part.origin for part in known.plugged.values()}
    origins |= {origin for _, origin in known.parallel.values()} | set(known.env_origins.values())
    rows = [{"name": each, "summary": "loaded"} for each in sorted(origins - set(known.broken))]
    return rows + [{"name": k, "summary": f"broken: {v}"} for k, v in sorted(known.broken.items())]


@click.command(
    epilog="\b\nExamples:\n  sandbox show coin_grid\n  sandbox show sandbox/CoinGrid-v0\n"
    "  sandbox show side_effects_sokoban --set level=1 --picture level1.png\n"
    "  sandbox show bandit --json\n  sandbox show runs/quickstart-1a2b3c4d\n"
    "  sandbox show runs/quickstart-1a2b3c4d --genome\n"
    "  sandbox show runs/quickstart-1a2b3c4d --genome 8:40 --picture genome.svg",
)
@click.argument("name")
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change a setting of the world.",
)
@click.option(
    "--picture",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a picture to FILE (.png for a world, .svg with --genome) and print only its path.",
)
@click.option(
    "--genome",
    "moments",
    is_flag=False,
    flag_value="start:end",
    metavar="[[FROM:]UPDATE]",
    help="For a run: show an agent's genome after UPDATE, with the changes since FROM marked. Each"
    " is start, end or the number of an update; the default is start:end.",
)
@click.option(
    "--trial",
    default="",
    metavar="ID",
    help="With --genome: which trial, by its id or the beginning of its id; default: the first.",
)
@click.option(
    "--agent", default="", metavar="NAME", help="With --genome: which agent, if there are several."
)
@with_plugins
@as_json
def show(
    name: str,
    *,
    assignments: tuple[str, ...],
    picture: Path | None,
    moments: str | None,
    trial: str,
    agent: str,
    plugins: tuple[str, ...],
    as_json: bool,
) -> None:
    """Show a part, an environment, a scenario or a run: what it is and its settings.

    NAME is a name from `sandbox list`, or a run folder. A world is shown with its rules, a map of
    one level, legend, actions, observations, the returns of its reference policies, and how its
    scores are normalised; another environment with its observation and action spaces. Only
    environments with discrete actions can be used, and with the learner `sac` continuous ones.

    With --genome, the genome of one agent of a run folder is shown: lines that begin with + are
    new, with - removed, with ~ changed.
    """
    if moments is not None:
        _genome(Path(name), moments, (trial, agent), picture, as_json)
        return
    if trial or agent:
        raise click.UsageError("--trial and --agent go with --genome")
    from sandbox.cli.show import described, printed  # noqa: PLC0415
    from sandbox.play.settings import assigned  # noqa: PLC0415

    settings = assigned(assignments)
    if picture is not None:
        from sandbox.play.world_card import draw  # noqa: PLC0415

        click.echo(str(draw(name, settings, picture)))
        return
    found = described(name, plugins, settings)
    if as_json:
        print_json(found if len(found) > 1 else found[0])
    else:
        click.echo("\n\n".join(printed(each) for each in found))


def _genome(
    run: Path, moments: str, whose: tuple[str, str], picture: Path | None, as_json: bool
) -> None:
    from sandbox.cli.genome import sight  # noqa: PLC0415

    found = sight(run, moments, *whose)
    if picture is not None:
        click.echo(str(found.draw(picture)))
    elif as_json:
        print_json(found.card())
    else:
        for line in found.printed().split("\n"):
            click.secho(line, fg=_COLOURS.get(line[:1]))


_COLOURS = {"+": "green", "-": "red", "~": "yellow"}


@click.command(
    epilog="\b\nExample:\n  sandbox status runs/quickstart-1a2b3c4d --watch",
)
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--watch", is_flag=True, help="Update every second until the run has ended.")
@as_json
def status(run: Path, watch: bool, as_json: bool) -> None:
    """Show how many trials of RUN are done, running, waiting or failed, and why they failed."""
    from sandbox.execution.status import status_of  # noqa: PLC0415

    while True:
        found = status_of(run)
        if as_json:
            print_json(found)
        else:
            click.echo(str(found))
        if not (watch and found.live):
            return
        time.sleep(1.0)
