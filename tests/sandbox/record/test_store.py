"""The run folder: complete or not, never in between, whichever disk operation fails."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from sandbox.errors import InputError, IntegrityError
from sandbox.execution.verify import verify
from sandbox.record import events
from sandbox.record.events import SCHEMA
from sandbox.record.files import Disk, Operation
from sandbox.record.run_chain import MANIFEST, REGISTRATION, RunChain, entries
from sandbox.record.run_folder import RunFolder
from sandbox.record.store import read_run
from sandbox.scenario.trials import trial_id
from sandbox.words import condition_name

SPEC = {"env": {"id": "sandbox/CoinGrid-v0"}, "seed": 0, "condition": {"b": 0.5, "a": 1}}
FILMED = events.Filmed(1, "told", ("#A#",), (1.0,))
SPECS = {trial_id(spec): spec for spec in (SPEC, {**SPEC, "seed": 1})}
TRIALS = tuple(sorted(SPECS))
FIRST = TRIALS[0]


class PowerCutError(Exception):
    """Stands for the end of the process at one operation."""


def write_all(folder, disk: Disk) -> list[str]:
    """What a runner does: skip what is done, write the rest. Returns the trials that it wrote."""
    run = RunFolder(folder, disk)
    if not entries(folder / REGISTRATION):
        run.register(b"schema: 1\n", {"resolved": {"name": "x", "format": SCHEMA}, "when": "now"})
    run.begin({"python": "3"})
    missing = [each for each in TRIALS if not run.is_done(each)]
    for each in missing:
        with run.trial(each, SPECS[each]) as trial:
            trial.event(events.to_line(FILMED))
            trial.ledger({"kind": "start"})
            trial.weights(3, "agent", {"k": 1}, b"tensors")
            trial.ledger({"kind": "end"})
            trial.finish({"state": "done", "reason": ""}, "it printed this")
    return missing


def whole(folder) -> dict[str, bytes]:
    """All files but the manifest, which grows with every command."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }


@pytest.fixture
def memory(tmp_path):
    """A folder where fsync is free, if there is one: hundreds of runs are cut short in it."""
    if not os.access("/dev/shm", os.W_OK):  # noqa: S108
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


@pytest.mark.parametrize("torn", [False, True])
def test_whichever_operation_fails_the_same_command_completes_to_the_same_bytes(memory, torn):
    """And no trial that was done is written again; a half-written one is never called done."""
    (memory / "whole").mkdir()
    counted = Disk()
    write_all(memory / "whole", counted)
    expected = whole(memory / "whole")
    for n in range(1, counted.count + 1):
        folder = memory / f"cut {n}"

        def before(operation: Operation, n: int = n) -> int | None:
            if operation.number < n:
                return None
            if torn and operation.kind == "write" and operation.number == n:
                return 3
            raise PowerCutError

        with contextlib.suppress(PowerCutError, OSError):
            write_all(folder, Disk(before=before))
            pytest.fail("the cut did not come")
        done = [each for each in TRIALS if RunFolder(folder).is_done(each)]
        if done:
            assert verify(folder).trials == len(done)

        again = write_all(folder, Disk())

        assert again == [each for each in TRIALS if each not in done]
        assert {k: v for k, v in whole(folder).items() if ".tmp-" not in k} == expected
        assert verify(folder).entries == 2 * len(TRIALS)


@pytest.fixture
def run(tmp_path):
    write_all(tmp_path / "run", Disk())
    return tmp_path / "run"


def test_a_run_reads_back(run):
    record = read_run(run)

    assert {trial.id: trial.spec for trial in record.trials} == SPECS
    assert record.trials[0].events == [FILMED]
    assert record.trials[0].done
    assert record.trials[0].condition_name == "a=1,b=0.5"
    assert (run / "trials" / FIRST / "log.txt").read_text() == "it printed this"


def test_every_single_byte_of_every_record_is_guarded(run):
    """What a trial printed is not: nothing is concluded from it."""
    records = [p for p in sorted((run / "trials" / FIRST).rglob("*")) if p.is_file()]
    guarded = [p for p in records if p.name != "log.txt"]
    guarded += [run / name for name in (REGISTRATION, MANIFEST, "scenario.yaml", "resolved.json")]
    assert len(guarded) == 10
    for path in guarded:
        data = path.read_bytes()
        for i in range(len(data)):
            path.write_bytes(data[:i] + bytes([data[i] ^ 1]) + data[i + 1 :])
            with pytest.raises((IntegrityError, InputError), match=path.name):
                verify(run)
        path.write_bytes(data)
    verify(run)


def test_a_cut_tail_is_found_by_the_head_in_status(run):
    ledger = run / "trials" / FIRST / "ledger.jsonl"
    first, _ = ledger.read_text().splitlines(keepends=True)
    ledger.write_text(first)
    with pytest.raises(IntegrityError, match=r"ledger.jsonl:1: error: ledger ends at line 1"):
        verify(run)


