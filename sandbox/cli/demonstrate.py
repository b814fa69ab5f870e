"""``demonstrate``: write episodes to a file, for agents and value models to learn from."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sandbox.cli.output import as_json, print_json, say, with_plugins
from sandbox.words import counted

if TYPE_CHECKING:
    from sandbox.play.demonstrations import Shown

_EXAMPLES = """
\b
Examples:
  sandbox demonstrate coin_grid --policy reward_optimal --episodes 50 --out shown.npz
  sandbox demonstrate --run runs/quickstart-1a2b3c4d --trial 3f --out shown.npz
  sandbox demonstrate --minari coin/expert-v0 --out shown.npz
"""


@click.command(epilog=_EXAMPLES)
@click.argument("env", required=False)
@click.option("--policy", metavar="NAME", help="Record this reference policy in the world ENV.")
@click.option("--run", type=click.Path(path_type=Path), help="Record a trained agent of this run.")
@click.option(
    "--trial", metavar="ID", help="With --run: which trial, by its id or the beginning of its id."
)
@click.option(
    "--minari", metavar="NAME", help="Convert this Minari data set, which must be on this machine."
)
@click.option("--agent", metavar="NAME", help="Which agent to record, if there are several.")
@click.option(
    "--set", "assignments", multiple=True, metavar="KEY=VALUE", help="A setting of the world."
)
@click.option(
    "--episodes",
    type=click.IntRange(min=1),
    help="How many; default: 100, with --minari all.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="The file to write, .npz.",
)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@with_plugins
@as_json
def demonstrate(
    out: Path, force: bool, as_json: bool, plugins: tuple[str, ...], **given: Any
) -> None:
    """Record whole episodes (observations and actions) to a file, as demonstrations.

    The policy is a reference policy of the world ENV (--policy) or the final agent of a finished
    trial, without the controls of its training (--run); or the episodes are taken from a Minari
    data set (--minari).

    The control `demonstrations` shows such a file to an agent, and value models learn from it
    (docs/objectives.md). The SHA-256 of the file is printed; a run records it, so that a file that
    was changed is noticed.
    """
    from sandbox.errors import InputError, Problem  # noqa: PLC0415
    from sandbox.play import demonstrations  # noqa: PLC0415

    del plugins
    _check(given)
    if out.exists() and not force:
        raise InputError(Problem(str(out), "exists already: name another file, or add --force"))
    found = demonstrations.write(_shown(given), out)
    if as_json:
        print_json(found)
        return
    mean = "" if found["mean_return"] is None else f", mean return {found['mean_return']:.4g}"
    span = f"{found['shortest']} to {found['longest']} steps each"
    say(f"{found['file']}: {counted(found['episodes'], 'episode')}, {span}{mean}")
    say(f"sha256: {found['sha256']}")


def _check(given: dict[str, Any]) -> None:
    """Raise ``InputError`` unless just one source is named, with what goes with it."""
    from sandbox.errors import InputError, Problem  # noqa: PLC0415

    named = [each for each in ("policy", "run", "minari") if given[each] is not None]
    if len(named) != 1:
        raise InputError("name just one of --policy, --run and --minari")
    (source,) = named
    goes = {"policy": {"env", "agent", "assignments"}, "run": {"trial", "agent"}, "minari": set()}
    for name in ("env", "agent", "trial", "assignments"):
        if given[name] and name not in goes[source]:
            option = {"env": "ENV", "assignments": "--set"}.get(name, f"--{name}")
            raise InputError(Problem(option, f"cannot be used with --{source}"))
    if source == "policy" and given["env"] is None:
        raise InputError(Problem("--policy", "needs the world that it is played in, ENV"))


def _shown(given: dict[str, Any]) -> "Shown":
    from sandbox.play import demonstrations  # noqa: PLC0415
    from sandbox.seeding import stream  # noqa: PLC0415

    if given["minari"] is not None:
        return demonstrations.of_minari(given["minari"], given["episodes"])
    episodes, rng = given["episodes"] or 100, stream(given["seed"], "demonstrations")
    if given["run"] is not None:
        agent = given["agent"]
        return demonstrations.of_trial(given["run"], given["trial"], episodes, rng, agent)
    world = _world(given["env"], given["assignments"])
    from sandbox.play.session import seat_of  # noqa: PLC0415

    seat = seat_of(world, given["agent"])
    return demonstrations.of_policy(world, given["policy"], episodes, rng, seat)


def _world(env: str, assignments: tuple[str, ...]) -> Any:
    from sandbox.errors import InputError, Problem  # noqa: PLC0415
    from sandbox.play import settings  # noqa: PLC0415

    world = settings.world(env, settings.assigned(assignments))
    if world is None:
        raise InputError(
            Problem(env, "is not a world of the sandbox, so it has no reference policies")
        )
    return world
