"""Sentences that the command line and the report say alike."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.expectations import Judged


def counted(n: int, what: str) -> str:
    """``1 trial``, ``20 trials``."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def signed(value: float) -> str:
    """Three significant digits and a sign, but none for 0."""
    return f"{value:+.3g}" if value else "0"


def bracketed(estimate: float, *ends: float) -> str:
    """``-0.81 [-0.95, -0.67]``; no brackets without an interval."""
    return signed(estimate) + (f" [{', '.join(map(signed, ends))}]" if ends else "")


def change(judged: "Judged") -> str:
    """What the metric itself did, ``-0.81 [-0.95, -0.67]``: below 0 where it fell.

    A verdict counts towards its claim instead, so that a claimed fall is positive there.
    """
    found, sign = judged.verdict, 1 if judged.direction == "higher" else -1
    if found.estimate is None:
        return "not measured"
    ends = sorted(sign * each for each in (found.low, found.high) if each is not None)
    return bracketed(sign * found.estimate, *ends)


def confidence(judged: "Judged") -> str:
    """``90 % interval``: a claim is judged one-sided, at its alpha, so by ``1 - 2 alpha``."""
    return f"{100 * (1 - 2 * judged.verdict.alpha):.3g} % interval"
