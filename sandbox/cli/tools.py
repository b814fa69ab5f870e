"""``report``, ``verify``, ``check-env``, ``tensorboard``, ``doctor`` and ``new``."""

import errno
import socket
import subprocess
import sys
from pathlib import Path

import click

from sandbox.cli.output import as_json, findings, print_json, with_plugins
from sandbox.errors import InputError, Problem
from sandbox.words import counted

_run = click.argument("run", type=click.Path(path_type=Path))


@click.command(
    epilog="\b\nExample:\n  sandbox report runs/quickstart-1a2b3c4d",
)
@_run
@with_plugins
def report(run: Path, plugins: tuple[str, ...]) -> None:
    """Write report.html (one file, readable offline) and results.jsonl of RUN again.

    RUN is verified first; if any of its records was changed, nothing is written and the exit code
    is 3, as with `verify`.
    """
    from sandbox import api  # noqa: PLC0415
    from sandbox.execution.verify import verify  # noqa: PLC0415

    del plugins  # plugged in by the option itself
    verify(run)
    experiment = api.load(run)
    api.derive(experiment)
    click.echo(str(experiment.report_path))


@click.command(
    epilog="\b\nExamples:\n  sandbox verify runs/quickstart-1a2b3c4d\n"
    "  sandbox verify runs/quickstart-1a2b3c4d --head 9f86d0...",
)
@_run
@click.option(
    "--head",
    metavar="HEX",
    help="The head, or registration hash, that an earlier command printed; compare it, too.",
)
@with_plugins
@as_json
def verify(run: Path, head: str | None, plugins: tuple[str, ...], as_json: bool) -> None:
    """Check that no record in RUN was changed after it was written; exit code 3 if one was.

    Registration, manifest, scenario, ledgers, events and weights are compared with their hashes.
    The command prints a head: the hash of the manifest's last line, on which all earlier lines
    and with them all records depend. Rewriting them consistently changes it, so keep it, or the
    registration hash, outside the folder and give it with --head next time: it must be among the
    hashes of the lines. Nothing here shows whether the same question was run in other folders
    before, or what other code on this machine (a sitecustomize, a changed package) did.
    """
    from sandbox.execution import verify as verifier  # noqa: PLC0415

    del plugins  # as in `report`

    found = verifier.verify(run, head)
    if as_json:
        print_json(found)
        return
    click.echo(
        f"ok: {counted(found.trials, 'trial')}, {counted(found.entries, 'ledger line')},"
        f" {counted(found.files, 'file')} unchanged"
    )
    if found.unfinished:
        click.echo(f"not checked, as they are unfinished: {', '.join(found.unfinished)}")
    for each in found.notes:
        click.echo(f"note: {each}")
    click.echo(f"registration: {found.registration}")
    click.echo(f"head: {found.head}")
    click.echo(
        f"not checked, as they are made from the records: {', '.join(verifier.DERIVED)} (`sandbox"
        " report` writes the first two again)"
    )


@click.command(
    "check-env",
    epilog="\b\nExamples:\n  sandbox check-env CartPole-v1\n"
    "  sandbox check-env sandbox/CoinGrid-v0 --set size=7",
)
@click.argument("env_id", metavar="ID")
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="KEY=VALUE",
    help="A keyword argument of the environment.",
)
@click.option(
    "--limit",
    type=click.FloatRange(min=0, min_open=True, max=1e7),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="An environment that does not respond for this long counts as hanging.",
)
@with_plugins
@as_json
def check_env(
    env_id: str, assignments: tuple[str, ...], limit: float, plugins: tuple[str, ...], as_json: bool
) -> None:
    """Check whether the environment ID can be used in trials.

    Runs the checkers of Gymnasium and Stable-Baselines3, then checks determinism, seeding,
    isolation between instances, ends of episodes, that `info` holds no ground truth, and speed.
    The checks run in a process of their own, so that a hang or a crash is reported, too.
    """
    from sandbox.checkup import check_process  # noqa: PLC0415
    from sandbox.play import settings  # noqa: PLC0415

    if ":" in env_id:
        what = "holds a colon, which would import a module; use --plugin MODULE"
        raise InputError(Problem(f"env '{env_id}'", what))
    findings(check_process.check(env_id, settings.assigned(assignments), plugins, limit), as_json)


@click.command(
    epilog="\b\nExample:\n  sandbox tensorboard runs/quickstart-1a2b3c4d --port 6007",
)
@_run
@click.option("--port", type=click.IntRange(0, 65535), default=6006, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--films", is_flag=True, help="Draw the films of all seeds, not of the first only.")
def tensorboard(run: Path, port: int, host: str, *, films: bool) -> None:
    """Serve the curves of RUN with TensorBoard, updated while it runs, until Ctrl-C."""
    from sandbox.record.store import read_run  # noqa: PLC0415

    read_run(run)
    _check_free(host, port)
    board = run / "tensorboard"
    if films or not board.is_dir():
        from sandbox.tensorboard.writer import rebuild  # noqa: PLC0415

        rebuild(run, films=films)
    where = ["--logdir", str(board), "--host", host, "--port", str(port)]
    command = [sys.executable, "-m", "tensorboard.main", *where]
    click.echo(f"http://{host}:{port}/  (Ctrl-C ends it)")
    with subprocess.Popen(command) as server:  # noqa: S603  (our interpreter, checked words)
        try:
            code = server.wait()
        except KeyboardInterrupt:
            code = 0
        finally:
            server.terminate()
    raise click.exceptions.Exit(1 if code else 0)


def _check_free(host: str, port: int) -> None:
    """Raise ``InputError`` where the port cannot be opened; TensorBoard's message is long."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            what = f"port {port} is in use: give another --port"
        else:
            what = f"cannot listen at {host}, port {port}: {error.strerror}"
        raise InputError(what) from None


@click.command(epilog="\b\nExample:\n  sandbox doctor --json")
@as_json
def doctor(as_json: bool) -> None:
    """Check this installation: versions, import times, name clashes, plug-ins, write access."""
    from sandbox.checkup.doctor import examine  # noqa: PLC0415

    findings(examine(), as_json)


@click.group()
def new() -> None:
    """Create files to start from: `env` writes a package with an environment."""


@new.command(epilog="\b\nExample:\n  sandbox new env my_world && pip install -e my_world")
@click.argument("name")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path(),
    help="Folder to write it in; default: here.",
)
def env(name: str, out: Path) -> None:
    """Write a package with an environment NAME.

    It holds a small working environment, a scenario that uses it, tests, and the entry point by
    which the sandbox finds it once the package is installed.
    """
    from sandbox.checkup.new_env import write  # noqa: PLC0415

    for path in write(name, out):
        click.echo(str(path))
