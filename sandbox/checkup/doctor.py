"""Looks over the installation: what runs here, how fast it loads, and what stands in the way."""

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, packages_distributions, requires, version
from pathlib import Path

from sandbox.catalogue import GROUP, catalogue
from sandbox.checkup.findings import Finding
from sandbox.guard import NAMES, OURS, clashes

_ROOT = Path(__file__).resolve().parents[2]
_IMPORTS = ("sandbox", "gymnasium", "torch", "stable_baselines3")
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def examine() -> list[Finding]:
    """Run every check; a check that itself breaks is a finding, too."""
    found: list[Finding] = []
    for look in _LOOKS:
        try:
            found += look()
        except Exception as error:  # noqa: BLE001  (a sick installation breaks in any way)
            name = look.__name__.strip("_").replace("_", " ")
            found.append(Finding(name, ok=False, detail=f"{type(error).__name__}: {error}"))
    return found


def _python() -> Iterator[Finding]:
    ok = sys.version_info >= (3, 11)
    need = "" if ok else ", but 3.11 or newer is needed"
    detail = (
        f"{platform.python_implementation()} {platform.python_version()} on {platform.system()}"
    )
    yield Finding("python", ok=ok, detail=f"{detail}, {sys.prefix}{need}")


def _torch() -> Iterator[Finding]:
    import torch  # noqa: PLC0415  (over a second)

    build = f"CUDA {torch.version.cuda}" if torch.version.cuda else "CPU"
    seen = f", {torch.cuda.device_count()} GPU" if torch.cuda.is_available() else ""
    yield Finding("torch", ok=True, detail=f"{torch.__version__}, {build} build{seen}")
    blas = re.findall(r"BLAS_INFO=(\w+)|LAPACK_INFO=(\w+)", torch.__config__.show())
    names = {a or b for a, b in blas} or {"unknown"}
    capability = torch.backends.cpu.get_cpu_capability()
    yield Finding(
        "blas", ok=True, detail=f"{', '.join(sorted(names))}, CPU capability {capability}"
    )
    limit = os.environ.get("OMP_NUM_THREADS", "not set")
    detail = f"{os.cpu_count()} CPUs, torch uses {torch.get_num_threads()}"
    yield Finding("threads", ok=True, detail=f"{detail}, OMP_NUM_THREADS {limit}")


def _versions() -> Iterator[Finding]:
    """Compare what is installed with the ranges this distribution declares."""
    from packaging.requirements import Requirement  # noqa: PLC0415

    wrong = []
    for line in _requirements():
        need = Requirement(line)
        if need.marker is not None and not need.marker.evaluate({"extra": ""}):
            continue
        try:
            have = version(need.name)
        except PackageNotFoundError:
            wrong.append(f"{need.name} is missing")
            continue
        if not need.specifier.contains(have, prereleases=True):
            wrong.append(f"{need.name} {have} is not {need.specifier}")
    detail = "; ".join(wrong) or "all inside the declared ranges"
    yield Finding("versions", ok=not wrong, detail=detail)


def _requirements() -> list[str]:
    try:
        return requires(OURS) or []
    except PackageNotFoundError:  # run from a checkout that is not installed
        project = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))
        found: list[str] = project["project"]["dependencies"]
        return found


def _pins() -> Iterator[Finding]:
    """Compare with the exact versions that the tests ran with; other ones may work as well."""
    path = _ROOT / "constraints" / "cpu-py311.txt"
    if not path.is_file():
        return
    moved = []
    for line in path.read_text(encoding="utf-8").splitlines():
        name, _, pin = line.partition("==")
        if not pin:
            continue
        try:
            have = version(name).partition("+")[0]
        except PackageNotFoundError:
            continue
        if have != pin:
            moved.append(f"{name} {have}, tested with {pin}")
    detail = "; ".join(moved) or f"as in constraints/{path.name}"
    yield Finding("pins", ok=True, detail=detail)


def _tensorboard() -> Iterator[Finding]:
    have = version("tensorboard")
    ok = tuple(map(int, have.split(".")[:2])) >= (2, 21)
    need = "" if ok else ": 2.21 is needed, older ones import the removed pkg_resources"
    yield Finding("tensorboard", ok=ok, detail=have + need)


def _import_times() -> Iterator[Finding]:
    clock = "from time import perf_counter as now; import sys; start = now()"
    code = f"{clock}; __import__(sys.argv[1]); print(now() - start)"
    for name in _IMPORTS:
        done = subprocess.run(  # noqa: S603  (this interpreter, our own words)
            [sys.executable, "-W", "ignore", "-c", code, name],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        last = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()[-1:]
        detail = f"{float(last[0]):.2f} s" if done.returncode == 0 else "".join(last)
        yield Finding(f"import {name}", ok=done.returncode == 0, detail=detail)


def _names() -> Iterator[Finding]:
    """Ask who else installs our package names, even where ours win at the moment."""
    problems = [problem.what for problem in clashes()]
    owners = packages_distributions()
    problems += [
        f"{other} installs '{name}' too: uninstalling it would break {OURS}"
        for name in ("sandbox", *NAMES)
        for other in sorted({*owners.get(name, ())} - {OURS})
    ]
    detail = "; ".join(dict.fromkeys(problems)) or "sandbox, envs and agents are ours"
    yield Finding("names", ok=not problems, detail=detail)


def _plug_ins() -> Iterator[Finding]:
    known = catalogue()
    for origin, why in sorted(known.broken.items()):
        yield Finding(f"plug-in {origin}", ok=False, detail=f"cannot be loaded: {why}")
    gave: dict[str, list[str]] = {}
    for part in known.plugged.values():
        gave.setdefault(part.origin, []).append(f"{part.kind[:-1]} {part.name}")
    for env_id, origin in known.env_origins.items():
        gave.setdefault(origin, []).append(f"env {env_id}")
    for env_id, (_, origin) in known.parallel.items():
        gave.setdefault(origin, []).append(f"env {env_id}")
    for origin, parts in sorted(gave.items()):
        yield Finding(f"plug-in {origin}", ok=True, detail=", ".join(sorted(parts)))
    if not (gave or known.broken):
        yield Finding("plug-ins", ok=True, detail=f"none installed (entry-point group {GROUP})")


def _writable() -> Iterator[Finding]:
    for name, folder in (("here", Path.cwd()), ("temporary files", Path(tempfile.gettempdir()))):
        try:
            with tempfile.NamedTemporaryFile(dir=folder):
                free = shutil.disk_usage(folder).free / 1e9
            yield Finding(f"writable {name}", ok=True, detail=f"{folder}, {free:.1f} GB free")
        except OSError as error:
            yield Finding(f"writable {name}", ok=False, detail=f"{folder}: {error.strerror}")


def _browser() -> Iterator[Finding]:
    """Only tests of the report need one, so its absence is no fault."""
    path = next(filter(None, map(shutil.which, _BROWSERS)), None)
    yield Finding("browser", ok=True, detail=path or "no chromium: the report's browser test skips")


_LOOKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    _python,
    _torch,
    _versions,
    _pins,
    _tensorboard,
    _import_times,
    _names,
    _plug_ins,
    _writable,
    _browser,
)
