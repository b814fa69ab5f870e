"""A file that a control reads is part of what a trial is: its bytes, not its place."""

import hashlib
import json

import pytest

from sandbox.api import run_folder
from sandbox.errors import InputError, TrialError
from sandbox.record.run_folder import RunFolder
from sandbox.scenario import trials
from sandbox.scenario.load import load
from sandbox.trial import loop
from tests.sandbox.synthetic_run import register

SCENARIO = """\
schema: 1
question: Does an expert help?
envs: [sandbox/CoinGrid-v0]
agent:
  learner: {ppo: {num_envs: 4, steps_per_update: 8, minibatch: 8, total_steps: 32}}
  architecture: {trunk: [4]}
controls:
  demonstrations:
    recorded: episodes/held.json
    intensity: 0.5
seeds: 1
metrics: [capability]
"""
SIZE = 76


class Silent:
    """A recorder that keeps nothing."""

    def beat(self):
        """Not called."""


def place(folder, action=1, text=SCENARIO):
    (folder / "episodes").mkdir(parents=True, exist_ok=True)
    file = folder / "episodes" / "held.json"
    file.write_text(json.dumps([{"observations": [[0.0] * SIZE], "actions": [action]}]))
    (folder / "expert.yaml").write_text(text)
    return folder / "expert.yaml", file


def error_lines(path, **given):
    with pytest.raises(InputError) as caught:
        load(path, **given)
    return str(caught.value).splitlines()


def test_a_path_starts_at_the_scenario_and_its_hash_is_kept(tmp_path):
    path, file = place(tmp_path)
    control = load(path).controls["demonstrations"]
    assert control["recorded"] == file.as_posix()
    assert control["recorded_sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()


def test_another_content_is_another_trial_and_another_place_is_not(tmp_path):
    one, moved, other = (
        load(place(tmp_path / name, action)[0]) for name, action in (("a", 1), ("b", 1), ("c", 2))
    )
    first, same, changed = (trials.expand(each)[0] for each in (one, moved, other))
    assert first.spec != same.spec
    assert (first.id, one.digest()) == (same.id, moved.digest())
    assert first.id != changed.id
    assert one.digest() != other.digest()


def began(scenario):
    """Id and spec of a trial, as a run folder wants them."""
    (first, *_) = trials.expand(scenario)
    return first.id, first.spec


def test_a_run_folder_refuses_another_content_and_takes_another_place(tmp_path):
    out = tmp_path / "out"
    first = load(place(tmp_path / "a")[0])
    register(out, first.resolved())
    with RunFolder(out).trial(*began(first)):
        pass
    assert run_folder(load(place(tmp_path / "b")[0]), out) == out
    with pytest.raises(InputError, match="recorded_sha256"):
        run_folder(load(place(tmp_path / "c", 2)[0]), out)


def test_a_file_that_is_not_there_has_a_line_of_its_own(tmp_path):
    path, file = place(tmp_path)
    file.unlink()
    first, *_ = error_lines(path)
    assert f"{path}:9:15: error:" in first
    assert "cannot read 'episodes/held.json': No such file" in first
    assert "error" not in "".join(error_lines(path)[1:])


def test_a_folder_is_no_recording(tmp_path):
    path, _ = place(tmp_path)
    assert (
        "Is a directory"
        in error_lines(path, overrides=["controls.demonstrations.recorded=episodes"])[0]
    )


def test_a_hash_that_is_written_down_must_be_the_files(tmp_path):
    line = "    recorded_sha256: " + "0" * 64 + "\n"
    path, _ = place(tmp_path, text=SCENARIO.replace("    intensity", line + "    intensity"))
    assert f"{path}:10:22: error:" in error_lines(path)[0]
    assert "is another file" in error_lines(path)[0]


def test_a_recording_that_does_not_fit_the_env_is_found_before_anything_runs(tmp_path):
    path, _ = place(tmp_path, action=9)
    assert "recorded actions must be from 0 to 3" in error_lines(path)[0]


def test_a_file_that_changed_since_ends_the_trial_in_one_line(tmp_path):
    path, file = place(tmp_path)
    (trial,) = trials.expand(load(path))
    file.write_text(file.read_text() + " ")
    with pytest.raises(TrialError, match="has changed: its SHA-256") as caught:
        loop.begin(trial.spec, Silent())
    assert "\n" not in str(caught.value)


def test_a_device_is_not_read(tmp_path):
    path, _ = place(tmp_path, text=SCENARIO.replace("episodes/held.json", "/dev/zero"))
    with pytest.raises(InputError, match="cannot read '/dev/zero': it is no file"):
        load(path)
