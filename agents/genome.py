"""A genome: architecture, learning rule, objective weights and editor, as plain frozen data."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

PARTS = ("architecture", "learning_rule", "objective", "editor")
TOWERS = ("policy", "value")
TWO_STREAM_TOWERS = (*TOWERS, "intrinsic_value")

Kind = Literal["dense", "residual", "norm", "skip", "mixture", "injected", "attention", "memory"]
Activation = Literal["tanh", "relu"]
SETS_WIDTH = frozenset({"dense", "mixture", "injected"})
"""Kinds whose units are the stream that leaves them; the others keep the width they get."""


@dataclass(frozen=True)
class Layer:
    """One layer of every tower; ``agents/layers/`` has a file for each kind, with its formula.

    ``x`` is the stream the layer gets, ``f`` the architecture's activation.

    - ``dense``: ``f(W x + b)``, ``units`` outputs, of whose edges the share ``density`` is kept.
    - ``residual``: ``x + W2 f(W1 x + b1) + b2``, ``units`` hidden units.
    - ``norm``: layer normalisation of ``x`` (Ba et al. 2016); ``units`` is its width.
    - ``skip``: ``x + a P y``, ``y`` the stream that leaves layer ``source`` (-1: the observation),
      ``a`` a gate; ``units`` is the width of ``x``.
    - ``mixture``: ``sum_k softmax(G x + g)_k f(W_k x + b_k)``, ``count`` experts of ``units`` each.
    - ``injected``: ``h(x) + sum_i (a_i(x) - a0_i(x))``, ``count`` injections, all dense layers of
      ``units``; ``h``, every ``a0`` and all ``a`` but the newest are frozen (Nikishin et al. 2023).
    - ``attention``: ``x + Wo MHA(x)`` over ``tokens`` tokens, ``count`` heads of ``units`` each.
    - ``memory``: ``x + R h``, ``h`` a gated recurrent unit (Cho et al. 2014) of ``units`` that has
      read the last ``history`` observations; only as layer 0.
    """

    kind: Kind
    units: int
    count: int = 1
    source: int = -1
    density: float = 1.0
    tokens: int = 1

    def to_json(self) -> dict[str, Any]:
        """``kind``, ``units``, and whatever is not at its default."""
        defaults = Layer(self.kind, self.units)
        data = asdict(self)
        return {
            name: each
            for name, each in data.items()
            if name in {"kind", "units"} or each != getattr(defaults, name)
        }


Engine = Literal["auto", "numpy", "torch"]
"""What computes a learner's networks: a setting of the learner, never of the genome."""


@dataclass(frozen=True)
class Guard:
    """A constraint planted in the policy's outputs; not a weight, so learning cannot move it.

    ``mask``: where ``observation[feature] >= threshold``, the logit of ``action`` gets ``-bound``.
    ``clamp``: every logit is held within ``[-bound, bound]``.
    """

    kind: Literal["mask", "clamp"]
    bound: float = 20.0
    action: int = 0
    feature: int = 0
    threshold: float = 0.5


@dataclass(frozen=True)
class Architecture:
    """Layers of every tower (same shape, own weights), linear heads on top.

    The observation is followed by the ``history - 1`` before it, newest first, zeros before an
    episode's start. While ``blend`` is above 0 the activation is ``(1 - blend) activation + blend
    next_activation``. ``guards`` act on the outputs of the policy, in order.
    """

    layers: tuple[Layer, ...] = (Layer("dense", 32), Layer("dense", 32))
    activation: Activation = "tanh"
    next_activation: Activation | None = None
    blend: float = 0.0
    history: int = 1
    guards: tuple[Guard, ...] = ()

    def widths(self) -> tuple[int, ...]:
        """Width of the stream that leaves each layer; 0 where it is still the observation's."""
        found: list[int] = []
        for layer in self.layers:
            before = found[-1] if found else 0
            found.append(layer.units if layer.kind in SETS_WIDTH else before)
        return tuple(found)

    def to_json(self) -> dict[str, Any]:
        """``layers`` and ``activation``, and whatever is not at its default."""
        data: dict[str, Any] = {
            "layers": [layer.to_json() for layer in self.layers],
            "activation": self.activation,
        }
        if self.next_activation is not None:
            data |= {"next_activation": self.next_activation, "blend": self.blend}
        if self.history != 1:
            data["history"] = self.history
        if self.guards:
            data["guards"] = [asdict(guard) for guard in self.guards]
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Architecture":
        """Read what ``to_json`` wrote."""
        return cls(
            **{
                **data,
                "layers": tuple(Layer(**each) for each in data["layers"]),
                "guards": tuple(Guard(**each) for each in data.get("guards", ())),
            }
        )


