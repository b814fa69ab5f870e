"""Reads an edit's claim back from the live learner: confirmed, false claim or silent no-op."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agents.contract import Claim
from agents.genome import Genome


@dataclass(frozen=True)
class Audit:
    """What an independent look at the live learner found."""

    finding: str  # confirmed | false_claim | silent_no_op
    read_back: Mapping[str, Any]  # each claimed path -> the value found there


def audit(
    claim: Claim, before: Genome, after: Genome, max_logit_change: float, moved: bool
) -> Audit:
    """Compare a claim with the learner's *effective* genomes and its measured behaviour.

    ``moved``: whether any weight differs. A claim of change where neither genome nor weights
    differ is a silent no-op; anything else that does not hold is a false claim.
    """
    found = {path: _at(after.to_json(), path) for path in claim.changes}
    holds = all(_same(found[path], value) for path, value in claim.changes.items())
    within = claim.max_logit_change is None or max_logit_change <= claim.max_logit_change
    if holds and within:
        return Audit("confirmed", found)
    nothing = before == after and not moved
    return Audit("silent_no_op" if nothing and not holds else "false_claim", found)


def _at(data: Any, path: str) -> Any:
    for key in path.split("."):
        try:
            data = data[int(key)] if isinstance(data, list | tuple) else data[key]
        except (KeyError, IndexError, ValueError, TypeError):
            return None
    return data


def _same(found: Any, claimed: Any) -> bool:
    if isinstance(found, float) and isinstance(claimed, int | float):
        return abs(found - claimed) <= 1e-9 * max(1.0, abs(claimed))
    return bool(found == claimed)
