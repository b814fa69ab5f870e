"""Steps a second of the learner alone: both engines, SB3, an older commit and a JAX loop.

One warm process a contender, all on one core with one thread, asked by turns for about a second of
CPU time (JAX with edits in every third round: it compiles for seconds). 64 copies x 32 steps an
update (SB3's DummyVecEnv 8 x 256), two tanh layers of 64 units. Arms: ``plain``; ``edits``, layer 0
wider by 8 units and back, an edit every ten updates; ``fixed``, the same two sizes by turns and
never edited, asked period by period with the edits: edits / fixed compares equal sizes. Ratios are
within a round, then the median of the rounds. Ends with 1 where one misses its target.

``--base`` is a checkout of an older commit with a ``.venv`` of its own, asked as today's torch
path. The JAX loop is asked if ``JAX_PYTHON`` names a Python that has jax.
"""

import argparse
import itertools
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.contenders.asking import ROOT, Contender, machine, python_of
from benchmarks.contenders.tables import (
    Target,
    Windows,
    markdown,
    percent,
    put_between_marks,
    rates,
    ratio,
    share,
    short_of,
    spread,
    thousands,
    times,
)

WORLDS = {"cartpole": "CartPole", "coin_grid": "coin_grid, 76 inputs", "stream": "500 inputs"}
SETTINGS = {"64x10": (64, 10), "1024x4": (1024, 4)}  # steps a minibatch, epochs
CASES = [f"{world} {setting}" for world, setting in itertools.product(WORLDS, SETTINGS)]
BOTH = "edits, fixed"  # asked together, as they differ by little
KEPT = ROOT / "runs" / "benchmarks" / "learning.json"
NO_JAX = "python3 -m venv DIR && DIR/bin/pip install jax, then JAX_PYTHON=DIR/bin/python"

TARGETS = (
    Target("cartpole 64x10", "numpy plain", "base plain", 6.0),
    Target("cartpole 1024x4", "numpy plain", "base plain", 2.1),
    Target("coin_grid 64x10", "numpy plain", "base plain", 5.5),
    Target("coin_grid 1024x4", "numpy plain", "base plain", 1.8),
    Target("cartpole 64x10", "numpy plain", "sb3 plain", 9.0),
    Target("coin_grid 64x10", "numpy plain", "sb3 plain", 9.0),
    *(Target(case, "numpy edits", "numpy fixed", 0.95) for case in CASES),
    *(Target(case, "numpy edits", "jax edits", 4.5) for case in CASES),
)


@dataclass(frozen=True)
class Row:
    """A contender in the tables, and what it is asked.

    ``slow`` arms are not asked at 64x10, ``dear`` ones in every third round.
    """

    name: str
    title: str
    arms: tuple[str, ...] = ("plain",)
    slow: tuple[str, ...] = ()
    dear: tuple[str, ...] = ()

    def asked(self, case: str, turn: int) -> Iterator[str]:
        """Arms; an edit's share of ten updates of 0.5 s each is not worth waiting for."""
        skipped = self.slow if case.endswith("64x10") else ()
        skipped += self.dear if turn % 3 else ()
        return (arm for arm in self.arms if arm not in skipped)


ROWS = (
    Row("sb3", "SB3, `DummyVecEnv` of 8"),
    Row("sb3_batched", "SB3, 64 worlds in one pass"),
    Row("base", "today's torch path (`--base`)", ("plain", "edits"), ("edits",)),
    Row("torch", "`engine: torch`", ("plain", "edits"), ("edits",)),
    Row("numpy", "`engine: numpy`", ("plain", BOTH)),
    Row("jax", "JAX, all in one jit", ("plain", "edits"), dear=("edits",)),
)


def contenders(core: int, base: Path | None) -> dict[str, Contender]:
    """Those that are there; each starts when it is first asked."""
    here = str(sys.executable)
    found = {
        "sb3": Contender(here, "stock", core=core, fixed={"batched": False}),
        "sb3_batched": Contender(here, "stock", core=core, fixed={"batched": True}),
        "torch": Contender(here, "ours", core=core, fixed={"engine": "torch"}),
        "numpy": Contender(here, "ours", core=core, fixed={"engine": "numpy"}),
    }
    if base is not None:
        found["base"] = Contender(python_of(base), "ours", base, core, {"engine": ""})
    if "JAX_PYTHON" in os.environ:
        found["jax"] = Contender(os.environ["JAX_PYTHON"], "jax_loop", core=core)
    return found


