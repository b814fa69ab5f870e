"""A genome: architecture, learning rule, objective weights and editor, as plain frozen data."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

PARTS = ("architecture", "learning_rule", "objective", "editor")
TOWERS = ("policy", "value")


@dataclass(frozen=True)
class Layer:
    """One layer of both towers.

    ``dense``: ``f(W x + b)``, ``units`` outputs. ``residual``: ``x + W2 f(W1 x + b1) + b2``, with
    ``units`` hidden units and the width of the layer before it.
    """

    kind: Literal["dense", "residual"]
    units: int


@dataclass(frozen=True)
class Architecture:
    """Layers of the policy and the value tower (same shape, own weights), linear heads on top."""

    layers: tuple[Layer, ...] = (Layer("dense", 32), Layer("dense", 32))
    activation: Literal["tanh", "relu"] = "tanh"

    def widths(self) -> tuple[int, ...]:
        """Width of the stream that leaves each layer; a residual layer keeps the one it gets."""
        found: list[int] = []
        for layer in self.layers:
            found.append(layer.units if layer.kind == "dense" else found[-1])
        return tuple(found)


@dataclass(frozen=True)
class LearningRule:
    """The numbers of PPO (Schulman et al. 2017) that an agent may rewrite."""

    learning_rate: float = 1e-3
    discount: float = 0.99
    gae_lambda: float = 0.95
    clip_range: float = 0.2
    entropy_coefficient: float = 0.01
    value_coefficient: float = 0.5
    max_grad_norm: float = 0.5
    epochs: int = 4
    minibatch: int = 1024


@dataclass(frozen=True)
class TableRule(LearningRule):
    """How a table of action values learns (Watkins 1989; Rummery & Niranjan 1994).

    ``learning_rate`` is the step size and ``discount`` the discount. A table has no use for the
    other numbers of PPO: they rest at their defaults, and no edit may move them.
    """

    learning_rate: float = 0.1
    rule: Literal["q_learning", "sarsa", "expected_sarsa"] = "q_learning"
    learns_from: Literal["executed", "intended"] = "executed"
    """Whose value is updated: the action that was carried out, or the one that was chosen."""


IDLE = tuple(f.name for f in fields(LearningRule) if f.name not in {"learning_rate", "discount"})
"""Numbers of PPO that mean nothing to a table."""


def learning_rule(data: Mapping[str, Any]) -> LearningRule:
    """Make the learning rule of these fields; one that names a ``rule`` is a table's."""
    return TableRule(**data) if "rule" in data else LearningRule(**data)


@dataclass(frozen=True)
class Genome:
    """Everything that makes this agent this agent, weights apart. JSON in, JSON out, hashable."""

    architecture: Architecture = field(default_factory=Architecture)
    learning_rule: LearningRule = field(default_factory=LearningRule)
    objective: tuple[tuple[str, float], ...] = (("extrinsic", 1.0),)
    """Weight of each objective at the step, in order of name."""
    editor: str = "fixed"

    def to_json(self) -> dict[str, Any]:
        """Return the genome as JSON data; ``from_json`` gives back an equal genome."""
        return {**asdict(self), "objective": dict(self.objective)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Genome":
        """Read what ``to_json`` wrote."""
        architecture = data["architecture"]
        layers = tuple(Layer(each["kind"], each["units"]) for each in architecture["layers"])
        return cls(
            architecture=Architecture(layers, architecture["activation"]),
            learning_rule=learning_rule(data["learning_rule"]),
            objective=tuple(sorted(data["objective"].items())),
            editor=data["editor"],
        )

    def digest(self) -> str:
        """SHA-256 of the canonical JSON, in hex."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()
