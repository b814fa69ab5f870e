"""Agent states as values, and what an edit may read of a rollout. Imports no torch."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agents.arrays import Array
from agents.genome import Genome
from agents.part_settings import SettingError


class RefusedEditError(SettingError):
    """The edit cannot be done to this genome; the message says why.

    It has a path where a setting of the edit is the cause.
    """


# --- agent states ------------------------------------------------------------------------------


@dataclass(frozen=True)
class OptimiserMoment:
    """An optimiser's state of one parameter; Adam's of Kingma & Ba 2015.

    SGD and RMSprop keep their momentum buffer in ``first``; ``second`` is RMSprop's mean square and
    zero for SGD.
    """

    first: Array  # shape of the parameter
    second: Array  # shape of the parameter
    step: float


@dataclass(frozen=True)
class AgentState:
    """A genome with its weights and optimiser state: a value, never changed in place.

    Parameter names: ``{tower}.{i}.{suffix}`` with the suffixes of the layer's kind
    (``agents/layers/``), ``weight|bias`` for a dense layer, and ``{tower}.head.weight|bias``; the
    towers are those of ``Genome.towers()`` and ``Genome.targets()``. Weights are float ``[out,
    in]``, as in ``torch.nn.Linear``. ``moments`` may lack names that were never stepped, and has
    none of frozen parameters and targets. A table's names are those of
    ``agents.architecture.cost.table_shapes``, and it has no moments.

    ``buffers`` are arrays that no gradient moves: ``mask/NAME`` (0 or 1, shape of parameter NAME,
    for a layer of density below 1), ``birth/NAME`` (initial value of NAME, where the rule pulls to
    it), ``utility/{tower}.{i}`` and ``age/{tower}.{i}`` (float ``[units]``, of continual backprop).

    ``values`` are the transferable parameters of its objectives' models of another agent's values,
    ``{objective}/{array}``; a rewrite may change them. An array that is missing here stays as it is
    in the agent.
    """

    genome: Genome
    parameters: Mapping[str, Array]
    moments: Mapping[str, OptimiserMoment]
    buffers: Mapping[str, Array] = field(default_factory=dict)
    values: Mapping[str, Array] = field(default_factory=dict)


class Look(ABC):
    """A learner's last rollout and the loss on it: gradients and activations for growing edits.

    They are those of the learner's present agent state. All gradients are of its full loss, mean
    over up to 1024 of the last rollout's steps; no optimiser step is done.
    """

    observations: Array  # float32 [n, inputs], history included

    @abstractmethod
    def gradients(self) -> Mapping[str, Array]:
        """Gradient by parameter name; of a masked weight also where the mask is 0."""

    @abstractmethod
    def inputs(self, tower: str, layer: int) -> Array:
        """Inputs of the layer, float ``[n, width]``."""

    @abstractmethod
    def activations(self, tower: str, layer: int) -> Array:
        """Outputs of the layer's units, float ``[n, units]``."""

    @abstractmethod
    def backward(self, tower: str, layer: int) -> Array:
        """Gradient of the loss by the layer's pre-activations, float ``[n, units]``.

        One past the last layer: by the head's outputs. ``LookupError`` where a layer has none.
        """

    @abstractmethod
    def step_length(self, optimiser: str) -> float:
        """Length of the next step at learning rate 1, if the agent had this optimiser."""


@dataclass(frozen=True)
class EditEvidence:
    """What an edit may read besides the agent state it rewrites."""

    look: Look | None  # None: nothing was learned yet
    before: Callable[[int], AgentState]
    """Ledger entry -> the agent state before that edit; ``RefusedEditError`` if not kept."""
    peers: Mapping[str, Callable[[], AgentState]] = field(default_factory=dict)  # of its population
    canaries: Mapping[str, Any] = field(default_factory=dict)  # decoys: any change is recorded
