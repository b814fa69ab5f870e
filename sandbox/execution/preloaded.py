"""Imported by the fork server, once: every module that a trial could need, so that none imports it.

Built-in parts only: the code of plug-ins is for the process of a trial alone. What cannot be
imported is left to the trial that needs it, which then says why.
"""

import contextlib
import gc
import importlib
import pkgutil
from collections.abc import Iterator

from sandbox.catalogue import PART_FOLDERS, built_in

JUDGE_ONLY = {"metrics"}
"""Kinds of parts that no trial loads."""
PACKAGES = ("agents.algorithms", "agents.training", "sandbox.measuring")
"""What parts import only when they are built or asked."""
# The first optimiser of a process imports torch._dynamo, which takes 1.5 s, its first step the
# profiler, and numpy.unique numpy.ma.
BESIDE = (
    "torch._dynamo",
    "torch.profiler._cupti_monitor",
    "numpy.ma",
    "sandbox.execution.worker",
    "sandbox.trial.build",
)


def modules() -> Iterator[str]:
    """All that is imported here, in order."""
    yield from BESIDE
    for package in PACKAGES:
        folder = importlib.import_module(package).__path__
        yield from (f"{package}.{each.name}" for each in pkgutil.iter_modules(folder))
    for kind in PART_FOLDERS:
        if kind not in JUDGE_ONLY:
            yield from (part.target for part in built_in(kind))


with contextlib.suppress(Exception):
    for _name in modules():
        with contextlib.suppress(Exception):
            importlib.import_module(_name)
gc.collect()
gc.freeze()  # else the first collection of every trial goes through all of this, and copies it