def test_a_wholly_rewritten_run_is_found_by_a_head_kept_elsewhere(run, tmp_path):
    head = verify(run).head
    forged = tmp_path / "forged"
    run.rename(forged)
    (forged / MANIFEST).unlink()
    writer = RunFolder(forged)
    writer.begin({"python": "3"})
    for name, spec in SPECS.items():
        with writer.trial(name, spec) as trial:
            trial.ledger({"kind": "start", "forged": True})
            trial.finish({"state": "done", "reason": ""}, "")

    verify(forged)
    with pytest.raises(IntegrityError, match=f"no line .* has hash {head}"):
        verify(forged, head=head)


def test_a_head_stays_known_when_the_run_goes_on(run):
    head = verify(run).head
    with RunFolder(run).trial(FIRST, SPECS[FIRST]) as trial:
        trial.finish({"state": "done", "reason": ""}, "")
    assert verify(run, head=head).head != head


def test_a_revision_that_says_it_came_before_the_trials_is_found(run, tmp_path):
    """Trials and manifest set aside, another claim registered, and both put back."""
    aside = tmp_path / "aside"
    aside.mkdir()
    for name in ("trials", MANIFEST):
        (run / name).rename(aside / name)
    entry = {"resolved": {"name": "other", "format": SCHEMA}, "when": "later"}
    RunFolder(run).register(b"schema: 1\n", entry)
    shutil.rmtree(run / "trials")
    for name in ("trials", MANIFEST):
        (aside / name).rename(run / name)
    with pytest.raises(IntegrityError, match="entry was not written when it says so itself"):
        verify(run)


def test_a_run_without_its_manifest_is_found(run):
    (run / MANIFEST).unlink()
    with pytest.raises(IntegrityError, match="does not record that this trial ended"):
        verify(run)


def test_chains_whose_lines_lack_something_are_no_internal_errors(run):
    path = run / MANIFEST
    path.unlink()
    RunChain(path).add({"kind": "trial"})
    with pytest.raises(IntegrityError, match=r"manifest.jsonl:1: .* lacks events_sha256"):
        read_run(run)
    (run / REGISTRATION).unlink()
    RunChain(run / REGISTRATION).add({"when": "now"})
    with pytest.raises(IntegrityError, match=r"an entry lacks 'resolved'"):
        read_run(run)


def test_a_missing_record_is_found(run):
    (run / "trials" / FIRST / "events.jsonl").unlink()
    with pytest.raises(IntegrityError, match=r"events.jsonl: error: missing"):
        verify(run)


def test_a_trial_that_says_it_was_another_is_found(run):
    """Two arms swapped would turn a verdict around, and no ledger would show it."""
    path = run / "trials" / FIRST / "spec.json"
    path.write_text(path.read_text().replace('"seed": ', '"seed": 7'))
    with pytest.raises(IntegrityError, match=r"spec.json: error: not the spec"):
        verify(run)


def test_an_unfinished_trial_is_said_to_be_so(run):
    (run / "trials" / FIRST / "status.json").unlink()
    found = verify(run)
    assert found.unfinished == (FIRST,)
    assert any("its status.json is missing: it will run again" in each for each in found.notes)


def test_a_deleted_trial_is_found(run):
    shutil.rmtree(run / "trials" / FIRST)
    with pytest.raises(IntegrityError, match=f"{FIRST}: error: this trial had ended and was del"):
        verify(run)


def test_a_trial_that_never_ended_is_not_checked(tmp_path):
    run = RunFolder(tmp_path)
    run.register(b"", {"resolved": {"format": SCHEMA}})
    with run.trial(FIRST, SPECS[FIRST]):
        pass
    assert verify(tmp_path).unfinished == (FIRST,)


def test_no_run_is_no_run(tmp_path):
    with pytest.raises(InputError, match="no run here"):
        read_run(tmp_path)


def test_a_damaged_line_of_events_is_named(run):
    path = run / "trials" / FIRST / "events.jsonl"
    path.write_text(path.read_text() + "{}\n")
    with pytest.raises(IntegrityError, match=r"events.jsonl: error: not the file that status"):
        _ = read_run(run).trials[0].events
    (path.parent / "status.json").unlink()  # nothing to hold it against
    with pytest.raises(IntegrityError, match=r"events.jsonl:2"):
        _ = read_run(run).trials[0].events


def test_condition_names():
    assert condition_name({}) == "base"
    assert condition_name({"z": 1.0, "a": 0.05}) == "a=0.05,z=1"


def test_a_run_of_another_format_is_refused_in_one_line(tmp_path):
    entry = {"resolved": {"name": "x", "format": SCHEMA - 1}}
    RunFolder(tmp_path / "old").register(b"", entry)
    with pytest.raises(
        InputError, match=f"is a run of format {SCHEMA - 1}, this version reads"
    ) as text:
        read_run(tmp_path / "old")
    assert "\n" not in str(text.value)
