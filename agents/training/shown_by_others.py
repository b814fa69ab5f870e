"""Caregiver feedback to an agent, read from the infos of a vector env."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from agents.arrays import Array


class CaregiverFeedback(NamedTuple):
    """See the fields of the same names of ``agents.contract.Batch``."""

    approval: Array | None = None
    advice: Array | None = None

    def of(self, rows: Any) -> "CaregiverFeedback":
        """The same of some of the environments."""
        return CaregiverFeedback(*(None if each is None else each[rows] for each in self))


ALONE = CaregiverFeedback()


def caregiver_feedback(info: Mapping[str, Any], n: int, first_action: int = 0) -> CaregiverFeedback:
    """Read ``approval`` and ``advice`` (an action of the env) of ``n`` environments.

    Gymnasium puts the info of the last step of an ended copy under ``final_info``.
    """
    last = info.get("final_info") or {}
    if not {"approval", "advice"} & {*info, *last}:
        return ALONE
    approval = _feedback("approval", (info, last), np.full(n, np.nan))
    advice = _feedback("advice", (info, last), np.full(n, -1 + first_action))
    return CaregiverFeedback(approval, None if advice is None else advice - first_action)


def _feedback(name: str, places: tuple[Mapping[str, Any], ...], nothing: Array) -> Array | None:
    found: Array | None = None
    for info in places:
        if name in info:
            found = nothing if found is None else found
            there = info.get(f"_{name}", True)
            found = np.where(there, np.asarray(info[name]), found).astype(nothing.dtype)
    return found
