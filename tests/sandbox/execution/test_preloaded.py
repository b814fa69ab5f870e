"""What the fork server has imported: all that a trial needs, and no plug-in."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TRIAL = """
import sys
import sandbox.execution.preloaded
from sandbox.catalogue import catalogue
from sandbox.trial import loop
from tests.sandbox.trial.test_loop import SPEC, Notes
assert catalogue.cache_info().currsize == 0, "plug-ins were asked"
before = set(sys.modules)
loop.run_trial({**SPEC, "learner": {LEARNER: {"total_steps": 2048, "num_envs": 16}}}, "x", Notes())
ours = ("agents", "envs", "sandbox", "torch", "numpy")
print(*(each for each in set(sys.modules) - before if each.partition(".")[0] in ours))
"""


@pytest.mark.parametrize("learner", ["ppo", "dqn"])
def test_a_trial_imports_nothing_and_no_plug_in_was_loaded(learner):
    code = TRIAL.replace("LEARNER", repr(learner))
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert (done.returncode, done.stdout.split()) == (0, []), done.stderr[-2000:]
