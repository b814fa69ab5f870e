"""What a trial computes does not hang on how many threads the caller's algebra may use."""

import json

PLUGIN = '''
import os
from dataclasses import dataclass

from agents.objectives.count import Count

NAMES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Alone(Count):
    """Refuses to live where linear algebra is shared out."""

    def start(self, observation_size, actions, rng):
        found = {name: os.environ.get(name) for name in NAMES}
        if set(found.values()) != {"1"}:
            raise LookupError(str(found))
        return super().start(observation_size, actions, rng)


def register(catalogue):
    catalogue.add("objectives", "alone", "alone_pack:Alone")
'''
SCENARIO = """\
schema: 1
question: In how many threads?
envs: [sandbox/CoinGrid-v0]
agent:
  learner: {ppo: {num_envs: 4, steps_per_update: 8, minibatch: 8, total_steps: 32}}
  architecture: {trunk: [4]}
  objective: {extrinsic: 1.0, alone: 1.0}
seeds: 1
metrics: [capability]
"""


def test_a_trial_does_its_sums_in_one_thread_whatever_the_caller_may_do(sandbox, monkeypatch):
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.setenv(name, "2")
    (sandbox.folder / "alone_pack.py").write_text(PLUGIN)
    (sandbox.folder / "one.yaml").write_text(SCENARIO)
    words = ("run", "one.yaml", "--plugin", "alone_pack", "--out", "one", "--workers", "1")
    code, printed = sandbox(*words, path=sandbox.folder)

    (status,) = (sandbox.folder / "one").glob("trials/*/status.json")
    assert (code, json.loads(status.read_text())["state"]) == (0, "done"), printed
