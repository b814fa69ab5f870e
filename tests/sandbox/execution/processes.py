"""Looks for processes that should have ended."""

import subprocess
from pathlib import Path


def left_over(folder: Path) -> list[str]:
    """Processes that still work in the folder that holds this run."""
    found = subprocess.run(["ps", "-eo", "pid=,args="], capture_output=True, text=True, check=True)
    here = {
        path.parent.name
        for path in Path("/proc").glob("[0-9]*/cwd")
        if _target(path) == str(folder.parent)
    }
    return [line for line in found.stdout.splitlines() if line.split()[0] in here]


def _target(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""
