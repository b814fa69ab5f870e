"""Is a curve still going anywhere? A test of trend that asks nothing of the noise."""

import math
from collections.abc import Sequence

RISING = 1.6449
"""Of a standard normal number, 5 % are greater: so often a flat curve is taken for a rising one."""


def trend(values: Sequence[float]) -> float:
    """Mann-Kendall's statistic (Mann 1945; Kendall 1975): standard normal where nothing moves.

    ``S`` counts the pairs that rise less those that fall; its variance, for ``n`` values among
    which ``t`` are equal, again and again, is ``(n (n-1) (2n+5) - sum t (t-1) (2t+5)) / 18``; the
    statistic is ``(S -+ 1) / sd``, 0 where ``S`` is 0.
    """
    n = len(values)
    rises = sum(
        (later > earlier) - (later < earlier)
        for i, earlier in enumerate(values)
        for later in values[i + 1 :]
    )
    ties = [values.count(each) for each in set(values)]
    variance = sum(-t * (t - 1) * (2 * t + 5) for t in ties) + n * (n - 1) * (2 * n + 5)
    if not rises or variance <= 0:
        return 0.0
    return (rises - math.copysign(1, rises)) / math.sqrt(variance / 18)


def flat(values: Sequence[float]) -> bool:
    """Is there no sign, at the level of 5 %, that the curve rises? A falling one is flat, too."""
    return trend(values) <= RISING
