"""``ledger`` and ``replay``: an agent's edit history, and a re-run compared with the record."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sandbox.cli.output import as_json, print_json, rows_or_json, say, table, with_plugins
from sandbox.words import counted

if TYPE_CHECKING:
    from sandbox.execution.replay import Replayed
    from sandbox.record.ledger_view import Book

_run = click.argument("run", type=click.Path(path_type=Path))
_trial = click.option(
    "--trial", metavar="ID", help="One trial, by its id or the beginning of its id."
)


@click.command(
    epilog="\b\nExamples:\n"
    "  sandbox ledger runs/quickstart-1a2b3c4d                     a summary of its trials\n"
    "  sandbox ledger runs/quickstart-1a2b3c4d --trial 3f          every entry of one trial\n"
    "  sandbox ledger runs/quickstart-1a2b3c4d --trial 3f --graph  its edits as a tree\n"
    "  sandbox ledger runs/quickstart-1a2b3c4d --trial 3f --diff 1 9",
)
@_run
@_trial
@click.option(
    "--graph",
    is_flag=True,
    help="Draw the edits as a tree: each stands below the agent state it was applied to.",
)
@click.option(
    "--diff",
    nargs=2,
    type=click.IntRange(min=1),
    metavar="A B",
    help="Show how the genomes after entries A and B of one trial differ.",
)
@as_json
def ledger(
    run: Path, trial: str | None, graph: bool, diff: tuple[int, int] | None, as_json: bool
) -> None:
    """Show the ledger of one trial of RUN: every proposed edit and the gate's decision on it.

    \b
    entry        line number in ledger.jsonl; --diff and the edit `undo` refer to it
    parent       entry whose agent state this one was made from
    update       learner updates done before it
    what         the edit; or start, end, rolled back, probation, tampered
    settings     of the edit
    decision     applied, or rejected with the reason; `oscillation`: it returned to an
                 earlier genome
    claim check  the edit's claim compared with the network after it: confirmed, false claim,
                 silent no-op (claimed a change, nothing changed), or no claim (and no change)
    KL           mean KL divergence of the policy before and after the edit, in nats
    cost         FLOPs charged for the proposal
    parameters   of the network after it

    The hash chain of the ledger is checked first (exit code 3 if it is broken). Where RUN has
    several trials and --trial names none of them, they are summarised, one line per trial.
    """  # noqa: D301  (click reads the backspace)
    from sandbox.record.ledger_view import Book  # noqa: PLC0415
    from sandbox.record.store import named, read_run  # noqa: PLC0415

    books = [Book.of(each) for each in named(read_run(run), trial)]
    if len(books) > 1 and not graph and not diff:
        rows_or_json([each.counts() for each in books], list(books[0].counts()), as_json)
    elif diff:
        _differences(only(run, books), *diff, as_json)
    elif graph:
        for book in books:
            say(f"trial {book.trial.id} ({book.trial.condition_name})")
            say("\n".join(book.graph()))
    elif as_json:
        print_json(books[0].entries)
    else:
        _table(books[0])


def only(run: Path, books: "list[Book]") -> "Book":
    """The one trial there is. Raises ``InputError`` where there are several."""
    from sandbox.errors import InputError, Problem  # noqa: PLC0415

    if len(books) > 1:
        what = f"--diff compares two entries of one trial, and these are {len(books)} trials"
        how = "add --trial ID; without --diff, this command lists the ids"
        raise InputError(Problem(str(run), f"{what}: {how}"))
    return books[0]


def _table(book: "Book") -> None:
    from sandbox.record.ledger_view import COLUMNS  # noqa: PLC0415

    rows = book.rows()
    if not rows:
        say(
            "no entry: the trial failed before its agent was initialised; `sandbox status` says why"
        )
        return
    columns = [*COLUMNS[:1], "agent", *COLUMNS[1:]] if "agent" in rows[0] else list(COLUMNS)
    table(rows, columns)


def _differences(book: "Book", one: int, other: int, json_: bool) -> None:
    from sandbox.pictures.genome_changes import changes  # noqa: PLC0415

    found = changes(book.genome(one), book.genome(other))
    rows = [
        {
            "what": each.path,
            "": each.mark,
            f"after {one}": each.before,
            f"after {other}": each.after,
        }
        for each in found
    ]
    if not rows and not json_:
        say(f"the genomes after entries {one} and {other} are the same")
    else:
        rows_or_json(rows, list(rows[0]) if rows else [], json_)


@click.command(
    epilog="\b\nExamples:\n  sandbox replay runs/quickstart-1a2b3c4d --trial 3f\n"
    "  sandbox replay runs/quickstart-1a2b3c4d",
)
@_run
@_trial
@with_plugins
@as_json
def replay(run: Path, trial: str | None, plugins: tuple[str, ...], as_json: bool) -> None:
    """Run the finished trials of RUN again, in memory, from their specs and seeds alone.

    Every line of the ledger and of the events, and every weight, must be the same; otherwise the
    first that differs is named and the exit code is 3. This takes as long as the trials took. It
    finds what `verify` cannot: a ledger that was changed and whose hash chain was recomputed.

    Another version of torch or numpy may change last digits; the message then says so. Plug-ins of
    the run are named again with --plugin.
    """
    from sandbox.execution import replay as replayer  # noqa: PLC0415

    found = replayer.replay(run, trial, plugins, lambda each: None if as_json else _say(each))
    if as_json:
        print_json(found)


def _say(each: "Replayed") -> None:
    say(
        f"ok: trial {each.trial} ({each.condition}, seed {each.seed}):"
        f" {counted(each.entries, 'ledger line')}, {counted(each.events, 'event')} and"
        f" {counted(each.files, 'file')} of weights the same, head {each.head}"
    )
