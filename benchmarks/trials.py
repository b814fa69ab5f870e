"""What a trial costs: the demo's by part, and sixty tiny ones as a whole command.

1. The trial of ``scenarios/quickstart.yaml`` (100,000 steps, its editor or frozen) in a warm
   process on one core, CPU time by part.
2. ``sandbox run benchmarks/tiny_trials.yaml --workers 2``: wall-clock time of the command, trials
   an hour, and how much of that time the runner computed. With ``PYTHONDONTWRITEBYTECODE`` set,
   workers compile what they import, in every trial.

Both beside ``--base``, a checkout of an older commit with a ``.venv`` of its own; by turns, medians
of the rounds, ratios within a round. Ends with 1 where one misses its target.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.contenders.asking import ROOT, Contender, machine, python_of
from benchmarks.contenders.tables import (
    Target,
    Window,
    Windows,
    markdown,
    percent,
    put_between_marks,
    rates,
    ratio,
    short_of,
    thousands,
    times,
)

TINY = ROOT / "benchmarks" / "tiny_trials.yaml"
TRIALS = 60
WORKERS = 2
STEPS = 100_000
KEPT = ROOT / "runs" / "benchmarks" / "trials.json"
SEED = 1000

TARGETS = (
    Target("quickstart", "ours edits", "base edits", 1.4),
    Target("quickstart", "ours frozen", "base frozen", 2.0),
    Target("tiny trials", "ours command", "base command", 1 / 0.55),
)


def quickstart(roots: Mapping[str, Path], rounds: int, core: int) -> Iterator[Windows]:
    """Whole trials in warm processes, by turns; a round has a seed of its own.

    What has been found so far, after each round.
    """
    asked = {
        name: Contender(python_of(root), "trial_parts", root, core) for name, root in roots.items()
    }
    found: dict[str, list[Any]] = {}
    for turn in range(rounds):
        for name, contender in asked.items():
            for arm in ("edits", "frozen"):
                window = contender.ask(arm=arm, seed=SEED + turn, steps=STEPS)
                found.setdefault(f"{name} {arm}", []).append(window | {"round": turn})
        yield found
    for each in asked.values():
        each.close()


# --- the whole command -------------------------------------------------------------------------


def tiny_trials(roots: Mapping[str, Path], rounds: int) -> Iterator[Windows]:
    """Whole commands, by turns. What has been found so far, after each round."""
    found: dict[str, list[Window]] = {}
    for turn in range(rounds):
        for name, root in roots.items():
            found.setdefault(f"{name} command", []).append(command(root) | {"round": turn})
        yield found


def command(root: Path) -> dict[str, float]:
    """One run: trials as ``steps``, wall-clock ``seconds``, CPU seconds of the runner."""
    with tempfile.TemporaryDirectory() as folder:
        line = [python_of(root), "-m", "sandbox", "run", str(TINY)]
        line += ["--workers", str(WORKERS), "--out", str(Path(folder) / "run")]
        begun = time.perf_counter()
        said = Path(folder) / "said"
        with said.open("wb") as file:
            started = subprocess.Popen(line, cwd=root, stdout=file, stderr=file)
        runner = 0.0
        while started.poll() is None:
            runner = _cpu_seconds(started.pid) or runner
            time.sleep(0.05)
        seconds = time.perf_counter() - begun
        if started.returncode:
            raise RuntimeError(f"{line} failed: {said.read_text(encoding='utf-8')}")
    return {"steps": TRIALS, "seconds": seconds, "runner": runner}


def _cpu_seconds(pid: int) -> float | None:
    """Of that process without its children; None when it is over."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except OSError:
        return None
    user, system = text.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


# --- tables ------------------------------------------------------------------------------------


