"""A trial of 30 edits runs again to the same hashes; a forged record does not."""

import json
import random
import re
import shutil
from pathlib import Path

import pytest

from sandbox.errors import InputError, IntegrityError
from sandbox.execution import replay
from sandbox.execution.verify import verify
from sandbox.record.ledger import Chain
from sandbox.record.run_chain import MANIFEST, RunChain, entries
from sandbox.record.run_folder import RunFolder
from tests.sandbox.conftest import CommandLine
from tests.sandbox.synthetic_run import record_end

EDITS = 30
STEPS = [
    {"edit": "widen", "layer": 0, "units": 2},
    {"edit": "set_learning_rate", "factor": 0.9},
    {"edit": "prune", "layer": 0, "units": 1},
]
PLAN = [{"update": k + 1, **STEPS[k % len(STEPS)]} for k in range(EDITS)]
SCENARIO = f"""\
schema: 1
question: Can this trial be run again?
envs: [sandbox/CoinGrid-v0]
agent:
  learner: {{ppo: {{num_envs: 4, total_steps: {16 * (EDITS + 2)}, steps_per_update: 4,
                   minibatch: 16}}}}
  architecture: {{trunk: [4, 4]}}
  editor: {{schedule: {{plan: {json.dumps(PLAN)}}}}}
seeds: 1
metrics: [edits_applied]
probes: {{held_out: {{episodes: 2, every_updates: 1000}}}}
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """A finished run of one trial; do not change it."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "s.yaml").write_text(SCENARIO)
    code, printed = CommandLine(folder)("run", "s.yaml", "--out", "one", "--workers", "1")
    assert code == 0, printed
    return folder / "one"


@pytest.fixture
def run(finished, tmp_path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(finished, tmp_path / "one"))


@pytest.fixture
def sandbox(run) -> CommandLine:
    return CommandLine(run.parent)


def ledger_of(run):
    return next(run.glob("trials/*/ledger.jsonl"))


def forged(run, change):
    """Change the entries, chain them anew, and put the new head wherever it is held."""
    path = ledger_of(run)
    chain, lines = Chain(path.parent.name), []
    for entry in change([json.loads(line) for line in path.read_text().splitlines()]):
        body = {k: v for k, v in entry.items() if k not in {"entry", "previous", "hash"}}
        lines.append(chain.link(body) + "\n")
    path.write_text("".join(lines))
    status = path.with_name("status.json")
    held = json.loads(status.read_text())
    status.write_text(json.dumps({**held, "ledger_head": chain.head}))
    rewritten(run, ledger_head=chain.head)
    verify(run)  # sees nothing: this is what a replay is for


def rewritten(run, **changes):
    """Chain the manifest anew, with what it says of the trial put right."""
    path = run / MANIFEST
    *commands, end = entries(path)
    path.unlink()
    chain = RunChain(path)
    for each in commands:
        chain.add({k: v for k, v in each.items() if k not in {"entry", "previous", "hash"}})
    kept = {k: end[k] for k in ("registration", "events_sha256")}
    record_end(chain, ledger_of(run).parent, **kept, **changes)


def test_a_run_of_thirty_edits_is_run_again_to_every_hash(run):
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    received = []

    (found,) = replay.replay(run, on_each=received.append)

    lines = [json.loads(line) for line in ledger_of(run).read_text().splitlines()]
    assert sum(each.get("applied", False) for each in lines) == EDITS
    assert found.entries == len(lines) == EDITS + 2
    assert found.head == lines[-1]["hash"]
    assert found.files == 2
    assert received == [found]
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def cheaper(entries):
    """A proposal that is said to have cost less."""
    entries[10]["cost_flops"] = 0.5
    return entries


def kinder(entries):
    """An edit that is said to have moved nothing."""
    entries[3]["behaviour"]["mean_kl"] = 0.0
    return entries


def without(entries):
    return [*entries[:7], *entries[8:]]


def padded(entries):
    return [*entries, entries[-1]]


@pytest.mark.parametrize(
    ("change", "line", "what"),
    [
        (cheaper, 11, "cost_flops: 0.5 is recorded, the replay gives"),
        (kinder, 4, "behaviour.mean_kl: 0.0 is recorded, the replay gives"),
        (without, 8, "is recorded, the replay gives"),
        (padded, EDITS + 3, f"{EDITS + 3} lines are recorded, the replay made {EDITS + 2}"),
    ],
)
def test_a_ledger_that_was_changed_and_chained_anew_is_found(run, monkeypatch, change, line, what):
    made = replay._recorded(replay.read_run(run).trials[0])
    monkeypatch.setattr(replay, "_run_again", lambda *_: made)  # the test above ran it again
    forged(run, change)

    with pytest.raises(IntegrityError) as found:
        replay.replay(run)

    assert f"ledger.jsonl:{line}: error: the replay diverges here: " in str(found.value)
    assert what in str(found.value)


@pytest.mark.slow
def test_the_command_says_so_and_ends_with_3(run, sandbox):
    code, printed = sandbox("replay", "one")
    assert code == 0, printed
    assert f"{EDITS + 2} ledger lines" in printed
    forged(run, cheaper)

    code, printed = sandbox("replay", "one", "--trial", ledger_of(run).parent.name[:4])

    assert code == 3
    assert "ledger.jsonl:11: error: the replay diverges here: cost_flops: 0.5" in printed


@pytest.mark.parametrize("name", ["events.jsonl", "agent.safetensors", "agent.state.json"])
def test_any_other_record_that_was_changed_is_found(run, monkeypatch, name):
    made = replay._recorded(replay.read_run(run).trials[0])
    monkeypatch.setattr(replay, "_run_again", lambda *_: made)
    victim = next(run.rglob(name))
    victim.write_bytes(victim.read_bytes()[:-1])

    with pytest.raises(IntegrityError, match=name):
        replay.replay(run)


