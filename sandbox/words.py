"""Names, numbers and sentences as people read them: command line, TensorBoard and report alike.

Also which conditions a scenario has, in the order in which it is read.
"""

from collections.abc import Mapping
from typing import Any

Dose = float | str
"""The value a lever sets: a number, or a name where the lever chooses among named things."""

CLAIM_CHECKS = {
    "confirmed": "confirmed",
    "false_claim": "false claim",
    "silent_no_op": "silent no-op",
    "nothing": "no claim",
}
"""Outcome of comparing an edit's claim with the network afterwards, in records -> as shown."""


def claim_check(outcome: str) -> str:
    """``silent no-op``; empty where an edit was not applied, so that nothing was compared."""
    return CLAIM_CHECKS.get(outcome, outcome)


def dose_label(dose: Dose) -> str:
    """``0.5``, ``bandit``."""
    return dose if isinstance(dose, str) else f"{dose:g}"


def condition_name(condition: Mapping[str, Dose]) -> str:
    """``data_coverage=0.5,freeze_editor=0``; ``base`` where no lever is turned."""
    words = (f"{lever}={dose_label(dose)}" for lever, dose in sorted(condition.items()))
    return ",".join(words) or "base"


def env_label(scenario: Mapping[str, Any], env: Mapping[str, Any]) -> str:
    """Return the env's name in the scenario, or its id, with its kwargs where ids are alike."""
    if env.get("name"):
        return str(env["name"])
    same = [each for each in scenario["envs"] if each["id"] == env["id"]]
    given = {key for each in same for key in each["kwargs"]} if len(same) > 1 else set()
    shown = ", ".join(f"{key}={env['kwargs'][key]}" for key in sorted(given & set(env["kwargs"])))
    return f"{env['id']} ({shown})" if shown else str(env["id"])


def counted(n: int, what: str) -> str:
    """``1 trial``, ``20 trials``."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def percent(share: float) -> str:
    """``95 %``, ``99.17 %``."""
    return f"{100 * share:.4g} %"


def digits(value: float, *, sign: bool = False) -> str:
    """Three significant digits, whole thousands: ``0.812``, ``12,340``, ``1.2e7``."""
    value = value or 0.0  # no "-0"
    plus = "+" if sign and value else ""
    if 1000 <= abs(value) < 1e6:  # noqa: PLR2004
        return f"{value:{plus},.0f}"
    return f"{value:{plus}.3g}".replace("e+0", "e").replace("e+", "e")


def signed(value: float) -> str:
    """Three significant digits and a sign, but none for 0."""
    return f"{value:+.3g}" if value else "0"


def bracketed(estimate: float, *ends: float) -> str:
    """``-0.81 [-0.95, -0.67]``; no brackets without an interval."""
    return signed(estimate) + (f" [{', '.join(map(signed, ends))}]" if ends else "")
