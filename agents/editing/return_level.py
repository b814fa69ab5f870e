"""The level of an agent's training return, as editors that learn compare it."""

import math
from collections.abc import Sequence


def level(returns: Sequence[float | None], window: int) -> float | None:
    """Mean return over the last ``window`` updates; ``None`` where no episode ended.

    A return that is not finite is none.
    """
    found = [each for each in returns[-window:] if each is not None and math.isfinite(each)]
    return math.fsum(found) / len(found) if found else None
