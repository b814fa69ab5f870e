"""Whole runs through the command line: same bytes, nothing run twice, no change unseen."""

import json
import random
import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.sandbox.execution.processes import left_over

RECORDS = ("*/events.jsonl", "*/ledger.jsonl", "*/checkpoints/*/*")


def records(run: Path) -> dict[str, bytes]:
    trials = run / "trials"
    return {
        str(path.relative_to(trials)): path.read_bytes()
        for pattern in RECORDS
        for path in sorted(trials.glob(pattern))
    }


def finished(run: Path) -> dict[str, str]:
    """Finished trial -> the whole text of its status, clock included."""
    texts = {path.parent.name: path.read_text() for path in run.glob("trials/*/status.json")}
    return {name: text for name, text in texts.items() if json.loads(text)["state"] == "done"}


def test_the_same_bytes_whatever_the_workers_and_nothing_runs_twice(sandbox, run):
    code, printed = sandbox("run", "small.yaml", "--out", "two", "--workers", "3")
    assert code == 0, printed

    one, two = records(run), records(sandbox.folder / "two")
    assert len([name for name in one if name.endswith("safetensors")]) == 4
    assert one == two
    assert any(b'"event":"edited"' in text for text in one.values())

    before = finished(run)
    assert sandbox("run", "small.yaml", "--out", "one")[0] == 0
    assert finished(run) == before
    assert (run / "report.html").exists()


def test_more_seeds_add_trials_and_keep_the_old_ones(sandbox, run):
    before = finished(run)

    assert sandbox("run", "small.yaml", "--out", "one", "--seeds", "3")[0] == 0

    after = finished(run)
    assert len(after) == 6
    assert before.items() <= after.items()


def test_one_changed_byte_in_a_ledger_is_found_at_its_line(sandbox, run):
    code, printed = sandbox("verify", "one")
    assert code == 0, printed
    rng = random.Random(0)
    ledgers = sorted(run.glob("trials/*/ledger.jsonl"))
    for ledger in ledgers:
        whole = ledger.read_bytes()
        at = rng.randrange(len(whole))
        line = whole[:at].count(b"\n") + 1
        ledger.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])

        code, printed = sandbox("verify", "one")

        flat = printed.replace("\n", "")
        assert code == 3, printed
        assert f"{ledger.relative_to(sandbox.folder)}:{line}:" in flat
        ledger.write_bytes(whole)
    assert sandbox("verify", "one")[0] == 0


@pytest.mark.parametrize("name", ["events.jsonl", "checkpoints/*/agent.safetensors"])
def test_a_changed_record_is_found(sandbox, run, name):
    victim = min(run.glob(f"trials/*/{name}"))
    data = victim.read_bytes()
    victim.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])

    code, printed = sandbox("verify", "one")

    assert code == 3
    assert victim.name in printed


def test_a_removed_trial_is_run_again_to_the_same_bytes(sandbox, run):
    before = records(run)
    shutil.rmtree(min(run.glob("trials/*")))

    code, printed = sandbox("run", "small.yaml", "--out", "one")

    assert code == 0, printed
    assert records(run) == before


def test_two_runners_do_not_share_a_folder(sandbox, run):
    import fcntl

    with (run / ".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        code, printed = sandbox("run", "small.yaml", "--out", "one")
    assert code == 2
    assert "run is in use" in printed


def test_killed_at_random_moments_it_finishes_and_no_finished_trial_runs_again(sandbox, run):
    """kill -9 of the runner, over and over, then the same command to its end: the same bytes."""
    rng = random.Random(3)
    killed = sandbox.folder / "killed"
    done: dict[str, str] = {}
    for _ in range(6):
        process = sandbox.start("run", "small.yaml", "--out", "killed", "--workers", "2")
        time.sleep(rng.uniform(0.5, 7.0))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        now = finished(killed)
        assert done.items() <= now.items()
        done = now
    time.sleep(1.0)
    assert not left_over(killed)

    code, printed = sandbox("run", "small.yaml", "--out", "killed", "--workers", "2")

    assert code == 0, printed
    assert done.items() <= finished(killed).items()
    assert records(killed) == records(run)
