"""``play``: a person, or a reference policy, plays a world in the terminal."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from sandbox.cli.output import as_json, print_json, with_plugins

if TYPE_CHECKING:
    from sandbox.play.session import Mean, Result, Session

_EXAMPLES = """
\b
Examples:
  sandbox play coin_grid                       arrow keys, q ends it
  sandbox play whisky_gold --policy reward_optimal --delay 0.2
  sandbox play side_effects_sokoban --set level=1 --seed 3
  sandbox play coin_grid --option told=false --option coin=[4,0]
  echo "right right right uurdl 2" | sandbox play coin_grid
  sandbox play lab_race --agent lab_1 --others reward_optimal
  sandbox play coin_grid --policy random --episodes 200 --json
\b
Keys and words:
  arrow   the action up, down, left or right, where there are such actions
  digit   the action of this number, counted from 0
  letter  the action by the first letter of its name that no action before it has; the keys of
          all actions are shown below the map
Through a pipe: names, numbers or letters of actions, separated by blanks, commas or new lines.
An episode that was stopped early has totals, but no score.
"""


@click.command(epilog=_EXAMPLES)
@click.argument("env")
@click.option(
    "--policy",
    metavar="NAME",
    help="Let a reference policy play: random, reward_optimal, performance_optimal, most_harmful.",
)
@click.option(
    "--agent",
    metavar="NAME",
    help="Which agent to play, if there are several; default: the first.",
)
@click.option(
    "--others",
    metavar="NAME",
    help="Policy of the other agents; default: that of --policy, or random if you play.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Seed of levels and of chance in the world.",
)
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change a setting of the world.",
)
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="KEY=VALUE",
    help="Fix a random draw of the level, by a reset option that `sandbox show ENV` lists.",
)
@click.option(
    "--distribution", metavar="NAME", help="Which levels to play; see `sandbox show ENV`."
)
@click.option("--steps", type=click.IntRange(min=1), help="End each episode after this many steps.")
@click.option(
    "--episodes", type=click.IntRange(min=1), default=1, show_default=True, help="How many."
)
@click.option(
    "--delay",
    type=click.FloatRange(min=0, max=60),
    default=0.0,
    metavar="SECONDS",
    help="Wait after each step of a policy.",
)
@with_plugins
@as_json
def play(env: str, assignments: tuple[str, ...], plugins: tuple[str, ...], **given: Any) -> None:
    """Play the world ENV, or watch a reference policy play it.

    Shows the map with its legend, the last reward, the return and the steps left. At the end it
    shows the ground truth, which no agent sees (hidden reward, harm), and compares the totals with
    those of the reference policies. --json prints the totals only.

    A third-party environment is shown by its own text rendering, or by its observations. Here,
    unlike in all other commands, it runs without isolation: play only code that you trust.
    """
    from sandbox.play import settings as key_values  # noqa: PLC0415

    del plugins
    settings = key_values.assigned(assignments)
    world = key_values.world(env, settings)
    if world is None:
        _third_party(env, settings, given)
        return
    _ours(env, world, given)


def _ours(env: str, world: Any, given: dict[str, Any]) -> None:
    from sandbox.cli import play_screen  # noqa: PLC0415
    from sandbox.play import session  # noqa: PLC0415
    from sandbox.seeding import stream  # noqa: PLC0415

    world = _levels(world, given["distribution"])
    policy = given["policy"]
    rng = stream(given["seed"], "play")
    table = session.Session(
        world, session.seat_of(world, given["agent"]), given["others"] or policy or "random", rng
    )
    for each in {policy, table.others} - {None}:
        table.check(each)
    quiet = given["as_json"]
    delay = given["delay"] if policy else 0.0
    agent = world.agents[table.seat] if len(world.agents) > 1 else ""
    show = _unseen if quiet else play_screen.Screen(world, delay, policy is None, agent)
    with _moves(world.action_names, by_hand=policy is None) as moves:
        results = list(_episodes(table, moves, show, given))
    found = session.mean(table, results)
    if quiet:
        print_json(_account(env, world, results, found, given))
    else:
        play_screen.ending(world, results, found)


def _episodes(
    table: "Session", moves: Iterator[int], show: Callable[[Any], None], given: dict[str, Any]
) -> Iterator["Result"]:
    """As many episodes as were asked for, or as a person had moves for."""
    from sandbox.play.settings import assigned  # noqa: PLC0415

    limit, policy = given["steps"], given["policy"]
    options = assigned(given["options"], "--option")

    def episode(_: int) -> "Result":
        if policy is None:
            return table.episode(moves, show, options, limit)
        return table.policy_episode(policy, show, options, limit)

    return _while_moves_last(episode, given)


def _while_moves_last(
    episode: Callable[[int], "Result"], given: dict[str, Any]
) -> Iterator["Result"]:
    """Results of episode 0, 1, ...; an episode without any move is left out, except the first."""
    for i in range(given["episodes"]):
        result = episode(i)
        by_hand = given["policy"] is None
        left = by_hand and result.ended == "stopped" and result.steps != given["steps"]
        if i == 0 or result.steps or not left:
            yield result
        if left:
            return


def _levels(world: Any, name: str | None) -> Any:
    from sandbox.errors import InputError, Problem, did_you_mean  # noqa: PLC0415

    if name is None:
        return world
    there = world.distributions()
    if name not in there:
        what = f"no levels are called '{name}'; there are {', '.join(there)}"
        raise InputError(Problem("--distribution", what + did_you_mean(name, there)))
    return there[name]


def _unseen(moment: Any) -> None:
    """Show nothing: the totals are printed as JSON at the end."""
    del moment


@contextlib.contextmanager
def _moves(actions: Sequence[str], *, by_hand: bool) -> Iterator[Iterator[int]]:
    """A person's moves, by single keys where the terminal gives them."""
    from sandbox.play import keyboard  # noqa: PLC0415

    if not by_hand:
        yield iter(())
    elif keyboard.has_keys(actions):
        with keyboard.single_keys():
            yield keyboard.presses(actions)
    else:
        import sys  # noqa: PLC0415

        typed = sys.stdin is not None and sys.stdin.isatty()
        yield keyboard.lines(actions, "> " if typed else "")