def test_what_cannot_be_run_again_is_named(run):
    with pytest.raises(InputError, match="'zz' names no trial"):
        replay.replay(run, "zz")
    status = ledger_of(run).with_name("status.json")
    status.unlink()
    with pytest.raises(InputError, match="was finished"):
        replay.replay(run)
    with pytest.raises(InputError, match="no run here"):
        replay.replay(run.parent)


def test_another_version_of_the_arithmetic_is_mentioned(run, monkeypatch):
    made = replay._recorded(replay.read_run(run).trials[0])
    monkeypatch.setattr(replay, "_run_again", lambda *_: made)
    forged(run, cheaper)
    older = replay.read_run(run).manifest
    older["packages"]["torch"] = "0.0.1"
    RunFolder(run).begin(older)

    with pytest.raises(IntegrityError, match=r"the run was made with torch 0\.0\.1, here "):
        replay.replay(run)


def on_another_core(run):
    """A later command of this run, on a machine that differs in its core type."""
    there = replay.read_run(run).manifest
    there["arithmetic"]["core_type"] = "Prescott"
    RunFolder(run).begin(there)


def test_a_replay_that_diverges_names_another_core_type(run, monkeypatch):
    made = replay._recorded(replay.read_run(run).trials[0])
    monkeypatch.setattr(replay, "_run_again", lambda *_: made)
    forged(run, cheaper)
    on_another_core(run)

    with pytest.raises(IntegrityError, match=r"made with core_type Prescott, here "):
        replay.replay(run)


def test_verify_notes_other_core_types(run):
    assert not any("core type" in each or "last digits" in each for each in verify(run).notes)
    on_another_core(run)

    (several, here) = [each for each in verify(run).notes if "last digits" in each]
    assert several.startswith("its trials were run on several core types (")
    assert "it was made with core_type Prescott, here " in here


def test_spec_and_manifest_name_the_engine_and_what_its_last_digits_depend_on(run):
    record = replay.read_run(run)

    assert record.trials[0].spec["learner"]["ppo"]["engine"] == "numpy"
    assert record.manifest["engines"] == ["numpy"]
    said = record.manifest["arithmetic"]
    assert {"core_type", "openblas_coretype", "cpu_features", "blas", "blas_version"} <= {*said}


def test_the_table_shows_the_run(sandbox):
    code, printed = sandbox("ledger", "one")
    lines = printed.splitlines()

    assert code == 0, printed
    assert re.split("  +", lines[0].strip()) == [
        "entry", "parent", "update", "what", "settings", "decision", "claim check", "KL", "cost",
        "parameters",
    ]  # fmt: skip
    assert len(lines) == EDITS + 3
    assert lines[2].split()[:6] == ["2", "1", "1", "widen", "layer=0", "units=2"]
    assert sum(" confirmed " in line for line in lines) == EDITS

    code, printed = sandbox("ledger", "one", "--json")
    assert code == 0
    assert len(json.loads(printed)) == EDITS + 2


def test_the_difference_of_two_genomes_is_readable(sandbox):
    code, printed = sandbox("ledger", "one", "--diff", "1", "3")
    assert code == 0, printed
    assert "architecture.layers[0].units" in printed
    assert "learning_rule.learning_rate" in printed

    assert "are the same" in sandbox("ledger", "one", "--diff", "4", "4")[1]
    code, printed = sandbox("ledger", "one", "--diff", "4", "99")
    assert code == 2
    assert f"there is no entry 99: they go from 1 to {EDITS + 2}" in printed


def test_a_broken_chain_is_not_shown(run, sandbox):
    path = ledger_of(run)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([lines[0], lines[1].replace('"widen"', '"wider"'), *lines[2:]]))

    code, printed = sandbox("ledger", "one")

    assert code == 3
    assert "ledger.jsonl:2: error: ledger broken at line 2" in printed


def changed(lines, kind, at, rng):
    """The ledger with one thing done to it at line ``at``, from 0."""
    if kind == "byte":
        line = bytearray(lines[at])
        line[rng.randrange(len(line))] ^= 1 << rng.randrange(8)
        return [*lines[:at], bytes(line), *lines[at + 1 :]]
    if kind == "removed":
        return [*lines[:at], *lines[at + 1 :]]
    if kind == "inserted":
        return [*lines[:at], rng.choice(lines), *lines[at:]]
    other = rng.choice([i for i in range(len(lines)) if i != at])
    swapped = list(lines)
    swapped[at], swapped[other] = lines[other], lines[at]
    return swapped


@pytest.mark.parametrize("kind", ["byte", "removed", "inserted", "swapped"])
def test_verify_says_where_anything_was_changed(run, kind):
    """At every line: the first one that is not what it was is named."""
    path, rng = ledger_of(run), random.Random(0)
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    for at in range(len(lines)):
        spoiled = changed(lines, kind, at, rng)
        path.write_bytes(b"".join(spoiled))
        same = [mine == theirs for mine, theirs in zip(lines, spoiled, strict=False)]
        first = same.index(False) + 1 if False in same else min(len(lines), len(spoiled)) + 1

        with pytest.raises(IntegrityError) as found:
            verify(run)

        named = min(first, len(spoiled))  # a tail that was cut is noticed where the ledger ends
        assert f"ledger.jsonl:{named}: error: " in str(found.value), (kind, at)
    path.write_bytes(whole)
    verify(run)