def part_table(windows: Windows) -> str:
    """CPU milliseconds of a trial, a row a part; dearest first."""
    names = list(windows)
    middle = {name: _middle([each["parts"] for each in windows[name]]) for name in names}  # type: ignore[index]
    parts = sorted(
        {part for each in middle.values() for part in each}, key=lambda p: -_most(middle, p)
    )
    rows = [[part, *(f"{middle[name].get(part, 0.0):.0f}" for name in names)] for part in parts]
    whole = [
        f"{1000 * statistics.median(each['seconds'] for each in windows[n]):.0f}" for n in names
    ]
    speed = [thousands(rates(windows, name)) for name in names]
    head = ["CPU ms of a trial", *names]
    work = [f"{_of(windows[name], 'gigaflops'):.0f}" for name in names]
    return markdown(
        [
            head,
            *rows,
            ["whole", *whole],
            ["k steps/s", *speed],
            ["GFLOP", *work],
        ]
    )


def _of(found: Sequence[Window], what: str) -> float:
    return statistics.median(each.get(what, 0.0) for each in found)


def _middle(found: Sequence[Mapping[str, float]]) -> dict[str, float]:
    parts = {part for each in found for part in each}
    return {part: statistics.median(each.get(part, 0.0) for each in found) for part in parts}


def _most(middle: Mapping[str, Mapping[str, float]], part: str) -> float:
    return max(each.get(part, 0.0) for each in middle.values())


def command_table(windows: Windows) -> str:
    """A row a checkout."""
    rows: list[list[Any]] = [["", "wall s", "trials/hour", "runner busy"]]
    for name, found in windows.items():
        seconds = statistics.median(each["seconds"] for each in found)
        busy = statistics.median(each["runner"] / each["seconds"] for each in found)
        hour = f"{3600 * TRIALS / seconds:,.0f}"
        rows.append([name, f"{seconds:.1f}", hour, percent(busy)])
    return markdown(rows)


def sentence(results: Mapping[str, Windows]) -> str:
    """For the README."""
    whole, tiny = results.get("quickstart", {}), results.get("tiny trials", {})
    edits, frozen = (
        times(ratio(whole, f"ours {arm}", f"base {arm}")) for arm in ("edits", "frozen")
    )
    speed = thousands(rates(whole, "ours edits"))
    hour = 3600 * statistics.median(rates(tiny, "ours command"))
    return (
        f"Demo's trial: {speed} thousand steps/s, {edits} commit 36685ec"
        f" ({frozen} without edits); "
        f"{TRIALS} trials of 2048 steps: {hour:,.0f} an hour"
        f" ({times(ratio(tiny, 'ours command', 'base command'))})."
    )


def main() -> int:
    """Measure, or read what was measured before; print; write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, help="checkout of an older commit, with its .venv")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--only", choices=["quickstart", "tiny trials"], help="one of the two parts"
    )
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    parser.add_argument("--again", action="store_true", help=f"print {KEPT.name} of the last run")
    parser.add_argument("--write", type=Path, help="put a line into this file")
    given = parser.parse_args()
    if not given.again:
        measure(given)
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    for part, table in (("quickstart", part_table), ("tiny trials", command_table)):
        if part in kept:
            print(f"\n{part}; {kept[part]['where']}\n\n{table(kept[part]['windows'])}")
    results = {part: each["windows"] for part, each in kept.items()}
    print("\ntargets:")
    missed = short_of(results, TARGETS)
    if given.write:
        put_between_marks(given.write, "trials", sentence(results))
    return int(bool(missed))


def measure(given: argparse.Namespace) -> None:
    """Both parts or the one that is asked for; ``KEPT`` keeps what was found of the other."""
    roots = {"ours": ROOT} | ({"base": given.base.resolve()} if given.base else {})
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if given.only and KEPT.exists() else {}
    asked = {
        "quickstart": quickstart(roots, given.rounds, given.core),
        "tiny trials": tiny_trials(roots, given.rounds),
    }
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    for part, found in asked.items():
        loads = [os.getloadavg()[0]]
        for turn, windows in enumerate(found if given.only in {None, part} else ()):
            loads.append(os.getloadavg()[0])
            print(
                f"{part}, round {turn + 1} of {given.rounds}: load {loads[-1]:.1f}", file=sys.stderr
            )
            kept[part] = {"windows": windows, "where": machine(loads)}
            KEPT.write_text(json.dumps(kept), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
