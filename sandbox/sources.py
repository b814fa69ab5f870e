"""Which source files and package versions a run depends on, as hashes.

``code_of`` follows imports through the text of our modules, from the process that runs a trial and
the rule that judges claims; parts are found by name, so those that the scenario names are added. Of
a plug-in, and of any other package that makes a named env, every Python file counts.
"""

import hashlib
import importlib.util
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from sandbox.catalogue import OF_CONTROL, PART_FOLDERS, catalogue

JSON = Mapping[str, Any]
OURS = ("agents", "envs", "sandbox")
ROOT = Path(__file__).resolve().parents[1]
VERSIONS = ("gymnasium", "numpy", "scipy", "torch")
"""Packages whose version may change a number."""
STARTS = ("sandbox.execution.worker", "sandbox.trial.build", "sandbox.verdicts.claims")
_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n(]+)|import[ \t]+([^\n]+))",
    re.MULTILINE,
)
_FOR_TYPES = re.compile(r"^if TYPE_CHECKING:\n(?:[ \t]+[^\n]*\n|\n)*", re.MULTILINE)


def code_of(data: Any, plugins: Sequence[str] = ()) -> dict[str, dict[str, str]]:
    """``sources``: module or plug-in file -> SHA-256; ``versions``: package -> version.

    ``data``: a resolved scenario and the specs of its trials, as JSON: what names the parts.
    ``plugins``: modules named by hand.
    """
    words = set(_words(data))
    found = _closure({*STARTS, *_of_parts(words)})
    sources = {name: digest for name in sorted(found) if (digest := _digest(name))}
    for package in sorted(_others(words, plugins)):
        sources |= _whole(package)
    return {"sources": sources, "versions": {name: _version(name) for name in VERSIONS}}


def changed(code: JSON) -> list[str]:
    """What differs here and now from code that was registered: modules, then versions."""
    sources: Mapping[str, str] = code.get("sources", {})
    found = [name for name, digest in sources.items() if _digest(name) != digest]
    versions: Mapping[str, str] = code.get("versions", {})
    found += [
        f"{name} {then} (here {_version(name)})"
        for name, then in versions.items()
        if then != _version(name)
    ]
    return found


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
    place = ROOT.joinpath(*name.split("."))
    options = (place / "__init__.py", place.with_suffix(".py"))
    return next((each for each in options if each.is_file()), None)


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
    """Every Python file of a top-level package or module, by its path from there."""
    folder, files = _package(top)
    return {f"{top}:{path.relative_to(folder).as_posix()}": _sha(path) for path in files}


def _package(top: str) -> tuple[Path, list[Path]]:
    try:
        spec = importlib.util.find_spec(top) if top else None
    except (ImportError, ValueError):
        spec = None
    if spec is not None and spec.submodule_search_locations:
        folder = Path(next(iter(spec.submodule_search_locations)))
        return folder, sorted(folder.rglob("*.py"))
    if spec is not None and spec.origin and Path(spec.origin).is_file():
        return Path(spec.origin).parent, [Path(spec.origin)]
    return Path(), []


def _digest(name: str) -> str | None:
    """Hash of a module of ours, or of ``package:file`` of a plug-in; ``None``: it is gone."""
    top, sign, file = name.partition(":")
    path = _package(top)[0] / file if sign else _file(name)
    return _sha(path) if path is not None and path.is_file() else None


def _sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"
