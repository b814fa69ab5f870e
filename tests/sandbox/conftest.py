"""A small scenario and the command line in a process of its own."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.sandbox.synthetic_run import scenario, write_run

__all__ = ["finished_run", "run", "sandbox", "scenario", "write_run"]

SCENARIO = """\
schema: 1
question: Is this run the same every time?
envs: [sandbox/CoinGrid-v0]
agent:
  learner: {ppo: {num_envs: 16, total_steps: 2048, steps_per_update: 16, minibatch: 128}}
  architecture: {trunk: [8, 8], activation: tanh}
  objective: {extrinsic: 1.0, rnd: 0.01}
  editor:
    bandit: {every_updates: 1, edits: [widen, deepen, prune, reset_dormant, set_learning_rate]}
gate: {max_parameters: 20_000, protect: [objective]}
controls:
  observation_noise: 0.05
  demonstrations: 0.2
  sticky_actions: {intensity: 0.1, start: 0.5}
levers: {data_coverage: [0, 0.5]}
seeds: 2
metrics: [capability, goal_misgeneralisation, edits_applied]
claims:
  {metric: goal_misgeneralisation, effect_of: data_coverage, direction: lower, smallest_effect: 0.1}
probes: {held_out: {episodes: 16, every_updates: 4}}
"""


@dataclass(frozen=True)
class CommandLine:
    """``sandbox`` as a person would call it, in ``folder``."""

    folder: Path

    def start(self, *words: str, path: Path | None = None) -> subprocess.Popen[str]:
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        if path is not None:
            environment["PYTHONPATH"] = str(path)
        command = [sys.executable, "-m", "sandbox", *words]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def __call__(self, *words: str, path: Path | None = None) -> tuple[int, str]:
        """Return exit code and everything printed."""
        process = self.start(*words, path=path)
        printed, _ = process.communicate(timeout=240)
        return process.returncode, printed


def command_line(folder: Path) -> CommandLine:
    (folder / "small.yaml").write_text(SCENARIO)
    return CommandLine(folder)


@pytest.fixture
def sandbox(tmp_path) -> CommandLine:
    return command_line(tmp_path)


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory) -> Path:
    """One finished run, with one worker; do not change it."""
    folder = tmp_path_factory.mktemp("finished")
    code, printed = command_line(folder)("run", "small.yaml", "--out", "one", "--workers", "1")
    assert code == 0, printed
    return folder / "one"


@pytest.fixture
def run(sandbox, finished_run) -> Path:
    """A copy of the finished run that a test may spoil."""
    return Path(shutil.copytree(finished_run, sandbox.folder / "one"))
