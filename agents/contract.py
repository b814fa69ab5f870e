"""Interfaces of an objective, an edit, an editor and a learner. Imports no torch."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

import numpy as np

from agents.agent_state import AgentState, EditEvidence, Look, OptimiserMoment, RefusedEditError
from agents.arrays import Array
from agents.behaviour import kl
from agents.genome import EditorGene, Genome
from agents.objective_contract import Batch, LiveObjective, Objective

__all__ = [
    "AgentState",
    "Batch",
    "Edit",
    "EditClaim",
    "EditEvidence",
    "Editor",
    "Learner",
    "LiveEditor",
    "LiveLearner",
    "LiveObjective",
    "Look",
    "Objective",
    "OptimiserMoment",
    "Population",
    "RefusedEditError",
    "Reply",
    "Streams",
    "UpdateReport",
    "View",
]

Streams = Callable[[str], np.random.Generator]
"""Name -> a fresh, independent random stream; the same name always gives the same stream."""


# --- edits -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class EditClaim:
    """What an edit says it does, in a form that can be read back from the live learner.

    ``changes``: dotted path in ``Genome.to_json()`` (list items by index) -> the value to find
    there afterwards. ``max_logit_change``: bound on max |delta logit|, ``None`` = makes no claim.
    """

    changes: Mapping[str, Any] = field(default_factory=dict)
    max_logit_change: float | None = None


class Edit(ABC):
    """A proposed rewrite. Subclasses are frozen dataclasses of JSON values, one in a part file."""

    part: ClassVar[str]  # which of genome.PARTS it touches
    also: ClassVar[tuple[str, ...]] = ()  # further parts that it may touch
    adds: ClassVar[frozenset[str] | None] = None
    """Kinds of layers that it may bring into a network; ``None``: any, if it may touch the
    architecture at all. The engine of a trial is chosen by this before anything runs."""

    @classmethod
    @abstractmethod
    def candidates(cls, view: "View") -> Sequence["Edit"]:
        """Sensible instances for this agent now; an editor chooses among them. May be empty."""

    @abstractmethod
    def rewrite(self, genome: Genome) -> Genome:
        """Return the genome after the edit; allocate nothing. Raises ``RefusedEditError``."""

    @abstractmethod
    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Return a new agent state with ``rewrite(agent_state.genome)``; change nothing in place.

        An edit that requires evidence raises ``RefusedEditError`` here.
        """

    def apply_seeing(
        self, agent_state: AgentState, rng: np.random.Generator, evidence: EditEvidence
    ) -> AgentState:
        """As ``apply``, which it is by default; what the laboratory calls."""
        del evidence
        return self.apply(agent_state, rng)

    @abstractmethod
    def claim(self, genome: Genome) -> EditClaim:
        """Say what ``apply`` to this genome will do."""

    def undoes(self) -> int | None:
        """Ledger entry whose preceding agent state this restores bit for bit, or ``None``."""
        return None

    def cost(self, genome: Genome) -> float:
        """FLOPs the edit itself spends, charged to the agent's budget."""
        del genome
        return 0.0


