"""A user's own objective: one dropped file or one plug-in; and what it reads if it misbehaves."""

import json
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
ONE = '''\
"""Rewards staying where one is."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sandbox import LiveObjective, Objective


@dataclass(frozen=True)
class Stillness(Objective):
    """``r = 1`` where the observation does not change, else ``-price``."""

    unit: ClassVar[str] = "still steps"
    scope: ClassVar[str] = "episodic"

    weight: float = 1.0
    price: float = 0.0

    def start(self, observation_size, actions, rng):
        return _Still(self.price)


class _Still(LiveObjective):
    def __init__(self, price):
        self.price = price

    def reward(self, batch):
        still = (batch.observation == batch.next_observation).all(axis=1)
        return np.where(still, 1.0, -self.price)

    def update(self, rollout):
        pass

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass
'''
OTHERS = '''
import sys

@dataclass(frozen=True)
class Nameless(Stillness):
    """Gives NaN from its second update on."""

    def start(self, observation_size, actions, rng):
        return _Late(self.price, lambda n: np.where(np.arange(n) == 2, np.nan, 0.0))


@dataclass(frozen=True)
class Lumped(Stillness):
    """Gives one number for all."""

    def start(self, observation_size, actions, rng):
        return _Late(self.price, lambda n: np.zeros(1))


@dataclass(frozen=True)
class Lost(Stillness):
    """Raises."""

    def start(self, observation_size, actions, rng):
        return _Late(self.price, _lost)


@dataclass(frozen=True)
class Unteachable(Stillness):
    """Raises when it is to learn."""

    def start(self, observation_size, actions, rng):
        return _Dull(self.price)


@dataclass(frozen=True)
class BrokenStart(Stillness):
    """Raises when a run begins."""

    def start(self, observation_size, actions, rng):
        raise KeyError("cradle")


@dataclass(frozen=True)
class NoStart(Stillness):
    """Starts nothing."""

    def start(self, observation_size, actions, rng):
        return None


@dataclass(frozen=True)
class Greedy(Stillness):
    """Writes what the environment rewarded."""

    def start(self, observation_size, actions, rng):
        return _Greedy(self.price)


@dataclass(frozen=True)
class Quitter(Stillness):
    """Ends the process."""

    def start(self, observation_size, actions, rng):
        return _Late(self.price, sys.exit)


@dataclass(frozen=True)
class Boastful(Stillness):
    """Reports what is no number."""

    def start(self, observation_size, actions, rng):
        return _Boastful(self.price, np.nan)


@dataclass(frozen=True)
class Wordy(Stillness):
    """Reports words."""

    def start(self, observation_size, actions, rng):
        return _Boastful(self.price, "well")


@dataclass(frozen=True)
class Grasping(Stillness):
    """Asks for a share by name."""

    def start(self, observation_size, actions, rng):
        return _Grasping(self.price)


def _lost(n):
    raise RuntimeError("the way\\nis long")


class _Late(_Still):
    def __init__(self, price, give):
        super().__init__(price)
        self.give, self.updates = give, 0

    def reward(self, batch):
        return self.give(len(batch.reward)) if self.updates else super().reward(batch)

    def update(self, rollout):
        self.updates += 1


class _Greedy(_Still):
    def reward(self, batch):
        batch.reward[:] = 1000.0
        return super().reward(batch)


class _Boastful(_Still):
    def __init__(self, price, said):
        super().__init__(price)
        self.said = said

    def report(self):
        return {"success": self.said}


class _Grasping(_Still):
    def share(self):
        return "all"


class _Dull(_Still):
    def update(self, rollout):
        raise LookupError("no book")


def register(catalogue):
    names = "Stillness Nameless Lumped Lost Unteachable BrokenStart NoStart Greedy Quitter Boastful"
    for name in [*names.split(), "Wordy", "Grasping"]:
        catalogue.add("objectives", name.lower(), f"mine:{name}")
'''
SCENARIO = """\
schema: 1
question: What does an objective of one's own reward?
envs: [sandbox/CoinGrid-v0]
agent:
  learner: {ppo: {num_envs: 4, steps_per_update: 16, minibatch: 32, total_steps: 192}}
  architecture: {trunk: [4]}
  objective: {extrinsic: 1.0, stillness: {weight: 0.5, price: 0.25}}
ARMS
seeds: 1
metrics: [capability]
probes: {held_out: {episodes: 4, every_updates: 100}}
"""
WRONG = {
    "nameless": "update 2: objective nameless: non-finite reward nan in row 2",
    "lumped": "update 2: objective lumped: rewards are shaped [1], not [4], one each",
    "lost": "update 2: objective lost: its reward fails: RuntimeError: the way",
    "unteachable": "update 1: objective unteachable: it cannot learn: LookupError: no book",
    "nostart": "objective nostart: start gives NoneType, which is no LiveObjective",
    "greedy": "objective greedy: its reward fails: ValueError: assignment destination is read-only",
    "quitter": "update 2: objective quitter: its reward fails: SystemExit: 4",
    "boastful": "update 1: objective boastful: it reports 'success' as nan",
    "wordy": "update 1: objective wordy: it cannot report: ValueError: could not convert string",
    "grasping": "objective grasping: its share fails: TypeError: '<=' not supported",
    "brokenstart": "objective brokenstart: it cannot start: KeyError: 'cradle'",
}


