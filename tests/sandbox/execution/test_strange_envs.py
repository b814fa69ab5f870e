"""A third-party env may do anything: it ends as one named failed row, and the others go on."""

import json
from pathlib import Path

import pytest

from tests.sandbox.execution.processes import left_over

ENVS = Path(__file__).parent / "strange_envs"
SCENARIO = """\
schema: 1
question: What becomes of a strange env?
envs: [{envs}]
agent:
  learner: {{ppo: {{num_envs: 4, total_steps: 512, steps_per_update: 16, minibatch: 64}}}}
  architecture: {{trunk: [8]}}
  objective: {{extrinsic: 1.0}}
  editor: fixed
seeds: 1
metrics: [mean_return]
probes: {{held_out: {{episodes: 4}}}}
limits: {{timeout_s: 60, stall_s: 6, memory_mb: 4096}}
"""
REASONS = {
    "strange/Nan-v0": "non-finite observation",
    "strange/Raises-v0": "boom",
    "strange/Exits-v0": "sys.exit(0)",
    "strange/HardExit-v0": "exit code 0",
    "strange/KillsItself-v0": "SIGKILL",
    "strange/Hangs-v0": "no heartbeat for 6 s",
    "strange/LeavesAChild-v0": "SIGKILL",
    "strange/Hoards-v0": "emory",
    "strange/Shouts-v0": "raised RuntimeError: line half a character \\udcff yyy",
}
FINE = ("strange/Fine-v0", "strange/Mutes-v0", "CartPole-v1")


@pytest.fixture
def outcome(sandbox):
    """One run of every strange env beside a fine one and CartPole."""
    envs = ", ".join([*REASONS, *FINE])
    (sandbox.folder / "strange.yaml").write_text(SCENARIO.format(envs=envs))
    words = ("run", "strange.yaml", "--out", "run", "--plugin", "strange", "--workers", "2")
    code, printed = sandbox(*words, path=ENVS)
    statuses = {}
    for path in (sandbox.folder / "run" / "trials").iterdir():
        env = json.loads((path / "spec.json").read_text())["env"]["id"]
        statuses[env] = json.loads((path / "status.json").read_text())
    return code, printed, statuses, sandbox.folder / "run"


def test_each_strange_env_is_one_named_failed_row_and_nothing_is_left(outcome):
    code, printed, statuses, run = outcome

    assert code == 1, printed
    for env, reason in REASONS.items():
        assert statuses[env]["state"] == "failed"
        assert reason in statuses[env]["reason"], (env, statuses[env]["reason"])
    assert [statuses[env]["state"] for env in FINE] == ["done"] * len(FINE)
    assert all(len(each["reason"]) <= 500 for each in statuses.values())
    assert printed.count(" failed: ") >= len(REASONS)
    assert not left_over(run)
    rows = [json.loads(line) for line in (run / "results.jsonl").read_text().splitlines()]
    assert sorted(row["state"] for row in rows) == ["done"] * len(FINE) + ["failed"] * len(REASONS)
