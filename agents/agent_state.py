"""Minds as values, and what may be seen of a rollout when one is rewritten. Imports no torch."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agents.arrays import Array
from agents.genome import Genome
from agents.part_settings import SettingError


class RefusedEditError(SettingError):
    """The edit cannot be done to this genome; the message says why.

    It has a path where a setting of the edit is to blame.
    """


# --- minds -------------------------------------------------------------------------------------


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
    """A genome with its weights and optimiser state: a value; nobody changes it in place.

    Parameter names: ``{tower}.{i}.{suffix}`` with the suffixes of the layer's kind
    (``agents/layers/``), ``weight|bias`` for a dense layer, and ``{tower}.head.weight|bias``; the
    towers are those of ``Genome.towers()`` and ``Genome.targets()``. Weights are float ``[out,
    in]``, as in ``torch.nn.Linear``. ``moments`` may lack names that were never stepped, and has
    none of frozen parameters and targets. A table's names are those of
    ``agents.architecture.cost.table_shapes``, and it has no moments.

    ``buffers`` are arrays that no gradient moves: ``mask/NAME`` (0 or 1, shape of parameter NAME,
    for a layer of density below 1), ``birth/NAME`` (what NAME was born as, where the rule pulls to
    it), ``utility/{tower}.{i}`` and ``age/{tower}.{i}`` (float ``[units]``, of continual backprop).

    ``values`` are what its objectives have learned of somebody else's values and a rewrite may
    touch, ``{objective}/{array}``. An array that is missing here stays as it is in the agent.
    """

    genome: Genome
    parameters: Mapping[str, Array]
    moments: Mapping[str, OptimiserMoment]
    buffers: Mapping[str, Array] = field(default_factory=dict)
    values: Mapping[str, Array] = field(default_factory=dict)


class Look(ABC):
    """A learner's last rollout seen through its loss: what growing and rewiring need to know.

    The mind is the one the learner has now. All gradients are of its full loss, mean over up to
    1024 of the last rollout's steps; nothing is stepped.
    """

    observations: Array  # float32 [n, inputs], history included

    @abstractmethod
    def gradients(self) -> Mapping[str, Array]:
        """Gradient by parameter name; of a masked weight also where the mask is 0."""

    @abstractmethod
    def inputs(self, tower: str, layer: int) -> Array:
        """What the layer reads, float ``[n, width]``."""

    @abstractmethod
    def activations(self, tower: str, layer: int) -> Array:
        """What the layer's units put out, float ``[n, units]``."""

    @abstractmethod
    def backward(self, tower: str, layer: int) -> Array:
        """Gradient of the loss by the layer's pre-activations, float ``[n, units]``.

        Behind the last layer: by the head's outputs. ``LookupError`` where a layer has none.
        """

    @abstractmethod
    def step_length(self, optimiser: str) -> float:
        """Length of the next step at learning rate 1, had the agent this optimiser."""


@dataclass(frozen=True)
class EditEvidence:
    """What an edit may look at besides the mind it rewrites."""

    look: Look | None  # None: nothing was learned yet
    before: Callable[[int], AgentState]
    """Ledger entry -> the mind before that edit; ``RefusedEditError`` where it is not kept."""
    peers: Mapping[str, Callable[[], AgentState]] = field(default_factory=dict)  # of its population
    canaries: Mapping[str, Any] = field(default_factory=dict)  # decoys: who meddles is noted
