"""Settings of frozen parts, as JSON has them."""

from collections.abc import Mapping
from typing import Any


def tuples(settings: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has lists only; frozen parts hold tuples."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in settings.items()}
