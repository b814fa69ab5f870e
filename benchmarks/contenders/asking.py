"""The asking side of a benchmark: warm processes on one core, asked by turns."""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
    "PYTHONPATH": str(ROOT / "benchmarks"),
}


@dataclass
class Contender:
    """``python -m contenders.MODULE`` in this checkout or another one, on one core."""

    python: str
    module: str
    root: Path = ROOT
    core: int | None = None  # None: wherever the system puts it
    fixed: dict[str, Any] = field(default_factory=dict)  # part of every question
    _process: Any = None

    def ask(self, **question: Any) -> dict[str, Any]:
        """Its answer; raises ``RuntimeError`` where it ended instead."""
        if self._process is None:
            self._process = self._started()
        try:
            print(json.dumps(self.fixed | question), file=self._process.stdin, flush=True)
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise RuntimeError(f"{self.module} of {self.root} ended on {self.fixed | question}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _started(self) -> Any:
        process = subprocess.Popen(
            [self.python, "-m", f"contenders.{self.module}"],
            cwd=self.root,
            env=os.environ | ONE_THREAD,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        if self.core is not None:
            os.sched_setaffinity(process.pid, {self.core})
        return process

    def close(self) -> None:
        """End it, if it was started."""
        if self._process is not None:
            self._process.communicate()
            self._process = None


def python_of(root: Path) -> str:
    """The Python of a checkout."""
    return str(root / ".venv" / "bin" / "python")


def machine(loads: Sequence[float]) -> str:
    """Which processor, and how busy it was with everything, while this was measured."""
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    names = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    load = f"load {min(loads):.1f} to {max(loads):.1f}" if loads else "load not measured"
    return f"{names[0] if names else 'unknown'}, {os.cpu_count()} cores, {load}"
