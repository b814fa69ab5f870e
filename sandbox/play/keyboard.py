"""Reads actions from a person: single keys of a terminal, or lines of words from anywhere."""

import contextlib
import os
import re
import string
import sys
from collections.abc import Iterator, Mapping, Sequence

from sandbox.errors import InputError, Problem

QUIT = ("q", "quit", "exit")
_ARROWS = {"A": "up", "B": "down", "C": "right", "D": "left"}
_ALIKE = {"up": "north", "down": "south", "left": "west", "right": "east"}
_LAST = range(0x40, 0x7F)  # bytes that end a key which began with "Escape ["
_PATIENCE = 0.05
"""Seconds in which each further byte of an arrow key must come; else it was Escape."""


def keys_of(actions: Sequence[str]) -> dict[str, int]:
    """Key -> action: arrows by their names, digits by number, a letter of each action's name.

    An arrow is called ``<up>``; no action gets ``q``, which ends the game. An action without a
    digit gets another letter where those of its name are taken, as long as there are any.
    """
    found = {str(i): i for i in range(min(len(actions), 10))}
    for arrow, other in _ALIKE.items():
        for i, name in enumerate(actions):
            if set(name.lower().replace("-", "_").split("_")) & {arrow, other}:
                found.setdefault(f"<{arrow}>", i)
    for i, name in enumerate(actions):
        free = [each for each in name.lower() if each.isalpha() and each not in {*found, "q"}]
        if free:
            found[free[0]] = i
        elif i not in found.values():
            found |= dict.fromkeys(_spare(found)[:1], i)
    for i, name in enumerate(actions):
        if name in {"stay", "noop", "wait"}:
            found |= {" ": i, ".": i}
    return found


def _spare(taken: Mapping[str, int]) -> list[str]:
    return [each for each in string.ascii_lowercase if each not in {*taken, "q"}]


def help_of(actions: Sequence[str]) -> str:
    """One line: which key does what."""
    keys, shown = keys_of(actions), []
    for i, name in enumerate(actions):
        mine = [each for each, action in keys.items() if action == i and not each.isspace()]
        named = ["arrow" if each.startswith("<") else each for each in mine]
        shown.append(f"{name}: {' '.join(sorted(named, key=str.isdigit)) or i}")
    return "  ".join([*shown, "end: q"])


def _words(text: str, actions: Sequence[str]) -> list[str]:
    """Cut a line at blanks and commas, but no name in two; the longest name that fits counts."""
    names = [re.escape(each) for each in sorted(actions, key=len, reverse=True)]
    whole = f"(?:{'|'.join(names)})(?![^\\s,])"
    return re.findall(rf"{whole}|[^\s,]+", text, re.IGNORECASE)


def _meant(word: str, actions: Sequence[str]) -> list[int]:
    lower = [each.lower() for each in actions]
    if word in actions:
        return [list(actions).index(word)]
    if word.lower() in lower:
        return [lower.index(word.lower())]
    if word in map(str, range(len(actions))):  # "01" is two keys, as "011" is three
        return [int(word)]
    keys = keys_of(actions)
    if word.lower() in {part for each in lower for part in each.split() if len(part) > 1}:
        keys = {}  # half a name is no row of keys
    return [_action(each, keys, word, actions) for each in word]


def _action(key: str, keys: Mapping[str, int], word: str, actions: Sequence[str]) -> int:
    action = keys.get(key, keys.get(key.lower()))
    if action is None:
        what = f"is no action here; there are {', '.join(actions)} (keys: {help_of(actions)})"
        raise InputError(Problem(f"'{word[:40]}'", what))
    return action


def lines(actions: Sequence[str], prompt: str = "") -> Iterator[int]:
    """Actions from standard input, line by line, until it ends or says quit.

    A line holds names, numbers, or keys one after the other ("uurdl"). Names stand for themselves,
    whatever blanks and digits are in them, and in capitals or not. Raises ``InputError`` naming
    what there is; with a ``prompt`` it is shown, and the rest of the line is dropped.
    """
    while True:
        if prompt:
            sys.stdout.write(prompt)
            sys.stdout.flush()
        line = sys.stdin.readline()
        if not line:
            return
        for word in _words(line, actions):
            if word.lower() in QUIT and word not in actions:
                return
            try:
                yield from _meant(word, actions)
            except InputError as error:
                if not prompt:
                    raise
                sys.stdout.write(f"{error}\n")
                break  # what follows may belong to it


def has_keys(actions: Sequence[str]) -> bool:
    """Can single keys be read here? Only from a terminal, not on Windows, and if all have one."""
    if set(keys_of(actions).values()) != set(range(len(actions))):
        return False
    try:
        import termios  # noqa: F401, PLC0415
    except ImportError:
        return False
    return sys.stdin is not None and sys.stdin.isatty()


def presses(actions: Sequence[str]) -> Iterator[int]:
    """Actions from single keys of the terminal, until q, Escape or its end."""
    keys = keys_of(actions)
    while True:
        key = _key()
        if key in {"q", "Q", "<escape>", ""}:
            return
        action = keys.get(key, keys.get(key.lower()))
        if action is None:
            named = f"'{key}'" if key.isprintable() and len(key) == 1 else "that key"
            sys.stdout.write(f"{named} does nothing here; {help_of(actions)}\n")
            sys.stdout.flush()
        else:
            yield action


@contextlib.contextmanager
def single_keys() -> Iterator[None]:
    """Let the terminal hand over every key at once; afterwards it is as it was, whatever happens.

    Ctrl-C still interrupts.
    """
    import termios  # noqa: PLC0415  (not on Windows)
    import tty  # noqa: PLC0415

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    try:
        tty.setcbreak(terminal)
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _key() -> str:
    """One key: a character, ``<up>`` and the like, ``<escape>``, or ``""`` at the end of input."""
    import select  # noqa: PLC0415

    terminal = sys.stdin.fileno()
    try:
        byte = os.read(terminal, 1)
    except OSError:  # the terminal is gone
        return ""
    if byte == b"\x04":  # Ctrl-D
        return ""
    if byte != b"\x1b":
        return byte.decode("latin-1")
    more = b""
    while _unfinished(more) and select.select([terminal], [], [], _PATIENCE)[0]:
        more += os.read(terminal, 1)
    if not more:
        return "<escape>"
    arrow = _ARROWS.get(more[1:].decode("latin-1"), "")
    return f"<{arrow or 'unknown'}>"


def _unfinished(sequence: bytes) -> bool:
    """Does more belong to the key than what came behind Escape so far?

    ``O`` takes one byte more, ``[`` any number up to a letter or ``~``: Ctrl and an arrow are
    ``[1;5A``, of which nothing is a digit or letter that was typed.
    """
    if sequence[:1] == b"[":
        return len(sequence) == 1 or sequence[-1] not in _LAST
    return sequence in {b"", b"O"}
