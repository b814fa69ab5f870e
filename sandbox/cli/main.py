"""The command ``sandbox``: parse, call, print. Nothing heavy is imported before it is needed.

Exit codes: 0 done; 1 some trial failed; 2 bad input, nothing started; 3 integrity refused;
5 disk or memory used up; 130 and 143 interrupted, resumable.
"""

import contextlib
import errno
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from sandbox import __version__
from sandbox.cli.commands import Commands
from sandbox.cli.output import silence
from sandbox.errors import InputError, ResourceError, SandboxError, fault

GO_ON = "run the same command again to go on"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.ENOMEM}
_EXAMPLES = """
\b
First steps:
  sandbox list scenarios                  what there is to run
  sandbox plan quickstart                 how many trials, how long
  sandbox run quickstart --smoke          a short test that everything works
  sandbox run quickstart                  the whole run; repeat it to resume
  sandbox report runs/quickstart-...      write its report again
\b
Looking around:
  sandbox list envs                       all environments
  sandbox show coin_grid                  settings, map, reference policies
  sandbox play coin_grid                  play it with the arrow keys
  sandbox check my_scenario.yaml          all errors, with their lines
  sandbox new env my_world                a package to start from
"""


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_EXAMPLES,
)
@click.version_option(__version__, prog_name="sandbox")
@click.option("--debug", is_flag=True, help="Show the traceback of an internal error.")
@click.pass_context
def cli(context: click.Context, debug: bool) -> None:
    """A laboratory for reinforcement-learning agents that modify themselves.

    A scenario (a YAML file) asks one question: it names worlds, an agent and the levers to vary.
    A run answers it with trials, a verdict and a report.
    """
    del debug  # read before anything is parsed, see `main`
    if context.invoked_subcommand != "doctor":  # which reports more about it
        from sandbox.guard import check_names  # noqa: PLC0415  (`--help` needs no guard)

        check_names()


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Entry point of the console script; ends the process with the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        signal.signal(signal.SIGTERM, _terminate)
        code = _ended(given)
    except _Terminated:
        code = _say(f"interrupted{_go_on(given)}", 143)
    sys.exit(code)


def _ended(arguments: list[str]) -> int:
    """Run one command; every way it can end becomes an exit code and a line."""
    debug = "--debug" in arguments
    arguments = [each for each in arguments if each != "--debug"]
    try:
        code = cli.main(arguments, prog_name="sandbox", standalone_mode=False)
        if sys.stdout is not None:  # closed by the calling process
            sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _say(f"interrupted{_go_on(arguments)}", 130)
    except SandboxError as error:
        text = str(error)
        return _say(text if "error: " in text else f"error: {text}", error.exit_code)
    except BrokenPipeError:
        silence()
        return 0
    except (Exception, SystemExit) as error:
        if debug:
            raise
        return _unforeseen(error, arguments)
    return code if isinstance(code, int) else 0


def _go_on(arguments: Sequence[str]) -> str:
    """Only a run goes on where it was; any other command just starts again."""
    return f"; {GO_ON}" if arguments[:1] == ["run"] else ""


def _unforeseen(error: Exception | SystemExit, arguments: Sequence[str]) -> int:
    if isinstance(error, SystemExit):
        return _say(f"error: a plug-in ended the program: {fault(error)}", 1)
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in _FULL):
        full = "memory" if isinstance(error, MemoryError) else "disk or memory"
        return _say(
            f"error: {full} is used up ({error}); free some{_go_on(arguments)}",
            ResourceError.exit_code,
        )
    if isinstance(error, OSError) and error.filename is not None:
        return _say(f"error: {error.filename}: {error.strerror}", InputError.exit_code)
    what = f"{type(error).__name__}: {error}".splitlines()[0]
    hint = "the same command with --debug shows where; please report it"
    return _say(f"internal error: {what} ({hint})", 1)


def _say(text: str, code: int) -> int:
    with contextlib.suppress(OSError):
        click.echo(text, err=True)
    return code


class _Terminated(BaseException):
    """SIGTERM, as an exception, so that every ``finally`` runs.

    No ``SystemExit``: guards against ``sys.exit`` in third-party code must not catch it.
    """


def _terminate(_signal: int, _frame: object) -> NoReturn:
    raise _Terminated
