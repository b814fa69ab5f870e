"""Cloning and inverse planning agree with the library ``imitation``; Minari's own files are read.

Both libraries live in a scratch environment that sees the packages of this one: ``imitation`` pins
versions that do not fit beside ours, so it comes without what it asks for but for two small
packages that it imports. Where nothing can be installed this is skipped.
"""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest

from envs.control_kit import recorded

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("imitation==1.0.1", "seals==0.2.1", "tqdm", "minari==0.5.4", "h5py")
DATA_SET = """
import gymnasium, minari, numpy
from minari.data_collector import EpisodeBuffer
many = []
for i, steps in enumerate((3, 5)):
    seen = numpy.arange((steps + 1) * 4, dtype=numpy.float32).reshape(-1, 2, 2) / 100
    last = numpy.arange(steps) == steps - 1
    many.append(EpisodeBuffer(
        id=i, observations=list(seen), actions=[1 + k % 3 for k in range(steps)],
        rewards=[1.0] * steps,
        terminations=list(last & (i == 0)), truncations=list(last & (i == 1)),
    ))
minari.create_dataset_from_buffers(
    "probe/two-v0", many, data_format="hdf5",
    action_space=gymnasium.spaces.Discrete(3, start=1),
    observation_space=gymnasium.spaces.Box(0, 1, (2, 2), numpy.float32),
)
"""


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    """Runs Python words in an environment of its own, with our packages and theirs."""
    folder = tmp_path_factory.mktemp("scratch")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    environment["MINARI_DATASETS_PATH"] = str(folder / "data")
    python = folder / "venv" / "bin" / "python"

    def call(*words, must=True):
        done = subprocess.run(
            [str(python), *words],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
        assert not must or done.returncode == 0, done.stderr[-2000:]
        return done

    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    (packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
    (packages / "ours.pth").write_text(sysconfig.get_path("purelib") + "\n")
    got = call("-m", "pip", "install", "-q", "--no-deps", *PACKAGES, must=False)
    if got.returncode:
        pytest.skip(f"no scratch environment: {got.stderr.strip().splitlines()[-1][:200]}")
    call.folder = folder
    return call


@pytest.mark.slow
def test_cloning_and_inverse_planning_are_those_of_the_library(scratch):
    """V10: log probabilities after the same samples from the same start; visits at the optimum."""
    printed = scratch(
        str(ROOT / "tests" / "agents" / "values" / "beside_imitation.py"), "log"
    ).stdout
    found = json.loads(printed.splitlines()[-1])

    for initial, trained, samples in found["cloning"]:
        assert samples == 300
        assert initial < 1e-5
        assert trained <= 1e-3
    for visits, ours, theirs, policies in found["planning"]:
        assert max(ours, theirs) < 1e-4  # both have converged to what was shown
        assert visits <= 1e-3
        assert policies <= 1e-3


@pytest.mark.slow
def test_what_minari_wrote_becomes_recorded_episodes(scratch):
    scratch("-c", DATA_SET)
    scratch("-m", "sandbox", "demonstrate", "--minari", "probe/two-v0", "--out", "two.npz")
    loaded = recorded.load(scratch.folder / "two.npz")
    lost = scratch(
        "-m", "sandbox", "demonstrate", "--minari", "probe/no-v0", "--out", "no.npz", must=False
    )

    np.testing.assert_array_equal(loaded.lengths, [3, 5])
    np.testing.assert_array_equal(loaded.actions, [0, 1, 2, 0, 1, 2, 0, 1])
    np.testing.assert_array_equal(loaded.terminated, [True, False])
    np.testing.assert_allclose(loaded.last[0], np.arange(12, 16) / 100, rtol=1e-6)
    assert lost.returncode == 2
    assert "not found" in lost.stderr
    assert lost.stderr.count("\n") == 1
