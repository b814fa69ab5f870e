"""The price of rewriting in time: every edit on the shelf, and the machinery at zero edits.

An edit is timed from the gate's judgement to the last line of its ledger entry: rewrite, surgery,
installation, read-back from the live learner, behaviour before and after on 1024 observations,
hashes of all weights. "Surgery" is its own part: making the new mind and installing it. CPU time of
one thread; the median of several rounds, each from the same mind. The target is 5 ms.

The machinery is timed on whole updates: a trial with the editor ``fixed``, which proposes nothing,
by turns with the bare learner on the same world and seed. The target is 2 % of training time.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from agents.architecture import cost
from agents.contract import AgentState, Edit, EditEvidence, RefusedEditError, View
from agents.edits.set_editor import SetEditor
from agents.edits.undo import Undo
from agents.genome import Architecture, Guard, Layer
from sandbox.catalogue import catalogue
from sandbox.contract import Spec
from sandbox.gate.gate import Gate
from sandbox.record.ledger import canonical
from sandbox.trial import loop
from sandbox.trial.edit_step import consider
from sandbox.trial.live_trial import LiveTrial
from sandbox.trial.rehearsal import NullRecorder

ROUNDS = 7
TARGET_MS = 5.0
UPDATES, SHARE = 150, 0.02

Layers = tuple[Layer, ...]


def architectures(units: int) -> dict[str, Architecture]:
    """Nets on which every edit finds something to do, about alike in size."""
    dense = Layer("dense", units)
    sparse = Layer("dense", units, density=0.5)
    few = max(4, units // 4)
    return {
        "dense": Architecture((dense, dense)),
        "relu": Architecture((dense, dense), "relu"),
        "normed": Architecture((dense, Layer("norm", units), dense)),
        "residual": Architecture((dense, Layer("residual", units))),
        "sparse": Architecture((sparse, sparse)),
        "mixture": Architecture((Layer("dense", units), Layer("mixture", few, count=3))),
        "guarded": Architecture((dense, dense), guards=(Guard("clamp"),)),
        "history": Architecture((Layer("dense", units), dense), history=2),
    }


def spec_of(architecture: Architecture, editor: Mapping[str, Any], **learner: Any) -> Spec:
    """A trial in a 5 x 5 world of 76 inputs, of any length."""
    settings = {"num_envs": 64, "steps_per_update": 32, "total_steps": 10**9, **learner}
    return {
        "env": {"id": "sandbox/CoinGrid-v0", "kwargs": {}},
        "learner": {"ppo": settings},
        "architecture": architecture.to_json(),
        "objective": {"extrinsic": {"weight": 1.0}},
        "editor": editor,
        "gate": {"allow_objective": True},
        "controls": {},
        "probes": {},
        "seed": 0,
        "salt": 0,
        "condition": {},
    }


# --- edits -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Timed:
    """Milliseconds of one edit on one net."""

    edit: str
    net: str
    parameters: int
    whole: float
    surgery: float


def living(architecture: Architecture) -> tuple[LiveTrial, View]:
    """A trial after two updates, and what its editor sees."""
    trial = loop.begin(spec_of(architecture, {"recursive": {"depth": 1}}), NullRecorder())
    for _ in range(2):
        loop._step(trial)  # noqa: SLF001  (a benchmark times the parts of a trial)
    return trial, loop._view(trial, "agent")  # noqa: SLF001


def wanted(name: str, kind: type[Edit], view: View, entry: int) -> Edit | None:
    """The edit to time: its first candidate, or what only an editor could know."""
    if name == "undo":
        return Undo.of(entry, view.genome)
    if name == "set_editor":
        return SetEditor(name="step_1", factor=1.25)
    return next(iter(kind.candidates(view)), None)


def timed(trial: LiveTrial, view: View, name: str, edit: Edit, net: str) -> Timed:
    """Do the edit again and again to the same mind. Raises ``RefusedEditError``."""
    agent_run, whole, surgery = trial.agent_runs["agent"], [], []
    before, gate = agent_run.learner.agent_state(), Gate(allow_objective=True)
    for _ in range(ROUNDS):
        begun = time.process_time()
        edit_outcome = consider(agent_run, "agent", edit, gate, 0.0)
        canonical(edit_outcome.entry(agent_run.editor.state()))
        whole.append(1000 * (time.process_time() - begun))
        if not edit_outcome.ruling.allowed:
            raise RefusedEditError(edit_outcome.ruling.reason)
        agent_run.become(before)
        surgery.append(1000 * _operation(trial, before, edit))
        agent_run.become(before)
    size = cost.parameters(before.genome, *view.sizes)
    return Timed(name, net, size, statistics.median(whole), statistics.median(surgery))


def _operation(trial: LiveTrial, before: AgentState, edit: Edit) -> float:
    """Seconds of making the new mind and installing it, with nobody looking."""
    agent_run = trial.agent_runs["agent"]
    evidence = EditEvidence(agent_run.learner.look(), agent_run.before)
    begun = time.process_time()
    agent_run.learner.install(edit.apply_seeing(before, np.random.default_rng(0), evidence))
    return time.process_time() - begun


def all_edits(units: int) -> Iterator[Timed | str]:
    """Each edit on the first net where it can be done; else its name."""
    left = dict(sorted(catalogue().parts("edits").items()))
    for net, architecture in architectures(units).items():
        trial, view = living(architecture)
        agent_run = trial.agent_runs["agent"]
        agent_run.past[1] = agent_run.learner.agent_state()
        for name, part in list(left.items()):
            edit = wanted(name, part.load(), view, 1)
            if edit is None:
                continue
            try:
                yield timed(trial, view, name, edit, net)
            except RefusedEditError:
                continue
            del left[name]
    yield from left


def report_edits(units: int) -> None:
    """Print every edit, dearest first."""
    found = list(all_edits(units))
    rows = sorted((e for e in found if isinstance(e, Timed)), key=lambda e: -e.whole)
    idle = [each for each in found if isinstance(each, str)]
    mean = statistics.mean(each.whole for each in rows)
    surgery = statistics.mean(each.surgery for each in rows)
    sizes = [each.parameters for each in rows]
    print(
        f"{len(rows)} edits, {min(sizes):,} to {max(sizes):,} parameters: mean {mean:.1f} ms",
        end=" ",
    )
    print(f"(target {TARGET_MS:g}), of which surgery {surgery:.1f} ms")
    for each in rows:
        print(f"  {each.edit:20} {each.net:9} {each.whole:7.1f} ms, surgery {each.surgery:6.1f} ms")
    if idle:
        print(f"  not timed, as they need other members or another world: {', '.join(idle)}")


# --- zero edits --------------------------------------------------------------------------------


def overhead(units: int, editor: Mapping[str, Any]) -> tuple[float, float, float]:
    """(ms of a bare update, share added by the record of the truth, share by all the rest).

    Medians of updates, done by turns: the learner alone, the learner with a recorder behind the
    glass of its world, and a whole trial.
    """
    architecture = Architecture((Layer("dense", units), Layer("dense", units)))
    alone, watched, whole = (
        loop.begin(spec_of(architecture, editor), NullRecorder()) for _ in range(3)
    )
    for each in (watched, whole):
        loop._start(each, "benchmark")  # noqa: SLF001  (a benchmark times the parts of a trial)

    def recorded() -> None:
        watched.population.update()
        watched.recorder.means()

    turns = (alone.population.update, recorded, lambda: loop._step(whole))  # noqa: SLF001
    times: list[list[float]] = [[], [], []]
    for _ in range(UPDATES):
        for found, turn in zip(times, turns, strict=True):
            found.append(_once(turn))
    base, truth, everything = map(statistics.median, times)
    return 1000 * base, truth / base - 1, (everything - truth) / base


def _once(update: Callable[[], object]) -> float:
    begun = time.process_time()
    update()
    return time.process_time() - begun


def report_overhead() -> None:
    """Print what the laboratory costs when nothing is edited."""
    editors: Sequence[tuple[str, dict[str, Any]]] = (
        ("fixed", {"fixed": {}}),
        ("an editor that sees all and does nothing", {"in_band": {}}),
    )
    for units in (32, 64, 185):
        for name, editor in editors:
            alone, truth, rest = overhead(units, editor)
            print(f"  2 x {units}, {name}: {rest:+.1%} of {alone:.1f} ms an update", end=" ")
            print(f"(target {SHARE:.0%}); recording the truth {truth:+.1%}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, one thread, CoinGrid 5 x 5 (76 inputs)")
    for width in (32, 185):
        report_edits(width)
    print("machinery without an edit, beside the bare learner:")
    report_overhead()
