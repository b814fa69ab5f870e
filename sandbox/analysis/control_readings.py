"""What a control's meter measured, compared with what its intensity should do."""

import math
from collections.abc import Sequence

from sandbox.record.events import Controlled

STANDARD_ERRORS = 4.5  # 1 false alarm in 150 000
ROUNDING = 1e-5  # relative: observations are float32
CHANGES = ("_changed", "_change", "_shown")
"""How the names of measurements end that are 0 where nothing was changed."""


def as_expected(active: Sequence[Controlled], name: str) -> bool | None:
    """Is one measurement, over several updates, what it should be?

    ``None`` where the expected value is within the tolerance of 0.
    """
    rows = [each for each in active if name in each.expected]
    measured = math.fsum(each.measured.get(name, 0.0) for each in rows)
    expected = math.fsum(each.expected[name] for each in rows)
    tolerance = STANDARD_ERRORS * math.sqrt(math.fsum(each.error[name] ** 2 for each in rows))
    if abs(measured - expected) > tolerance + ROUNDING * abs(expected):
        return False
    return None if abs(expected) <= tolerance else True


def moved(event: Controlled) -> bool:
    """Did the control meter measure any change at all?"""
    return any(value for name, value in event.measured.items() if name.endswith(CHANGES))
