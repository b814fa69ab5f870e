"""Where the sources, pages and tests still use words of our own instead of the field's.

``python tests/project/old_words.py [PATH ...]`` prints every place, file by file, and the counts.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLACES = ("sandbox", "envs", "agents", "docs", "README.md")
TESTS = ("tests",)
LISTS = {"old_words.py", "test_old_words.py", "renamed_records.py", "test_renamed_records.py"}
"""Files that name the words, or translate them, and so hold each of them."""
SUFFIXES = {".py", ".md", ".txt"}

WORDS = {
    "mind": r"minds?",
    "motive": r"motives?",
    "brain": r"brains?",
    "life": r"life|lives|lifetimes?",
    "deed": r"deeds?",
    "clerk": r"clerks?",
    "deaf": r"deaf",
    "habitat": r"habitats?",
    "birth": r"births?|born|unborn|newborn|stillborn|heirs?",
    "stranger": r"strangers?|somebody|somebody's|anybody|anybody's|nobody|nobody's|whoever",
    "glass": r"glass",
    "gauge": r"gauges?",
    "twin": r"twins?",
    "hasten": r"hastens?|hastened",
    "company": r"company",
    "heritage": r"heritage|heirlooms?|bequeaths?|bequest",
    "the say": r"the say",
    "unheard": r"unheard|asleep",
    "footprint": r"footprints?|witness(?:es)?|woken",
    "pay": r"pays?|paid|earns?|earned|paying",
    "told": r"told|tells?|telling",
    "knob": r"knobs?|dials?",
    "shelf": r"shelf|shelves|house",
    "room": r"rooms?",
    "lived": r"lived|relived|live it again|lives? again",
    "hear": r"hears?|heard|hearing",
    "lesson": r"lessons?",
    "taught": r"taught|untaught|teach(?:es|ing)?",
}
"""Term of ``terms.tsv`` -> pattern of the words that stand for it, in any case."""


def places(paths: list[Path]) -> Iterator[tuple[str, str, int, str]]:
    """(term, file, line number, line) of every word found."""
    patterns = {
        term: re.compile(rf"(?<![a-z]){words}(?![a-z])", re.IGNORECASE)
        for term, words in _grouped()
    }
    for path in paths:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for term, pattern in patterns.items():
                for _ in pattern.finditer(line):
                    yield term, str(path.relative_to(ROOT)), number, line.strip()


def _grouped() -> list[tuple[str, str]]:
    return [(term, f"(?:{words})") for term, words in WORDS.items()]


def files(names: tuple[str, ...] = PLACES) -> list[Path]:
    """Every source file and page below these places."""
    found = []
    for name in names:
        path = ROOT / name
        found += [path] if path.is_file() else sorted(path.rglob("*"))
    return [
        each
        for each in found
        if each.is_file() and each.suffix in SUFFIXES and each.name not in LISTS
    ]


def main(arguments: list[str]) -> int:
    """Print the places and the counts."""
    found = list(places(files(tuple(arguments) or PLACES + TESTS)))
    sys.stdout.writelines(
        f"{name}:{number}: [{term}] {line[:140]}\n" for term, name, number, line in found
    )
    counts = Counter(term for term, *_ in found)
    sys.stdout.writelines(f"{term}\t{n}\n" for term, n in counts.most_common())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
