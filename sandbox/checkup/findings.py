"""One line of a check-up, as ``doctor`` and ``check_env`` report it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """What was looked at, whether it is as it should be, and what was seen."""

    name: str
    ok: bool
    detail: str  # one line
    warning: bool = False  # as it should be, but the user ought to know

    @property
    def mark(self) -> str:
        """``ok``, ``warn`` or ``FAIL``, four characters wide."""
        return "FAIL" if not self.ok else "warn" if self.warning else "ok  "

    def __str__(self) -> str:
        return f"{self.mark} {self.name}: {self.detail}"
