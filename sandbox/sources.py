"""Which source files and package versions a run depends on, as hashes.

``code_of`` follows imports through the text of our modules, from the process that runs a trial and
the rule that judges claims; parts are found by name, so those that the scenario names are added. Of
a plug-in, and of any other package that makes a named env, every Python file counts.
"""

import hashlib
import importlib.util
import platform
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from typing import Any

from sandbox.catalogue import OF_CONTROL, PART_FOLDERS, catalogue

JSON = Mapping[str, Any]
OURS = ("agents", "envs", "sandbox")
ROOT = Path(__file__).resolve().parents[1]
VERSIONS = ("gymnasium", "numpy", "pettingzoo", "scipy", "torch")
"""Packages whose version may change a number; that of Python is recorded, too."""
JUDGING = ("sandbox.verdicts.claims", "sandbox.verdicts.frames")
STARTS = ("sandbox.execution.worker", "sandbox.trial.build", *JUDGING)
PARTS_THAT_JUDGE = ("sandbox.metrics.", "sandbox.lever")
LARGEST_PACKAGE = 5000  # files: above it only Python files of a plug-in are hashed
_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n(]+)|import[ \t]+([^\n]+))",
    re.MULTILINE,
)
_VERSION = re.compile(r"^Version: *(\S+)", re.MULTILINE)
_FOR_TYPES = re.compile(r"^if TYPE_CHECKING:\n(?:[ \t]+[^\n]*\n|\n)*", re.MULTILINE)


def code_of(data: Any, plugins: Sequence[str] = ()) -> dict[str, dict[str, str]]:
    """``sources``: module or plug-in file -> SHA-256; ``versions``; ``plugins``: name -> target.

    ``data``: a resolved scenario and the specs of its trials, as JSON: what names the parts.
    ``plugins``: modules named by hand.
    """
    words = set(_words(data))
    found = _closure({*STARTS, *_of_parts(words)})
    sources = {name: digest for name in sorted(found) if (digest := _digest(name))}
    for package in sorted(_others(words, plugins)):
        sources |= _whole(package)
    versions = {name: _version(name) for name in ("python", *VERSIONS)}
    return {"sources": sources, "versions": versions, "plugins": _plugged(words, plugins)}


def changed(code: JSON) -> list[str]:
    """What differs here and now from code that was registered: modules, then versions.

    Files of a plug-in that is not installed here are left out: see ``absent``.
    """
    sources: Mapping[str, str] = code.get("sources", {})
    away = absent(code)
    found = [
        name
        for name, digest in sources.items()
        if _digest(name) != digest and name.partition(":")[0] not in away
    ]
    versions: Mapping[str, str] = code.get("versions", {})
    found += [
        f"{name} {then} (here {_version(name)})"
        for name, then in versions.items()
        if then != _version(name)
    ]
    return found


def absent(code: JSON) -> list[str]:
    """Plug-ins that were registered and are not installed here."""
    tops = dict.fromkeys(each.partition(":")[0] for each in code.get("sources", {}) if ":" in each)
    return [top for top in tops if not _package(top)[1]]


def judging(code: JSON) -> frozenset[str]:
    """Those of the registered modules that turn events into verdicts: they run at every reading."""
    sources: Mapping[str, str] = code.get("sources", {})
    parts = {name for name in sources if name.startswith(PARTS_THAT_JUDGE)}
    plugs = {name for name in sources if ":" in name}
    return frozenset(_closure({*JUDGING, *parts}) & sources.keys() | plugs)


def _plugged(words: set[str], plugins: Sequence[str]) -> dict[str, str]:
    """Plug-ins named by hand, and the target of every named part or env of any plug-in."""
    known = catalogue()
    found = dict.fromkeys(sorted(plugins), "")
    parts = ((kind, name, part) for (kind, name), part in known.plugged.items() if name in words)
    found |= {f"{kind} {name}": part.target for kind, name, part in parts}
    return found | {env: target for env, (target, _) in known.parallel.items() if env in words}


