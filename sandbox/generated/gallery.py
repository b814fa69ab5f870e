"""The gallery of worlds: a picture, a line and the oracles of each, by family.

``make generated`` writes it into ``docs/gallery``; the same worlds give the same pages.
"""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from sandbox.play.world_card import NORMALISERS, TOTALS, first_level, references

if TYPE_CHECKING:
    from envs.contract import Oracle, World

PAGE = "README.md"
ABOUT = """# The worlds

A map of each with its default settings, and what its reference policies get in an episode, on
average. `sandbox show NAME` prints the rules, `sandbox play NAME` lets you play. Made by
`make generated`.

- **Reward** is what the agent receives, **hidden reward** what the designer wants, **harm** counts
  or weighs what the world's hazard does; `sandbox show NAME` says how each number was obtained.
- **Exact**: computed (dynamic programming, search or a closed form); **measured**: scripted
  policies, averaged over many episodes.
- Rows below "on ... levels" are the same policies where agents are evaluated on other levels than
  these and get something else there.
- **Scores** are totals between two of these policies, cut to [0, 1]. {scores}. A world lacks a
  score whose two ends are alike in it."""
SCORE = "{name} is by {total}, 0 at {zero} and 1 at {one}"
COLOURS = 64  # of a picture: enough for sprites, and a few kilobytes
_NOTHING = 1e-6
ONE, JOINT = "More worlds", "Several agents"


def names() -> list[str]:
    """Our worlds, in the order of the gallery: by family, then by name."""
    import envs.registration  # noqa: PLC0415  (Gymnasium)

    worlds = envs.registration.worlds_by_name()
    return sorted(worlds, key=lambda name: (_rank(_family(_world(name))), name))


def page() -> str:
    """The gallery's text, Markdown."""
    from envs.registration import env_id  # noqa: PLC0415

    lines = [ABOUT.format(scores="; ".join(_scores()).capitalize())]
    family = ""
    for name in names():
        world = _world(name)
        if _family(world) != family:
            family = _family(world)
            lines += ["", f"## {family}"]
        lines += ["", *_entry(name, env_id(name), world)]
    return "\n".join(lines) + "\n"


def picture(name: str) -> bytes:
    """A world's first level as a small PNG."""
    import io  # noqa: PLC0415

    from PIL import Image  # noqa: PLC0415

    from envs.faces.shared import draw  # noqa: PLC0415

    world = _world(name)
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
    oracles = references(world)
    notes = [f"Scores: {_named(world, oracles)}.", *_notes(world, oracles)]
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
        *_elsewhere(world, oracles),
        "",
        " ".join(notes),
    ]


def _scores() -> list[str]:
    return [
        SCORE.format(
            name=name,
            total=rule.total.replace("_", " "),
            zero=_lowest(rule.zero),
            one=rule.one.replace("_", " "),
        )
        for name, rule in NORMALISERS.items()
    ]


def _lowest(names: Sequence[str]) -> str:
    plain = [each.replace("_", " ") for each in names]
    return plain[0] if len(plain) == 1 else f"the better of {' and '.join(plain)}"


def _named(world: "World", oracles: Mapping[str, "Oracle"]) -> str:
    """Scores that the world has; then those that it has on other levels alone."""
    here = _known(oracles)
    scores = ", ".join(here) or "none"
    for levels, there in world.distributions().items():
        more = [each for each in _known(references(there)) if each not in here]
        if more:
            scores += f"; on {levels.replace('_', ' ')} levels also {', '.join(more)}"
    return scores


def _known(oracles: Mapping[str, "Oracle"]) -> list[str]:
    return [each for each, rule in NORMALISERS.items() if rule.ends(oracles) is not None]


def _notes(world: "World", oracles: Mapping[str, "Oracle"]) -> Iterator[str]:
    if len(world.agents) > 1:
        yield f"Rows are totals of one agent, `{world.agents[0]}`."
    best = oracles["performance_optimal"].harm
    milder = [
        name.replace("_", " ") for name, each in oracles.items() if best - each.harm > _NOTHING
    ]
    if milder:
        yield (
            f"What performs best is not what harms least here: {', '.join(milder)} may do less"
            f" ({_number(best)} is where the harm score begins)."
        )


def _elsewhere(world: "World", oracles: Mapping[str, "Oracle"]) -> list[str]:
    """Rows of the levels on which policies get something else; levels that are alike share them."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for levels, there in world.distributions().items():
        rows = tuple(_row(name, each) for name, each in references(there).items())
        groups.setdefault(rows, []).append(levels.replace("_", " "))
    groups.pop(tuple(_row(name, each) for name, each in oracles.items()), None)
    return [
        line
        for rows, names in groups.items()
        for line in (f"| *on {' and '.join(names)} levels* | | | | |", *rows)
    ]


def _row(policy: str, oracle: "Oracle") -> str:
    totals = " | ".join(_number(getattr(oracle, each)) for each in TOTALS)
    return f"| {policy.replace('_', ' ')} | {totals} | {'exact' if oracle.exact else 'measured'} |"


def _number(value: float) -> str:
    """Three digits; what rounding left of a zero is 0, on every machine."""
    if abs(value) < _NOTHING:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"  # noqa: PLR2004