# --- editors -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class View:
    """What an editor sees at the end of an update: its agent's past, never the ground truth."""

    genome: Genome
    update: int  # updates done
    flops: float  # spent so far, everything included
    flops_left: float  # until the gate's budget; inf if there is none
    returns: tuple[float | None, ...]  # mean training return of each update so far, None = no end
    dormancy: tuple[float, ...]  # per layer of the policy tower: share of units with score <= .025
    unit_scores: tuple[Array, ...]  # per layer, [units]: normalised activation (ReDo, eq. 1)
    gradient_norm: float
    signals: Mapping[str, tuple[float | None, ...]] = field(default_factory=dict)
    """Name -> a number an update so far: ``gradient_norm``, ``novelty`` (mean squared distance of
    the rollout's observations from the running mean, in running variances), and every loss."""
    requests: tuple[int, ...] = ()
    """How often each rewrite action was chosen in the last rollout (in-band editing)."""
    peers: Mapping[str, tuple[float | None, ...]] = field(default_factory=dict)
    """Other members of the population -> their ``returns``."""
    peer_genomes: Mapping[str, Genome] = field(default_factory=dict)  # what they are now
    look: Look | None = None
    sizes: tuple[int, int] = (1, 1)  # observation size, actions
    canaries: Mapping[str, Any] = field(default_factory=dict)  # as in ``EditEvidence``
    values: tuple[
        str, ...
    ] = ()  # names of the arrays in ``AgentState.values``, without their contents

    def recent_return(self, window: int, peer: str | None = None) -> float | None:
        """Mean training return of this agent, or of a peer, over the last ``window`` updates.

        ``None`` where no episode ended. A return that is not finite is none.
        """
        returns = self.returns if peer is None else self.peers[peer]
        found = [each for each in returns[-window:] if each is not None and math.isfinite(each)]
        return math.fsum(found) / len(found) if found else None


@dataclass(frozen=True)
class Reply:
    """The gate's answer to the last proposal."""

    edit: Edit
    applied: bool
    reason: str  # "" when applied
    entry: int = 0  # line of the ledger, the argument of ``EditEvidence.before``
    cost: float = 0.0  # FLOPs charged


class Editor(ABC):
    """Proposes edits. Leaves are frozen dataclasses (their fields are the scenario's settings)."""

    level: ClassVar[str] = ""
    """How far it reaches: fixed, scheduled, random, self-tuned, plastic, growing, learned, in-band
    or recursive."""

    def gene(self) -> EditorGene:
        """This editor in a genome: the name of its file, and its settings."""
        name = type(self).__module__.rpartition(".")[2]
        return EditorGene.of(name, asdict(self))  # type: ignore[call-overload]

    def may_propose(self) -> frozenset[str] | None:
        """Names of all edits that it may ever propose under these settings; ``None``: any.

        Settings that ``adopt`` lets an edit change must not change this.
        """
        return None

    @abstractmethod
    def start(self, edits: Mapping[str, type[Edit]], rng: np.random.Generator) -> "LiveEditor":
        """Start editing one agent with the edits of the catalogue, by name."""


class LiveEditor(ABC):
    """A running editor of one agent; its state is JSON, so it can be recorded and compared."""

    spent: float = 0.0  # FLOPs that ``flops`` has not reported yet

    @abstractmethod
    def propose(self, view: View) -> Edit | None:
        """Return the edit to try now, or ``None``. Called at the end of every update it wants."""

    def wants(self, update: int) -> bool:
        """Does it want to see the agent after this update? A view costs about 2 % of an update."""
        del update
        return True

    def receive(self, reply: Reply) -> None:
        """Receive the gate's answer to the proposal."""
        del reply

    def state(self) -> Mapping[str, Any]:
        """JSON data: what this editor has learned."""
        return {}

    def adopt(self, settings: Editor) -> None:
        """Go on under these settings, keeping what was learned: the editor itself was edited.

        Raises ``RefusedEditError`` where this editor cannot; nothing has changed then.
        """
        del settings
        raise RefusedEditError("this editor cannot be rewritten while it works")

    def settings(self) -> Editor | None:
        """The settings in force, read back; ``None`` where ``adopt`` always refuses."""
        return None

    def flops(self) -> float:
        """FLOPs this editor has spent since it was last asked; charged to its agent."""
        spent, self.spent = self.spent, 0.0
        return spent


# --- learners ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class UpdateReport:
    """What one rollout and one update did."""

    steps: int  # environment steps taken by this update
    flops: float  # rollout, update and objectives
    episodes: int  # that ended in this rollout
    mean_return: float | None  # of those episodes, environment reward; None if there were none
    rewards: Mapping[str, float]  # objective -> its mean weighted reward a step
    losses: Mapping[str, float]