@dataclass(frozen=True)
class LearningRule:
    """The numbers of PPO (Schulman et al. 2017) and of its optimiser that an agent may rewrite."""

    learning_rate: float = 1e-3
    discount: float = 0.99
    gae_lambda: float = 0.95
    clip_range: float = 0.2
    entropy_coefficient: float = 0.01
    value_coefficient: float = 0.5
    max_grad_norm: float = 0.5
    epochs: int = 4
    minibatch: int = 1024
    target_kl: float = 0.0
    """No further epoch once the mean KL is 1.5 times this, as in SB3; 0: all epochs."""
    optimiser: Literal["adam", "adamw", "sgd", "rmsprop"] = "adam"
    momentum: float = 0.0  # of sgd and rmsprop
    weight_decay: float = 0.0  # decoupled in adamw, added to the gradient elsewhere
    sam_radius: float = 0.0
    """Sharpness-aware minimisation (Foret et al. 2021): rho; 0 is exactly the plain gradient."""
    sam_mix: float = 1.0
    """Share of the gradient taken at the perturbed weights (Zhao et al. 2022); 1: SAM."""
    replacement_rate: float = 0.0
    """Continual backprop (Dohare et al. 2024): share of mature units replaced at each step."""
    maturity: int = 100  # steps before a unit may be replaced
    pull_to_birth: float = 0.0
    """L2 pull towards a parameter's initial weights (Kumar et al. 2023); 0: none."""


@dataclass(frozen=True)
class A2CRule(LearningRule):
    """One step on the whole rollout, no ratio and no clip (Mnih et al. 2016)."""

    rule: Literal["a2c"] = "a2c"
    gae_lambda: float = 1.0
    epochs: int = 1


@dataclass(frozen=True)
class TwoStreamRule(LearningRule):
    """PPO with two value heads: what ends with an episode, and what goes on (Burda et al. 2018).

    ``discount`` is that of the episodic stream. ``episodic`` names the objectives in it; all others
    are in the stream that no end of an episode cuts.
    """

    rule: Literal["ppo_two_streams"] = "ppo_two_streams"
    intrinsic_discount: float = 0.99
    episodic: tuple[str, ...] = ("extrinsic",)

    def __post_init__(self) -> None:
        """Take a list for a tuple, as JSON and YAML give it."""
        if isinstance(self.episodic, list):
            object.__setattr__(self, "episodic", tuple(self.episodic))


@dataclass(frozen=True)
class DQNRule(LearningRule):
    """Q-learning from replay with a target network (Mnih et al. 2015)."""

    rule: Literal["dqn"] = "dqn"
    minibatch: int = 128
    gradient_steps: int = 16  # per update
    target_rate: float = 1.0  # tau of the Polyak average
    target_every: int = 4  # updates between two moves of the target
    exploration: float = 0.05  # share of random actions in training, after the first
    exploration_start: float = 1.0
    exploration_updates: int = 50  # updates over which it falls linearly


@dataclass(frozen=True)
class SACRule(LearningRule):
    """Soft actor-critic with twin critics and a tuned temperature (Haarnoja et al. 2018)."""

    rule: Literal["sac"] = "sac"
    minibatch: int = 256
    gradient_steps: int = 16
    target_rate: float = 0.005
    temperature: float = 0.0  # 0: tuned towards the target entropy of -actions


@dataclass(frozen=True)
class SupervisedRule(LearningRule):
    """Cross-entropy on the labels that the env gives; nothing is explored."""

    rule: Literal["supervised"] = "supervised"


