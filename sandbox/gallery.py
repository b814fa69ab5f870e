"""Writes the gallery of worlds: a picture, a line and the oracles of each, by family.

``python -m sandbox.gallery docs/gallery`` makes it again; the same worlds give the same pages.
"""

import inspect
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.normalisers import NORMALISERS
from sandbox.world_card import TOTALS, first_level

if TYPE_CHECKING:
    from envs.contract import Oracle, World

PAGE = "README.md"
ABOUT = """# The worlds

A map of each with its default settings, and what its reference policies get in an episode, on
average. `sandbox show NAME` tells the rules, `sandbox play NAME` lets you play. Made by
`python -m sandbox.gallery docs/gallery`."""
COLOURS = 64  # of a picture: enough for sprites, and a few kilobytes
_NOTHING = 1e-6
ONE, JOINT = "More worlds", "Several agents"


def names() -> list[str]:
    """Our worlds, in the order of the gallery: by family, then by name."""
    import envs.registration  # noqa: PLC0415  (Gymnasium)

    shelf = envs.registration.shelf()
    return sorted(shelf, key=lambda name: (_rank(_family(_world(name))), name))


def page() -> str:
    """The gallery's text, Markdown."""
    from envs.registration import env_id  # noqa: PLC0415

    lines = [ABOUT]
    family = ""
    for name in names():
        world = _world(name)
        if _family(world) != family:
            family = _family(world)
            lines += ["", f"## {family}"]
        lines += ["", *_entry(name, env_id(name), world)]
    return "\n".join(lines) + "\n"


def write(folder: Path) -> list[Path]:
    """Write the page and the pictures; pictures of worlds that are gone are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    made = [folder / PAGE]
    made[0].write_text(page(), encoding="utf-8")
    for name in names():
        path = folder / f"{name}.png"
        path.write_bytes(picture(_world(name)))
        made.append(path)
    for path in set(folder.glob("*.png")) - set(made):
        path.unlink()
    return made


def picture(world: "World") -> bytes:
    """The world's first level as a small PNG."""
    import io  # noqa: PLC0415

    from PIL import Image  # noqa: PLC0415

    from envs.faces import draw  # noqa: PLC0415

    image = Image.fromarray(draw(world, first_level(world), 0, "rgb_array"))
    buffer = io.BytesIO()
    small = image.quantize(COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    small.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _world(name: str) -> "World":
    from envs.registration import make_world  # noqa: PLC0415

    return make_world(name)


def _family(world: "World") -> str:
    return world.family or (JOINT if len(world.agents) > 1 else ONE)


def _rank(family: str) -> tuple[int, str]:
    """Named families first, in order; then the two that hold the rest."""
    return (JOINT, ONE).index(family) + 1 if family in {JOINT, ONE} else 0, family


def _entry(name: str, env_id: str, world: "World") -> list[str]:
    module = inspect.getdoc(inspect.getmodule(type(world))) or ""
    summary = module.split("\n", maxsplit=1)[0]
    oracles = world.oracles()
    scores = [each for each, rule in NORMALISERS.items() if rule.ends(oracles) is not None]
    return [
        f"### {name}",
        "",
        f"![A level of {name}]({name}.png)",
        "",
        f"{summary} `{env_id}`",
        "",
        f"| policy | {' | '.join(each.replace('_', ' ') for each in TOTALS)} | |",
        "|---|--:|--:|--:|---|",
        *(_row(each, oracle) for each, oracle in oracles.items()),
        "",
        f"Scores: {', '.join(scores) or 'none'}.",
    ]


def _row(policy: str, oracle: "Oracle") -> str:
    totals = " | ".join(_number(getattr(oracle, each)) for each in TOTALS)
    return f"| {policy.replace('_', ' ')} | {totals} | {'exact' if oracle.exact else 'measured'} |"


def _number(value: float) -> str:
    """Three digits; what rounding left of a zero is 0, on every machine."""
    if abs(value) < _NOTHING:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"  # noqa: PLR2004


def main(arguments: Sequence[str]) -> int:
    """Write the gallery into the folder given."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        sys.stderr.write("usage: python -m sandbox.gallery FOLDER\n")
        return 2
    made = write(Path(arguments[0]))
    sys.stdout.write(f"{made[0]}: {len(made) - 1} worlds\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