def trials(folder):
    """Arm -> the folder of its one trial."""
    return {
        json.loads(spec.read_text())["condition"].get("arm", "agent"): spec.parent
        for spec in folder.glob("trials/*/spec.json")
    }


def status(trial):
    return json.loads((trial / "status.json").read_text())


def check(trial):
    """It is done, and was rewarded from -price to 1 a step, weighed."""
    assert status(trial)["state"] == "done"
    events = [json.loads(each) for each in (trial / "events.jsonl").read_text().splitlines()]
    reward = [each["rewards"]["stillness"] for each in events if each["event"] == "updated"]
    assert len(reward) == 3
    assert all(-0.125 <= each <= 0.5 for each in reward)
    assert len(set(reward)) > 1


@pytest.fixture(scope="module")
def printed_and_folder(tmp_path_factory):
    """One run of a good one and of some that misbehave; what was printed, and where it lies."""
    from tests.sandbox.conftest import CommandLine

    sandbox = CommandLine(tmp_path_factory.mktemp("own"))
    (sandbox.folder / "mine.py").write_text(ONE + OTHERS)
    arms = [f"  {name}: {{objective: {{extrinsic: 1.0, {name}: 1.0}}}}" for name in WRONG]
    scenario = SCENARIO.replace("ARMS", "\n".join(["arms:", "  good: {}", *arms]))
    (sandbox.folder / "own.yaml").write_text(scenario)
    words = ("own.yaml", "--plugin", "mine", "--out", "own", "--workers", "1")
    code, printed = sandbox("run", *words, path=sandbox.folder)
    return code, printed, sandbox.folder / "own"


def test_a_plug_in_is_enough(printed_and_folder):
    check(trials(printed_and_folder[2])["good"])


@pytest.mark.parametrize("name", WRONG)
def test_one_that_misbehaves_ends_its_trial_with_one_line_that_names_it(printed_and_folder, name):
    code, printed, folder = printed_and_folder
    assert code == 1
    ends = [each for each in printed.splitlines() if each.startswith("failed: trial ")]
    (line,) = [each for each in ends if f"objective {name}:" in each]
    assert WRONG[name] in line
    reported_of = status(trials(folder)[name])
    assert reported_of["state"] == "failed"
    assert WRONG[name] in reported_of["reason"]
    assert "\n" not in reported_of["reason"]
    assert line.endswith(reported_of["reason"])


def test_of_a_trial_that_never_started_the_ledger_says_so(printed_and_folder):
    from tests.sandbox.conftest import CommandLine

    folder = printed_and_folder[2]
    trial = trials(folder)["brokenstart"].name
    code, printed = CommandLine(folder.parent)("ledger", "own", "--trial", trial)
    assert (code, printed) == (
        0,
        "no entry: the trial failed before its agent was initialised; `sandbox status` says why\n",
    )


def test_the_others_go_on(printed_and_folder):
    _, printed, folder = printed_and_folder
    assert sum(each.startswith("failed:") for each in printed.splitlines()) == len(WRONG)
    states = [status(each)["state"] for each in trials(folder).values()]
    assert sorted(states) == ["done", *["failed"] * len(WRONG)]


@pytest.mark.slow
def test_one_dropped_file_is_enough(sandbox):
    for package in ("sandbox", "envs", "agents"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, sandbox.folder / package, ignore=ignored)
    (sandbox.folder / "agents/objectives/stillness.py").write_text(ONE)
    (sandbox.folder / "own.yaml").write_text(SCENARIO.replace("ARMS\n", ""))
    code, printed = sandbox("list", "objectives", path=sandbox.folder)
    assert "Rewards staying where one is." in printed, printed
    code, printed = sandbox("run", "own.yaml", "--out", "own", path=sandbox.folder)

    assert code == 0, printed
    check(trials(sandbox.folder / "own")["agent"])
