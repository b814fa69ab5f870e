"""From Python: one call runs, the rest reads."""

import sys

import pytest

import sandbox as lab
from sandbox.errors import InputError

SMALL = """\
schema: 1
question: Does the interface hold?
envs: [sandbox/CoinGrid-v0]
agent:
  learner: {ppo: {num_envs: 8, total_steps: 512, steps_per_update: 16, minibatch: 64}}
  architecture: {trunk: [8]}
  editor: {schedule: {plan: [{update: 2, edit: widen, layer: 0, units: 4}]}}
levers: {freeze_editor: [0, 1]}
seeds: 2
metrics: [capability, edits_applied]
claims: {metric: edits_applied, effect_of: freeze_editor, direction: lower, smallest_effect: 0.5}
probes: {held_out: {episodes: 8}}
"""


def test_run_gives_frames_verdicts_and_a_report(tmp_path, capsys, monkeypatch):
    (tmp_path / "small.yaml").write_text(SMALL)

    done = lab.run(tmp_path / "small.yaml", out=tmp_path / "run", workers=2)

    trials = done.trials_frame()
    assert list(trials["state"]) == ["done"] * 4
    assert dict(trials.groupby("freeze_editor")["edits_applied"].mean()) == {0: 1.0, 1: 0.0}
    assert {"capability", "edits_applied"} <= {*done.effects_frame()["metric"]}
    assert list(done.verdicts_frame()["n"]) == [2]
    assert len(done.events_frame("edited")) == 2
    assert done.report_path.stat().st_size > 1_000_000
    assert not done.failed
    assert "4/4 done" in capsys.readouterr().err
    assert "Does the interface hold?" in str(done)
    assert "4 of 4 trials done\n" in str(done)
    assert lab.load(tmp_path / "run").rows == done.rows

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("CI", raising=False)
    ticks = []
    lab.run(tmp_path / "small.yaml", out=tmp_path / "run", seeds=3, progress=ticks.append)
    assert str(ticks[-1]).startswith("6/6 done")
    assert capsys.readouterr().err == "", "who shows progress has the terminal"

    (tmp_path / "small.yaml").write_text(SMALL.replace("[8]}", "[9]}"))
    with pytest.raises(InputError, match=r"another scenario.*agent\.architecture"):
        lab.run(tmp_path / "small.yaml", out=tmp_path / "run")