def _words(value: Any) -> Iterator[str]:
    """Every text in JSON data, keys included: a name of a part may stand anywhere in it."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield key
            yield from _words(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _words(each)


def _of_parts(words: set[str]) -> Iterator[str]:
    """Modules of the built-in parts that are named; of an editor that proposes, all edits."""
    from envs.registration import env_id  # noqa: PLC0415  (Gymnasium: loaded only to register)

    known = catalogue()
    for kind in PART_FOLDERS:
        for name, part in known.parts(kind).items():
            named = name in words or (kind == "worlds" and env_id(name) in words)
            if named and part.target != OF_CONTROL:
                yield part.target.partition(":")[0]
    if set(known.names("editors")) & words - {"fixed"}:
        yield from (part.target.partition(":")[0] for part in known.parts("edits").values())


def _closure(starts: Iterable[str]) -> set[str]:
    """Our modules that these import, and the packages around them."""
    found: set[str] = set()
    waiting = list(starts)
    while waiting:
        name = waiting.pop()
        if name in found or name.partition(".")[0] not in OURS or _file(name) is None:
            continue
        found.add(name)
        waiting += [name.rpartition(".")[0], *_imports(name)]
    return found


def _imports(name: str) -> Iterator[str]:
    path = _file(name)
    text = _FOR_TYPES.sub("", path.read_text(encoding="utf-8") if path else "")
    for module, names, plain in _IMPORT.findall(text):
        yield from (each.split()[0] for each in plain.split(",") if each.split())
        if module:
            yield module
            inside = re.sub(r"#[^\n]*", "", names).strip("() \n")
            yield from (f"{module}.{each.split()[0]}" for each in inside.split(",") if each.split())


def _file(name: str) -> Path | None:
    """The file of one of our modules; ``None`` where there is none of this name."""
    return next((each for each in _places(ROOT, name) if each.is_file()), None)


@lru_cache(maxsize=8192)
def _places(root: Path, name: str) -> tuple[Path, Path]:
    """Where a module of ours can be: as a package, as a file."""
    place = root.joinpath(*name.split("."))
    return place / "__init__.py", place.with_suffix(".py")


def _others(words: set[str], plugins: Sequence[str]) -> set[str]:
    """Top-level packages of plug-ins in use, and of other packages that make a named env."""
    known = catalogue()
    targets = [*plugins]
    targets += [part.target for (_, name), part in known.plugged.items() if name in words]
    targets += [target for env, (target, _) in known.parallel.items() if env in words]
    targets += [str(entry) for env, entry in _env_entry_points() if env in words]
    tops = {re.split(r"[.:]", each)[0] for each in targets}
    return tops - {*OURS, "gymnasium", "pettingzoo"}


def _env_entry_points() -> Iterator[tuple[str, str]]:
    """Gymnasium id -> the module that its registration names; nothing is imported."""
    from gymnasium.envs.registration import registry  # noqa: PLC0415  (as above)

    for env, spec in registry.items():
        entry = spec.entry_point
        yield env, entry if isinstance(entry, str) else str(getattr(entry, "__module__", ""))


def _whole(top: str) -> dict[str, str]:
    """Every file of a top-level package or module, by its path from there."""
    folder, files = _package(top)
    return {f"{top}:{path.relative_to(folder).as_posix()}": _sha(path) for path in files}


def _package(top: str) -> tuple[Path, list[Path]]:
    """The folder of a plug-in and its files, data included; no files where it is not here."""
    try:
        spec = importlib.util.find_spec(top) if top else None
    except (ImportError, ValueError):
        spec = None
    if spec is not None and spec.submodule_search_locations:
        folder = Path(next(iter(spec.submodule_search_locations)))
        every = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        python = [path for path in every if path.suffix == ".py"]
        kept = every if len(every) <= LARGEST_PACKAGE else python
        return folder, [path for path in kept if "__pycache__" not in path.parts]
    if spec is not None and spec.origin and Path(spec.origin).is_file():
        return Path(spec.origin).parent, [Path(spec.origin)]
    return Path(), []


def _digest(name: str) -> str | None:
    """Hash of a module of ours, or of ``package:file`` of a plug-in; ``None``: it is gone."""
    top, sign, file = name.partition(":")
    if not sign:
        path = _file(name)
    else:
        folder, files = _package(top)
        path = folder / file if files else None
    return _sha(path) if path is not None and path.is_file() else None


def _sha(path: Path) -> str:
    return _hashed(path, _stamp(path))


def _stamp(path: Path) -> tuple[int, ...]:
    """No change of a file leaves all of this as it was: its last number, no program can set."""
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


@lru_cache(maxsize=8192)
def _hashed(path: Path, stamp: tuple[int, ...]) -> str:
    """Read once as long as it does not change: every trial asks for it, at start and end."""
    del stamp
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _version(name: str) -> str:
    if name == "python":
        return platform.python_version()
    try:
        text = distribution(name).read_text("METADATA") or ""  # parsing all of it takes 1 ms
        found = _VERSION.search(text.partition("\n\n")[0])
        return found[1] if found else version(name)
    except PackageNotFoundError:
        return "none"
