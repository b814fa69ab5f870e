"""Environments that misbehave after a while, each in its own way, and one that does not."""

import os
import signal
import subprocess
import sys
import time

import gymnasium as gym
import numpy as np

KINDS = (
    "fine",
    "nan",
    "raises",
    "exits",
    "hard_exit",
    "kills_itself",
    "hangs",
    "leaves_a_child",
    "hoards",
    "shouts",
    "mutes",
)


class Strange(gym.Env):
    """Two actions; the right one gives reward. Goes wrong in the 40th step of its run."""

    def __init__(self, kind: str = "fine") -> None:
        self.kind, self.steps, self.clock = kind, 0, 0
        self.observation_space = gym.spaces.Box(-1.0, 1.0, (3,), np.float32)
        self.action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.clock = 0
        return self.see(), {}

    def see(self) -> np.ndarray:
        return self.np_random.uniform(-1, 1, 3).astype(np.float32)

    def step(self, action):
        self.steps += 1
        self.clock += 1
        seen = self.see()
        if self.steps == 40:
            seen = self.go_wrong(seen)
        return seen, float(action == 1), False, self.clock == 10, {}

    def go_wrong(self, seen: np.ndarray) -> np.ndarray:  # noqa: C901
        if self.kind == "nan":
            return np.full(3, np.nan, np.float32)
        if self.kind == "raises":
            raise RuntimeError("boom")
        if self.kind == "exits":
            sys.exit(0)
        if self.kind == "hard_exit":
            os._exit(0)
        if self.kind == "kills_itself":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.kind == "hangs":
            time.sleep(1000)
        if self.kind == "leaves_a_child":
            sleeper = [sys.executable, "-c", "import time; time.sleep(1000)"]
            subprocess.Popen(sleeper)
            subprocess.Popen(sleeper, start_new_session=True)
            os.kill(os.getpid(), signal.SIGKILL)
        if self.kind == "shouts":
            raise RuntimeError("line\nhalf a character \udcff " + "y" * 3_000_000)
        if self.kind == "mutes":
            sys.stdout.close()
            sys.stderr = None
        if self.kind == "hoards":
            self.hoard = np.ones((1024, 1024, 1024))
        return seen


def register(catalogue) -> None:
    for kind in KINDS:
        name = "".join(word.title() for word in kind.split("_"))
        gym.register(f"strange/{name}-v0", "strange:Strange", kwargs={"kind": kind})