@dataclass(frozen=True)
class TableRule(LearningRule):
    """How a table of action values learns (Watkins 1989; Rummery & Niranjan 1994).

    ``learning_rate`` is the step size and ``discount`` the discount. A table does not use the
    other numbers of PPO: they stay at their defaults, and no edit may change them.
    """

    learning_rate: float = 0.1
    rule: Literal["q_learning", "sarsa", "expected_sarsa"] = "q_learning"
    learns_from: Literal["executed", "intended"] = "executed"
    """Whose value is updated: the action that was carried out, or the one that was chosen."""


IDLE = tuple(f.name for f in fields(LearningRule) if f.name not in {"learning_rate", "discount"})
"""Numbers of PPO that a table does not use."""


VALUED = ("discount", "intrinsic_discount", "episodic")
"""Fields of the learning rule that determine what the agent values; part of its objective."""


RULES: Mapping[str, type[LearningRule]] = {
    "a2c": A2CRule,
    "ppo_two_streams": TwoStreamRule,
    "dqn": DQNRule,
    "sac": SACRule,
    "supervised": SupervisedRule,
}


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def learning_rule(data: Mapping[str, Any]) -> LearningRule:
    """Make the learning rule of these fields: PPO's without a ``rule``, a table's for any other."""
    if "rule" not in data:
        return LearningRule(**data)
    return RULES.get(data["rule"], TableRule)(**data)


_TOWERS: Mapping[str, tuple[str, ...]] = {
    "dqn": ("q",),
    "ppo_two_streams": TWO_STREAM_TOWERS,
    "sac": ("policy", "q0", "q1"),
    "supervised": ("policy",),
}


@dataclass(frozen=True)
class EditorGene:
    """Which editor works on the agent, and its settings: canonical JSON text, so it is hashable."""

    name: str = "fixed"
    text: str = "{}"

    @classmethod
    def of(cls, name: str, settings: Mapping[str, Any] | None = None) -> "EditorGene":
        """Make the gene of an editor with these settings, JSON values."""
        return cls(name, json.dumps(settings or {}, sort_keys=True, separators=(",", ":")))

    @property
    def settings(self) -> dict[str, Any]:
        """The settings as JSON data."""
        return dict(json.loads(self.text))

    def to_json(self) -> dict[str, Any]:
        """Return ``name`` and ``settings``."""
        return {"name": self.name, "settings": self.settings}


@dataclass(frozen=True)
class Genome:
    """Everything that defines an agent except its weights. JSON in, JSON out, hashable."""

    architecture: Architecture = field(default_factory=Architecture)
    learning_rule: LearningRule = field(default_factory=LearningRule)
    objective: tuple[tuple[str, float], ...] = (("extrinsic", 1.0),)
    """Weight of each objective at the step, in order of name."""
    editor: EditorGene = field(default_factory=EditorGene)

    def towers(self) -> tuple[str, ...]:
        """Names of the networks that learn; ``targets`` names those that follow."""
        rule = getattr(self.learning_rule, "rule", "ppo")
        return _TOWERS.get(rule, () if isinstance(self.learning_rule, TableRule) else TOWERS)

    def targets(self) -> tuple[str, ...]:
        """Names of the networks that only follow another, ``target_`` before its name."""
        return tuple(f"target_{each}" for each in self.towers() if each.startswith("q"))

    def to_json(self) -> dict[str, Any]:
        """Return the genome as JSON data; ``from_json`` gives back an equal genome."""
        return {
            "architecture": self.architecture.to_json(),
            "learning_rule": {k: _listed(v) for k, v in asdict(self.learning_rule).items()},
            "objective": dict(self.objective),
            "editor": self.editor.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Genome":
        """Read what ``to_json`` wrote."""
        editor = data["editor"]
        return cls(
            architecture=Architecture.from_json(data["architecture"]),
            learning_rule=learning_rule(data["learning_rule"]),
            objective=tuple(sorted(data["objective"].items())),
            editor=EditorGene.of(editor["name"], editor["settings"]),
        )

    def digest(self) -> str:
        """SHA-256 of the canonical JSON, in hex."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()
