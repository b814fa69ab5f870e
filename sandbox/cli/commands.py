"""The commands of ``sandbox`` and what each is for; one is imported when it is called."""

from importlib import import_module

import click

from sandbox.errors import did_you_mean

COMMANDS = {
    "run": ("sandbox.cli.run:run", "Run a scenario, or resume it, and write its report."),
    "register": (
        "sandbox.cli.run:register",
        "Register a scenario's claims before it is run; run nothing.",
    ),
    "plan": (
        "sandbox.cli.run:plan",
        "Show what a scenario's claims can show with its seeds, and how long it takes.",
    ),
    "check": ("sandbox.cli.run:check", "Check a scenario for errors; train nothing."),
    "list": ("sandbox.cli.look:list_", "List environments, parts, scenarios and plug-ins."),
    "show": ("sandbox.cli.look:show", "Describe one part, environment, scenario or run."),
    "play": ("sandbox.cli.play:play", "Play a world in the terminal."),
    "status": ("sandbox.cli.look:status", "Show the progress of a run."),
    "report": ("sandbox.cli.tools:report", "Write a run's report again."),
    "verify": ("sandbox.cli.tools:verify", "Check that no record of a run was changed."),
    "findings": (
        "sandbox.cli.results:findings",
        "Write what registered runs found, as files to be committed.",
    ),
    "judge": (
        "sandbox.cli.results:judge",
        "Judge claims about a table of trials by the rule of the laboratory.",
    ),
    "ledger": (
        "sandbox.cli.ledger:ledger",
        "Show which edits an agent proposed, and what was decided.",
    ),
    "replay": ("sandbox.cli.ledger:replay", "Run trials again and compare them with the record."),
    "demonstrate": ("sandbox.cli.demonstrate:demonstrate", "Record episodes as demonstrations."),
    "check-env": ("sandbox.cli.tools:check_env", "Check whether an environment can be used."),
    "tensorboard": ("sandbox.cli.tools:tensorboard", "Serve a run's curves with TensorBoard."),
    "doctor": ("sandbox.cli.tools:doctor", "Check this installation."),
    "selftest": (
        "sandbox.cli.selftest:selftest",
        "Recompute reference numbers and compare.",
    ),
    "new": ("sandbox.cli.tools:new", "Create a package with a new environment."),
}
"""Name -> (module and function, one line for ``sandbox --help``)."""


class Commands(click.Group):
    """A group that imports a command when it is named, and none to list them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names, sorted."""
        del ctx
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command; ``None`` where there is none of this name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, function = COMMANDS[cmd_name][0].partition(":")
        found: click.Command = getattr(import_module(module), function)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command to call; names the nearest where there is none of this name."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            ctx.fail(f"No such command '{name}'{did_you_mean(name, COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what each command is for."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])