def _account(
    env: str, world: Any, results: list["Result"], found: "Mean", given: dict[str, Any]
) -> dict[str, Any]:
    from sandbox.play.session import ORACLES_OF, scores  # noqa: PLC0415
    from sandbox.play.world_card import references  # noqa: PLC0415

    return {
        "env": env,
        "seed": given["seed"],
        "policy": given["policy"],
        "episodes": results,
        "mean": found,
        "oracles_of": world.agents[ORACLES_OF],
        "oracles": references(world),
        "normalised": scores(world, found),
    }


def _third_party(env: str, settings: dict[str, Any], given: dict[str, Any]) -> None:
    from sandbox.cli import play_third_party  # noqa: PLC0415
    from sandbox.errors import InputError, Problem  # noqa: PLC0415
    from sandbox.seeding import integer, stream  # noqa: PLC0415

    if given["policy"] not in {None, "random"}:
        what = "a third-party env has no reference policy but random"
        raise InputError(Problem(f"policy '{given['policy']}'", what))
    for option in ("options", "distribution", "agent", "others"):
        if given[option]:
            name = "--option" if option == "options" else f"--{option}"
            raise InputError(Problem(name, "means nothing to a third-party env"))
    made = play_third_party.made(env, settings)
    actions, seed = play_third_party.names_of(made), given["seed"]
    rng = stream(seed, "play")
    drawn = (int(rng.integers(len(actions))) for _ in iter(int, 1))

    def episode(i: int) -> "Result":
        rules = {"limit": given["steps"], "quiet": given["as_json"]}
        return play_third_party.episode(made, chosen, integer(seed, "play", i), **rules)

    with _moves(actions, by_hand=given["policy"] is None) as moves:
        chosen = moves if given["policy"] is None else drawn
        results = list(_while_moves_last(episode, given))
    made.close()
    if given["as_json"]:
        print_json({"env": env, "seed": seed, "policy": given["policy"], "episodes": results})
    else:
        play_third_party.ending(results)
