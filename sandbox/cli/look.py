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
    raise click.BadParameter(f"nothing is listed as '{value}'; there are {', '.join(known)}{hint}")


def categories() -> list[str]:
    """Everything that can be listed."""
    from sandbox.catalogue import PART_FOLDERS  # noqa: PLC0415  (`--help` needs none)

    return ["envs", "agents", *PART_FOLDERS, "scenarios", "plugins"]


@click.command(
    "list",
    epilog="\b\nExamples:\n  sandbox list envs\n  sandbox list metrics --json",
)
@click.argument("what", callback=_category, required=False)
@with_plugins
@as_json
def list_(what: str | None, plugins: tuple[str, ...], as_json: bool) -> None:
    """List what there is; alone, it says how many of each.

    WHAT: envs, agents, worlds, controls, learners, objectives, values, edits, editors, levers,
    metrics, probes, scenarios or plugins.
    """
    del plugins
    if what is None:
        rows = [{"what": each, "number": len(_rows(each))} for each in categories()]
        rows_or_json(rows, ["what", "number"], as_json)
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
        return [
            {"part": folder[:-1], **row}
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
    "--set", "assignments", multiple=True, metavar="KEY=VALUE", help="A setting of the world."
)
@click.option(
    "--picture",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a picture there, and print nothing but its path: of a world a .png, with --genome"
    " an .svg.",
)
@click.option(
    "--genome",
    "moments",
    is_flag=False,
    flag_value="start:end",
    metavar="[[FROM:]UPDATE]",
    help="Of a run: draw an agent's network and numbers as they were after that update, and mark"
    " what changed since FROM. Both are start, end or a number. Alone: start:end.",
)
@click.option("--trial", default="", metavar="ID", help="With --genome: the trial, by default the"
              " first; the beginning of its id is enough.")  # fmt: skip
@click.option("--agent", default="", metavar="NAME", help="With --genome: which agent of several.")
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
    """Show a part, an env, a scenario or a run folder: what it is and what can be set.

    A world is shown with its rules, a map of one level, legend, actions, observation, oracles and
    what its scores are normalised by; any other env with what it shows and which actions it takes;
    learners need Discrete ones.

    With --genome, the genome of one agent of a run folder is shown: lines that begin with +, -
    and ~ are new, removed and changed.
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
@click.option("--watch", is_flag=True, help="Look again every second until the run has ended.")
@as_json
def status(run: Path, watch: bool, as_json: bool) -> None:
    """Show how far RUN is: trials done, running, waiting and failed, each failure with why."""
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
