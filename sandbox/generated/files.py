"""Writes what is made from parts and findings: schema, gallery, rows, tables of scenarios.

``python -m sandbox.generated`` writes what has changed and names it; with ``--check`` it
names it only. Run it, as ``make generated``, after a part, scenario or finding was
added, changed or removed.
"""

import io
import sys
from collections.abc import Sequence
from pathlib import Path

from sandbox.generated import gallery, objectives_page, scenarios_page
from sandbox.scenario import schema

ROOT = Path(__file__).resolve().parents[2]
GALLERY = ROOT / "docs" / "gallery"
OBJECTIVES = ROOT / "docs" / "objectives.md"
SCENARIOS = ROOT / "scenarios" / "README.md"
USAGE = "usage: python -m sandbox.generated [--check]\n"


def files() -> dict[Path, bytes]:
    """Every generated file and what it must hold."""
    texts = {
        schema.FILE: schema.text(),
        GALLERY / gallery.PAGE: gallery.page(),
        SCENARIOS: scenarios_page.completed(
            SCENARIOS.read_text(encoding="utf-8"), SCENARIOS.parent
        ),
        OBJECTIVES: objectives_page.completed(OBJECTIVES.read_text(encoding="utf-8")),
    }
    made = {path: text.encode() for path, text in texts.items()}
    return made | {GALLERY / f"{name}.png": gallery.picture(name) for name in gallery.names()}


def stale(made: dict[Path, bytes]) -> list[Path]:
    """Those that are missing or hold something else, and pictures of worlds that are gone."""
    gone = set(GALLERY.glob("*.png")) - set(made)
    return sorted(gone | {path for path, data in made.items() if not _holds(path, data)})


def write() -> list[Path]:
    """Write what is stale and remove what is gone; these are returned."""
    made = files()
    changed = stale(made)
    GALLERY.mkdir(parents=True, exist_ok=True)
    for path in changed:
        if path in made:
            path.write_bytes(made[path])
        else:
            path.unlink()
    return changed


def _holds(path: Path, data: bytes) -> bool:
    """Pictures are compared by what they show: another zlib packs the same pixels otherwise."""
    if not path.is_file():
        return False
    found = path.read_bytes()
    return found == data or (path.suffix == ".png" and _pixels(found) == _pixels(data))


def _pixels(picture: bytes) -> tuple[tuple[int, int], bytes]:
    from PIL import Image  # noqa: PLC0415

    with Image.open(io.BytesIO(picture)) as image:
        return image.size, image.convert("RGB").tobytes()


def main(arguments: Sequence[str]) -> int:
    """Write, or check: then 1 where anything is stale."""
    check = list(arguments) == ["--check"]
    if not (check or not arguments):
        sys.stderr.write(USAGE)
        return 2
    if not (ROOT / "pyproject.toml").is_file():
        sys.stderr.write("generated files belong to a checkout, and this is an installation\n")
        return 2
    changed = stale(files()) if check else write()
    verb = "stale, run: make generated" if check else "written"
    sys.stdout.writelines(f"{path.relative_to(ROOT)}: {verb}\n" for path in changed)
    return int(check and bool(changed))
