"""What a drawing is made of: boxes, lines and words at their places, in pixels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from textwrap import wrap
from typing import Literal

from sandbox.pictures.genome_changes import Change, Mark

Look = Literal["layer", "frozen", "sparse", "norm", "head", "gate", "ghost", "shield"]
MINUS = "\N{MINUS SIGN}"
SIGNS = {"added": "+ ", "removed": f"{MINUS} "}  # before what came or went
LETTER = 0.54  # mean width of a letter, as a share of its size
BOLD = 0.59


@dataclass(frozen=True)
class Box:
    """A rectangle. ``key`` names the same thing in drawings of one agent run's genomes."""

    key: str
    x: float
    y: float
    width: float
    height: float
    look: Look = "layer"
    mark: Mark = ""
    round: float = 4.0


@dataclass(frozen=True)
class Line:
    """Straight pieces from point to point; ``closed`` is an outline that is filled."""

    key: str
    points: tuple[tuple[float, float], ...]
    arrow: bool = False
    closed: bool = False
    mark: Mark = ""


@dataclass(frozen=True)
class Word:
    """One line of text, its baseline at ``y``; ``changes`` are those that it shows."""

    key: str
    x: float
    y: float
    text: str
    size: float = 13.0
    anchor: Literal["start", "middle", "end"] = "start"
    bold: bool = False
    soft: bool = False
    mark: Mark = ""
    title: str = ""
    changes: tuple[Change, ...] = ()


Shape = Box | Line | Word


@dataclass
class Sheet:
    """A drawing being made."""

    width: float
    height: float = 0.0
    shapes: list[Shape] = field(default_factory=list)

    def add(self, *shapes: Shape) -> None:
        """Put shapes on top of those already there."""
        self.shapes += shapes

    def lines(self, text: str, width: float, like: Word, pitch: float = 15.0) -> float:
        """Write text in as many lines as it needs; returns the baseline after the last."""
        y = like.y
        for i, each in enumerate(broken(text, width, like)):
            fields = {**like.__dict__, "key": f"{like.key}/{i}", "y": y, "text": each}
            if i:
                fields["changes"] = ()
            self.add(Word(**fields))
            y += pitch
        return y


def wide(text: str, like: Word) -> float:
    """About how many pixels this text takes: no font is asked, so every machine agrees."""
    return len(text) * like.size * (BOLD if like.bold else LETTER)


def broken(text: str, width: float, like: Word, most: int = 4) -> Sequence[str]:
    """The text in at most ``most`` lines of this width."""
    letters = max(int(width / (like.size * (BOLD if like.bold else LETTER))), 4)
    return wrap(text, letters, max_lines=most, placeholder=" …") or [""]


def boxes(shapes: Sequence[Shape]) -> Iterator[Box]:
    """The boxes among them."""
    yield from (each for each in shapes if isinstance(each, Box))
