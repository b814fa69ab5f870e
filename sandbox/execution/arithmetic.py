"""What the last digits of a sum depend on besides package versions: core type, vectors, BLAS.

A BLAS chooses its loops by the core that it finds, so two machines with the same packages may
differ in the last digit of a weight, and from there in everything.
"""

import ctypes
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sandbox.record.store import RunRecord

_CORE_NAMES = tuple(
    f"{prefix}openblas_get_corename{suffix}" for prefix in ("scipy_", "") for suffix in ("64_", "")
)
_MAPS = Path("/proc/self/maps")


def arithmetic() -> dict[str, Any]:
    """Describe it for the manifest of a run; ``None`` is what cannot be found out here."""
    built = np.show_config(mode="dicts")
    blas = built.get("Build Dependencies", {}).get("blas", {})
    return {
        "machine": platform.machine(),
        "core_type": _core_type(),
        "openblas_coretype": os.environ.get("OPENBLAS_CORETYPE"),
        "cpu_features": list(built.get("SIMD Extensions", {}).get("found", [])),
        "blas": blas.get("name"),
        "blas_version": blas.get("version"),
        "blas_build": blas.get("openblas configuration"),
    }


def differing(then: Mapping[str, Any]) -> list[str]:
    """``core_type SkylakeX, here Haswell``: what a manifest says that is otherwise here."""
    written, here = then.get("arithmetic") or {}, arithmetic()
    return [
        f"{name} {_said(each)}, here {_said(here[name])}"
        for name, each in written.items()
        if name in here and each != here[name]
    ]


def notes(run: RunRecord) -> list[str]:
    """What ``verify`` says of a run whose last digits may be others on another machine."""
    commands = [each for each in run.log if each.get("kind") == "command" and "arithmetic" in each]
    cores = dict.fromkeys(_said(each["arithmetic"].get("core_type")) for each in commands)
    found = []
    if len(cores) > 1:
        what = "its trials were run on several core types"
        found.append(f"{what} ({', '.join(cores)}): they may differ in their last digits")
    if other := differing(run.manifest):
        what = "replayed here, it may differ in its last digits: it was made with"
        found.append(f"{what} {'; '.join(other)}")
    return found


def _said(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _core_type() -> str | None:
    """The core that NumPy's OpenBLAS has chosen its loops for; ``None`` for another BLAS."""
    try:
        mapped = _MAPS.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    libraries = {each.split(maxsplit=5)[-1] for each in mapped if "openblas" in each}
    for library in sorted(libraries, key=lambda each: ("numpy" not in each, each)):
        try:
            loaded = ctypes.CDLL(library)
        except OSError:
            continue
        for name in _CORE_NAMES:
            asked = getattr(loaded, name, None)
            if asked is not None:
                asked.restype = ctypes.c_char_p
                return str(asked().decode())
    return None