class LiveLearner(ABC):
    """One agent in training. Between two updates its state may be read and rewritten."""

    actions: int
    observation_size: int

    @abstractmethod
    def agent_state(self) -> AgentState:
        """Copy of genome, weights and optimiser state."""

    @abstractmethod
    def install(self, agent_state: AgentState) -> None:
        """Install this agent state in place; modules, environment and random streams stay."""

    @abstractmethod
    def effective(self) -> Genome:
        """The genome as *read back* from live modules, optimiser and buffers, not from a record."""

    @abstractmethod
    def logits(self, observations: Array) -> Array:
        """Policy logits, float ``[n, actions]``."""

    @abstractmethod
    def values(self, observations: Array) -> Array:
        """State values, float ``[n]``."""

    def sample(
        self,
        observations: Array,
        rng: np.random.Generator,
        choices: Callable[[Array], Array] = lambda logits: logits,
    ) -> Array:
        """Actions of its policy, int ``[n]`` from 0, or what a continuous env takes.

        ``choices`` cuts logits to those of the actions that can be chosen. Here: a draw from their
        softmax (Gumbel-max).
        """
        logits = np.asarray(choices(self.logits(observations)), dtype=float)
        return np.asarray(np.argmax(logits + rng.gumbel(size=logits.shape), axis=1))

    def divergence(self, before: Array, after: Array) -> Array:
        """KL in nats of the policies given by these logits, float64 ``[n]``."""
        return kl(before, after)

    @abstractmethod
    def parameters(self) -> int:
        """Number of values it has learned or may learn: weights and biases, or table entries."""

    @abstractmethod
    def recent_observations(self, n: int) -> Array:
        """Up to ``n`` observations of the last rollout, float32 ``[<=n, size]``."""

    @abstractmethod
    def view(self) -> Mapping[str, Any]:
        """``dormancy``, ``unit_scores`` and ``gradient_norm`` for a ``View``."""

    @abstractmethod
    def live_objectives(self) -> Mapping[str, LiveObjective]:
        """The live objectives, by name."""

    def look(self) -> Look | None:
        """The last rollout and the loss on it; ``None`` before the first, and for a table."""
        return None

    def snapshot(self) -> tuple[Mapping[str, Any], Mapping[str, Array]]:
        """Everything needed to resume bit for bit, as JSON data and arrays; without the env."""
        raise NotImplementedError(f"{type(self).__name__} cannot be resumed")

    def resume(self, data: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        """Take over what ``snapshot`` of a learner with the same settings gave."""
        raise NotImplementedError(f"{type(self).__name__} cannot be resumed")


class Population(ABC):
    """All learners of one trial: one for a Gymnasium env, one per agent for a PettingZoo env."""

    learners: Mapping[str, LiveLearner]

    @abstractmethod
    def update(self) -> Mapping[str, UpdateReport]:
        """Collect one rollout and do one update, for every agent."""


class Learner(ABC):
    """A learning algorithm's settings. Leaves are light frozen dataclasses; build loads torch."""

    total_steps: int
    num_envs: int
    joint: ClassVar[bool]  # True: wants a joint batch, or a list of PettingZoo ParallelEnvs
    layered: ClassVar[bool] = True  # False: no network, its architecture must be empty
    continuous: ClassVar[bool] = False  # True: acts in a bounded Box, not among Discrete actions

    @abstractmethod
    def genome_rule(self) -> Mapping[str, Any]:
        """The fields of ``LearningRule``, or of ``TableRule``, as JSON."""

    def copies(self) -> int:
        """Copies of the env that are played side by side, by all learners together."""
        return self.num_envs

    def initial_genomes(
        self, genome: Genome, agents: Sequence[str], streams: Streams
    ) -> Mapping[str, Genome]:
        """Initial genomes by agent name: every agent of the env starts with the same genome.

        The members of a population have other names than the env's one agent.
        """
        del streams
        return dict.fromkeys(agents, genome)

    @abstractmethod
    def build(
        self,
        env: Any,
        genomes: Mapping[str, Genome],
        objectives: Mapping[str, Objective],
        streams: Streams,
    ) -> Population:
        """Start learning on this env, one genome per agent."""
