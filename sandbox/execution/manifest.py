"""What a run was made with: program, packages, commit, machine."""

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from sandbox.catalogue import catalogue
from sandbox.execution.arithmetic import arithmetic


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0))


def manifest(folder: Path, plugins: tuple[str, ...]) -> dict[str, Any]:
    """Describe this command's program and machine; paths stay out of it."""
    return {
        "folder": folder.name,
        "argv": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": _cpu(),
        "arithmetic": arithmetic(),
        "cores": cores(),
        "threads_per_trial": 1,
        "commit": commit(),
        "dirty": bool(_git("status", "--porcelain")),
        "packages": {d.metadata["Name"]: d.version for d in distributions()},
        "named_plugins": list(plugins),
        "plugins": sorted({*plugins, *catalogue().env_origins.values()}),
        "broken_plugins": dict(catalogue().broken),
    }


def commit() -> str | None:
    """The commit that is checked out; ``None`` outside a checkout."""
    return _git("rev-parse", "HEAD")


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if "model name" in line), "")


def _git(*arguments: str) -> str | None:
    """Ask git about the folder that this program lies in; ``None`` where there is no checkout."""
    here = Path(__file__).resolve().parents[2]
    if not (here / ".git").exists():
        return None
    try:
        found = subprocess.run(  # noqa: S603  (fixed words)
            ["git", "-C", str(here), *arguments],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()
