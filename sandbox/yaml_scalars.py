"""Plain YAML scalars by the core schema of YAML 1.2.2 (§10.3.2), and what this program refuses.

Departures, both towards safety: digits may be grouped by threes with underscores (``200_000``,
``2_000.5``), and a decimal with leading zeros (``010``) stays text, because YAML 1.1 reads it as
8 and YAML 1.2 as 10. Nothing of YAML 1.1 is read: ``no``, ``on``, ``12:30:45`` and
``2024-01-01`` are text.
"""

import math
import re

Scalar = str | int | float | bool | None

LARGEST = 2**63 - 1
_GROUPED = r"(?:0|[1-9][0-9]*|[1-9][0-9]{0,2}(?:_[0-9]{3})+)"
_DECIMAL = re.compile(rf"[-+]?{_GROUPED}")
_OTHER_BASE = re.compile(r"0o([0-7]+)|0x([0-9a-fA-F]+)")
_FLOAT = re.compile(rf"[-+]?(?:\.[0-9]+|{_GROUPED}(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_FORMER_BOOLEANS = frozenset(["yes", "no", "on", "off"])


def plain(text: str) -> Scalar:
    """Read an unquoted scalar. Raises ``ValueError`` with words for the author."""
    if text in _WORDS:
        return _WORDS[text]
    if _DECIMAL.fullmatch(text):
        return _integer(text.replace("_", ""), 10)
    if found := _OTHER_BASE.fullmatch(text):
        return _integer(found[1] or found[2], 8 if found[1] else 16)
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"must be a finite number (got {text})")
    if _FLOAT.fullmatch(text):
        value = float(text.replace("_", ""))
        if not math.isfinite(value):
            raise ValueError(f"must be a finite number (got {text[:40]})")
        return value
    return checked(text)


def checked(text: str) -> str:
    """Return text that can be stored and shown. Raises ``ValueError``."""
    for character in text:
        code = ord(character)
        control = code < 0x20 and character not in "\n\t"  # noqa: PLR2004  (C0 controls)
        if control or 0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000:  # noqa: PLR2004
            raise ValueError(f"holds the control character U+{code:04X}; remove it")
    return text


def key(text: str, *, quoted: bool) -> str:
    """Read a key. Raises ``ValueError``: numbers, null and former booleans are no keys."""
    if text == "<<":
        raise ValueError("merge keys are not allowed: write the keys out")
    try:
        word = text if quoted else plain(text)
    except ValueError:
        word = None
    if not isinstance(word, str) or not word or (not quoted and word.lower() in _FORMER_BOOLEANS):
        raise ValueError(f"keys must be plain words (got {text[:40]!r})")
    return checked(word)


def _integer(digits: str, base: int) -> int:
    # 5,000 digits would make int() raise; 400 would pass and break JSON readers downstream.
    if len(digits) > 64 or abs(int(digits, base)) > LARGEST:  # noqa: PLR2004
        raise ValueError("must be an integer of at most 63 bits")
    return int(digits, base)
