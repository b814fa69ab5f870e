"""Whatever a third-party env does to its process, the check-up ends, and says how."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sandbox.checkup.check_process import check, spaces

ROOT = Path(__file__).resolve().parents[3]
ENVS = """\
import os, signal, subprocess, sys, time
import gymnasium as gym
import numpy as np
class Base(gym.Env):
    observation_space = gym.spaces.Box(0.0, 1.0, (2,), np.float32)
    action_space = gym.spaces.Discrete(2)
    time = 0
    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(2, np.float32), {}
    def step(self, action):
        self.time += 1
        if self.time > 15:  # the others' checkers take fewer steps
            self.bad()
        return np.zeros(2, np.float32), 0.0, False, False, {}
class Hangs(Base):
    def bad(self):
        subprocess.Popen(['sleep', '333'], start_new_session=True)
        while True:
            try: time.sleep(300)
            except BaseException: pass
class Leaves(Base):
    def bad(self):
        if os.fork() == 0: time.sleep(300)
        os._exit(9)
class IsKilled(Base):
    def bad(self): os.kill(os.getpid(), signal.SIGKILL)
class Exits(Base):
    def __init__(self): sys.exit(3)
def register(catalogue):
    for kind in (Hangs, Leaves, IsKilled, Exits):
        gym.register(f'bad/{kind.__name__}-v0', entry_point=kind, max_episode_steps=100)
"""


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """A module with bad envs that this process and its children can plug in."""
    from sandbox.catalogue import catalogue, plug_module

    (tmp_path / "endings.py").write_text(ENVS)
    monkeypatch.syspath_prepend(tmp_path)
    plug_module(catalogue(), "endings")
    return "endings"


def left_over():
    """Processes below this one, other than multiprocessing's own servant, and lost sleepers."""
    listed = subprocess.run(
        ["ps", "-eo", "ppid=,args="], capture_output=True, text=True, check=True
    )
    mine = f"{os.getpid()} "
    return [
        line.strip()
        for line in listed.stdout.splitlines()
        if "sleep 333" in line or (line.strip().startswith(mine) and "spawn_main" in line)
    ]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Hangs", "FAIL behaviour: no heartbeat for 1 s"),
        ("Leaves", "FAIL process: ended with exit code 9 before the checks did"),
        ("IsKilled", "FAIL process: ended by SIGKILL before the checks did"),
    ],
)
def test_an_env_that_hangs_or_ends_its_process_is_a_finding_after_all_others(plugin, name, said):
    found = [str(each) for each in check(f"bad/{name}-v0", {}, [plugin], limit=1.0)]
    assert found[0].startswith("ok   gymnasium")
    assert found[1].startswith("ok   stable-baselines3")
    assert found[2:] == [said]
    assert left_over() == []


def test_an_env_that_calls_exit_when_made_is_a_finding(plugin):
    assert [str(each) for each in check("bad/Exits-v0", {}, [plugin])] == [
        "FAIL creation: called sys.exit(3)"
    ]
    assert spaces("bad/Exits-v0", [plugin]) == {"not made": "SystemExit: 3"}


def test_spaces_of_one_agent_and_of_several():
    found = spaces("CartPole-v1")
    assert found["actions"] == "Discrete(2)"
    assert found["observations"].startswith("Box(")
    assert "for each of 2 agents" in spaces("sandbox/LabRace-v0")["actions"]


@pytest.mark.parametrize(("end", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_check_of_an_env_that_hangs_at_once(plugin, tmp_path, end, code):
    command = [sys.executable, "-u", "-m", "sandbox", "check-env", "bad/Hangs-v0"]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
    with subprocess.Popen(
        [*command, "--plugin", plugin],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=tmp_path,
    ) as process:
        assert process.stdout.readline().startswith("ok   gymnasium")
        assert process.stdout.readline().startswith("ok   stable-baselines3")
        time.sleep(0.5)
        process.send_signal(end)
        _, said = process.communicate(timeout=10)
    assert process.returncode == code
    assert said.strip() == "interrupted", "nothing to go on with"
    assert left_over() == []
