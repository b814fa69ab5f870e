"""Reads an edit's claim back from the live learner: confirmed, or what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agents.contract import EditClaim
from agents.genome import Genome


@dataclass(frozen=True)
class Audit:
    """What an independent look at the live learner found."""

    finding: str  # confirmed | false_claim | silent_no_op | nothing
    read_back: Mapping[str, Any]  # each claimed path -> the value found there


def audit(
    claim: EditClaim, before: Genome, after: Genome, max_logit_change: float, moved: bool
) -> Audit:
    """Compare a claim with the learner's *effective* genomes and its measured behaviour.

    ``moved``: whether any weight or any of the optimiser's state differs.

    - ``confirmed``: all that was claimed is there.
    - ``silent_no_op``: a change was claimed, and neither genome nor agent state differ.
    - ``false_claim``: anything else that does not hold.
    - ``nothing``: nothing was claimed, and nothing differs. (To leave every logit where it was is a
      claim, ``max_logit_change=0``: the identity edit is confirmed.)
    """
    found = {path: _at(after.to_json(), path) for path in claim.changes}
    holds = all(_same(found[path], value) for path, value in claim.changes.items())
    within = claim.max_logit_change is None or max_logit_change <= claim.max_logit_change
    idle = before == after and not moved
    if not holds or not within:
        return Audit("silent_no_op" if idle and not holds else "false_claim", found)
    claims = bool(claim.changes) or claim.max_logit_change is not None
    return Audit("nothing" if idle and not claims else "confirmed", found)


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
    if isinstance(found, Mapping) and isinstance(claimed, Mapping):
        return found.keys() == claimed.keys() and all(_same(found[k], claimed[k]) for k in found)
    if isinstance(found, list | tuple) and isinstance(claimed, list | tuple):
        return len(found) == len(claimed) and all(map(_same, found, claimed))
    return bool(found == claimed)
