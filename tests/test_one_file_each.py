"""Principle 2: a world, a control, an objective, an edit, a lever and a metric: one new file each.

The test copies the rooms, adds six throw-away files, edits nothing, and runs a scenario that uses
all six from the command line.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

WORLD = '''
"""Two doors; the left one pays."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from envs.contract import Oracle, Outcome, World


@dataclass(frozen=True)
class _State:
    time: np.ndarray


@dataclass(frozen=True)
class TwoDoors(World):
    pay: float = 1.0
    horizon: int = 1
    action_names: ClassVar[tuple[str, ...]] = ("left", "right")
    observation_size = 1

    def reset(self, rng, n, options=None):
        return _State(np.zeros(n, int))

    def step(self, state, actions, rng):
        reward = np.where(np.asarray(actions) == 0, self.pay, 0.0)
        ended = np.ones(len(reward), bool)
        truth = {"hidden_reward": reward, "harm": np.zeros(len(reward))}
        return _State(state.time + 1), Outcome(reward, ended, ~ended, truth)

    def observe(self, state):
        return np.ones((len(state.time), 1), np.float32)

    def render_text(self, state, i):
        return "[] []"

    def oracles(self):
        left = Oracle(self.pay, self.pay, 0.0, exact=True, how="always left")
        half = Oracle(self.pay / 2, self.pay / 2, 0.0, exact=True, how="a coin")
        return {
            "random": half,
            "reward_optimal": left,
            "performance_optimal": left,
            "most_harmful": left,
        }
'''

CONTROL = '''
"""Takes something off every reward."""

from dataclasses import dataclass
from typing import ClassVar

from envs.control import Control, ControlledEnv


@dataclass(frozen=True)
class Toll(Control):
    unit: ClassVar[str] = "toll"

    def wrap(self, env, rng, span_steps):
        return _Tolled(self, env, rng, span_steps)

    def expects(self, env, rng):
        return lambda step, strength: {"reward_change": (strength * len(step.rewards), 0.0)}


class _Tolled(ControlledEnv):
    def rewards(self, rewards):
        return rewards - self.strength
'''

OBJECTIVE = '''
"""Pays a constant for being there."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.contract import Motive, Objective


@dataclass(frozen=True)
class Presence(Objective):
    unit: ClassVar[str] = "steps"
    scope: ClassVar[str] = "episodic"
    weight: float = 0.1

    def start(self, observation_size, actions, rng):
        return _There()


class _There(Motive):
    def reward(self, batch):
        return np.ones(len(batch.reward))

    def update(self, observations):
        pass

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass
'''

EDIT = '''
"""Sets the entropy coefficient."""

from dataclasses import dataclass, replace
from typing import ClassVar

from agents.contract import Claim, Edit, Mind


@dataclass(frozen=True)
class CalmDown(Edit):
    part: ClassVar[str] = "learning_rule"
    to: float = 0.001

    @classmethod
    def candidates(cls, view):
        return (cls(),)

    def rewrite(self, genome):
        return replace(
            genome, learning_rule=replace(genome.learning_rule, entropy_coefficient=self.to)
        )

    def apply(self, mind, rng):
        return Mind(self.rewrite(mind.genome), mind.parameters, mind.moments)

    def claim(self, genome):
        return Claim({"learning_rule.entropy_coefficient": self.to}, max_logit_change=0.0)
'''

LEVER = '''
"""What the left door pays."""

from dataclasses import dataclass
from typing import ClassVar

from sandbox.contract import Lever


@dataclass(frozen=True)
class DoorPay(Lever):
    family = "data"
    neutral: ClassVar[float] = 1.0

    def apply(self, spec, dose):
        env = spec["env"]
        kwargs = env["kwargs"] if dose == 1 else {**env["kwargs"], "pay": dose}
        return {**spec, "env": {**env, "kwargs": kwargs}}

    def manipulation_check(self, events, dose):
        return None
'''

METRIC = '''
"""Updates that were done."""

from dataclasses import dataclass
from math import inf
from typing import ClassVar

from sandbox.contract import Measurement, Metric
from sandbox.events import Updated


@dataclass(frozen=True)
class UpdatesDone(Metric):
    unit: ClassVar[str] = "updates"
    range: ClassVar[tuple[float, float]] = (0.0, inf)
    direction = "neutral"

    def compute(self, events):
        n = sum(isinstance(each, Updated) for each in events)
        return Measurement(float(n), n)
'''

PARTS = {
    "envs/worlds/two_doors.py": WORLD,
    "envs/controls/toll.py": CONTROL,
    "agents/objectives/presence.py": OBJECTIVE,
    "agents/edits/calm_down.py": EDIT,
    "sandbox/levers/door_pay.py": LEVER,
    "sandbox/metrics/updates_done.py": METRIC,
}

SCENARIO = """
schema: 1
question: Do six new files work together?
envs: [sandbox/TwoDoors-v0]
agent:
  learner: {ppo: {num_envs: 8, steps_per_update: 16, total_steps: 512}}
  architecture: {trunk: [4], activation: tanh}
  objective: {extrinsic: 1.0, presence: 0.1}
  editor: {schedule: {plan: [{update: 2, edit: calm_down, to: 0.002}]}}
controls: {toll: 0.5}
levers:
  door_pay: [1, 2]
seeds: 1
metrics: [updates_done, edits_applied]
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A copy of the rooms with six more files in it."""
    folder = tmp_path_factory.mktemp("house")
    for name in ("sandbox", "envs", "agents"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path, text in PARTS.items():
        assert not (folder / path).exists()
        (folder / path).write_text(text.lstrip(), encoding="utf-8")
    (folder / "doors.yaml").write_text(SCENARIO, encoding="utf-8")
    return folder


def _sandbox(house, *arguments):
    env = os.environ | {"PYTHONPATH": str(house), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "sandbox", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=env, cwd=house, check=False)


def test_the_new_parts_are_listed_with_their_summaries(house):
    for shelf, name, summary in [
        ("envs", "sandbox/TwoDoors-v0", "Two doors; the left one pays."),
        ("controls", "toll", "Takes something off every reward."),
        ("edits", "calm_down", "Sets the entropy coefficient."),
    ]:
        done = _sandbox(house, "list", shelf, "--json")
        assert name in done.stdout, done.stdout + done.stderr
        assert summary in done.stdout


def test_a_scenario_runs_with_all_six(house):
    done = _sandbox(house, "run", "doors.yaml", "--out", "out")
    assert done.returncode == 0, done.stdout + done.stderr
    specs = [
        json.loads(path.read_text()) for path in sorted((house / "out").glob("trials/*/spec.json"))
    ]
    assert {spec["condition"]["door_pay"] for spec in specs} == {1, 2}
    assert {spec["env"]["kwargs"].get("pay", 1) for spec in specs} == {1, 2}
    rows = [json.loads(line) for line in (house / "out" / "results.jsonl").read_text().splitlines()]
    assert [row["updates_done"] for row in rows] == [4.0, 4.0]
    assert [row["edits_applied"] for row in rows] == [1.0, 1.0]
    events = "".join(path.read_text() for path in (house / "out").glob("trials/*/events.jsonl"))
    assert events.count('"entropy_coefficient":0.002') >= 2
    assert '"presence"' in events
    told = [json.loads(line) for line in events.splitlines() if '"event":"controlled"' in line]
    assert len(told) == 2 * 4
    assert {each["measured"]["reward_change"] for each in told} == {0.5}