def measure(
    asked: Mapping[str, Contender], cases: Sequence[str], rounds: int, seconds: float
) -> None:
    """Ask all of them by turns, round by round; what they answer is kept in ``KEPT``."""
    results: dict[str, dict[str, list[Any]]] = {case: {} for case in cases}
    loads = [os.getloadavg()[0]]
    for turn, case in itertools.product(range(rounds), cases):
        world, setting = case.split()
        minibatch, epochs = SETTINGS[setting]
        question = {"name": world, "minibatch": minibatch, "epochs": epochs, "seconds": seconds}
        for row in ROWS:
            for arm in row.asked(case, turn) if row.name in asked else ():
                answer = asked[row.name].ask(arm=arm, **question)
                for part, window in (answer if arm == BOTH else {arm: answer}).items():
                    windows = results[case].setdefault(f"{row.name} {part}", [])
                    windows.append(window | {"round": turn})
        loads.append(os.getloadavg()[0])
        print(f"round {turn + 1} of {rounds}, {case}: load {loads[-1]:.1f}", file=sys.stderr)
        keep(results, machine(loads))


def keep(results: Mapping[str, Windows], where: str) -> None:
    """Write what has been measured so far."""
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    KEPT.write_text(json.dumps([results, where]), encoding="utf-8")


# --- tables ------------------------------------------------------------------------------------


def whole_table(windows: Windows) -> str:
    """Everything that was measured in one case."""
    today = "base plain" if "base plain" in windows else "torch plain"
    head = [
        "contender, arm",
        "k steps/s",
        "least-most",
        "/ SB3 8",
        "/ SB3 64",
        "/ torch",
        "learning",
    ]
    rows = [
        [
            f"{row.title}, {arm}",
            thousands(rates(windows, who)),
            spread(rates(windows, who)),
            times(ratio(windows, who, "sb3 plain")),
            times(ratio(windows, who, "sb3_batched plain")),
            times(ratio(windows, who, today)),
            percent(share(windows, who)),
        ]
        for row in ROWS
        for arm in ("plain", "edits", "fixed")
        if (who := f"{row.name} {arm}") in windows
    ]
    return markdown([head, *rows])


def ratios_with_edits(windows: Windows) -> str:
    """What edits cost, and how the JAX loop compares."""
    pairs = (
        ("numpy, edits / none", "numpy edits", "numpy plain"),
        ("edits / none at equal sizes", "numpy edits", "numpy fixed"),
        ("torch, edits / none", "torch edits", "torch plain"),
        ("numpy / JAX, no edits", "numpy plain", "jax plain"),
        ("numpy / JAX, with edits", "numpy edits", "jax edits"),
    )
    return "; ".join(f"{what} {times(ratio(windows, a, b))}" for what, a, b in pairs)


SHORT = {
    "sb3 plain": "SB3",
    "sb3_batched plain": "SB3, 64 worlds",
    "base plain": "36685ec",
    "torch plain": "torch",
    "numpy plain": "NumPy",
    "numpy edits": "NumPy, edits",
    "jax plain": "JAX",
    "jax edits": "JAX, edits",
}


def short_table(results: Mapping[str, Windows]) -> str:
    """For the README: a row a world; both settings in a cell, thousand steps/s."""
    shown = [who for who in SHORT if any(who in windows for windows in results.values())]
    asked = [world for world in WORLDS if any(f"{world} {each}" in results for each in SETTINGS)]
    rows = [[WORLDS[world], *(_cell(results, world, who) for who in shown)] for world in asked]
    return markdown([["", *(SHORT[who] for who in shown)], *rows])


def _cell(results: Mapping[str, Windows], world: str, who: str) -> str:
    cases = (results.get(f"{world} {setting}", {}) for setting in SETTINGS)
    return " / ".join(thousands(rates(windows, who)) for windows in cases)


def report(results: Mapping[str, Windows], where: str) -> list[str]:
    """Print all; return the targets that were missed."""
    print(f"learner alone, thousand steps/s of one core; {where}")
    for case, windows in results.items():
        print(f"\n{case}\n\n{whole_table(windows)}\n\n{ratios_with_edits(windows)}")
    if not any("jax plain" in windows for windows in results.values()):
        print(f"\nJAX was not asked. To ask it: {NO_JAX}")
    print(f"\n{short_table(results)}\n\ntargets:")
    return short_of(results, TARGETS)


def main() -> int:
    """Measure, or read what was measured before; print; write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, help="checkout of an older commit, with its .venv")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="CPU time of a window, about")
    parser.add_argument("--cases", nargs="*", default=CASES, choices=CASES)
    names = [row.name for row in ROWS]
    parser.add_argument("--contenders", nargs="*", default=names, choices=names)
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    parser.add_argument("--again", action="store_true", help=f"print {KEPT.name} of the last run")
    parser.add_argument("--write", type=Path, help="put the short table into this file")
    given = parser.parse_args()
    if not given.again:
        there = contenders(given.core, given.base and given.base.resolve())
        asked = {name: each for name, each in there.items() if name in given.contenders}
        measure(asked, given.cases, given.rounds, given.seconds)
        for each in asked.values():
            each.close()
    results, where = json.loads(KEPT.read_text(encoding="utf-8"))
    missed = report(results, where)
    if given.write:
        put_between_marks(given.write, "learning", short_table(results))
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
