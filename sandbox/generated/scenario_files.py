"""The table of what every scenario file says of itself: seeds, claims, controls, placebo."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sandbox.generated.found_tables import MINUS
from sandbox.generated.found_tables import table as markdown
from sandbox.scenario.load import load
from sandbox.words import dose_label

JSON = Mapping[str, Any]
ARROWS = {"higher": "↑", "lower": "↓"}
SIGNS = {"positive_control": "+", "negative_control": MINUS}
MOST_ARMS = 6
"""Above it arms are counted and not named."""


def table(files: Mapping[str, Path], earlier: Mapping[str, JSON]) -> list[str]:
    """One row a file; the last column is what was written down when the file was changed."""
    head = (
        *("scenario", "seeds", "claims", f"controls (+ known effect, {MINUS} known to be none)"),
        *("placebo", "what was wrong, or is different now"),
    )
    return markdown(head, [_row(name, path, earlier.get(name, {})) for name, path in files.items()])


def _row(name: str, path: Path, old: JSON) -> list[str]:
    scenario = load(path).resolved()
    claims = [dict(each) for each in scenario["claims"]]
    controls = [
        f"{sign} {'; '.join(some)}"
        for role, sign in SIGNS.items()
        if (some := summary(scenario, [each for each in claims if _role(each) == role]))
    ]
    placebo = "yes" if "placebo" in scenario["levers"] else "no"
    seeds = str(len(scenario["seeds"]))
    asked = "; ".join(summary(scenario, [each for each in claims if _role(each) == "claim"]))
    cells = [asked or "—", "<br>".join(controls) or "—", placebo, old.get("changed", "")]
    return [f"[{name}]({name}.yaml)", seeds, *cells]


def _role(claim: JSON) -> str:
    return str(claim.get("role", "claim"))


def summary(scenario: JSON, claims: Sequence[JSON]) -> list[str]:
    """Claims in few words: what is turned alike, and envs that are asked alike, together."""
    envs: dict[tuple[str, str, str, float], list[str]] = {}
    for each in claims:
        turned = _turned(scenario, each)
        key = (turned, each["metric"], each["direction"], each["smallest_effect"])
        envs.setdefault(key, []).append(each.get("env") or "")
    alike: dict[tuple[Any, ...], list[str]] = {}
    for (turned, *rest), where in envs.items():
        alike.setdefault((*rest, tuple(where)), []).append(turned)
    return [_words(*key, turned=turned) for key, turned in alike.items()]


def _words(
    metric: str, direction: str, size: float, envs: Sequence[str], *, turned: Sequence[str]
) -> str:
    some = ", ".join(turned) if len(turned) <= MOST_ARMS else f"each of {len(turned)} arms"
    named = [each for each in envs if each]
    where = f" in {' and '.join(named)}" if named else ""
    return f"{some}: {metric} {ARROWS[direction]} {size:g}{where}"


def _turned(scenario: JSON, claim: JSON) -> str:
    """``compute 1 → 0.25``; of arms the name alone, held against the first."""
    doses = scenario["levers"][claim["effect_of"]]
    dose = claim.get("dose", doses[-1])
    if claim["effect_of"] == "arm":
        return dose_label(dose)
    return f"{claim['effect_of']} {dose_label(doses[0])} → {dose_label(dose)}"
