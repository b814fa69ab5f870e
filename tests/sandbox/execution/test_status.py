"""The status of a run is read from its files, whatever state they are in."""

import fcntl
import json

import pytest

from sandbox.errors import InputError
from sandbox.execution.status import status_of
from sandbox.record.events import SCHEMA
from tests.sandbox.synthetic_run import register

SCENARIO = {
    "format": SCHEMA,
    "name": "mine",
    "question": "How far?",
    "envs": [{"id": "x", "kwargs": {}}],
    "agent": {"learner": {"ppo": {"total_steps": 100}}},
    "levers": {"compute": [1, 0.5]},
    "design": "full",
    "seeds": [0, 1, 2],
}


@pytest.fixture
def run(tmp_path):
    register(tmp_path, SCENARIO)
    (tmp_path / ".lock").touch()

    def trial(name, seed, status=None, events=()):
        folder = tmp_path / "trials" / name
        folder.mkdir(parents=True)
        spec = {"env": {"id": "x"}, "seed": seed, "condition": {"compute": 1}}
        spec["learner"] = {"ppo": {"total_steps": 100}}
        (folder / "spec.json").write_text(json.dumps(spec))
        (folder / "events.jsonl").write_text("".join(events))
        if status:
            (folder / "status.json").write_text(json.dumps(status))

    trial("a", 0, {"state": "done"})
    trial("b", 1, {"state": "failed", "reason": "env 'x' raised ValueError"})
    trial("c", 2, None, ['{"event":"updated","steps":32}\n', '{"event":"updated","steps":64}\n{"e'])
    return tmp_path


def test_counts_steps_and_reasons(run):
    found = status_of(run)
    assert (found.total, found.done, found.running, found.failed, found.waiting) == (6, 1, 1, 1, 3)
    assert (found.steps, found.planned_steps) == (164, 600)
    assert not found.live
    assert str(found).splitlines() == [
        "mine: 1 done, 1 interrupted, 1 failed, 3 waiting, 6 in all | 164 of 600 steps",
        "  compute=1  1 done, 1 interrupted, 1 failed",
        "  failed: trial b (compute=1, seed 1): env 'x' raised ValueError",
    ]


def test_a_run_that_a_process_holds_is_live(run):
    with (run / ".lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = status_of(run)
    assert found.live
    assert "1 done, 1 running" in str(found)
    assert not status_of(run).live


def test_a_planted_link_is_not_followed(run):
    (run / ".lock").unlink()
    (run / ".lock").symlink_to("/dev/zero")
    assert not status_of(run).live


def test_no_run_no_status(tmp_path):
    with pytest.raises(InputError, match="no run here"):
        status_of(tmp_path)


def test_a_trial_that_ends_by_flops_is_as_far_as_its_flops(tmp_path):
    """Steps 32 of 100, FLOPs 800 of 1000: of one trial in two, 40 % of the work."""
    scenario = {**SCENARIO, "levers": {}, "seeds": [0, 1]}
    register(tmp_path, scenario)
    folder = tmp_path / "trials" / "a"
    folder.mkdir(parents=True)
    spec = {"env": {"id": "x"}, "seed": 0, "condition": {}, "gate": {"max_flops": 1000.0}}
    spec["learner"] = {"ppo": {"total_steps": 100}}
    (folder / "spec.json").write_text(json.dumps(spec))
    event = {"event": "updated", "steps": 32, "agent": "a"}
    lines = [json.dumps({**event, "flops": 300.0}), json.dumps({**event, "flops": 500.0})]
    other = json.dumps({**event, "agent": "b", "flops": 300.0})
    (folder / "events.jsonl").write_text("\n".join([*lines, other, "torn"]))

    found = status_of(tmp_path)

    assert (found.steps, found.over) == (32, pytest.approx(0.4))
    assert "32 of 200 steps, 40% of the work" in str(found)
