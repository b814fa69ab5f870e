"""One question as data: what a scenario file comes to once every part has every setting."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.record.events import SCHEMA
from sandbox.scenario import parts, pinned
from sandbox.words import Dose

JSON = Mapping[str, Any]


@dataclass(frozen=True)
class Scenario:
    """One question, fully resolved: every part has every setting, defaults included."""

    name: str
    question: str
    envs: tuple[JSON, ...]  # {"id", "kwargs"}; where given, "name", "controls", "gate"
    agent: JSON  # learner, architecture, objective, editor
    gate: JSON
    controls: JSON
    levers: Mapping[str, tuple[Dose, ...]]
    design: str
    seeds: tuple[int, ...]
    looks: tuple[int, ...]  # numbers of seeds at which claims are judged; none: once, at the end
    metrics: tuple[str, ...]
    claims: tuple[JSON, ...]
    probes: JSON
    limits: JSON
    arms: Mapping[str, JSON] = field(default_factory=dict)
    """Name -> the parts of the agent (gate, controls) that are others in this arm."""
    smoke: bool = False
    """A fraction of the steps was asked for: no verdict may rest on it."""
    source: bytes = field(default=b"", compare=False, repr=False)
    """The file as it was read, for the run folder."""
    changed: tuple[str, ...] = field(default=(), compare=False, repr=False)
    """What was asked for that is other than the file: ``--set`` and ``--seeds``, as words."""

    def resolved(self) -> dict[str, Any]:
        """JSON data of everything but ``source`` and ``changed``; what ``resolved.json`` holds."""
        names = [each for each in self.__dataclass_fields__ if each not in {"source", "changed"}]
        names = [each for each in names if each != "arms" or self.arms]
        data = {"format": SCHEMA, **{each: getattr(self, each) for each in names}}
        return parts.to_json(data)  # type: ignore[no-any-return]

    def digest(self) -> str:
        """Eight hex digits of what is done, whatever doses, seeds and metrics are asked for.

        Adding doses, seeds or metrics therefore keeps the run folder and adds to it.
        """
        kept = ["envs", "agent", "gate", "probes", "design", "arms"]
        kept += ["controls"] * bool(self.controls)
        whole = self.resolved() | {"controls": pinned.identity(self.controls)}
        for part in (*whole["envs"], *whole.get("arms", {}).values()):
            if "controls" in part:
                part["controls"] = pinned.identity(part["controls"])
        text = json.dumps({k: v for k, v in whole.items() if k in kept}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:8]
